//! Tests of running the service: start and stop, several processes, operators, attackers.

mod attack;
mod backup;
mod connect;
mod operator;
mod postgres;
mod private;
mod processes;
mod restart;
mod search;
mod serving;
mod shutdown;
mod task_queue;
mod tls;
pub(crate) mod verify;
