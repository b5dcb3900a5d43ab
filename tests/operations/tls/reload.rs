//! A certificate that is replaced while calls are made.

use super::{Port, call};
use nix::sys::signal::Signal;
use orders_test_support::{
    Client, TestServer, beside_shared,
    certificates::{Issued, Wanted, replace},
    eventually,
    tls::shown,
};
use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

/// Calls that are made at a time.
const CALLERS: usize = 4;

/// After so many calls a caller connects anew.
const CALLS_OF_CONNECTION: usize = 20;

/// Between two calls of a caller.
const PAUSE: Duration = Duration::from_millis(10);

/// Calls without an end, over connections that stay and over new ones. Counts them in `done`.
async fn load(port: &Port, server: &TestServer, stop: &AtomicBool, done: &AtomicUsize) {
    let connect = async || port.client().api(&server.address).await.unwrap();
    let caller = async || {
        let kept: Client = connect().await;
        let mut renewed = connect().await;
        for count in 0.. {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            if count % CALLS_OF_CONNECTION == 0 {
                renewed = connect().await;
            }
            for client in [&kept, &renewed] {
                call(client).await.unwrap();
                done.fetch_add(1, Ordering::Relaxed);
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let callers = (0..CALLERS).map(|_| caller());
    futures::future::join_all(callers).await;
}

/// Whether a new connection sees that certificate.
async fn sees(port: &Port, server: &TestServer, issued: &Issued) -> bool {
    let stream = port.client().connect(&server.address).await.unwrap();
    shown(&stream) == issued.der
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_certificate_costs_no_call_and_a_broken_one_is_not_used() {
    let port = Port::new();
    let server = beside_shared(port.options()).await;
    let (stop, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    let calls = || done.load(Ordering::Relaxed);
    let replaced = async {
        // Each step goes on under calls that were made since.
        let more_calls = async || {
            let before = calls();
            eventually("calls", async || (calls() > before + 100).then_some(())).await;
        };
        more_calls().await;
        assert!(sees(&port, &server, &port.certificate).await);

        let second = port.authority.issue(&Wanted::new("the second"));
        second.write(port.folder(), "server");
        eventually("the second certificate", async || {
            sees(&port, &server, &second).await.then_some(())
        })
        .await;
        more_calls().await;

        // A key that belongs to another certificate.
        let third = port.authority.issue(&Wanted::new("the third"));
        replace(&port.folder().join("server.key.pem"), &third.key);
        let refused = eventually("the refusal", async || {
            server
                .process
                .line_with("the certificates are not reloaded")
        });
        let refused = refused.await;
        assert!(
            refused.contains("server.key.pem does not belong to"),
            "{refused}"
        );
        assert!(sees(&port, &server, &second).await);
        more_calls().await;

        // A file that is not there at all, and a signal.
        std::fs::remove_file(port.folder().join("server.cert.pem")).unwrap();
        server.process.signal(Signal::SIGHUP);
        eventually("the refusal", async || {
            server.process.line_with("server.cert.pem cannot be read")
        })
        .await;
        assert!(sees(&port, &server, &second).await);

        third.write(port.folder(), "server");
        server.process.signal(Signal::SIGHUP);
        eventually("the third certificate", async || {
            sees(&port, &server, &third).await.then_some(())
        })
        .await;
        more_calls().await;
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(replaced, load(&port, &server, &stop, &done));
    println!("{} calls, and none of them failed", calls());
}
