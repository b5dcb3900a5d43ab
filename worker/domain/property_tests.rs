//! The rules of an order, tested without any I/O: a small world with its own ledgers, driven as
//! the workflow drives the real one, and the invariants of [`invariants`] after every transaction.

mod cancel_stories;
mod case;
mod command_table;
mod driver;
mod exhausted_stories;
mod happy_stories;
mod invariants;
mod ledger;
mod message_stories;
mod operator_stories;
mod oracle;
mod payment_stories;
mod random;
mod receipt_stories;
mod replies;
mod round_trip;
mod scenario;
mod shipping_stories;
mod story;
mod unhappy_stories;
mod vouched_stories;
mod waiting_stories;
mod world;
