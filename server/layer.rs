//! What every call passes on its way in, in this order.
//!
//! | layer | what it does |
//! |---|---|
//! | [`WebOrigins::cors`] | tells browsers which pages may call |
//! | tonic-web | gRPC-Web becomes gRPC; all layers after it see gRPC only |
//! | [`OriginLayer`] | refuses other pages |
//! | [`StoppingLayer`] | ends the streams of health and reflection when the process stops |
//! | [`StatusLayer`] | gives errors of tonic's own their code and details |
//! | [`DeadlineLayer`] | ends calls in time |
//! | [`BodyLayer`] | reads the request to its end |
//! | [`ShedLayer`] | refuses calls that are too many, and holds their slots until the answer is written |
//! | [`TrailerLayer`] | makes `orders-replayed` a trailer |

mod answer;
mod body;
mod deadline;
mod origin;
mod shed;
mod status;
mod stopping;
mod trailer;

pub use body::{BodyLayer, BodyLimits};
pub use deadline::{Deadline, DeadlineLayer};
pub use origin::{Origin, OriginLayer, WebOrigin, WebOrigins};
pub use shed::{ShedLayer, take_waiting};
pub use status::StatusLayer;
pub use stopping::StoppingLayer;
pub use trailer::TrailerLayer;
