//! The command line client as a person or a script runs it.

use crate::{TestServer, process::Process, program};
use std::process::Command;

/// A client of one server.
#[derive(Clone, Debug)]
pub struct Cli {
    server: String,
    env: Vec<(String, String)>,
}

/// How a command ended, and what it printed.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Cli {
    /// A client of that server.
    pub fn of(server: &TestServer) -> Cli {
        Cli::at(&server.address)
    }

    /// A client of whatever is at `host:port`.
    pub fn at(address: &str) -> Cli {
        Cli::of_url(&format!("http://{address}"))
    }

    /// A client of whatever is at a URL.
    pub fn of_url(url: &str) -> Cli {
        Cli {
            server: url.to_owned(),
            env: Vec::new(),
        }
    }

    /// With one more environment variable.
    pub fn env(mut self, key: &str, value: &str) -> Cli {
        self.env.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The command line of `orders` with these arguments.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(args)
            .env_remove("ORDERS_OUTPUT")
            .env_remove("ORDERS_ACTOR")
            .env_remove("USER")
            .env("ORDERS_SERVER", &self.server)
            .envs(self.env.iter().map(|(key, value)| (key, value)));
        command
    }

    /// Starts `orders` with these arguments.
    pub fn start(&self, args: &[&str]) -> Process {
        Process::spawn(self.command(args))
    }

    /// Runs `orders` with these arguments until it ends.
    pub fn run(&self, args: &[&str]) -> Ran {
        let output = self.command(args).output().unwrap();
        Ran {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs it, which must work; gives what it printed.
    pub fn out(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
        assert_eq!(ran.err, "", "{args:?}");
        ran.out
    }

    /// Runs it with `--output json`, which must work; gives the document.
    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        let mut args = args.to_vec();
        args.extend(["--output", "json"]);
        serde_json::from_str(&self.out(&args)).unwrap()
    }

    /// Places a pre-order of two pieces and waits until it is held.
    pub fn held(&self, order_id: &str, sku: &str) -> Ran {
        let item = format!("{sku}:2:499.99:Console");
        let mut args = vec!["place", "--order-id", order_id, "--customer", "ada"];
        args.extend(["--policy", "pre-order", "--item", &item]);
        args.extend(["--line1", "1 Main St", "--city", "San Francisco"]);
        args.extend(["--postal-code", "94105", "--country", "US"]);
        args.extend(["--token", "tok-good", "--last4", "4242"]);
        args.extend([
            "--payment-type",
            "credit-card",
            "--release-time",
            "in 30 days",
        ]);
        args.extend(["--wait", "awaiting_release", "--timeout", "30s"]);
        self.run(&args)
    }
}
