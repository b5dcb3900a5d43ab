//! `orders backup`: copies the embedded default's two databases, also while the server runs.

use crate::{
    private::make_private_dir,
    settings::CommonSettings,
    temporal::{
        connect::{ConnectError, Profile},
        embedded::DATABASE,
    },
};
use clap::Args;
use orders_store::copy::{CopyError, copy};
use std::{
    io,
    path::{Path, PathBuf},
};

/// In the data directory, and in the copy.
const ORDERS: &str = "orders.db";

/// Settings of `backup`.
#[derive(Args, Debug)]
pub struct BackupSettings {
    /// Where the copy goes: a folder that is empty or not there yet. It can be used as a data
    /// directory at once.
    #[arg(value_name = "DIR")]
    pub to: PathBuf,

    /// What is copied.
    #[command(flatten)]
    pub common: CommonSettings,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is no database to copy.
    #[error(
        "there is no database {0}, so nothing was copied: name the data directory of the server \
         with --data-dir"
    )]
    NoDatabase(PathBuf),
    /// The folder has something in it.
    #[error("{0} is not empty: name a new folder, so that no older backup is lost")]
    NotEmpty(PathBuf),
    /// The folder cannot be used.
    #[error("the folder {path} cannot be used: {source}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database is PostgreSQL's.
    #[error(
        "with --database-url, use PostgreSQL's own means: pg_dump, or archived write-ahead logs"
    )]
    Server,
    /// A database cannot be copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// Temporal's configuration cannot be read.
    #[error(transparent)]
    Profile(#[from] ConnectError),
}

/// Copies, and says what.
///
/// # Errors
/// When something cannot be copied; the folder is then of no use.
pub async fn backup(settings: BackupSettings) -> Result<(), BackupError> {
    let BackupSettings { to, common } = &settings;
    if common.database.database_url.is_some() {
        return Err(BackupError::Server);
    }
    let orders = common.database.data_dir.join(ORDERS);
    if !orders.is_file() {
        return Err(BackupError::NoDatabase(orders));
    }
    let address = common.temporal_address.as_deref();
    let profile = Profile::load(address, common.namespace.as_deref())?;
    make_empty(to)?;
    let temporal = common.database.data_dir.join(DATABASE);
    // Temporal first: the orders' database is then the newer of the two, which is the harmless way
    // round. A workflow that is behind catches up; one that is ahead would have to be started anew.
    if profile.address().is_none() && temporal.is_file() {
        copy(&temporal, &to.join(DATABASE)).await?;
        println!("copied {}", to.join(DATABASE).display());
    } else {
        println!("Temporal is not embedded here: back it up where it is, before this");
    }
    copy(&orders, &to.join(ORDERS)).await?;
    println!("copied {}", to.join(ORDERS).display());
    let synced = std::fs::File::open(to).and_then(|folder| folder.sync_all());
    synced.map_err(|source| folder(to, source))
}

fn folder(path: &Path, source: io::Error) -> BackupError {
    let path = path.to_owned();
    BackupError::Folder { path, source }
}

fn make_empty(path: &Path) -> Result<(), BackupError> {
    make_private_dir(path).map_err(|source| folder(path, source))?;
    let mut entries = std::fs::read_dir(path).map_err(|source| folder(path, source))?;
    match entries.next() {
        Some(_) => Err(BackupError::NotEmpty(path.to_owned())),
        None => Ok(()),
    }
}
