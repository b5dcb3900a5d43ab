//! The program `orders`: reads its settings, starts, and says by its exit code how it ended.

use clap::Parser;
use orders_server::{
    backup, client, logging, replay,
    serve::{self, ServeError, Stop},
    settings::{Command, Settings},
    verify::{self, Verdict},
};
use std::process::ExitCode;

/// Wrong usage or settings, as clap's own.
const USAGE: u8 = 2;
/// The system refused something that every program needs.
const SYSTEM: u8 = 3;

fn main() -> ExitCode {
    let settings = Settings::parse();
    if let Err(error) = logging::init(settings.log_format, &settings.log_level) {
        eprintln!("orders: {error}");
        return ExitCode::from(USAGE);
    }
    let mut builder = match settings.command {
        // A client makes one call after the other: it needs no threads.
        Command::Client(_) => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("orders: the runtime cannot be started: {error}");
            return ExitCode::from(SYSTEM);
        }
    };
    let code = runtime.block_on(run(settings.command));
    // A worker that did not end in time must not keep the process.
    runtime.shutdown_background();
    code
}

async fn run(command: Command) -> ExitCode {
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
            Err(error) => {
                eprintln!("orders: {error}");
                ExitCode::from(error.exit_code())
            }
        },
        Command::Verify(settings) => match verify::verify(settings).await {
            Ok(Verdict::Clean) => ExitCode::SUCCESS,
            Ok(Verdict::Findings) => ExitCode::FAILURE,
            Err(error) => failed(&error),
        },
        Command::Backup(settings) => match backup::backup(settings).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error),
        },
        // It takes no signals: Ctrl-C ends it as it ends any command.
        Command::Client(command) => client::run(command).await.into(),
    }
}

/// What a command needs cannot be reached, or used.
fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("orders: {error}");
    ExitCode::from(SYSTEM)
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
