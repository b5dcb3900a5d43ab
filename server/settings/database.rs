//! The settings of the database.

use clap::Args;
use orders_store::database::{Database, DatabaseUrlError};
use std::{fmt, path::PathBuf};

/// Which database is used.
#[derive(Args, Clone)]
#[group(skip)]
pub struct DatabaseSettings {
    /// Everything that is kept: the database, and the embedded Temporal's.
    #[arg(
        long,
        env = "ORDERS_DATA_DIR",
        default_value = "orders-data",
        value_name = "DIR"
    )]
    pub data_dir: PathBuf,

    /// A PostgreSQL database: postgres://user:password@host:port/name. Without it, a SQLite file in
    /// the data directory.
    // The value may hold a password, and --help shows those of the environment.
    #[arg(
        long,
        env = "ORDERS_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub database_url: Option<String>,

    /// The most connections to PostgreSQL at once, 2 or more: one half reads, the other half writes.
    #[arg(
        long,
        env = "ORDERS_DATABASE_CONNECTIONS",
        value_name = "COUNT",
        default_value_t = 16,
        value_parser = clap::value_parser!(u32).range(2..)
    )]
    pub database_connections: u32,
}

/// Why no database can be used, without the URL, which may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("--database-url (ORDERS_DATABASE_URL) {0}")]
pub struct DatabaseSettingsError(DatabaseUrlError);

/// A password must not be written anywhere.
impl fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DatabaseSettings {
            data_dir,
            database_url,
            database_connections,
        } = self;
        f.debug_struct("DatabaseSettings")
            .field("data_dir", data_dir)
            .field("database_url", &database_url.as_ref().map(|_| "***"))
            .field("database_connections", database_connections)
            .finish()
    }
}

impl DatabaseSettings {
    /// The database that these name.
    ///
    /// # Errors
    /// When the URL is none of a PostgreSQL database.
    pub fn database(&self) -> Result<Database, DatabaseSettingsError> {
        match &self.database_url {
            Some(url) => {
                Database::server(url, self.database_connections).map_err(DatabaseSettingsError)
            }
            None => Ok(Database::File(self.data_dir.join("orders.db"))),
        }
    }
}
