//! How Temporal is found: a slip in the configuration is refused by its name, and a wrong address is said
//! in words, at once.

use orders_test_support::{ServerOptions, StandIn, eventually, process::Process, server::command};
use std::{io::Write, net::TcpListener, path::Path, process::Command};

/// `orders serve` with only these variables and arguments.
fn serve(folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Command {
    let mut options = ServerOptions::default();
    for arg in args {
        options = options.arg(arg);
    }
    for (name, value) in env {
        options = options.env(name, value);
    }
    let mut command = command(&options, &folder.join("data"));
    command.env("HOME", folder).env_remove("XDG_CONFIG_HOME");
    command
}

#[test]
fn what_would_be_ignored_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let addres = file(
        "addres.toml",
        "[profile.default]\naddres = \"127.0.0.1:1\"\n",
    );
    let profil = file(
        "profil.toml",
        "[profil.default]\naddress = \"127.0.0.1:1\"\n",
    );
    let tls = file(
        "tls.toml",
        "[profile.default]\naddress = \"127.0.0.1:1\"\n[profile.default.tls]\ncert = \"x\"\n",
    );
    let key = file("key.toml", "[profile.default]\napi_key = \"secret\"\n");
    let missing = folder.path().join("missing.pem").display().to_string();
    let address = ("TEMPORAL_ADDRESS", "127.0.0.1:1");
    // Arguments, environment, and what the error names.
    type Case<'a> = (Vec<&'a str>, Vec<(&'a str, &'a str)>, &'a str);
    let cases: Vec<Case> = vec![
        (vec![], vec![("TEMPORAL_CONFIG_FILE", &addres)], "`addres`"),
        (vec![], vec![("TEMPORAL_CONFIG_FILE", &profil)], "`profil`"),
        (vec![], vec![("TEMPORAL_CONFIG_FILE", &tls)], "`cert`"),
        (vec![], vec![("TEMPORAL_CONFIG_FILE", &missing)], &missing),
        (
            vec![],
            vec![("TEMPORAL_CONFIG_FILE", &key)],
            "no address of Temporal",
        ),
        (
            vec![],
            vec![("TEMPORAL_API_KEY", "secret")],
            "no address of Temporal",
        ),
        (
            vec![],
            vec![("TEMPORAL_TLS", "true")],
            "no address of Temporal",
        ),
        (
            vec![],
            vec![("TEMPORAL_ADDRES", "127.0.0.1:1")],
            "did you mean TEMPORAL_ADDRESS?",
        ),
        (
            vec![],
            vec![("ORDERS_TEMPORAL_ADRESS", "127.0.0.1:1")],
            "did you mean ORDERS_TEMPORAL_ADDRESS?",
        ),
        (
            vec![],
            vec![address, ("TEMPORAL_TLS", "yes")],
            "TEMPORAL_TLS must be true or false",
        ),
        (
            vec![],
            vec![address, ("TEMPORAL_TLS_SERVER_CA_CERT_PATH", &missing)],
            &missing,
        ),
        (
            vec![],
            vec![
                address,
                ("TEMPORAL_TLS_CLIENT_CERT_PATH", &addres),
                ("TEMPORAL_TLS_CLIENT_KEY_PATH", &missing),
            ],
            &missing,
        ),
        (
            vec![],
            vec![address, ("TEMPORAL_TLS_DISABLE_HOST_VERIFICATION", "true")],
            "not supported",
        ),
        (vec!["--temporal-address", ""], vec![], "is empty"),
        (
            vec!["--temporal-address", "temporal.internal"],
            vec![],
            "temporal.internal:7233",
        ),
        (
            vec!["--temporal-ui", "temporal.internal"],
            vec![],
            "--temporal-ui",
        ),
    ];
    for (args, env, text) in cases {
        let output = serve(folder.path(), &args, &env).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?} {env:?}: {errors}");
        assert!(errors.contains(text), "{args:?} {env:?}: {errors}");
        assert!(!errors.contains("secret"), "{errors}");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(!said.contains("dev server"), "{args:?} {env:?}: {said}");
    }
}

#[tokio::test]
async fn a_configuration_without_an_address_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("temporal.toml");
    std::fs::write(&path, "[profile.default]\nnamespace = \"shop\"\n").unwrap();
    let path = path.to_str().unwrap();
    let env = [("TEMPORAL_CONFIG_FILE", path)];
    let server = Process::spawn(serve(folder.path(), &[], &env));
    eventually("the note", async || {
        let line = server.line_with("names no address of Temporal")?;
        line.contains(path).then_some(())
    })
    .await;
}

/// Starts a server on an address and waits until it says why it waits.
async fn reason(address: &str, env: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--temporal-address", address];
    let mut server = Process::spawn(serve(folder.path(), &args, env));
    let line = eventually("a reason", async || {
        assert!(server.ended().is_none(), "{}", server.output());
        server.line_with("waiting for Temporal at ")
    })
    .await;
    assert!(
        line.contains(address) && line.contains("; for at most "),
        "{line}"
    );
    line
}

#[tokio::test]
async fn a_temporal_that_is_not_there_is_said_in_words() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let line = reason(&address, &[]).await;
    assert!(line.contains(": connection refused;"), "{line}");

    // TLS to a Temporal without it.
    let stand_in = StandIn::start().await;
    let line = reason(&stand_in.address, &[("TEMPORAL_TLS", "true")]).await;
    assert!(line.contains("does not speak TLS"), "{line}");

    // And the other way round: the alert that a TLS server sends to HTTP.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let _ = connection.write_all(&[0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46]);
        }
    });
    let line = reason(&address, &[]).await;
    assert!(line.contains("does it want TLS?"), "{line}");
}
