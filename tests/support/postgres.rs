//! A real PostgreSQL that the tests start themselves.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    io::{BufRead, BufReader, Lines, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Mutex, OnceLock},
};

/// The environment variable that says which database the tests use: `sqlite` or `postgres`.
pub const CHOICE: &str = "ORDERS_TEST_DATABASE";

/// A running PostgreSQL. It ends with its standard input, so also with a test process that was
/// killed.
pub struct Postgres {
    script: Mutex<Script>,
    /// Of the database `postgres`.
    url: String,
}

struct Script {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

/// Whether the tests use PostgreSQL.
pub fn chosen() -> bool {
    std::env::var(CHOICE).is_ok_and(|choice| choice == "postgres")
}

impl Postgres {
    /// Starts one. `durable`: what was committed survives a power failure, as it must in production.
    pub fn start(durable: bool) -> Postgres {
        let python = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.tools/venv/bin/python");
        assert!(Path::new(python).exists(), "run `make test-tools`");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/postgres.py");
        let mut command = Command::new(python);
        command.arg(script).args(durable.then_some("--durable"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut script = Script {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
        };
        let ready = script.answer();
        let url = ready.strip_prefix("ready ").unwrap().to_owned();
        Postgres {
            script: Mutex::new(script),
            url,
        }
    }

    /// The one of this test process, which does not wait for the disk.
    pub fn shared() -> &'static Postgres {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(false))
    }

    /// The URL of the database that belongs to a data folder; made when it is not there.
    pub fn database(&self, data_dir: &Path) -> String {
        let mut hasher = DefaultHasher::new();
        data_dir.hash(&mut hasher);
        let name = format!("orders_{:016x}", hasher.finish());
        self.ask(&format!("create {name}"));
        self.url.replace("/postgres", &format!("/{name}"))
    }

    /// Kills all its processes, as a power failure does.
    pub fn kill(&self) {
        self.ask("kill");
    }

    /// Starts it again, where it was.
    pub fn restart(&self) {
        self.ask("start");
    }

    /// How often its log has that text.
    pub fn count_in_log(&self, text: &str) -> usize {
        self.answer(&format!("count {text}")).parse().unwrap()
    }

    fn ask(&self, question: &str) {
        assert_eq!(self.answer(question), "done", "{question}");
    }

    fn answer(&self, question: &str) -> String {
        let mut script = self.script.lock().unwrap();
        writeln!(script.input.as_mut().unwrap(), "{question}").unwrap();
        script.answer()
    }
}

impl Script {
    fn answer(&mut self) -> String {
        let line = self.output.next();
        line.expect("PostgreSQL runs; it said above why not")
            .unwrap()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Ok(script) = self.script.get_mut() {
            drop(script.input.take());
            let _ = script.child.wait();
        }
    }
}
