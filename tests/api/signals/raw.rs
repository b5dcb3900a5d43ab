//! What reaches Temporal without the API: signals, and workflows that somebody else starts.

use orders_domain::order::Order;
use orders_test_support::{eventually, temporal::connect};
use serde_json::{Value, json};
use temporalio_client::{
    UntypedQuery, UntypedSignal, UntypedWorkflow, WorkflowFetchHistoryOptions,
    WorkflowQueryOptions, WorkflowSignalOptions, WorkflowStartOptions,
};
use temporalio_common::data_converters::{PayloadConverter, RawValue};

pub fn payload(value: &Value) -> RawValue {
    RawValue::from_value(value, &PayloadConverter::default())
}

/// Sends a signal to an order's workflow.
pub async fn signal(address: &str, order_id: &str, command: &Value) {
    let client = connect(address).await;
    send(&client, order_id, command).await.unwrap();
}

/// The same with a client that is there already.
pub async fn send(
    client: &temporalio_client::Client,
    order_id: &str,
    command: &Value,
) -> Result<(), String> {
    let handle = client.get_workflow_handle::<UntypedWorkflow>(Order::workflow_id(order_id));
    let signal = UntypedSignal::new("command");
    let sent = handle.signal(signal, payload(command), WorkflowSignalOptions::default());
    sent.await.map_err(|error| error.to_string())
}

/// Starts a workflow of any type on any task queue; gives its run.
pub async fn start(address: &str, id: &str, kind: &str, queue: &str, input: &Value) -> String {
    let client = connect(address).await;
    let options = WorkflowStartOptions::new(queue, id).build();
    let started = client.start_workflow(UntypedWorkflow::new(kind), payload(input), options);
    started.await.unwrap().run_id().unwrap().to_owned()
}

/// The order that a workflow keeps, as it stands in payloads.
pub async fn order(address: &str, order_id: &str) -> Value {
    let client = connect(address).await;
    let handle = client.get_workflow_handle::<UntypedWorkflow>(Order::workflow_id(order_id));
    let query = UntypedQuery::new("order");
    let asked = handle.query(
        query,
        payload(&json!(null)),
        WorkflowQueryOptions::default(),
    );
    let answer = asked.await.unwrap();
    serde_json::from_slice(&answer.payloads[0].data).unwrap()
}

/// Waits until the newest run of a workflow ended like that (`WORKFLOW_EXECUTION_FAILED`), and gives
/// the words of its failure.
pub async fn until_ended(address: &str, workflow_id: &str, how: &str) -> String {
    use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;
    let client = connect(address).await;
    let what = format!("{workflow_id} to be {how}");
    eventually(&what, async || {
        let handle = client.get_workflow_handle::<UntypedWorkflow>(workflow_id);
        let history = handle.fetch_history(WorkflowFetchHistoryOptions::default());
        let last = history.into_events().await.ok()?.pop()?;
        if orders_test_support::temporal::name(&last) != how {
            return None;
        }
        Some(match last.attributes? {
            Attributes::WorkflowExecutionFailedEventAttributes(failed) => {
                failed.failure.unwrap_or_default().message
            }
            Attributes::WorkflowExecutionTerminatedEventAttributes(ended) => ended.reason,
            _ => String::new(),
        })
    })
    .await
}
