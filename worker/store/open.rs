//! Opening the database.

use super::{
    Db, Store, StoreError,
    commits::Commits,
    database::{Database, Mode},
    log::Appended,
    migrate::{self, Migrations},
    outbox::Outbox,
    payment_tokens,
    probe::Writes,
    supplies::Opened,
};
use sqlx::{AssertSqlSafe, Executor, Pool, any::AnyPoolOptions};
use std::{path::Path, time::Duration};

/// How long a caller waits for a connection of the pool.
const ACQUIRE: Duration = Duration::from_secs(3);

/// Connections that read a SQLite file.
const FILE_READERS: u32 = 4;

/// The environment variable by which a test lets the disk be full: no more pages than this in the
/// SQLite file.
#[cfg(feature = "test-hooks")]
const TEST_PAGES: &str = "ORDERS_TEST_MAX_PAGES";

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file or server cannot be used.
    #[error("the database {path} cannot be opened: {source}")]
    Connect {
        /// Which one.
        path: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The server has no database of that name.
    #[error("the database {path} does not exist: create it with `createdb {name}` on that server")]
    NoDatabase {
        /// Which one.
        path: String,
        /// Its name.
        name: String,
    },
    /// The server answered, and refused.
    #[error("the database {path} cannot be opened: {message}")]
    Refused {
        /// Which one.
        path: String,
        /// Why, in the server's own words.
        message: String,
    },
    /// It was written by a newer program.
    #[error(
        "the database {path} was written by a newer version of orders (it has migration {version}, \
         which this version does not know): start that version, or restore a backup"
    )]
    Newer {
        /// Which one.
        path: String,
        /// The unknown migration.
        version: i64,
    },
    /// Its tables are older than the program, which was told to leave them.
    #[error(
        "the database {path} lacks {} of this version of orders: run `orders migrate` with the same \
         database, or start without --no-migrate",
        migrations(versions)
    )]
    Missing {
        /// Which one.
        path: String,
        /// The migrations that were not applied, oldest first.
        versions: Vec<i64>,
    },
    /// A migration did not succeed.
    #[error("the tables of {path} cannot be brought up to date: {reason}")]
    Migrate {
        /// Which one.
        path: String,
        /// Why.
        reason: String,
    },
}

/// What PostgreSQL says when it has no database of that name.
const NO_SUCH_DATABASE: &str = "3D000";

impl OpenError {
    /// The database could not be connected to.
    pub(super) fn connect(database: &Database, source: sqlx::Error) -> Self {
        let path = database.to_string();
        let refused = source.as_database_error();
        match (database, refused) {
            (Database::Server { url, .. }, Some(refused)) => {
                if refused.code().as_deref() == Some(NO_SUCH_DATABASE) {
                    let name = url.path().trim_matches('/').to_owned();
                    return Self::NoDatabase { path, name };
                }
                // Its `Display` also names a line of PostgreSQL's source.
                let message = refused.message().to_owned();
                Self::Refused { path, message }
            }
            _ => Self::Connect { path, source },
        }
    }
}

fn migrations(versions: &[i64]) -> String {
    let versions: Vec<String> = versions.iter().map(i64::to_string).collect();
    let noun = match versions.len() {
        1 => "migration",
        _ => "migrations",
    };
    format!("{noun} {}", versions.join(", "))
}

impl Store {
    /// Opens the SQLite file at `path`, makes it if it is not there, and brings its tables up to
    /// date.
    ///
    /// # Errors
    /// When the file cannot be used, or was written by a newer version.
    pub async fn open(path: &Path) -> Result<Store, OpenError> {
        Self::connect(&Database::File(path.to_owned()), Migrations::Apply).await
    }

    /// Opens a database, and brings its tables up to date or insists that they are.
    ///
    /// # Errors
    /// When it cannot be used, was written by a newer version, or lacks migrations that it is not to
    /// be given.
    pub async fn connect(database: &Database, migrations: Migrations) -> Result<Store, OpenError> {
        let connect = |source| OpenError::connect(database, source);
        let dialect = database.dialect();
        let prepared = migrate::prepare(database, migrations).await?;
        let (writers, readers) = match database {
            Database::File(_) => (1, FILE_READERS),
            // Apart: callers that only read need not wait behind those that wait for a row.
            Database::Server { connections, .. } => {
                (connections - connections / 2, connections / 2)
            }
        };
        let writer = pool(database, Mode::Write, writers, dialect.writer_setup());
        let writer = writer.await.map_err(connect)?;
        let readers = pool(database, Mode::Read, readers, dialect.reader_setup());
        let readers = readers.await.map_err(connect)?;
        drop(prepared);
        let token_salt = payment_tokens::salt(&readers).await.map_err(connect)?;
        Ok(Store {
            dialect,
            writer,
            readers,
            writes: Writes::default(),
            commits: Commits::default(),
            appended: Appended::default(),
            opened: Opened::default(),
            outbox: Outbox::default(),
            token_salt: token_salt.into(),
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

async fn pool(
    database: &Database,
    mode: Mode,
    connections: u32,
    setup: &'static str,
) -> Result<Pool<Db>, sqlx::Error> {
    let setup = setup.to_owned();
    #[cfg(feature = "test-hooks")]
    let setup = match (database, std::env::var(TEST_PAGES)) {
        (Database::File(_), Ok(pages)) => {
            let pages: u32 = pages.parse().unwrap_or(u32::MAX);
            format!("{setup}; PRAGMA max_page_count = {pages}")
        }
        _ => setup,
    };
    let options = AnyPoolOptions::new()
        // A server may have closed a connection that was not used for a while; a file does not.
        .test_before_acquire(matches!(database, Database::Server { .. }))
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .after_connect(move |connection, _| {
            let setup = AssertSqlSafe(setup.clone());
            Box::pin(async move { connection.execute(setup).await.map(|_| ()) })
        });
    options.connect_with(database.options(mode)?).await
}
