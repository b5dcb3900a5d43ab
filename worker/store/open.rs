//! Opening the database.

use super::{
    Store, StoreError, commits::Commits, log::Appended, migrate, outbox::Outbox, supplies::Opened,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::{path::Path, time::Duration};

/// How long a statement waits for another process's lock. Shorter than an activity's attempt, so
/// that an attempt that timed out is not still at work.
const BUSY: Duration = Duration::from_secs(2);

/// How long a caller waits for a connection of the pool.
const ACQUIRE: Duration = Duration::from_secs(3);

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file or server cannot be used.
    #[error("the database {path} cannot be opened: {source}")]
    Connect {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The file is of a newer program.
    #[error(
        "the database {path} was written by a newer version of orders (it has migration {version}, \
         which this version does not know): start that version, or restore a backup"
    )]
    Newer {
        /// Which file.
        path: String,
        /// The unknown migration.
        version: i64,
    },
    /// A migration did not succeed.
    #[error("the tables of {path} cannot be brought up to date: {reason}")]
    Migrate {
        /// Which file.
        path: String,
        /// Why.
        reason: String,
    },
}

impl Store {
    /// Opens the SQLite file at `path`, makes it if it is not there, and brings its tables up to
    /// date.
    ///
    /// # Errors
    /// When the file cannot be used, or was written by a newer version.
    pub async fn open(path: &Path) -> Result<Store, OpenError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL, not NORMAL: a commit that was answered must also survive a power failure.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .foreign_keys(true);
        let connect = |source| OpenError::Connect {
            path: path.display().to_string(),
            source,
        };
        let _lock = migrate::lock(path).await?;
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE)
            .connect_with(options.clone())
            .await
            .map_err(connect)?;
        migrate::run(&writer, path).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(ACQUIRE)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await
            .map_err(connect)?;
        Ok(Store {
            writer,
            readers,
            commits: Commits::default(),
            appended: Appended::default(),
            opened: Opened::default(),
            outbox: Outbox::default(),
        })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        Ok(())
    }

    /// Closes all connections; a transaction under way is finished first.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}
