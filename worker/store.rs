//! The business database: what was done is what stands here, whatever a workflow remembers.
//!
//! One rule keeps money safe: the effect of a step, the order's row and its events change in one
//! transaction ([`order_tx::OrderTx`]), and only while the order itself says that the step is next.
//!
//! SQLite or PostgreSQL. Queries use `$n` parameters and plain SQL that both understand, everything
//! outside names the database only by the aliases [`Db`], [`Connection`] and [`Tx`], and what differs
//! is in `dialect`.

mod append;
pub mod attention;
pub mod commits;
pub mod copy;
pub mod database;
pub(crate) mod dialect;
pub mod list;
pub mod log;
pub mod migrate;
pub mod open;
pub mod order_tx;
pub mod outbox;
pub mod overdue;
pub mod payment_journal;
pub mod payment_resolution;
pub mod place;
pub mod read;
mod remember;
mod statement;
pub mod stock;
pub mod supplier_orders;
pub mod supplies;
pub mod verify;

#[cfg(test)]
mod attention_tests;
#[cfg(test)]
mod log_tests;
#[cfg(test)]
#[path = "../tests/harness/postgres.rs"]
#[allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
mod postgres;
#[cfg(test)]
mod postgres_tests;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod supply_tests;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

/// The database system, chosen at run time.
pub type Db = sqlx::Any;
/// One connection inside a transaction, as providers see it.
pub type Connection = sqlx::AnyConnection;
/// A row of an answer.
pub(crate) type DbRow = sqlx::any::AnyRow;
/// A write transaction.
pub type Tx = sqlx::Transaction<'static, Db>;

/// The business database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    dialect: dialect::Dialect,
    /// One connection with SQLite: it has one writer, and waiting for it here is fairer than its own
    /// busy loop.
    writer: sqlx::Pool<Db>,
    readers: sqlx::Pool<Db>,
    /// Tells this process of the commands that it has committed.
    commits: commits::Commits,
    /// Tells the reader of the log in this process of new events.
    appended: log::Appended,
    /// Tells this process that it may have opened supplier orders.
    opened: supplies::Opened,
    /// Tells the messenger of this process of new messages.
    outbox: outbox::Outbox,
}

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It could not be asked, or did not finish: nothing was changed, and the same again may
    /// succeed.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// It holds something that this program cannot have written.
    #[error("the database holds what it must not: {0}")]
    Corrupt(String),
    /// No order of that id.
    #[error("there is no order {0}")]
    NoOrder(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::error::ErrorKind::{CheckViolation, ForeignKeyViolation, NotNullViolation};
        match &error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Self::Corrupt(error.to_string())
            }
            sqlx::Error::Database(database)
                if matches!(
                    database.kind(),
                    CheckViolation | ForeignKeyViolation | NotNullViolation
                ) =>
            {
                Self::Corrupt(error.to_string())
            }
            _ => Self::Unavailable(error),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// Whether an insert met a row with the same unique key.
fn is_duplicate(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|database| database.is_unique_violation())
}

/// A time as the database keeps it: microseconds since 1970.
pub(crate) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// The other way round.
pub(crate) fn from_micros(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|error| StoreError::Corrupt(error.to_string()))
}

impl Store {
    /// Begins a write transaction; with SQLite it holds the write lock from the start.
    pub(crate) async fn write(&self) -> Result<Tx, StoreError> {
        Ok(self.writer.begin_with(self.dialect.begin()).await?)
    }
}
