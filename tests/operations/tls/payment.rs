//! An external payment provider that is reached by TLS, and that asks who is calling.

use super::Port;
use orders_test_support::{
    PaymentProvider, ServerOptions, TestServer,
    certificates::{Authority, Wanted},
    sku,
};

#[tokio::test]
async fn a_payment_provider_is_asked_by_tls_with_a_certificate() {
    let port = Port::new();
    let clients = Authority::new("the CA of its clients");
    clients
        .issue(&Wanted::new("orders"))
        .write(port.folder(), "client");
    let provider = PaymentProvider::start_tls(&port.certificate, &clients).await;
    let options = ServerOptions::default()
        .arg("--payment-provider")
        .arg(&provider.url)
        .arg("--payment-provider-ca")
        .arg(&port.file("ca.pem"))
        .arg("--payment-provider-cert")
        .arg(&port.file("client.cert.pem"))
        .arg("--payment-provider-key")
        .arg(&port.file("client.key.pem"));
    let server = TestServer::start(options).await;
    let (client, sku) = (server.client().await, sku());
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    let payment_id = client.get(&id).await.payment.unwrap().payment_id;
    assert_eq!(provider.sum(&payment_id, "CHARGE").0, 1);
}
