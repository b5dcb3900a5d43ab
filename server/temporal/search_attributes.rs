//! Making the search attributes known to Temporal. While that is not possible, orders run without
//! them: only the filters in Temporal's own UI are missing.

use super::Temporal;
use backon::{BackoffBuilder, ExponentialBuilder};
use orders_worker::workflow::search::NAMES;
use std::{collections::HashMap, sync::atomic::Ordering, time::Duration};
use temporalio_common::protos::temporal::api::{
    enums::v1::IndexedValueType,
    operatorservice::v1::{AddSearchAttributesRequest, ListSearchAttributesRequest},
};
use tokio::time::{sleep, timeout};
use tonic::{Code, Request, Status};

/// How long the first try may take: the start does not wait for a Temporal that does not answer.
const FIRST_TRY: Duration = Duration::from_secs(5);

/// The longest pause between two tries, without its jitter.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The pauses between two tries.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_secs(1))
    .with_max_delay(LONGEST_PAUSE)
    .with_jitter()
    .without_max_times();

/// After so many failures in a row the log says what is wrong.
const FAILURES: u32 = 2;

impl Temporal {
    /// Registers the attributes that are missing, and uses them from now on if that went well. Says
    /// nothing otherwise: [`Temporal::become_searchable`] tries again.
    pub async fn make_searchable(&self) {
        if let Ok(Ok(())) = timeout(FIRST_TRY, self.register()).await {
            self.searchable.store(true, Ordering::Relaxed);
        }
    }

    /// Registers the attributes as soon as that is possible: the namespace may be created later, and
    /// the attributes may be added by somebody who has the right to.
    pub async fn become_searchable(&self) {
        let mut failures = 0;
        let mut pauses = PAUSES.build();
        while !self.searchable.load(Ordering::Relaxed) {
            self.wait_for_namespace().await;
            match self.register().await {
                Ok(()) => {
                    self.searchable.store(true, Ordering::Relaxed);
                    tracing::info!("the search attributes {NAMES:?} are registered");
                    return;
                }
                // For a moment after its creation Temporal does not know the attributes of a namespace.
                Err(status) if failures == FAILURES => tracing::warn!(
                    reason = status.message(),
                    "new orders cannot be filtered in Temporal's UI: its search attributes \
                     {NAMES:?} (type Keyword) are not registered, and this process cannot register \
                     them. Add them to the namespace; that is noticed within a minute"
                ),
                Err(status) => {
                    tracing::debug!(reason = status.message(), "still no search attributes");
                }
            }
            failures += 1;
            sleep(pauses.next().unwrap_or(LONGEST_PAUSE)).await;
        }
    }

    async fn register(&self) -> Result<(), Status> {
        let missing = self.missing().await?;
        if missing.is_empty() {
            return Ok(());
        }
        let keyword = i32::from(IndexedValueType::Keyword);
        let request = AddSearchAttributesRequest {
            namespace: self.client.options().namespace.clone(),
            search_attributes: missing.into_iter().map(|name| (name, keyword)).collect(),
        };
        let mut service = self.client.connection().operator_service();
        match service.add_search_attributes(Request::new(request)).await {
            // Another process was faster.
            Err(status) if status.code() == Code::AlreadyExists => Ok(()),
            answer => answer.map(drop),
        }
    }

    async fn missing(&self) -> Result<Vec<String>, Status> {
        let request = ListSearchAttributesRequest {
            namespace: self.client.options().namespace.clone(),
        };
        let mut service = self.client.connection().operator_service();
        let known: HashMap<String, i32> =
            match service.list_search_attributes(Request::new(request)).await {
                Ok(answer) => answer.into_inner().custom_attributes,
                // The time-skipping test server keeps no list.
                Err(status) if status.code() == Code::Unimplemented => HashMap::new(),
                Err(status) => return Err(status),
            };
        let missing = NAMES.iter().filter(|name| !known.contains_key(**name));
        Ok(missing.map(|name| (*name).to_owned()).collect())
    }
}
