//! One connection: what is known of it while it lasts.

use super::{
    cancels::Canceller,
    party::{Address, Caller, Party},
    stalls::Stalls,
    tls::TlsIdentity,
};
use std::{
    net::IpAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// What a client of HTTP/2 sends first.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection. The task that serves it, its stream and its calls share it.
#[derive(Debug)]
pub struct Connection {
    /// Its number in this process; later ones have higher numbers.
    pub(super) id: u64,
    /// Where it comes from, for the log.
    pub(super) peer: IpAddr,
    /// Whether its calls may name the client that they are made for.
    pub(super) names_clients: bool,
    caller: Caller,
    opened: Instant,
    open_calls: AtomicU32,
    /// How many calls have begun, modulo 2^32.
    begun: AtomicU32,
    /// Whether a complete request has ever arrived.
    served: AtomicBool,
    /// How much of the preface of HTTP/2 has arrived; beyond its length for another protocol.
    preface: AtomicU32,
    /// When a call last began or ended, in milliseconds after it was opened.
    active: AtomicU64,
    /// Bytes that were read and written.
    bytes: [AtomicU64; 2],
    /// Answers that are not written.
    stalls: Stalls,
    canceller: Canceller,
    /// The names in the client's certificate.
    identity: OnceLock<TlsIdentity>,
    /// Notified to close the connection at once.
    pub(super) closing: Notify,
}

impl Connection {
    pub(super) fn new(id: u64, peer: IpAddr, names_clients: bool, caller: Caller) -> Self {
        let opened = Instant::now();
        Self {
            id,
            peer,
            names_clients,
            caller,
            opened,
            open_calls: AtomicU32::new(0),
            begun: AtomicU32::new(0),
            served: AtomicBool::new(false),
            preface: AtomicU32::new(0),
            active: AtomicU64::new(0),
            bytes: Default::default(),
            stalls: Stalls::default(),
            canceller: Canceller::new(opened),
            identity: OnceLock::new(),
            closing: Notify::new(),
        }
    }

    /// Returns the names in the certificate that the client showed in the TLS handshake. None without TLS,
    /// and where clients are not asked for a certificate.
    pub fn identity(&self) -> Option<&TlsIdentity> {
        self.identity.get()
    }

    /// Records the identity of the client, once.
    pub(super) fn identify(&self, identity: Option<TlsIdentity>) {
        if let Some(identity) = identity {
            self.identity.get_or_init(|| identity);
        }
    }

    /// Its answers that are not written yet.
    pub fn stalls(&self) -> &Stalls {
        &self.stalls
    }

    /// The peer, as a caller.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// A client that the peer, a trusted proxy, names, as a caller.
    pub(super) fn forwarded(&self, address: Arc<Address>) -> Caller {
        self.caller.of(Party::forwarded(address))
    }

    /// Counts a call until the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> OpenCall {
        self.open_calls.fetch_add(1, Ordering::Relaxed);
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.served.store(true, Ordering::Relaxed);
        self.touch();
        let counts = self
            .caller
            .cancels()
            .is_some_and(|cancels| self.canceller.begin(cancels));
        OpenCall {
            connection: self.clone(),
            counts,
            is_answered: false,
        }
    }

    /// A call was cancelled before it had arrived in full.
    pub fn has_cancelled(&self) {
        if let Some(cancels) = self.caller.cancels() {
            self.canceller.end(cancels, false, false);
        }
    }

    /// How many calls have begun, modulo 2^32.
    pub(super) fn begun(&self) -> u32 {
        self.begun.load(Ordering::Relaxed)
    }

    /// How long until more may be read: not at once where too many calls are cancelled.
    pub(super) fn pause(&self) -> Option<Duration> {
        self.canceller.pause(self.caller.cancels()?)
    }

    fn touch(&self) {
        let now = self.opened.elapsed().as_millis() as u64;
        self.active.store(now, Ordering::Relaxed);
    }

    pub(super) fn has_served(&self) -> bool {
        self.served.load(Ordering::Relaxed)
    }

    pub(super) fn open_calls(&self) -> u32 {
        self.open_calls.load(Ordering::Relaxed)
    }

    pub(super) fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    /// Since when no call has been open; zero while one is.
    pub(super) fn idle(&self) -> Duration {
        if self.open_calls() > 0 {
            return Duration::ZERO;
        }
        let active = Duration::from_millis(self.active.load(Ordering::Relaxed));
        self.opened.elapsed().saturating_sub(active)
    }

    /// Whether the peer has shown what it wants: by a request, or by the preface of HTTP/2.
    pub(super) fn has_greeted(&self) -> bool {
        self.has_served() || self.preface.load(Ordering::Relaxed) == PREFACE.len() as u32
    }

    pub(super) fn has_read(&self, bytes: &[u8]) {
        self.bytes[0].fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let mut matched = self.preface.load(Ordering::Relaxed) as usize;
        if matched >= PREFACE.len() {
            return;
        }
        for byte in bytes {
            match PREFACE.get(matched) {
                None => break,
                Some(expected) if expected == byte => matched += 1,
                Some(_) => matched = PREFACE.len() + 1,
            }
        }
        self.preface.store(matched as u32, Ordering::Relaxed);
    }

    pub(super) fn has_written(&self, count: usize) {
        self.bytes[1].fetch_add(count as u64, Ordering::Relaxed);
    }

    /// The bytes that were read and written.
    pub(super) fn bytes(&self) -> [u64; 2] {
        [0, 1].map(|index: usize| self.bytes[index].load(Ordering::Relaxed))
    }
}

/// A call that is open, until this is dropped; it was cancelled if it is not answered by then.
#[derive(Debug)]
pub struct OpenCall {
    connection: Arc<Connection>,
    /// Whether it counts among the cancelled calls of its address already.
    counts: bool,
    is_answered: bool,
}

impl OpenCall {
    /// Its answer was taken to the end.
    pub(super) fn answered(&mut self) {
        self.is_answered = true;
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        let connection = &self.connection;
        connection.touch();
        connection.open_calls.fetch_sub(1, Ordering::Relaxed);
        if let Some(cancels) = connection.caller.cancels() {
            connection
                .canceller
                .end(cancels, self.counts, self.is_answered);
        }
    }
}

/// The caller of a request and the connection that it came by; in the extensions of every request.
#[derive(Clone, Debug)]
pub struct Peer {
    /// For whom shares are counted.
    pub caller: Caller,
    /// The connection.
    pub connection: Arc<Connection>,
}
