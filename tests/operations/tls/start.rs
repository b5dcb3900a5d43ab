//! Certificates that cannot be used, or not for long: what is said at the start.

use super::Port;
use orders_test_support::{
    beside_shared,
    certificates::{Authority, DAY, Wanted, replace},
    eventually,
};
use std::{process::Command, time::SystemTime};

#[test]
fn what_cannot_be_used_is_said_with_the_file_and_the_problem() {
    let port = Port::new();
    let write = |name: &str, wanted: &Wanted| {
        port.authority.issue(wanted).write(port.folder(), name);
    };
    write("other", &Wanted::new("another"));
    write("old", &Wanted::new("an old one").expired());
    let now = SystemTime::now();
    let early = Wanted::new("a new one").valid(now + DAY, now + 2 * DAY);
    write("early", &early);
    let old_ca = Authority::of(&Wanted::new("the old CA").expired());
    old_ca.write(port.folder(), "old-ca.pem");
    replace(&port.folder().join("text.pem"), "no certificate\n");
    // The certificate, the key, the CA of clients, and what is said.
    let cases: [(&str, &str, Option<&str>, [&str; 2]); 9] = [
        (
            "none.pem",
            "server.key.pem",
            None,
            ["--tls-cert", "none.pem cannot be read"],
        ),
        (
            "server.cert.pem",
            "none.pem",
            None,
            ["--tls-key", "none.pem cannot be read"],
        ),
        (
            "text.pem",
            "server.key.pem",
            None,
            ["text.pem", "holds no certificate"],
        ),
        (
            "server.cert.pem",
            "text.pem",
            None,
            ["text.pem", "holds no private key"],
        ),
        (
            "server.cert.pem",
            "other.key.pem",
            None,
            [
                "other.key.pem does not belong to --tls-cert",
                "server.cert.pem",
            ],
        ),
        (
            "old.cert.pem",
            "old.key.pem",
            None,
            ["old.cert.pem has expired", "CN=an old one"],
        ),
        (
            "early.cert.pem",
            "early.key.pem",
            None,
            ["early.cert.pem is not valid yet", "set the clock"],
        ),
        (
            "server.cert.pem",
            "server.key.pem",
            Some("text.pem"),
            ["--tls-client-ca", "text.pem holds no certificate"],
        ),
        (
            "server.cert.pem",
            "server.key.pem",
            Some("old-ca.pem"),
            ["old-ca.pem has expired", "CN=the old CA"],
        ),
    ];
    for (certificate, key, client_ca, said) in cases {
        let mut serve = Command::new(env!("CARGO_BIN_EXE_orders"));
        serve
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(port.file("data"))
            .args(["--tls-cert", &port.file(certificate)])
            .args(["--tls-key", &port.file(key)]);
        if let Some(client_ca) = client_ca {
            serve.args(["--tls-client-ca", &port.file(client_ca)]);
        }
        let output = serve.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{certificate} {key}: {errors}"
        );
        for part in said {
            assert!(errors.contains(part), "{certificate} {key}: {errors}");
        }
    }
    // One without the other, whatever else is said.
    for alone in ["--tls-cert", "--tls-key", "--tls-client-ca"] {
        let mut serve = Command::new(env!("CARGO_BIN_EXE_orders"));
        let output = serve.args(["serve", alone, &port.file("ca.pem")]).output();
        assert_eq!(output.unwrap().status.code(), Some(2), "{alone}");
    }
}

#[tokio::test]
async fn a_certificate_that_expires_soon_is_warned_of() {
    let port = Port::new();
    let now = SystemTime::now();
    let soon = Wanted::new("the server").valid(now - DAY, now + 10 * DAY);
    port.authority.issue(&soon).write(port.folder(), "server");
    let server = beside_shared(port.options()).await;
    let warned = eventually("the warning", async || {
        server.process.line_with("expires in 9 days")
    })
    .await;
    assert!(warned.contains("server.cert.pem"), "{warned}");
}
