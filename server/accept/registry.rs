//! All open connections, and who has to go when there are too many.

use super::{
    connection::Connection,
    party::{Address, Caller, Party},
    pool::Pools,
    trusted::counted,
    turns::Turns,
};
use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

/// Addresses without connections are forgotten when there are more than this, and than twice as
/// many as were left the last time.
const FORGET: usize = 1024;

/// All open connections.
#[derive(Debug)]
pub struct Registry {
    pools: Arc<Pools>,
    turns: Arc<Turns>,
    most: usize,
    most_of_address: usize,
    cancels_a_second: u32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    count: usize,
    /// By address, and there by number, so that the oldest comes first. Connections that are exempt
    /// from the limit of addresses stand under none.
    connections: HashMap<Option<IpAddr>, BTreeMap<u64, Arc<Connection>>>,
    addresses: HashMap<IpAddr, Weak<Address>>,
    forget: usize,
}

impl Registry {
    /// For at most `most` connections, `most_of_address` of one address, and so many cancelled calls of one
    /// address in a second.
    pub fn new(
        pools: Pools,
        turns: Turns,
        most: usize,
        most_of_address: usize,
        cancels_a_second: u32,
    ) -> Self {
        Self {
            pools: Arc::new(pools),
            turns: Arc::new(turns),
            most,
            most_of_address,
            cancels_a_second,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the callers of an address hold.
    pub fn address(&self, address: IpAddr) -> Arc<Address> {
        self.state()
            .address(counted(address), self.cancels_a_second)
    }

    /// Enters a connection. At a limit another one that does nothing is closed to make room for it;
    /// if there is none, the new one is refused.
    ///
    /// `address` is the client's, and none for those that are exempt from the address limits.
    pub fn admit(
        self: &Arc<Self>,
        peer: IpAddr,
        address: Option<IpAddr>,
        names_clients: bool,
    ) -> Option<Registered> {
        let key = address.map(counted);
        let mut state = self.state();
        let of_address = state.connections.get(&key).map_or(0, BTreeMap::len);
        if key.is_some() && of_address >= self.most_of_address && !state.evict(key) {
            return None;
        }
        if state.count >= self.most && !state.evict_any() {
            return None;
        }
        let address = key.map(|key| state.address(key, self.cancels_a_second));
        let party = Arc::new(Party::of_connection(address));
        let caller = Caller::new(self.pools.clone(), self.turns.clone(), party);
        let id = state.next;
        let connection = Arc::new(Connection::new(id, peer, names_clients, caller));
        state.next += 1;
        state.count += 1;
        let of_address = state.connections.entry(key).or_default();
        of_address.insert(id, connection.clone());
        Some(Registered {
            registry: self.clone(),
            connection,
            key,
        })
    }

    /// Closes a connection that does nothing; false if there is none.
    pub fn evict_any(&self) -> bool {
        self.state().evict_any()
    }

    /// How many connections are open.
    pub fn count(&self) -> usize {
        self.state().count
    }
}

impl State {
    fn address(&mut self, key: IpAddr, cancels_a_second: u32) -> Arc<Address> {
        if let Some(address) = self.addresses.get(&key).and_then(Weak::upgrade) {
            return address;
        }
        if self.addresses.len() > self.forget.max(FORGET) {
            self.addresses
                .retain(|_, address| address.strong_count() > 0);
            self.forget = self.addresses.len() * 2;
        }
        let address = Arc::new(Address::new(cancels_a_second));
        self.addresses.insert(key, Arc::downgrade(&address));
        address
    }

    /// Closes a connection of the address that has the most.
    fn evict_any(&mut self) -> bool {
        let largest = self.connections.iter().max_by_key(|(_, all)| all.len());
        let largest = largest.map(|(key, _)| *key);
        largest.is_some_and(|key| self.evict(key))
    }

    /// Closes the connection of an address that can be spared best: the oldest that has never sent a
    /// request, or the one whose last call ended first. One with an open call is never closed.
    fn evict(&mut self, key: Option<IpAddr>) -> bool {
        let Some(of_address) = self.connections.get(&key) else {
            return false;
        };
        let silent = of_address.values().find(|one| !one.has_served());
        let spared = silent.or_else(|| {
            let idle = of_address.values().filter(|one| one.open_calls() == 0);
            idle.max_by_key(|one| one.idle())
        });
        let Some(spared) = spared.cloned() else {
            return false;
        };
        spared.closing.notify_one();
        self.remove(key, spared.id);
        true
    }

    fn remove(&mut self, key: Option<IpAddr>, id: u64) {
        let Some(of_address) = self.connections.get_mut(&key) else {
            return;
        };
        if of_address.remove(&id).is_some() {
            self.count -= 1;
        }
        if of_address.is_empty() {
            self.connections.remove(&key);
        }
    }
}

/// A connection that is entered, until this is dropped.
#[derive(Debug)]
pub struct Registered {
    registry: Arc<Registry>,
    connection: Arc<Connection>,
    key: Option<IpAddr>,
}

impl Registered {
    /// The connection.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.registry.state().remove(self.key, self.connection.id);
        // What an address has cancelled is known for as long as it matters, or connecting anew would clear it.
        if let Some(address) = self.connection.caller().address().cloned()
            && let Some(pause) = address.pause()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                tokio::time::sleep(pause).await;
                drop(address);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn registry(most: usize, most_of_address: usize) -> Arc<Registry> {
        let registry = Registry::new(Pools::default(), Turns::new(1), most, most_of_address, 1);
        Arc::new(registry)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn is_closed(registered: &Registered) -> bool {
        let closing = &registered.connection.closing;
        closing.notified().now_or_never().is_some()
    }

    #[test]
    fn the_silent_go_first_then_the_idle_and_never_the_busy() {
        let registry = registry(10, 3);
        let one = ip("192.0.2.1");
        let admit = || registry.admit(one, Some(one), false);
        let idle = admit().unwrap();
        drop(idle.connection().begin());
        let busy = admit().unwrap();
        let call = busy.connection().begin();
        let silent = admit().unwrap();
        let next = admit().unwrap();
        assert!(is_closed(&silent) && !is_closed(&idle) && !is_closed(&busy));
        let next_call = next.connection().begin();
        let last = admit().unwrap();
        assert!(is_closed(&idle) && !is_closed(&next));
        let last_call = last.connection().begin();
        assert!(admit().is_none());
        // Others are not concerned.
        let other = ip("192.0.2.2");
        assert!(registry.admit(other, Some(other), false).is_some());
        assert!(registry.admit(one, None, true).is_some());
        drop((call, next_call, last_call));
        assert!(admit().is_some());
        drop((idle, busy, silent, next, last));
        assert_eq!(registry.count(), 0);
    }

    #[test]
    fn when_all_are_full_the_address_with_the_most_makes_room() {
        let registry = registry(4, 3);
        let (many, few) = (ip("192.0.2.1"), ip("2001:db8::1"));
        let first = registry.admit(few, Some(few), false).unwrap();
        let held: Vec<_> = (0..3)
            .map(|_| registry.admit(many, Some(many), false).unwrap())
            .collect();
        let newest = registry.admit(ip("192.0.2.3"), Some(ip("192.0.2.3")), false);
        assert!(newest.is_some());
        assert!(is_closed(&held[0]) && !is_closed(&first));
        assert_eq!(registry.count(), 4);
        let neighbour = ip("2001:db8::2");
        assert!(Arc::ptr_eq(
            &registry.address(few),
            &registry.address(neighbour)
        ));
        assert!(!Arc::ptr_eq(
            &registry.address(few),
            &registry.address(many)
        ));
    }
}
