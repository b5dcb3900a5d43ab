//! The command line, and what the program does by the command that it was given.

mod command_line;

pub use command_line::{Command, CommandLine};

use crate::{
    backup, replay,
    serve::{self, ServeError, Stop},
    verify::{self, Verdict},
};
use clap::CommandFactory;
use futures::future::LocalBoxFuture;
use std::process::ExitCode;

/// The exit code when the system, or something else that a command needs, refused.
pub const SYSTEM: u8 = 3;

/// Carries out a command, and says how it ended.
///
/// Boxed here: else everything that is async behind it is compiled a second time, in the crate of the
/// program, which takes minutes of a release build.
pub fn run(command: Command) -> LocalBoxFuture<'static, ExitCode> {
    Box::pin(carry_out(command))
}

async fn carry_out(command: Command) -> ExitCode {
    match command {
        Command::Serve(settings) => {
            until_stopped(async |stop| serve::serve(settings, stop).await).await
        }
        Command::Worker(settings) => {
            until_stopped(async |stop| serve::work(settings, stop).await).await
        }
        Command::Migrate(settings) => ended(serve::migrate(settings).await),
        Command::Replay(settings) => match replay::replay(settings).await {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => failed(&error, error.exit_code()),
        },
        Command::Verify(settings) => match verify::verify(settings).await {
            Ok(Verdict::Clean) => ExitCode::SUCCESS,
            Ok(Verdict::Findings) => ExitCode::FAILURE,
            Err(error) => failed(&error, error.exit_code()),
        },
        Command::Backup(settings) => match backup::backup(settings).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error, SYSTEM),
        },
        // It takes no signals: Ctrl-C ends it as it ends any command.
        Command::Client(command) => orders_cli::run(command).await.into(),
        Command::Completions(completions) => completions.print(&mut CommandLine::command()).into(),
    }
}

/// What a command needs cannot be reached, or used.
fn failed(error: &dyn std::error::Error, code: u8) -> ExitCode {
    eprintln!("orders: {error}");
    ExitCode::from(code)
}

async fn until_stopped(work: impl AsyncFnOnce(Stop) -> Result<(), ServeError>) -> ExitCode {
    let stop = match Stop::on_signals() {
        Ok(stop) => stop,
        Err(error) => {
            eprintln!("orders: signals cannot be received: {error}");
            return ExitCode::from(SYSTEM);
        }
    };
    ended(work(stop).await)
}

fn ended(result: Result<(), ServeError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("orders: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
