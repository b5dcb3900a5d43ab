//! Clients that are known by their certificates.

use super::{Port, call};
use orders_test_support::{
    TestServer, TlsClient, beside_shared,
    certificates::{Authority, Wanted},
    eventually,
};
use tokio::io::AsyncReadExt;

/// Why the handshake of a client failed: at once, or, with TLS 1.3, when it reads the first time.
async fn alert(client: &TlsClient, server: &TestServer) -> String {
    let error = match client.connect(&server.address).await {
        Ok(mut stream) => stream.read_u8().await.unwrap_err(),
        Err(error) => error,
    };
    error.to_string()
}

#[tokio::test]
async fn only_clients_with_a_certificate_of_the_authority_get_in() {
    let port = Port::new();
    let clients = Authority::new("the CA of clients");
    let client_ca = clients.write(port.folder(), "clients.pem");
    let options = port.options().arg("--tls-client-ca");
    let server = beside_shared(options.arg(client_ca.to_str().unwrap())).await;
    let hint = "-cert CLIENT.pem -key CLIENT.key";
    eventually("the line that it is ready", async || {
        server.process.line_with(hint)
    })
    .await;

    let wanted = Wanted::new("till 4");
    let good = clients.issue(&wanted);
    let (good_cert, good_key) = good.write(port.folder(), "good");
    let api = port.client().shows(&good).api(&server.address).await;
    call(&api.unwrap()).await.unwrap();
    let cli = port.cli(&server.address);
    let (good_cert, good_key) = (good_cert.to_str().unwrap(), good_key.to_str().unwrap());
    let with = ["--tls-cert", good_cert, "--tls-key", good_key];
    cli.out(&[&["stock", "list"], &with[..]].concat());
    let by_variables = cli
        .clone()
        .env("ORDERS_CLI_TLS_CERT", good_cert)
        .env("ORDERS_CLI_TLS_KEY", good_key);
    by_variables.out(&["stock", "list"]);

    let expired = clients.issue(&wanted.clone().expired());
    // An authority of the same name, with another key.
    let foreign = Authority::new("the CA of clients").issue(&wanted);
    for (name, issued, why) in [
        ("expired", expired, "CertificateExpired"),
        ("foreign", foreign, "received fatal alert"),
    ] {
        for client in [port.client(), port.client().old()] {
            let alert = alert(&client.shows(&issued), &server).await;
            assert!(alert.contains(why), "{name}: {alert}");
        }
        let (cert, key) = issued.write(port.folder(), name);
        let with = ["--tls-cert", cert.to_str().unwrap()];
        let with = [&with[..], &["--tls-key", key.to_str().unwrap()]].concat();
        let ran = cli.run(&[&["stock", "list"], &with[..]].concat());
        assert_eq!(ran.code, Some(2), "{name}: {ran:?}");
        assert!(ran.err.contains("refuses the TLS handshake"), "{ran:?}");
    }
    // The server's own certificate comes from another CA than those of clients.
    let own = port.client().shows(&port.certificate);
    assert!(alert(&own, &server).await.contains("received fatal alert"));

    let nobody = alert(&port.client(), &server).await;
    assert!(nobody.contains("CertificateRequired"), "{nobody}");
    let nobody = alert(&port.client().old(), &server).await;
    assert!(nobody.contains("received fatal alert"), "{nobody}");
    let ran = cli.run(&["stock", "list"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("give --tls-cert and --tls-key"), "{ran:?}");
    eventually("the log to say so", async || {
        server.process.line_with("a TLS handshake failed")
    })
    .await;
}

#[tokio::test]
async fn another_authority_of_clients_counts_from_the_next_handshake_on() {
    let port = Port::new();
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let client_ca = old.write(port.folder(), "clients.pem");
    let options = port.options().arg("--tls-client-ca");
    let server = beside_shared(options.arg(client_ca.to_str().unwrap())).await;
    let wanted = Wanted::new("till 4");
    let (before, after) = (old.issue(&wanted), new.issue(&wanted));
    let api = port.client().shows(&before).api(&server.address).await;
    let open = api.unwrap();
    call(&open).await.unwrap();
    let later = port.client().shows(&after);
    assert!(
        alert(&later, &server)
            .await
            .contains("received fatal alert")
    );

    new.write(port.folder(), "clients.pem");
    eventually("the new authority", async || {
        let api = later.api(&server.address).await.ok()?;
        call(&api).await.ok()
    })
    .await;
    let earlier = port.client().shows(&before);
    assert!(
        alert(&earlier, &server)
            .await
            .contains("received fatal alert")
    );
    // Open connections stay.
    call(&open).await.unwrap();
}
