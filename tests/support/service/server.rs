//! The real server: the binary, on a free port, with a data folder of its own.

use crate::{Client, PATIENCE, Postgres, eventually, postgres, process::Process, program};
use sqlx::{AnyConnection, Connection};
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// How a server is started.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    /// More arguments of `orders serve`.
    pub args: Vec<String>,
    /// More environment.
    pub env: Vec<(String, String)>,
    /// Where it listens; else on a free port.
    pub listen: Option<String>,
    /// A data folder that outlives the server; else it gets one of its own.
    pub data_dir: Option<PathBuf>,
    /// A PostgreSQL database; else what the environment chooses for all tests.
    pub database_url: Option<String>,
    /// The program of another build; else the one that was built with the tests.
    pub program: Option<PathBuf>,
}

impl ServerOptions {
    /// With a Temporal that the test started.
    pub fn with_temporal(address: &str) -> Self {
        Self {
            args: vec!["--temporal-address".to_owned(), address.to_owned()],
            ..Self::default()
        }
    }

    /// Listening there.
    pub fn listen(mut self, address: &str) -> Self {
        self.listen = Some(address.to_owned());
        self
    }

    /// With that data folder.
    pub fn data_dir(mut self, path: &Path) -> Self {
        self.data_dir = Some(path.to_owned());
        self
    }

    /// With that PostgreSQL database.
    pub fn database_url(mut self, url: &str) -> Self {
        self.database_url = Some(url.to_owned());
        self
    }

    /// With the policies of the tests beside the presets.
    pub fn policies(self) -> Self {
        let policies = concat!(env!("CARGO_MANIFEST_DIR"), "/policies.toml");
        self.arg("--policies").arg(policies)
    }

    /// With one more argument.
    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// With one more environment variable.
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.env.push((key.to_owned(), value.to_owned()));
        self
    }
}

/// A running `orders serve`.
pub struct TestServer {
    /// The process.
    pub process: Process,
    /// Where it listens, `host:port`.
    pub address: String,
    /// Where its data is.
    pub data_dir: PathBuf,
    /// The PostgreSQL database, if it is none of SQLite.
    pub database_url: Option<String>,
    _own_dir: Option<TempDir>,
}

impl TestServer {
    /// Starts one and waits until it says where it serves.
    pub async fn start(options: ServerOptions) -> TestServer {
        let own_dir = match &options.data_dir {
            Some(_) => None,
            None => Some(TempDir::new().unwrap()),
        };
        let data_dir = match (&options.data_dir, &own_dir) {
            (Some(path), _) => path.clone(),
            (None, Some(dir)) => dir.path().join("data"),
            (None, None) => unreachable!("one of the two is there"),
        };
        let database_url = database_url(&options, &data_dir);
        let process = Process::spawn(command(&options, &data_dir));
        let mut server = TestServer {
            process,
            address: String::new(),
            data_dir,
            database_url,
            _own_dir: own_dir,
        };
        let end = tokio::time::Instant::now() + PATIENCE;
        while server.address.is_empty() {
            if let Some(status) = server.process.ended() {
                panic!(
                    "the server ended with {status}:\n{}",
                    server.process.output()
                );
            }
            // One without a worker serves also while nobody runs orders.
            for begin in ["ready on ", "serving on "] {
                if let Some(line) = server.process.line_with(begin) {
                    let rest = line.split(begin).nth(1).unwrap();
                    let url = rest.split(';').next().unwrap();
                    server.address = url.trim_start_matches("https://").to_owned();
                }
            }
            assert!(
                tokio::time::Instant::now() < end,
                "the server is not ready in time"
            );
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        server
    }

    /// A client of it.
    pub async fn client(&self) -> Client {
        Client::connect(&self.address).await
    }

    /// Where its Temporal is, as it says itself.
    pub fn temporal_address(&self) -> String {
        let line = self
            .process
            .line_with("connecting to Temporal at ")
            .unwrap();
        line.split(" at ").nth(1).unwrap().to_owned()
    }

    /// Asks it to stop and waits until it has; gives its exit code.
    pub async fn stop(mut self) -> Option<i32> {
        self.process.signal(nix::sys::signal::Signal::SIGTERM);
        self.ended().await
    }

    /// Waits until it has ended; gives its exit code, none for one that was killed.
    pub async fn ended(&mut self) -> Option<i32> {
        let process = &mut self.process;
        let status = eventually("the server's end", async || process.ended()).await;
        status.code()
    }

    /// A number out of its database.
    pub async fn count(&self, query: &'static str, bind: &str) -> i64 {
        let mut database = self.database().await;
        let count = sqlx::query_scalar(query)
            .bind(bind)
            .fetch_one(&mut database)
            .await
            .unwrap();
        database.close().await.unwrap();
        count
    }

    /// A connection of its own to its database.
    pub async fn database(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        let url = match &self.database_url {
            Some(url) => url.clone(),
            None => format!("sqlite://{}", self.data_dir.join("orders.db").display()),
        };
        AnyConnection::connect(&url).await.unwrap()
    }
}

/// A server of its own beside the shared one, quick to start since it borrows that one's Temporal and
/// worker. Orders must not be placed in it: they would be run on the other's database.
pub async fn beside_shared(options: ServerOptions) -> TestServer {
    let mut args = ServerOptions::with_temporal(&shared().await.temporal_address()).args;
    args.push("--no-worker".to_owned());
    args.extend(options.args);
    TestServer::start(ServerOptions { args, ..options }).await
}

/// The command line of a server with these options.
pub fn command(options: &ServerOptions, data_dir: &Path) -> Command {
    let mut command = Command::new(options.program.clone().unwrap_or_else(program));
    command
        .args(["serve", "--listen"])
        .arg(options.listen.as_deref().unwrap_or("127.0.0.1:0"))
        .arg("--data-dir")
        .arg(data_dir)
        .args(&options.args)
        .env_remove("TEMPORAL_ADDRESS")
        .env_remove("TEMPORAL_NAMESPACE")
        .env_remove("ORDERS_DATABASE_URL")
        .env("ORDERS_LOG_LEVEL", "info")
        .envs(options.env.iter().map(|(key, value)| (key, value)));
    if let Some(url) = database_url(options, data_dir) {
        command.env("ORDERS_DATABASE_URL", url);
    }
    if let Some(cli) = crate::temporal::tool("temporal") {
        command.env("ORDERS_TEMPORAL_CLI", cli);
    }
    command
}

fn database_url(options: &ServerOptions, data_dir: &Path) -> Option<String> {
    match &options.database_url {
        Some(url) => Some(url.clone()),
        None => postgres::chosen().then(|| Postgres::shared().database(data_dir)),
    }
}

/// A server with the embedded Temporal, as a newcomer starts it, that all tests share which do not
/// need one of their own. Its policies are the presets and some with short waits.
pub async fn shared() -> &'static TestServer {
    static SHARED: OnceCell<TestServer> = OnceCell::const_new();
    SHARED
        .get_or_init(|| async { TestServer::start(ServerOptions::default().policies()).await })
        .await
}

/// The environment by which another process finds the database of a server's data folder.
pub fn database_env(data_dir: &Path) -> Option<(&'static str, String)> {
    let url = database_url(&ServerOptions::default(), data_dir)?;
    Some(("ORDERS_DATABASE_URL", url))
}
