//! What is kept is for its owner only, whatever the umask and whoever made the folder.

use orders_test_support::{
    Cli, ServerOptions, eventually, postgres,
    process::Process,
    server::{command, database_env},
    sku,
};
use std::{
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

/// The same command with the umask that most systems give to services.
fn with_open_umask(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 022; exec \"$@\"", "sh"]);
    shell.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

/// A folder that everybody may enter, as `mkdir` and most service managers make it.
fn open_folder(path: &Path) -> &Path {
    std::fs::create_dir(path).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    path
}

/// The files that others may read, or do more with.
fn open_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| std::fs::metadata(path).unwrap().mode() & 0o077 != 0)
        .collect()
}

#[tokio::test]
async fn an_open_folder_is_said_and_its_files_are_closed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    open_folder(&data);
    // What an earlier program left readable.
    let left = data.join("temporal.log");
    std::fs::write(&left, "").unwrap();
    std::fs::set_permissions(&left, PermissionsExt::from_mode(0o644)).unwrap();
    let serve = command(&ServerOptions::default(), &data);
    let mut server = Process::spawn(with_open_umask(&serve));
    let ready = eventually("the server to be ready", async || {
        assert!(server.ended().is_none(), "{}", server.output());
        server.line_with("ready on ")
    })
    .await;
    let address = ready.split("ready on ").nth(1).unwrap();
    let client = Cli::at(address.split(';').next().unwrap());
    client.out(&["stock", "set", &sku(), "--on-hand", "1"]);
    let mut expected = vec!["temporal.db", "temporal.log", "temporal.lock"];
    if !postgres::chosen() {
        expected.extend(["orders.db", "orders.db-wal", "orders.db-shm"]);
    }
    for name in expected {
        assert!(data.join(name).exists(), "{name} is not there");
    }
    assert_eq!(open_files(&data), Vec::<PathBuf>::new());
    let warned = server.line_with("other users may enter this folder");
    assert!(warned.unwrap().contains("755"));

    if !postgres::chosen() {
        let copy = folder.path().join("copy");
        let (from, to) = (data.to_str().unwrap(), open_folder(&copy).to_str().unwrap());
        let backup = client.command(&["backup", to, "--data-dir", from]);
        let output = with_open_umask(&backup).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        for name in ["orders.db", "temporal.db"] {
            assert!(copy.join(name).exists(), "{name} was not copied");
        }
        assert_eq!(open_files(&copy), Vec::<PathBuf>::new());
    }
    server.signal(nix::sys::signal::Signal::SIGTERM);
    eventually("the server's end", async || server.ended()).await;
    assert_eq!(open_files(&data), Vec::<PathBuf>::new());
}

#[test]
fn migrate_makes_a_private_database_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    open_folder(&data);
    let mut migrate = Command::new(env!("CARGO_BIN_EXE_orders"));
    migrate.args(["migrate", "--data-dir"]).arg(&data);
    migrate.envs(database_env(&data));
    let output = with_open_umask(&migrate).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(open_files(&data), Vec::<PathBuf>::new());
}
