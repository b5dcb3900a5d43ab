//! What differs between SQLite and PostgreSQL. All else is one set of queries: `$n` parameters,
//! BIGINT and TEXT, plain SQL.

use super::Connection;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// A file of this process, or of several on one machine. One writer at a time.
    Sqlite,
    /// A server. Writers are held apart by the rows that they lock.
    Postgres,
}

impl Dialect {
    /// That of a connection.
    pub(crate) fn of(connection: &Connection) -> Self {
        match connection.backend_name() {
            "PostgreSQL" => Self::Postgres,
            _ => Self::Sqlite,
        }
    }

    /// How a write transaction begins.
    pub(super) fn begin(self) -> &'static str {
        match self {
            // Without IMMEDIATE, a transaction that reads first would fail when it wants to write.
            Self::Sqlite => "BEGIN IMMEDIATE",
            // Whatever the server's default is: who has waited for a row must see it as it is then.
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
        }
    }

    /// How a transaction begins that reads everything as it is at one moment, and may take its time.
    pub(super) fn begin_snapshot(self) -> (&'static str, &'static str) {
        match self {
            // As it is at the first read.
            Self::Sqlite => ("BEGIN", "SELECT 1"),
            Self::Postgres => (
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                "SET LOCAL statement_timeout = '10min'",
            ),
        }
    }

    /// A SELECT whose rows nobody else may change or lock until the transaction ends.
    pub(super) fn locking(self, select: &'static str) -> SqlStr {
        match self {
            // Its one writer holds the whole file.
            Self::Sqlite => select.into_sql_str(),
            Self::Postgres => AssertSqlSafe(format!("{select} FOR UPDATE")).into_sql_str(),
        }
    }

    /// How a transaction waits for its turn on an order, by the order's id, before it asks for the
    /// row. PostgreSQL may give a transaction its number while it waits for a row that is just being
    /// updated; waiting for this lock gives it none, so whoever is later has the larger number.
    pub(super) fn queue(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"),
        }
    }

    /// What a writer's connection is told first.
    pub(super) fn writer_setup(self) -> &'static str {
        match self {
            // FULL, not NORMAL: a commit that was answered must also survive a power failure. The log is
            // copied into the file after 16 MiB and not after 4: an order writes some 60 pages, mostly
            // the same ones as the orders before it. The cache has 8 MiB. What is deleted (a payment
            // token) is overwritten in its page.
            Self::Sqlite => {
                "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL;
                 PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = FAST;
                 PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8192"
            }
            // The times are below an activity's attempt, so that one that timed out is not still at
            // work. A lost answer must not leave its locks behind.
            Self::Postgres => {
                "SET application_name = 'orders'; SET statement_timeout = '2s';
                 SET lock_timeout = '2s'; SET idle_in_transaction_session_timeout = '15s';
                 SELECT set_config('synchronous_commit', 'on', false)
                     WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')"
            }
        }
    }

    /// What a reader's connection is told first.
    pub(super) fn reader_setup(self) -> &'static str {
        match self {
            // The file is opened for reading only.
            Self::Sqlite => "PRAGMA busy_timeout = 2000",
            Self::Postgres => {
                "SET application_name = 'orders'; SET statement_timeout = '2s';
                 SET idle_in_transaction_session_timeout = '15s';
                 SET default_transaction_read_only = on"
            }
        }
    }

    /// The condition on an event's position under which it can be read: everything before it is
    /// final, so whoever asks for what comes after it misses nothing.
    pub(super) fn is_final(self) -> &'static str {
        match self {
            // Positions are given in the order of commits.
            Self::Sqlite => "1 = 1",
            // A transaction that began earlier may still commit an event of a smaller position.
            Self::Postgres => "position < log_end()",
        }
    }

    /// A migration in this database's words.
    pub(super) fn migration(self, sql: &'static str) -> SqlStr {
        match self {
            Self::Sqlite => sql.into_sql_str(),
            // Text is compared byte by byte, as SQLite does it, not by the server's language.
            Self::Postgres => {
                AssertSqlSafe(sql.replace(" TEXT", " TEXT COLLATE \"C\"")).into_sql_str()
            }
        }
    }
}
