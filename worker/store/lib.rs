//! The business database: what was done is what stands here, whatever a workflow remembers.
//!
//! One rule keeps money safe: the effect of a step, the order's row and its events change in one
//! transaction ([`order_tx::OrderTx`]), and only while the order itself says that the step is next.
//!
//! SQLite or PostgreSQL. Queries use `$n` parameters and plain SQL that both understand, everything
//! outside names the database only by [`Db`], [`Connection`] and [`Tx`], and what differs
//! is in `dialect`.

mod append;
pub mod attention;
mod batch;
pub mod clock;
pub mod commits;
pub mod copy;
pub mod database;
pub(crate) mod dialect;
pub mod ledger;
pub mod list;
pub mod log;
pub mod log_lag;
pub mod migrate;
pub mod open;
pub mod order_tx;
pub mod outbox;
pub mod overdue;
pub mod payment_journal;
pub mod payment_resolution;
pub mod payment_tokens;
pub mod place;
pub mod probe;
pub mod read;
pub mod receipts;
mod remember;
mod statement;
pub mod stock;
pub mod stock_command;
pub mod supplier_orders;
pub mod supplies;
mod tx;
pub mod unstarted;
pub mod verify;

#[cfg(test)]
mod attention_tests;
#[cfg(test)]
mod log_tests;
#[cfg(test)]
mod postgres_tests;
#[cfg(test)]
mod receipt_tests;
#[cfg(any(test, feature = "samples"))]
pub mod samples;
#[cfg(test)]
mod stock_tests;
#[cfg(test)]
mod supply_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tx_tests;

use jiff::Timestamp;
pub use tx::Tx;

/// The database system, chosen at run time.
pub type Db = sqlx::Any;
/// One connection inside a transaction, as providers see it.
pub type Connection = sqlx::AnyConnection;
/// A row of an answer.
pub(crate) type DbRow = sqlx::any::AnyRow;
/// The business database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    dialect: dialect::Dialect,
    /// One connection with SQLite: it has one writer, and waiting for it here is fairer than its own
    /// busy loop.
    writer: sqlx::Pool<Db>,
    readers: sqlx::Pool<Db>,
    /// Counts how write transactions end.
    writes: probe::Writes,
    /// Tells this process of the commands that it has committed.
    commits: commits::Commits,
    /// Tells the reader of the log in this process of new events.
    appended: log::Appended,
    /// Tells this process that it may have opened supplier orders.
    opened: supplies::Opened,
    /// Tells the messenger of this process of new messages.
    outbox: outbox::Outbox,
    /// What payment tokens are hashed with.
    token_salt: std::sync::Arc<str>,
}

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It could not be asked, or did not finish: nothing was changed, and the same again may
    /// succeed.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// It does not take a value that it was given, and never will. The edge refuses such values before.
    #[error("the database does not take a value: {0}")]
    Refused(String),
    /// It holds something that this program cannot have written.
    #[error("the database holds what it must not: {0}")]
    Corrupt(String),
    /// No order of that id.
    #[error("there is no order {0}")]
    NoOrder(String),
}

impl StoreError {
    /// Whether the database refused what it was given, not the moment: the same again fails again.
    pub fn is_about_data(&self) -> bool {
        let Self::Unavailable(sqlx::Error::Database(error)) = self else {
            return false;
        };
        // SQLSTATE class 22, data exceptions: a NUL in a text, an invalid sequence of bytes.
        error.code().is_some_and(|code| code.starts_with("22"))
    }
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
            sqlx::Error::Encode(_) => Self::Refused(error.to_string()),
            sqlx::Error::Database(database) if is_of_data(database.as_ref()) => {
                Self::Refused(error.to_string())
            }
            _ => {
                if matches!(error, sqlx::Error::Database(_)) {
                    probe::note_trouble();
                }
                Self::Unavailable(error)
            }
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// Whether the database refused a value as such: the same again would be refused again.
fn is_of_data(error: &dyn sqlx::error::DatabaseError) -> bool {
    // PostgreSQL's class 22, "data exception": a NUL in a text, a number out of range. SQLite's own codes
    // are shorter numbers: SQLITE_TOOBIG and SQLITE_MISMATCH.
    error.code().is_some_and(|code| {
        let is_class_22 = code.len() == 5 && code.starts_with("22");
        is_class_22 || matches!(code.as_ref(), "18" | "20")
    })
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
        Tx::begin(
            &self.writer,
            self.dialect.begin(),
            Some(self.writes.clone()),
        )
        .await
    }
}
