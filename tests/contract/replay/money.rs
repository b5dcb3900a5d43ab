//! Stories of money: a payment provider outside of the process, answers that are lost, and operators who
//! find out what became of them.

use super::stories::Stage;
use orders::v1::{ExplainOrderResponse, OrderState, Step};
use orders_test_support::{Manner, PaymentProvider, TestTemporal};

/// Paid outside: well, with lost answers, declined, and given back.
pub async fn outside() -> TestTemporal {
    let stage = Stage::new().await;
    let provider = PaymentProvider::start().await;
    let options = stage.options().arg("--payment-provider").arg(&provider.url);
    let (server, client) = stage.start(options).await;
    client
        .place(stage.placing("quick-standard", "outside"))
        .await;
    stage.ended("outside").await;
    provider.next("AUTHORIZE", &[Manner::Lost]);
    provider.next("CAPTURE", &[Manner::Silent]);
    client
        .place(stage.placing("quick-standard", "outside-lost"))
        .await;
    stage.ended("outside-lost").await;
    stage.held(&client, "outside-refunded").await;
    provider.next("REFUND", &[Manner::Lost, Manner::Silent]);
    client.cancel("outside-refunded").await.unwrap();
    stage.ended("outside-refunded").await;
    provider.next("CHARGE", &[Manner::Failed]);
    client
        .place(stage.placing("shipping-lane", "outside-lane"))
        .await;
    stage.ended("outside-lane").await;
    drop(server);
    stage.temporal
}

/// Charges of which nobody heard: an operator has one tried again, and says what became of the other.
pub async fn operated() -> TestTemporal {
    let stage = Stage::new().await;
    let (server, client) = stage.start(stage.options()).await;
    let lost = |told: &ExplainOrderResponse| !told.unknown_payments.is_empty();
    for id in ["retried", "resolved"] {
        let placing = stage.placing("lost-for-long", id);
        client.place(placing.token("tok-lost-answer")).await;
        client.until_explained(id, "a lost answer", lost).await;
        match id {
            "retried" => client.retry(id).await.map(drop).unwrap(),
            _ => {
                let transaction = format!("txn-{id}-charge_payment");
                let resolved = client.resolve(id, Step::ChargePayment, &transaction);
                resolved.await.map(drop).unwrap();
            }
        }
        client.until(id, OrderState::InTransit).await;
        client.confirm_delivery(id).await.unwrap();
        stage.ended(id).await;
    }
    drop(server);
    stage.temporal
}
