//! What every call passes on its way in.

mod deadline;
mod trailer;

pub use deadline::{Deadline, DeadlineLayer};
pub use trailer::{REPLAYED, TrailerLayer};
