//! How far the event log is behind its commits, and who holds it back.
//!
//! With PostgreSQL, readers see the log up to the oldest transaction under way (`log_end()`), and the server
//! counts the transactions of all its databases together. So a session of another program, even in another
//! database, that has a transaction id and does not end, holds up every watch, and nothing fails. It can only
//! be seen here. (SQLite gives positions in the order of commits: its log is never behind.)
//!
//! A horizon of this database's transactions alone would be right, too: no transaction of another database
//! can write an event. `log_end()` could leave out those members of `pg_snapshot_xip` that
//! `pg_stat_activity`, read after the snapshot, shows in another database. It costs a scan of all sessions
//! for each read of the log, and is left for the day when naming the session is not enough.

use super::{Store, StoreError, dialect::Dialect};
use sqlx::{FromRow, Row};
use std::{fmt, time::Duration};

/// Events are counted up to here.
const MOST: i64 = 10_000;

/// Between two looks at a log that may be held back.
const LOOK: Duration = Duration::from_millis(250);

/// Events that are committed, and that no reader of the log can see yet.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct LogLag {
    /// How many; 10,000 stands for as many or more.
    pub events: i64,
    /// The position of the first of them. While it stays the same, the log does not move.
    pub position: i64,
}

/// The transaction that holds the log back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogHolder {
    /// The process of its session; none for a prepared transaction.
    pub pid: Option<i64>,
    /// Its database.
    pub database: String,
    /// Its user.
    pub user: String,
    /// What the session calls itself, or the name of a prepared transaction; may be empty.
    pub application: String,
    /// What the session does; empty where this user may not see it.
    pub state: String,
    /// How long the transaction has lasted; none where this user may not see it.
    pub age: Option<Duration>,
}

/// A log that is held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogHeld {
    /// What cannot be seen.
    pub lag: LogLag,
    /// By whom; none when it ended just now, or cannot be seen.
    pub holder: Option<LogHolder>,
}

impl Store {
    /// How far the log is behind; none when it is not.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn log_lag(&self) -> Result<Option<LogLag>, StoreError> {
        if !self.log_can_lag() {
            return Ok(None);
        }
        let row = sqlx::query(
            "SELECT COUNT(*) AS events, COALESCE(MIN(position), 0) AS position FROM
                 (SELECT position FROM order_events WHERE position >= log_end()
                  ORDER BY position LIMIT $1) AS unseen",
        )
        .bind(MOST)
        .fetch_one(&self.readers)
        .await?;
        let lag = LogLag::from_row(&row)?;
        Ok(Some(lag).filter(|lag| lag.events > 0))
    }

    /// Whether this kind of database can hold its log back at all.
    pub fn log_can_lag(&self) -> bool {
        self.dialect == Dialect::Postgres
    }

    /// The oldest transaction under way in the whole database server.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn log_holder(&self) -> Result<Option<LogHolder>, StoreError> {
        if !self.log_can_lag() {
            return Ok(None);
        }
        let row = sqlx::query(
            "SELECT pid::bigint AS pid, datname::text AS database, usename::text AS owner,
                 application_name, state,
                 EXTRACT(EPOCH FROM clock_timestamp() - xact_start)::bigint AS seconds
             FROM pg_stat_activity
             WHERE backend_xid = pg_snapshot_xmin(pg_current_snapshot())::xid
             UNION ALL
             SELECT NULL, database::text, owner::text, gid, 'prepared',
                 EXTRACT(EPOCH FROM clock_timestamp() - prepared)::bigint
             FROM pg_prepared_xacts
             WHERE transaction = pg_snapshot_xmin(pg_current_snapshot())::xid
             LIMIT 1",
        )
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let text = |column: &str| {
            let text: Option<String> = row.try_get(column)?;
            Ok::<_, sqlx::Error>(text.unwrap_or_default())
        };
        let age: Option<i64> = row.try_get("seconds")?;
        Ok(Some(LogHolder {
            pid: row.try_get("pid")?,
            database: text("database")?,
            user: text("owner")?,
            application: text("application_name")?,
            state: text("state")?,
            age: age.map(|seconds| Duration::from_secs(seconds.max(0).unsigned_abs())),
        }))
    }

    /// Looks for as long as `patience` whether the log moves, and gives what holds it back if it does not.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn log_held(&self, patience: Duration) -> Result<Option<LogHeld>, StoreError> {
        let end = tokio::time::Instant::now() + patience;
        let first = self.log_lag().await?.map(|lag| lag.position);
        loop {
            let lag = match self.log_lag().await? {
                Some(lag) if Some(lag.position) == first => lag,
                _ => return Ok(None),
            };
            if tokio::time::Instant::now() >= end {
                let holder = self.log_holder().await?;
                return Ok(Some(LogHeld { lag, holder }));
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// For people: which session it is.
impl fmt::Display for LogHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LogHolder {
            pid,
            database,
            user,
            application,
            state,
            age,
        } = self;
        match pid {
            Some(pid) => write!(f, "the session {pid} (application {application:?}")?,
            None => write!(f, "the prepared transaction {application:?} (")?,
        }
        write!(f, " of user {user:?} in database {database:?}")?;
        if !state.is_empty() && pid.is_some() {
            write!(f, ", {state}")?;
        }
        match age {
            Some(age) => write!(f, ", for {} s)", age.as_secs()),
            None => write!(f, ")"),
        }
    }
}

/// For people: what cannot be seen, and why.
impl fmt::Display for LogHeld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (events, position) = (self.lag.events, self.lag.position);
        write!(
            f,
            "{events} events from position {position} on are committed and reach no watch: "
        )?;
        match &self.holder {
            Some(holder) => write!(f, "the event log is held back by {holder}"),
            None => write!(
                f,
                "the event log is held back by a transaction that cannot be seen"
            ),
        }
    }
}
