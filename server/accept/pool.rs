//! Pools of what callers share, and the rule by which a caller gets its part.
//!
//! A fixed share per caller would waste most of a pool on a quiet day and protect nobody on a busy
//! one. The rule compares what a caller holds with what is still free, so that one caller alone may
//! use most of a pool, many callers divide it evenly, and a caller that holds nothing always finds
//! something.

use super::party::Party;
use std::{
    ops::{Index, IndexMut},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// A holder may have this many times what it leaves free: four fifths of a pool for an address alone,
/// and three quarters for a connection.
const TIMES_FREE: u64 = 4;

/// The part of a pool that larger holders leave free: one in this many.
const RESERVE: u64 = 16;

/// A small holder leaves free this many times what it has.
const RESERVE_PER_HELD: u64 = 8;

/// What callers share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Unary calls of the API that are in progress, or whose answer is not written yet.
    Calls,
    /// Calls that wait for Temporal: changes, and reads that ask the workflow.
    Waiting,
    /// Lists, which cost much more than other reads.
    Lists,
    /// Open watches of orders and of the health.
    Watches,
    /// Open reflection streams.
    Reflection,
    /// Unary calls of the health service.
    Health,
    /// Bytes of requests that are being read or worked on.
    RequestBytes,
    /// Bytes of answers that are not written yet.
    AnswerBytes,
    /// Bytes that watches have read ahead from the database.
    ReadAheadBytes,
}

const COUNT: usize = Resource::ReadAheadBytes as usize + 1;

/// One value for each resource.
#[derive(Debug, Default)]
pub struct PerResource<T>([T; COUNT]);

impl<T> Index<Resource> for PerResource<T> {
    type Output = T;

    fn index(&self, resource: Resource) -> &T {
        &self.0[resource as usize]
    }
}

impl<T> IndexMut<Resource> for PerResource<T> {
    fn index_mut(&mut self, resource: Resource) -> &mut T {
        &mut self.0[resource as usize]
    }
}

/// What one holder has of each resource. Changed only under the lock of the resource's pool.
#[derive(Debug, Default)]
pub struct Usage(PerResource<AtomicU64>);

impl Usage {
    fn get(&self, resource: Resource) -> u64 {
        self.0[resource].load(Ordering::Relaxed)
    }

    fn add(&self, resource: Resource, amount: u64) {
        self.0[resource].fetch_add(amount, Ordering::Relaxed);
    }

    fn subtract(&self, resource: Resource, amount: u64) {
        self.0[resource].fetch_sub(amount, Ordering::Relaxed);
    }
}

/// One pool for each resource.
#[derive(Debug, Default)]
pub struct Pools(PerResource<Pool>);

#[derive(Debug, Default)]
struct Pool {
    size: u64,
    used: Mutex<u64>,
}

impl Pools {
    /// Sets the size of a pool.
    pub fn with(mut self, resource: Resource, size: u64) -> Self {
        self.0[resource].size = size;
        self
    }

    /// The size of a pool.
    pub fn size(&self, resource: Resource) -> u64 {
        self.0[resource].size
    }

    /// Whether `party` may take `amount` more. `how` says whether it is taken.
    fn ask(&self, party: &Party, resource: Resource, amount: u64, how: Ask) -> bool {
        let pool = &self.0[resource];
        let mut used = pool.used.lock().unwrap_or_else(PoisonError::into_inner);
        let holders = party.holders().map(|usage| usage.get(resource));
        let admitted = admits(pool.size, *used, holders, amount);
        let taken = match how {
            Ask::Look => false,
            Ask::Take => admitted,
            Ask::Force => true,
        };
        if taken {
            *used += amount;
            for usage in party.holders().iter() {
                usage.add(resource, amount);
            }
        }
        admitted
    }

    fn give_back(&self, party: &Party, resource: Resource, amount: u64) {
        let pool = &self.0[resource];
        let mut used = pool.used.lock().unwrap_or_else(PoisonError::into_inner);
        *used = used.saturating_sub(amount);
        for usage in party.holders().iter() {
            usage.subtract(resource, amount);
        }
    }
}

#[derive(Clone, Copy)]
enum Ask {
    Look,
    Take,
    Force,
}

/// The holders that a party's share is counted for, from the outside: its address, its connection.
#[derive(Clone, Copy, Debug)]
pub struct Holders<T> {
    /// The address; absent for callers that have none of their own.
    pub address: Option<T>,
    /// The connection; absent for callers that a proxy names.
    pub connection: Option<T>,
}

impl<T: Copy> Holders<T> {
    fn map<U>(self, convert: impl Fn(T) -> U) -> Holders<U> {
        Holders {
            address: self.address.map(&convert),
            connection: self.connection.map(&convert),
        }
    }

    fn iter(self) -> impl Iterator<Item = T> {
        self.address.into_iter().chain(self.connection)
    }
}

/// The rule. What a holder has in the end is at most `TIMES_FREE` times what is free for it now:
/// for an address the free part of the pool, for a connection what its address may still take.
/// Holders of some size also leave a reserve to those that have less.
fn admits(size: u64, used: u64, holders: Holders<u64>, amount: u64) -> bool {
    let mut free = size.saturating_sub(used);
    if amount > free {
        return false;
    }
    for held in holders.iter() {
        let reserve = held.saturating_mul(RESERVE_PER_HELD).min(size / RESERVE);
        let room = free.saturating_mul(TIMES_FREE);
        if amount.saturating_add(reserve) > free || held.saturating_add(amount) > room {
            return false;
        }
        free = room - held;
    }
    true
}

/// A part of a pool, until it is dropped.
#[derive(Debug)]
pub struct Permit {
    pools: Arc<Pools>,
    party: Arc<Party>,
    resource: Resource,
    amount: u64,
}

impl Permit {
    /// Takes `amount`; none if that would be more than the party's share.
    pub fn take(
        pools: &Arc<Pools>,
        party: &Arc<Party>,
        resource: Resource,
        amount: u64,
    ) -> Option<Permit> {
        pools
            .ask(party, resource, amount, Ask::Take)
            .then(|| Permit {
                pools: pools.clone(),
                party: party.clone(),
                resource,
                amount,
            })
    }

    /// Counts what is there already, even if it is more than the party's share.
    pub fn force(
        pools: &Arc<Pools>,
        party: &Arc<Party>,
        resource: Resource,
        amount: u64,
    ) -> Permit {
        pools.ask(party, resource, amount, Ask::Force);
        Permit {
            pools: pools.clone(),
            party: party.clone(),
            resource,
            amount,
        }
    }

    /// Takes `amount` more. Returns `false`, and takes nothing, if that is more than the share.
    pub fn grow(&mut self, amount: u64) -> bool {
        let grown = self
            .pools
            .ask(&self.party, self.resource, amount, Ask::Take);
        if grown {
            self.amount += amount;
        }
        grown
    }

    /// Gives `amount` back and keeps the rest.
    pub fn shrink(&mut self, amount: u64) {
        let amount = amount.min(self.amount);
        self.pools.give_back(&self.party, self.resource, amount);
        self.amount -= amount;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.pools
            .give_back(&self.party, self.resource, self.amount);
    }
}

/// Whether a party may take something now.
pub fn has_room(pools: &Pools, party: &Party, resource: Resource) -> bool {
    pools.ask(party, resource, 1, Ask::Look)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accept::party::Address;

    /// Everything that a caller gets when it takes one after the other.
    fn all(pools: &Arc<Pools>, party: &Arc<Party>) -> Vec<Permit> {
        (0..)
            .map_while(|_| Permit::take(pools, party, Resource::Calls, 1))
            .collect()
    }

    fn pools(size: u64) -> Arc<Pools> {
        Arc::new(Pools::default().with(Resource::Calls, size))
    }

    fn connection(address: &Arc<Address>) -> Arc<Party> {
        Arc::new(Party::of_connection(Some(address.clone())))
    }

    #[test]
    fn one_connection_may_use_most_of_a_pool_and_leaves_something() {
        for (size, most) in [
            (1, 1),
            (2, 2),
            (3, 3),
            (4, 4),
            (8, 7),
            (512, 391),
            (20_000, 15_239),
        ] {
            let pools = pools(size);
            let address = Arc::new(Address::default());
            let held = all(&pools, &connection(&address));
            assert_eq!(held.len(), most, "of {size}");
            drop(held);
            assert_eq!(all(&pools, &connection(&address)).len(), most, "given back");
        }
    }

    #[test]
    fn newcomers_find_something_whoever_holds_the_rest() {
        for attackers in [1, 2, 10, 26, 100] {
            let pools = pools(512);
            let address = Arc::new(Address::default());
            // They come back for more until none of them gets any.
            let parties: Vec<_> = (0..attackers).map(|_| connection(&address)).collect();
            let mut held = Vec::new();
            loop {
                let before = held.len();
                for party in &parties {
                    held.extend(Permit::take(&pools, party, Resource::Calls, 1));
                }
                if held.len() == before {
                    break;
                }
            }
            let same = all(&pools, &connection(&address)).len();
            let other = all(&pools, &connection(&Arc::default())).len();
            println!(
                "{attackers} connections hold {}, a new one gets {same}, of another address {other}",
                held.len()
            );
            assert!(held.len() > 340 && held.len() < 410, "{}", held.len());
            assert!(same >= 3, "{same}");
            assert!(other >= 70, "{other}");
        }
    }

    #[test]
    fn those_that_a_proxy_names_are_counted_by_their_address_alone() {
        let pools = pools(512);
        let one = Arc::new(Party::forwarded(Arc::default()));
        let held = all(&pools, &one);
        assert_eq!(held.len(), 410);
        let other = Arc::new(Party::forwarded(Arc::default()));
        assert_eq!(all(&pools, &other).len(), 70);
    }

    #[test]
    fn what_is_forced_is_counted_and_given_back() {
        let pools = pools(8);
        let party = connection(&Arc::default());
        let forced = Permit::force(&pools, &party, Resource::Calls, 10);
        assert!(!has_room(&pools, &party, Resource::Calls));
        assert!(all(&pools, &connection(&Arc::default())).is_empty());
        drop(forced);
        let mut held = Permit::take(&pools, &party, Resource::Calls, 1).unwrap();
        assert!(held.grow(2));
        assert!(held.grow(4));
        assert!(!held.grow(1));
        held.shrink(1);
        assert!(held.grow(1));
        drop(held);
        assert_eq!(all(&pools, &party).len(), 7);
    }
}
