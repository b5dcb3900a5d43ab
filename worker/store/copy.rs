//! Copying an SQLite database that is in use.

use super::database::create_private;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a statement waits for another process's lock.
const BUSY: Duration = Duration::from_secs(5);

/// Why a database cannot be copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// There is none.
    #[error("there is no database {0}: name the data directory of the server with --data-dir")]
    Missing(PathBuf),
    /// It cannot be used.
    #[error("the database {path} cannot be used: {source}")]
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The copy is not whole.
    #[error("the copy {path} is damaged: {reason}; the original may be, too")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What the database says.
        reason: String,
    },
}

/// Copies an SQLite database, any, as it is at one moment, also while others write to it. The copy
/// is on the disk when this returns.
///
/// # Errors
/// When it is not there, or the copy cannot be made or is not whole.
pub async fn copy(from: &Path, to: &Path) -> Result<(), CopyError> {
    if !from.is_file() {
        return Err(CopyError::Missing(from.to_owned()));
    }
    let unusable = |path: &Path| {
        let path = path.to_owned();
        move |source| CopyError::Unusable { path, source }
    };
    let options = SqliteConnectOptions::new()
        .filename(from)
        .busy_timeout(BUSY);
    // It writes into a file that is there and empty: so the copy is never readable by others.
    let made = create_private(to);
    made.map_err(|error| unusable(to)(sqlx::Error::Io(error)))?;
    let mut source = SqliteConnection::connect_with(&options)
        .await
        .map_err(unusable(from))?;
    let copied = sqlx::query("VACUUM INTO $1")
        .bind(to.display().to_string())
        .execute(&mut source)
        .await;
    let _ = source.close().await;
    copied.map_err(unusable(to))?;
    let options = SqliteConnectOptions::new().filename(to).read_only(true);
    let mut target = SqliteConnection::connect_with(&options)
        .await
        .map_err(unusable(to))?;
    let said: String = sqlx::query_scalar("PRAGMA quick_check")
        .fetch_one(&mut target)
        .await
        .map_err(unusable(to))?;
    let _ = target.close().await;
    if said != "ok" {
        return Err(CopyError::Damaged {
            path: to.to_owned(),
            reason: said,
        });
    }
    let synced = std::fs::File::open(to).and_then(|file| file.sync_all());
    synced.map_err(|error| unusable(to)(sqlx::Error::Io(error)))
}
