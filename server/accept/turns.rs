//! Turns at what is expensive: reading lists. Callers wait for theirs, each in its own queue first,
//! so that one caller's hundred lists delay its own calls only.

use super::party::Party;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The turns that one connection may have at a time.
const OF_CONNECTION: usize = 2;

/// The turns that one address may have at a time.
const OF_ADDRESS: usize = 3;

/// The queues of one caller.
#[derive(Debug)]
pub struct TurnGates {
    connection: Arc<Semaphore>,
    address: Arc<Semaphore>,
}

impl Default for TurnGates {
    fn default() -> Self {
        Self {
            connection: Arc::new(Semaphore::new(OF_CONNECTION)),
            address: Arc::new(Semaphore::new(OF_ADDRESS)),
        }
    }
}

/// The turns of all callers.
#[derive(Debug)]
pub struct Turns(Arc<Semaphore>);

/// A turn, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    _held: [Option<OwnedSemaphorePermit>; 3],
}

impl Turns {
    /// At most that many at a time.
    pub fn new(most: u32) -> Self {
        Self(Arc::new(Semaphore::new(most as usize)))
    }

    pub(super) async fn wait(&self, party: &Party) -> Turn {
        // No semaphore is ever closed, so that each wait ends with a permit.
        let connection = party.gates().connection.clone();
        let connection = connection.acquire_owned().await.ok();
        let address = match party.address() {
            Some(address) => address.gates().address.clone().acquire_owned().await.ok(),
            None => None,
        };
        let all = self.0.clone().acquire_owned().await.ok();
        Turn {
            _held: [connection, address, all],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn one_connection_waits_behind_itself_and_others_have_their_turn() {
        let turns = Turns::new(4);
        let busy = Party::of_connection(Some(Arc::default()));
        let mut held = vec![turns.wait(&busy).await, turns.wait(&busy).await];
        assert!(turns.wait(&busy).now_or_never().is_none());
        let other = Party::of_connection(Some(Arc::default()));
        assert!(turns.wait(&other).now_or_never().is_some());
        // Three of one address, whatever its connections.
        let second = Party::of_connection(busy.address().cloned());
        held.push(turns.wait(&second).await);
        assert!(turns.wait(&second).now_or_never().is_none());
        assert!(turns.wait(&other).now_or_never().is_some());
        held.clear();
        assert!(turns.wait(&busy).now_or_never().is_some());
    }
}
