//! Shedding load: no more calls at a time than the process can take. The others are refused at
//! once, before anything is done, so that they may be sent again, here or elsewhere. Without that
//! they would queue until their callers have given up, and be worked on for nobody.

use crate::error::Error;
use futures::future::{BoxFuture, FutureExt};
use http::{Request, Response};
use std::{
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::body::Body;
use tower::{Layer, Service};

/// The services whose calls count. Health must answer most of all when there is too much.
const COUNTED: &str = "/orders.v1.";

/// How many calls may be worked on; in the extensions of every request that counts. Cheap to clone.
///
/// Changes, and reads that ask the workflow, wait for Temporal up to their deadline. When it is slow
/// or away they pile up: they may take three quarters of the slots, so that there is one for a read,
/// which takes a millisecond. (A caller that does not finish sending its request holds a slot until
/// its time is up.)
#[derive(Clone, Debug)]
pub struct Slots {
    all: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    most: u32,
}

impl Slots {
    fn new(most: u32) -> Self {
        let waiting = most - most / 4;
        Self {
            all: Arc::new(Semaphore::new(most as usize)),
            waiting: Arc::new(Semaphore::new(waiting as usize)),
            most,
        }
    }

    fn take(&self) -> Result<OwnedSemaphorePermit, Error> {
        self.of(&self.all)
    }

    /// A slot of a call that waits for Temporal, beside the one of every call; until it is dropped.
    ///
    /// # Errors
    /// When there is none.
    pub fn take_waiting(&self) -> Result<OwnedSemaphorePermit, Error> {
        self.of(&self.waiting)
    }

    fn of(&self, slots: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Error> {
        let most = self.most;
        let slot = slots.clone().try_acquire_owned();
        slot.map_err(|_| Error::Overloaded { most })
    }
}

/// Gives every call its slot, or refuses it. A stream gives its slot back when it is open.
#[derive(Clone, Debug)]
pub struct ShedLayer(Slots);

impl ShedLayer {
    /// At most that many calls at a time, over all connections.
    pub fn new(most: u32) -> Self {
        Self(Slots::new(most))
    }
}

/// See [`ShedLayer`].
#[derive(Clone, Debug)]
pub struct ShedService<S> {
    inner: S,
    slots: Slots,
}

impl<S> Layer<S> for ShedLayer {
    type Service = ShedService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let slots = self.0.clone();
        ShedService { inner, slots }
    }
}

impl<S> Service<Request<Body>> for ShedService<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let path = request.uri().path();
        if !path.starts_with(COUNTED) {
            return self.inner.call(request).boxed();
        }
        let waiting = match is_change(path) {
            true => self.slots.take_waiting().map(Some),
            false => Ok(None),
        };
        let taken = waiting.and_then(|waiting| Ok((waiting, self.slots.take()?)));
        let slot = match taken {
            Ok(slot) => slot,
            Err(error) => {
                let reason = error.reason();
                tracing::info!(path, reason, %error, "not done");
                let refused = error.into_status("").into_http();
                return futures::future::ready(Ok(refused)).boxed();
            }
        };
        request.extensions_mut().insert(self.slots.clone());
        let answer = self.inner.call(request);
        async move {
            let _slot = slot;
            answer.await
        }
        .boxed()
    }
}

/// Whether a call changes something. Going by the name holds for every method of the contract; a
/// test compares it with the published service config.
fn is_change(path: &str) -> bool {
    let method = path.rsplit('/').next().unwrap_or_default();
    !["Get", "List", "Watch", "Explain"]
        .iter()
        .any(|read| method.starts_with(read))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_leave_slots_for_reads() {
        for (most, changes) in [(1, 1), (2, 2), (4, 3), (512, 384)] {
            let slots = Slots::new(most);
            let taken: Vec<_> = (0..).map_while(|_| slots.take_waiting().ok()).collect();
            assert_eq!(taken.len(), changes, "{most}");
            drop(taken);
            assert!(slots.take_waiting().is_ok());
        }
    }

    #[test]
    fn changes_are_told_from_reads_as_the_service_config_has_them() {
        let config = include_str!("../../proto/orders/v1/orders_grpc_service_config.json");
        let config: serde_json::Value = serde_json::from_str(config).unwrap();
        let mut changes = 0;
        for group in config["methodConfig"].as_array().unwrap() {
            // Changes are the methods that may take longest; streams have no time at all.
            let expected = group["timeout"] == "30s";
            for name in group["name"].as_array().unwrap() {
                let (service, method) = (&name["service"], &name["method"]);
                let path = format!(
                    "/{}/{}",
                    service.as_str().unwrap(),
                    method.as_str().unwrap()
                );
                assert_eq!(is_change(&path), expected, "{path}");
                changes += usize::from(expected);
            }
        }
        assert_eq!(changes, 12);
    }
}
