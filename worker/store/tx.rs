//! Transactions that always come to an end.
//!
//! A caller may stop waiting at any `.await`: its deadline passes, or its call is cancelled. sqlx's own
//! transaction then gives a connection back to the pool that may have a transaction open (a BEGIN that was
//! sent and not answered yet), or that counts one that the database has ended by itself (SQLite does that
//! when the disk is full). The first holds locks and, with PostgreSQL, every watch; the second refuses all
//! that follows. Here each transaction ends in one of three ways:
//!
//! - COMMIT runs on a task of its own, which no caller can cancel;
//! - a transaction that is dropped is rolled back on a task of its own, behind whatever was sent before;
//! - a connection on which BEGIN, COMMIT or ROLLBACK failed is closed, and the pool opens another one.

use super::{Connection, Db, StoreError, probe::Writes};
use sqlx::{Executor, Pool, pool::PoolConnection};
use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};
use tokio::runtime::Handle;

/// How long a ROLLBACK may take, the statement that is still running before it included. Longer than
/// `statement_timeout`, which ends that one.
const ROLLBACK: Duration = Duration::from_secs(5);

/// A transaction. Dropped without [`commit`](Self::commit), it is rolled back.
pub struct Tx {
    /// Taken when the transaction ends, and by nothing else.
    connection: Option<PoolConnection<Db>>,
    /// Told how it ended; absent for a transaction that only reads.
    writes: Option<Writes>,
}

impl Tx {
    /// Begins a transaction with the statement `begin` on a connection of the pool.
    ///
    /// # Errors
    /// When no connection is free in time, or the database refuses the statement.
    pub(super) async fn begin(
        pool: &Pool<Db>,
        begin: &'static str,
        writes: Option<Writes>,
    ) -> Result<Tx, StoreError> {
        let connection = pool.acquire().await?;
        // From here on the connection is rolled back or closed, wherever the caller stops.
        let mut tx = Tx {
            connection: Some(connection),
            writes,
        };
        match tx.execute(begin).await {
            Ok(_) => Ok(tx),
            Err(error) => {
                tx.close();
                Err(error.into())
            }
        }
    }

    /// Commits.
    ///
    /// # Errors
    /// When the database cannot be written: then nothing happened, or (a lost answer of the database) all
    /// of it.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        self.commit_then(|| {}).await
    }

    /// Commits, and then calls `then`, whether or not the caller still waits.
    ///
    /// # Errors
    /// As [`commit`](Self::commit); `then` is not called.
    pub(super) async fn commit_then(
        mut self,
        then: impl FnOnce() + Send + 'static,
    ) -> Result<(), StoreError> {
        let Some(mut connection) = self.connection.take() else {
            return Ok(());
        };
        let writes = self.writes.take();
        let committing = tokio::spawn(async move {
            match connection.execute("COMMIT").await {
                Ok(_) => {
                    if let Some(writes) = writes {
                        writes.committed();
                    }
                    then();
                    Ok(())
                }
                Err(error) => {
                    connection.close_on_drop();
                    if let Some(writes) = writes {
                        writes.failed();
                    }
                    Err(error)
                }
            }
        });
        match committing.await {
            Ok(committed) => Ok(committed?),
            // The runtime is ending, and with it everything that waits here.
            Err(error) => Err(sqlx::Error::Io(std::io::Error::other(error)).into()),
        }
    }

    /// Closes the connection, whatever state it is in.
    fn close(mut self) {
        if let Some(mut connection) = self.connection.take() {
            connection.close_on_drop();
        }
        if let Some(writes) = self.writes.take() {
            writes.failed();
        }
    }
}

impl Deref for Tx {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("a transaction has its connection until it ends"),
        }
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Connection {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("a transaction has its connection until it ends"),
        }
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        match Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(roll_back(connection, self.writes.take()));
            }
            // Without a runtime nothing can be sent: the database ends the transaction with the connection.
            Err(_) => drop(connection.leak()),
        }
    }
}

/// Rolls back, and gives the connection back to its pool, or closes it where that fails.
async fn roll_back(mut connection: PoolConnection<Db>, writes: Option<Writes>) {
    let rolled_back = tokio::time::timeout(ROLLBACK, connection.execute("ROLLBACK")).await;
    if let Some(writes) = &writes {
        writes.rolled_back();
    }
    if !matches!(rolled_back, Ok(Ok(_))) {
        connection.close_on_drop();
        if let Some(writes) = writes {
            writes.failed();
        }
    }
}
