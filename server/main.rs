//! The program `orders`: reads its settings, starts, and says by its exit code how it ended.

use clap::Parser;
use orders_server::{
    logging,
    serve::{self, Stop},
    settings::{Command, Settings},
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
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
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
    let stop = match Stop::on_signals() {
        Ok(stop) => stop,
        Err(error) => {
            eprintln!("orders: signals cannot be received: {error}");
            return ExitCode::from(SYSTEM);
        }
    };
    let result = match command {
        Command::Serve(settings) => serve::serve(settings, stop).await,
        Command::Worker(settings) => serve::work(settings, stop).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("orders: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
