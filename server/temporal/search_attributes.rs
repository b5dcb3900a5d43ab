//! Making the search attributes known to Temporal. Where that is not possible, orders run without:
//! nothing but a filter in Temporal's own UI is missed.

use super::Temporal;
use orders_worker::workflow::search::NAMES;
use std::{collections::HashMap, sync::atomic::Ordering};
use temporalio_common::protos::temporal::api::{
    enums::v1::IndexedValueType,
    operatorservice::v1::{AddSearchAttributesRequest, ListSearchAttributesRequest},
};
use tonic::{Code, Request, Status};

impl Temporal {
    /// Registers the attributes that are missing, and uses them from now on if that went well.
    pub async fn make_searchable(&self) {
        match self.register().await {
            Ok(()) => self.searchable.store(true, Ordering::Relaxed),
            Err(status) => tracing::warn!(
                reason = status.message(),
                "orders cannot be filtered in Temporal's UI: its search attributes {NAMES:?} (type \
                 Keyword) are not registered, and cannot be by us. Have them added to the namespace"
            ),
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
