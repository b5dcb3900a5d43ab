//! The only place that talks to Temporal: starting, commanding and asking workflows, and the
//! embedded dev server as orders need it. Its errors are told apart here and nowhere else.

mod caller;
pub mod connect;
mod describe;
pub mod embedded;
mod error;
pub mod inspect;
mod namespace;
mod order;
mod other_queues;
mod ours;
mod pauses;
mod pollers;
pub mod replay;
pub mod replenish;
mod retention;
pub mod run_worker;
mod search_attributes;
pub mod starter;
pub mod sweep;

pub use caller::within_time;
pub use describe::{Described, DescribedActivity};
pub use error::TemporalError;
pub use namespace::NamespaceError;
pub use order::Ensured;

use orders_worker::workflow::shipping_lane;
use std::sync::{Arc, atomic::AtomicBool};
use temporalio_client::Client;

/// Temporal as this service uses it. Cheap to clone.
#[derive(Clone)]
pub struct Temporal {
    client: Client,
    task_queue: String,
    /// Where it is, for people.
    address: String,
    /// Held by the one who waits for the namespace.
    namespace_gate: Arc<tokio::sync::Mutex<()>>,
    /// Whether orders are started with search attributes.
    searchable: Arc<AtomicBool>,
    /// Whether one of them is where the order stands.
    shows_state: bool,
    newest: Arc<pollers::Newest>,
    /// Where workflows of ours wait that were started with another setting.
    other_queues: Arc<other_queues::OtherQueues>,
    /// Whether the worker beside us may have an order's first task with the start.
    eager: bool,
}

impl Temporal {
    /// On a connected client. Orders run on `task_queue`.
    pub fn new(client: Client, task_queue: impl Into<String>) -> Self {
        Self {
            client,
            task_queue: task_queue.into(),
            address: String::new(),
            namespace_gate: Arc::default(),
            searchable: Arc::default(),
            shows_state: true,
            newest: Arc::default(),
            other_queues: Arc::default(),
            eager: true,
        }
    }

    /// With the address by which messages name it.
    pub fn at(self, address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            ..self
        }
    }

    /// With Temporal choosing the worker of each order's first task, too: the one beside us may be of a
    /// build that is not the current one.
    pub fn without_eager_start(self) -> Self {
        Self {
            eager: false,
            ..self
        }
    }

    /// With the state of orders not shown in Temporal: each change of it costs Temporal an Action, an event
    /// and a row.
    pub fn without_order_state(self) -> Self {
        Self {
            shows_state: false,
            ..self
        }
    }

    /// The client, for the worker: sharing it is what makes the eager start possible.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The namespace of the orders.
    pub fn namespace(&self) -> &str {
        &self.client.options().namespace
    }

    /// Where orders run.
    pub fn task_queue(&self) -> &str {
        &self.task_queue
    }

    /// Where a worker of that role looks for work.
    pub fn task_queue_of(&self, role: run_worker::Role) -> String {
        match role {
            run_worker::Role::Orders => self.task_queue.clone(),
            run_worker::Role::Shipping => shipping_lane::task_queue(&self.task_queue),
        }
    }
}
