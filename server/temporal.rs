//! The only place that talks to Temporal: starting, commanding and asking workflows, and the
//! embedded dev server. Its errors are told apart here and nowhere else.

pub mod connect;
pub mod dev_server;
mod error;
mod order;
mod pollers;
mod retention;
pub mod run_worker;
pub mod sweep;

pub use error::TemporalError;

use std::time::Duration;
use temporalio_client::Client;

/// How long a workflow task may take before Temporal gives it to another worker. Short: after a
/// kill nobody waits for the dead one. (Temporal's default is 10 s.)
const TASK_TIMEOUT: Duration = Duration::from_secs(3);

/// Temporal as this service uses it. Cheap to clone.
#[derive(Clone)]
pub struct Temporal {
    client: Client,
    task_queue: String,
}

impl Temporal {
    /// On a connected client. Orders run on `task_queue`.
    pub fn new(client: Client, task_queue: impl Into<String>) -> Self {
        Self {
            client,
            task_queue: task_queue.into(),
        }
    }

    /// The client, for the worker: sharing it is what makes the eager start possible.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where orders run.
    pub fn task_queue(&self) -> &str {
        &self.task_queue
    }
}
