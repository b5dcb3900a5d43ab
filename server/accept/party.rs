//! For whom a share is counted.

use super::{
    cancels::Cancels,
    pool::{Holders, Permit, Pools, Resource, Usage, has_room},
    turns::{Turn, TurnGates, Turns},
};
use std::{sync::Arc, time::Duration};

/// What the callers of one address hold together.
#[derive(Debug)]
pub struct Address {
    usage: Usage,
    gates: TurnGates,
    cancels: Cancels,
}

impl Address {
    /// An address of which so many calls may be cancelled in a second.
    pub(super) fn new(cancels_a_second: u32) -> Self {
        Self {
            usage: Usage::default(),
            gates: TurnGates::default(),
            cancels: Cancels::new(cancels_a_second),
        }
    }

    /// How long it has to wait for the calls that were cancelled.
    pub(super) fn pause(&self) -> Option<Duration> {
        self.cancels.pause()
    }

    pub(super) fn gates(&self) -> &TurnGates {
        &self.gates
    }
}

/// A caller, as far as it can be told apart: its address and its connection.
#[derive(Debug)]
pub struct Party {
    address: Option<Arc<Address>>,
    connection: Option<Usage>,
    gates: TurnGates,
}

impl Party {
    /// The peer of a connection; without an address if that is exempt from the address limits.
    pub fn of_connection(address: Option<Arc<Address>>) -> Self {
        Self {
            address,
            connection: Some(Usage::default()),
            gates: TurnGates::default(),
        }
    }

    /// A client that a trusted proxy names: it shares its connection with others, so that only its
    /// address counts.
    pub fn forwarded(address: Arc<Address>) -> Self {
        Self {
            address: Some(address),
            connection: None,
            gates: TurnGates::default(),
        }
    }

    pub(super) fn holders(&self) -> Holders<&Usage> {
        Holders {
            address: self.address.as_deref().map(|address| &address.usage),
            connection: self.connection.as_ref(),
        }
    }

    pub(super) fn address(&self) -> Option<&Arc<Address>> {
        self.address.as_ref()
    }

    pub(super) fn gates(&self) -> &TurnGates {
        &self.gates
    }
}

/// A caller with the pools that it takes from; in the extensions of every request. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller {
    pools: Arc<Pools>,
    turns: Arc<Turns>,
    party: Arc<Party>,
}

impl Caller {
    pub(super) fn new(pools: Arc<Pools>, turns: Arc<Turns>, party: Arc<Party>) -> Self {
        Self {
            pools,
            turns,
            party,
        }
    }

    /// Another caller, of the same pools.
    pub(super) fn of(&self, party: Party) -> Self {
        let (pools, turns) = (self.pools.clone(), self.turns.clone());
        Self::new(pools, turns, Arc::new(party))
    }

    /// The cancelled calls of its address; none if that is exempt.
    pub(super) fn cancels(&self) -> Option<&Cancels> {
        self.party.address().map(|address| &address.cancels)
    }

    pub(super) fn address(&self) -> Option<&Arc<Address>> {
        self.party.address()
    }

    /// Takes a part of a pool; none if that would be more than the caller's share.
    pub fn take(&self, resource: Resource, amount: u64) -> Option<Permit> {
        Permit::take(&self.pools, &self.party, resource, amount)
    }

    /// Counts what is there already, even if it is more than the caller's share.
    pub fn force(&self, resource: Resource, amount: u64) -> Permit {
        Permit::force(&self.pools, &self.party, resource, amount)
    }

    /// Whether the caller may take something of a pool now.
    pub fn has_room(&self, resource: Resource) -> bool {
        has_room(&self.pools, &self.party, resource)
    }

    /// How much there is for all callers together.
    pub fn size(&self, resource: Resource) -> u64 {
        self.pools.size(resource)
    }

    /// Waits until the caller may read a list: few are read at a time.
    pub async fn turn(&self) -> Turn {
        self.turns.wait(&self.party).await
    }
}

#[cfg(test)]
impl Default for Address {
    fn default() -> Self {
        Self::new(1)
    }
}
