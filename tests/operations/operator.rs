//! What operators see of orders that are in trouble, and what they can do.

use orders::v1::{
    AttentionReasonType as Reason, Command, CompensationOutcome, OrderEvent, OrderEventType,
    OrderState, PaymentState, Step, WaitsFor,
};
use orders_test_support::{
    Cli, Client, Placing, ServerOptions, TestServer, TestTemporal, eventually, shared, sku,
    temporal, unique,
};
use std::{collections::BTreeSet, path::Path, time::SystemTime};
use tonic::Code;

/// A server on data that outlives it; `broken` is what `--simulate` says, or empty.
async fn start(temporal: &TestTemporal, data: &Path, broken: &str) -> (TestServer, Client) {
    let mut options = ServerOptions::with_temporal(&temporal.address)
        .data_dir(data)
        .policies();
    if !broken.is_empty() {
        options = options.arg("--simulate").arg(broken);
    }
    let server = TestServer::start(options).await;
    let client = server.client().await;
    (server, client)
}

/// An order that is charged, reserved and held.
async fn held(client: &Client, sku: &str) -> String {
    let placing = Placing::pre_order(sku, 30).policy("quick-hold");
    let id = client.place(placing).await.order_id;
    client.until(&id, OrderState::AwaitingRelease).await;
    id
}

const ENTRIES: &str = "SELECT count(*) FROM payment_entries WHERE key LIKE $1 || '/%'";
const REFUNDS: &str = "SELECT count(*) FROM payment_entries WHERE key LIKE $1 || '/refund%'";

fn retries(events: &[OrderEvent]) -> Vec<&OrderEvent> {
    let mut found: Vec<_> = events.iter().collect();
    found.retain(|event| event.r#type() == OrderEventType::RetryRequested);
    found
}

#[tokio::test]
async fn undoing_is_never_given_up_and_an_operator_hastens_it() {
    let (temporal, folder) = (TestTemporal::start().await, tempfile::tempdir().unwrap());
    let (server, client) = start(&temporal, folder.path(), "").await;
    let sku = sku();
    client.stock(&sku, 10).await;
    let id = held(&client, &sku).await;
    server.stop().await;

    let (server, client) = start(&temporal, folder.path(), "payment:error=1").await;
    client.cancel(&id).await.unwrap();
    // Past the policy's attempts it asks for attention and goes on, with longer and longer waits.
    let told = client
        .until_explained(&id, "nine failed refunds", |told| told.failed_attempts >= 9)
        .await;
    assert_eq!(told.waits_for(), WaitsFor::Operator);
    assert_eq!((told.step(), told.max_attempts), (Step::RefundPayment, 0));
    assert!(!told.last_error.is_empty() && told.unblocked_by.contains("RetryOrder"));
    assert!(
        told.allowed_commands()
            .any(|kind| kind == Command::RetryOrder)
    );
    let workflow = told.workflow.clone().unwrap();
    // A task may be under way at this moment.
    assert!(workflow.status == "RUNNING" && workflow.task_attempts <= 1);
    assert!(workflow.history_length > 0 && !workflow.run_id.is_empty());
    assert_eq!(client.reasons(&id).await, [Reason::StepFailing]);
    assert!(client.get(&id).await.attention.is_some());
    assert_eq!(server.count(REFUNDS, &id).await, 0);
    server.stop().await;

    // The provider is well again: the order would wait for its next attempt.
    let (server, client) = start(&temporal, folder.path(), "").await;
    let request_id = unique("retry");
    client.retry_as(&id, request_id.clone()).await.unwrap();
    let order = client.until(&id, OrderState::Cancelled).await;
    let next_try = SystemTime::try_from(told.next_retry_time.unwrap()).unwrap();
    let closed = SystemTime::try_from(order.close_time.unwrap()).unwrap();
    assert!(closed < next_try, "{closed:?} is not before {next_try:?}");
    assert!(order.attention.is_none());
    assert_eq!(client.reasons(&id).await, []);
    assert_eq!(server.count(REFUNDS, &id).await, 1);
    // Once for its request id, with who and why; and no more once it is closed.
    client.retry_as(&id, request_id).await.unwrap();
    let events = client.events(&id).await;
    let found = retries(&events);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].actor.as_str(), found[0].reason.as_str()),
        ("grace", "the bank is back")
    );
    let refused = client.retry(&id).await.unwrap_err();
    assert_eq!(refused.reason, "COMMAND_NOT_ALLOWED");
    assert_eq!(client.explain(&id).await.waits_for(), WaitsFor::Nothing);
    server.stop().await;
}

#[tokio::test]
async fn a_history_that_grows_too_long_is_begun_anew_and_loses_no_command() {
    let temporal = TestTemporal::with_short_histories(60).await;
    let folder = tempfile::tempdir().unwrap();
    let (server, client) = start(&temporal, folder.path(), "").await;
    let sku = sku();
    client.stock(&sku, 10).await;
    let id = held(&client, &sku).await;
    server.stop().await;

    let (server, client) = start(&temporal, folder.path(), "payment:error=1").await;
    client.cancel(&id).await.unwrap();
    let failing = |told: &orders::v1::ExplainOrderResponse| told.failed_attempts > 0;
    client
        .until_explained(&id, "a failed refund", failing)
        .await;
    let mut runs = BTreeSet::new();
    let mut asked = 0;
    while runs.len() < 4 {
        assert!(asked < 200, "{asked} commands, and only the runs {runs:?}");
        // Some at once, so that some come while the run ends.
        let some = (0..4).map(async |_| client.retry(&id).await.unwrap());
        asked += futures::future::join_all(some).await.len();
        let told = client.explain(&id).await;
        runs.insert(told.workflow.unwrap().run_id);
    }
    server.stop().await;
    let (server, client) = start(&temporal, folder.path(), "").await;
    // What the stop interrupted may have gone on by itself.
    asked += usize::from(client.retry(&id).await.is_ok());
    client.until(&id, OrderState::Cancelled).await;
    let events = client.events(&id).await;
    let ids: BTreeSet<&str> = retries(&events)
        .iter()
        .map(|event| event.request_id.as_str())
        .collect();
    assert_eq!((retries(&events).len(), ids.len()), (asked, asked));
    assert_eq!(server.count(REFUNDS, &id).await, 1);
    let stock = client.stock_item(&sku).await;
    assert_eq!((stock.on_hand(), stock.reserved), (10, 0));
    println!("{asked} commands over {} runs and more", runs.len());
    server.stop().await;
}

#[tokio::test]
async fn a_payment_of_which_nobody_heard_is_what_the_journal_says() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 10).await;
    let placing = Placing::new("lost-for-long", &sku).token("tok-lost-answer");
    let id = client.place(placing).await.order_id;
    let lost = |told: &orders::v1::ExplainOrderResponse| !told.unknown_payments.is_empty();
    let told = client.until_explained(&id, "a lost answer", lost).await;
    assert_eq!(
        told.unknown_payments().collect::<Vec<_>>(),
        [Step::ChargePayment]
    );
    assert_eq!(told.waits_for(), WaitsFor::Retry);
    let transaction = format!("txn-{id}-charge_payment");
    for wrong in ["", "txn-other"] {
        let refused = client
            .resolve(&id, Step::ChargePayment, wrong)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert!(refused.message().contains(&transaction), "{refused:?}");
    }
    assert_eq!(
        client.explain(&id).await.revision,
        told.revision,
        "nothing was changed"
    );
    client
        .resolve(&id, Step::ChargePayment, &transaction)
        .await
        .unwrap();
    let order = client.until(&id, OrderState::InTransit).await;
    let payment = order.payment.unwrap();
    assert_eq!(payment.state(), PaymentState::Captured);
    assert_eq!(payment.transaction_id, transaction);
    assert_eq!(server.count(ENTRIES, &id).await, 1);
    let events = client.events(&id).await;
    let mut resolved = events
        .iter()
        .filter(|event| event.r#type() == OrderEventType::PaymentResolved);
    let event = resolved.next().unwrap();
    assert_eq!(
        (event.actor.as_str(), event.step()),
        ("grace", Step::ChargePayment)
    );
    for part in ["SUCCEEDED", &transaction, "statement 7", "asked the bank"] {
        assert!(event.reason.contains(part), "{event:?}");
    }
}

/// The provider never answers: nothing can be had by asking it again.
#[tokio::test]
async fn an_order_that_no_provider_answers_is_closed_by_who_knows() {
    let (temporal, folder) = (TestTemporal::start().await, tempfile::tempdir().unwrap());
    let (server, client) = start(&temporal, folder.path(), "payment:hang=1").await;
    let sku = sku();
    client.stock(&sku, 10).await;
    let id = client
        .place(Placing::new("lost-for-long", &sku))
        .await
        .order_id;
    let lost = |told: &orders::v1::ExplainOrderResponse| !told.unknown_payments.is_empty();
    client.until_explained(&id, "a lost answer", lost).await;
    client.cancel(&id).await.unwrap();
    let both = |told: &orders::v1::ExplainOrderResponse| told.unknown_payments.len() == 2;
    client.until_explained(&id, "a lost refund", both).await;
    let refused = client
        .resolve(&id, Step::ChargePayment, "txn-1")
        .await
        .unwrap_err();
    assert!(
        refused.message().contains("holds no movement"),
        "{refused:?}"
    );
    client.resolve(&id, Step::ChargePayment, "").await.unwrap();
    let order = client.until(&id, OrderState::Cancelled).await;
    assert_eq!(order.payment.unwrap().state(), PaymentState::None);
    let outcomes: Vec<_> = order
        .compensations
        .iter()
        .map(|one| one.outcome())
        .collect();
    assert_eq!(
        outcomes,
        [CompensationOutcome::NotNeeded, CompensationOutcome::Done]
    );
    assert_eq!(server.count(ENTRIES, &id).await, 0);
    server.stop().await;
}

#[tokio::test]
async fn a_workflow_that_is_gone_is_brought_back_and_money_shows_without_temporal() {
    let (mut temporal, folder) = (TestTemporal::start().await, tempfile::tempdir().unwrap());
    let (server, client) = start(&temporal, folder.path(), "").await;
    let sku = sku();
    client.stock(&sku, 10).await;
    let (waiting, undone) = tokio::join!(held(&client, &sku), held(&client, &sku));
    let told = client.explain(&waiting).await;
    assert_eq!(told.waits_for(), WaitsFor::Command);
    assert!(told.deadline.is_some() && told.reasons.is_empty());
    let refused = client.retry(&waiting).await.unwrap_err();
    assert_eq!(
        (refused.code, refused.reason.as_str()),
        (Code::FailedPrecondition, "COMMAND_NOT_ALLOWED")
    );
    // It waits for days: nobody would miss its workflow before.
    let workflow = format!("order/{waiting}");
    temporal::terminate(&temporal.address, &workflow)
        .await
        .unwrap();
    let told = client.explain(&waiting).await;
    assert_eq!(told.waits_for(), WaitsFor::Workflow);
    // What helps is offered.
    let allowed: Vec<Command> = told.allowed_commands().collect();
    assert!(allowed.contains(&Command::RetryOrder), "{allowed:?}");
    assert_eq!(told.workflow.unwrap().status, "TERMINATED");
    assert_eq!(told.reasons[0].r#type(), Reason::NoWorkflow);
    client.retry(&waiting).await.unwrap();
    assert_eq!(
        client.explain(&waiting).await.waits_for(),
        WaitsFor::Command
    );
    server.stop().await;

    let (server, client) = start(&temporal, folder.path(), "payment:error=1").await;
    client.cancel(&undone).await.unwrap();
    let operator = |told: &orders::v1::ExplainOrderResponse| told.waits_for() == WaitsFor::Operator;
    client.until_explained(&undone, "attention", operator).await;
    temporal.process.kill();
    assert_eq!(client.reasons(&undone).await[0], Reason::StepFailing);
    let told = client.explain(&undone).await;
    assert!(
        told.workflow.is_none() && !told.temporal_error.is_empty(),
        "{told:?}"
    );
    assert_eq!(told.step(), Step::RefundPayment);
    // Late orders, too, though nobody can say why.
    let unavailable = async || {
        let listed = client.needing_attention().await;
        let found = listed
            .orders
            .iter()
            .find(|order| order.order_id == undone)?;
        let mut reasons = found.reasons.iter();
        let late = reasons.any(|reason| reason.r#type() == Reason::Overdue);
        (late && listed.temporal_unavailable).then_some(())
    };
    eventually("the order to be late", unavailable).await;
    drop(server);
}

#[tokio::test]
async fn operators_can_be_kept_out() {
    let options = ServerOptions::default().arg("--no-operator");
    let server = orders_test_support::beside_shared(options).await;
    let client = server.client().await;
    let request = orders::v1::ListOrdersNeedingAttentionRequest::default();
    let mut operator = client.operator.clone();
    let listed = operator.list_orders_needing_attention(request).await;
    assert_eq!(listed.unwrap_err().code(), Code::Unimplemented);
    assert!(server.client().await.stock(&sku(), 1).await.available == 1);
    for command in [&["attention"][..], &["explain", "order-1"]] {
        let ran = Cli::of(&server).run(command);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.err.contains("--no-operator"), "{ran:?}");
    }
}
