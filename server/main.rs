//! The program `orders`: reads its settings, starts, and says by its exit code how it ended.

use clap::{CommandFactory, Parser};
use orders_server::{
    environment, logging, private,
    program::{self, Command, CommandLine},
};
use std::process::ExitCode;

/// Wrong usage or settings, as clap's own.
const USAGE: u8 = 2;
/// The system refused something that every program needs.
const SYSTEM: u8 = program::SYSTEM;

fn main() -> ExitCode {
    let settings = CommandLine::parse();
    if let Err(error) = logging::init(settings.log_format, &settings.log_level) {
        eprintln!("orders: {error}");
        return ExitCode::from(USAGE);
    }
    if let Err(error) = environment::check(&CommandLine::command()) {
        eprintln!("orders: {error}");
        return ExitCode::from(USAGE);
    }
    let mut builder = match settings.command {
        // A client makes one call after the other: it needs no threads.
        Command::Client(_) | Command::Completions(_) => {
            tokio::runtime::Builder::new_current_thread()
        }
        _ => {
            private::keep_others_out();
            tokio::runtime::Builder::new_multi_thread()
        }
    };
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("orders: the runtime cannot be started: {error}");
            return ExitCode::from(SYSTEM);
        }
    };
    let code = runtime.block_on(program::run(settings.command));
    // A worker that did not end in time must not keep the process.
    runtime.shutdown_background();
    code
}
