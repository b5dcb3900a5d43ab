//! The command line: one enum of all commands, so it stands above every module that has one.

use crate::{
    backup::BackupSettings,
    logging::{self, LogFormat},
    settings::{DatabaseSettings, ReplaySettings, ServeSettings, WorkerSettings},
    verify::VerifySettings,
};
use clap::{Parser, Subcommand};
use orders_cli::{ClientCommand, Completions};

/// A gRPC order server on Temporal, and a client of it.
///
/// Exit codes: 0 done, or stopped as asked; 1 something unexpected, or failed while running;
/// 2 wrong usage or settings, or a request that can never be right; 3 could not start (Temporal,
/// database or address not usable); 4 no such order or stock item; 5 refused: not in this state,
/// not at this revision, or the id is taken; 6 not reached, not answered in time or too much at
/// once: the same request id may be sent again; 7 the state that was waited for was not reached.
#[derive(Debug, Parser)]
#[command(name = "orders", version)]
pub struct CommandLine {
    /// What to run.
    #[command(subcommand)]
    pub command: Command,

    /// How log lines look.
    #[arg(
        long,
        global = true,
        env = "ORDERS_LOG_FORMAT",
        value_enum,
        default_value_t
    )]
    pub log_format: LogFormat,

    /// The least important log lines that are written: error, warn, info, debug, trace, or off; or
    /// a filter by target, as in `info,sqlx=debug`.
    #[arg(
        long,
        global = true,
        env = "ORDERS_LOG_LEVEL",
        default_value = "info",
        value_parser = logging::read_level
    )]
    pub log_level: String,
}

/// What to run.
#[allow(
    clippy::large_enum_variant,
    reason = "there is one, made from the command line"
)]
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API, and run the orders in the same process.
    Serve(ServeSettings),
    /// Run the orders only; the API is served by other processes.
    Worker(WorkerSettings),
    /// Bring the database's tables up to date, say what was done, and end.
    Migrate(DatabaseSettings),
    /// Ask before a deploy: replay the histories that a running Temporal keeps with this build, and print
    /// those that it could not go on with. Changes nothing. Exit codes: 0 it can go on with all of them,
    /// 1 not with all, 3 Temporal cannot be reached.
    Replay(ReplaySettings),
    /// Check everything that is kept, and compare it with Temporal. Changes nothing without
    /// --repair. Exit codes: 0 nothing is wrong, 1 something is, 3 the database or Temporal cannot
    /// be reached.
    Verify(VerifySettings),
    /// Copy everything that the embedded default keeps, also while the server runs.
    Backup(BackupSettings),
    /// Ask a server for something.
    #[command(flatten)]
    Client(ClientCommand),
    /// Print the completions of a shell.
    Completions(Completions),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment;
    use clap::CommandFactory;

    #[test]
    fn the_variables_of_all_commands_are_known() {
        let known = environment::known(&CommandLine::command());
        for name in [
            "ORDERS_LISTEN",
            "ORDERS_TEMPORAL_ADDRESS",
            "ORDERS_SERVER",
            "ORDERS_LOG_LEVEL",
        ] {
            assert!(known.contains(name), "{name} is not in {known:?}");
        }
        // None of them is taken for another.
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        let found = environment::find(known.iter().cloned(), "ORDERS_", &names);
        assert_eq!(found, Ok(()));
    }
}
