//! Opening a database that must be there already, as it is: for looking at it, and for copying it.

use super::{Store, commits::Commits, log::Appended, migrate, outbox::Outbox, supplies::Opened};
use sqlx::{
    Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a statement waits for another process's lock.
const BUSY: Duration = Duration::from_secs(5);

/// Why a database cannot be looked at, or copied.
#[derive(Debug, thiserror::Error)]
pub enum ExistingError {
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
    /// Its tables are not those of this version.
    #[error(
        "the tables of {path} are at migration {found}, this version of orders needs {needed}: \
         start the server of this version once, or look at it with the version that wrote it"
    )]
    OtherVersion {
        /// Which.
        path: PathBuf,
        /// Its newest migration.
        found: i64,
        /// Ours.
        needed: i64,
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

impl Store {
    /// Opens the SQLite file at `path` without making or changing anything.
    ///
    /// # Errors
    /// When it is not there, cannot be used, or has the tables of another version.
    pub async fn open_existing(path: &Path) -> Result<Store, ExistingError> {
        if !path.is_file() {
            return Err(ExistingError::Missing(path.to_owned()));
        }
        let unusable = |source| ExistingError::Unusable {
            path: path.to_owned(),
            source,
        };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .foreign_keys(true);
        // Lazily: who only reads opens nothing for writing.
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_lazy_with(options.clone());
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options.read_only(true))
            .await
            .map_err(unusable)?;
        let found = "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations";
        let found: i64 = sqlx::query_scalar(found)
            .fetch_one(&readers)
            .await
            .map_err(unusable)?;
        let needed = migrate::newest();
        if found != needed {
            return Err(ExistingError::OtherVersion {
                path: path.to_owned(),
                found,
                needed,
            });
        }
        Ok(Store {
            writer,
            readers,
            commits: Commits::default(),
            appended: Appended::default(),
            opened: Opened::default(),
            outbox: Outbox::default(),
        })
    }
}

/// Copies an SQLite database, any, as it is at one moment, also while others write to it. The copy
/// is on the disk when this returns.
///
/// # Errors
/// When it is not there, or the copy cannot be made or is not whole.
pub async fn copy(from: &Path, to: &Path) -> Result<(), ExistingError> {
    if !from.is_file() {
        return Err(ExistingError::Missing(from.to_owned()));
    }
    let unusable = |path: &Path| {
        let path = path.to_owned();
        move |source| ExistingError::Unusable { path, source }
    };
    let options = SqliteConnectOptions::new()
        .filename(from)
        .busy_timeout(BUSY);
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
        return Err(ExistingError::Damaged {
            path: to.to_owned(),
            reason: said,
        });
    }
    let synced = std::fs::File::open(to).and_then(|file| file.sync_all());
    synced.map_err(|error| unusable(to)(sqlx::Error::Io(error)))
}
