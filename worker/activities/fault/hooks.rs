//! What tests do at a point of an activity; see [`super`].

use std::{
    collections::HashMap,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

/// The environment variable that names what the process aborts after: the commit of an activity
/// (its name), or the sending of a message (`message_sent`).
const ABORT_AFTER: &str = "ORDERS_TEST_ABORT_AFTER";

/// The environment variable that names the activities that panic before their commit, separated by
/// commas.
const BROKEN_STEP: &str = "ORDERS_TEST_BROKEN_STEP";

/// The environment variable that names the boundary at which the process aborts, and which of its
/// passings that is: `before:capture_payment`, `after:capture_payment#2` for the second.
///
/// `before:` an activity, nothing was done; `uncommitted:`, its work is done but for the commit;
/// `after:` the commit, and Temporal does not know; `next:`, the order's next activity begins.
const ABORT_AT: &str = "ORDERS_TEST_ABORT_AT";

/// The environment variable that has every boundary that is passed written to the log, so that tests
/// find them all, also those that are new.
const SHOW_BOUNDARIES: &str = "ORDERS_TEST_SHOW_BOUNDARIES";

/// What is watched for, where the environment asks for anything.
struct Watch {
    abort_at: String,
    /// Passings that are left until the abort.
    left: AtomicU32,
    show: bool,
    /// The last activity that recorded something, for each order.
    last: Mutex<HashMap<String, String>>,
}

/// Panics when the environment asks for it at this activity: the provider has done its work, and
/// the transaction that holds it is rolled back.
pub(super) fn before_commit(point: &str, order_id: &str) {
    if let Some(watch) = watch() {
        watch.pass(&format!("uncommitted:{point}"));
        let mut last = watch.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.insert(order_id.to_owned(), point.to_owned());
    }
    static CHOSEN: OnceLock<Option<String>> = OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| std::env::var(BROKEN_STEP).ok());
    let mut broken = chosen.iter().flat_map(|names| names.split(','));
    if broken.any(|name| name.trim() == point) {
        tracing::error!(order_id, "{BROKEN_STEP}={point}: panicking");
        panic!("{BROKEN_STEP}: {point} is broken");
    }
}

/// Aborts the process when the environment asks for it at this point.
pub(super) fn after_commit(point: &str) {
    static CHOSEN: OnceLock<Option<String>> = OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| std::env::var(ABORT_AFTER).ok());
    if chosen.as_deref() == Some(point) {
        tracing::error!("{ABORT_AFTER}={point}: aborting");
        std::process::abort();
    }
    if let Some(watch) = watch() {
        match point.contains(':') {
            true => watch.pass(point),
            false => watch.pass(&format!("after:{point}")),
        }
    }
}

/// An activity of an order begins; nothing is done yet.
pub(super) fn begins(point: &str, order_id: &str) {
    let Some(watch) = watch() else {
        return;
    };
    let mut last = watch.last.lock().unwrap_or_else(PoisonError::into_inner);
    let before = last.remove(order_id);
    drop(last);
    if let Some(before) = before {
        watch.pass(&format!("next:{before}"));
    }
    watch.pass(&format!("before:{point}"));
}

fn watch() -> Option<&'static Watch> {
    static WATCH: OnceLock<Option<Watch>> = OnceLock::new();
    let watch = WATCH.get_or_init(|| {
        let show = std::env::var_os(SHOW_BOUNDARIES).is_some();
        let text = std::env::var(ABORT_AT).ok();
        (show || text.is_some()).then(|| Watch::new(&text.unwrap_or_default(), show))
    });
    watch.as_ref()
}

impl Watch {
    fn new(text: &str, show: bool) -> Watch {
        let (name, number) = text.split_once('#').unwrap_or((text, "1"));
        Watch {
            abort_at: name.to_owned(),
            left: AtomicU32::new(number.parse().unwrap_or(1)),
            show,
            last: Mutex::default(),
        }
    }

    fn pass(&self, boundary: &str) {
        if self.show {
            tracing::info!("boundary {boundary};");
        }
        if boundary == self.abort_at && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            tracing::error!("{ABORT_AT}={boundary}: aborting");
            std::process::abort();
        }
    }
}
