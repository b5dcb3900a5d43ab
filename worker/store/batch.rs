//! Several statements that change something, run one after the other.

use super::{
    Connection, StoreError,
    dialect::Dialect,
    statement::{Statement, Value},
};
use futures::TryStreamExt;
use sqlx::{Either, Executor};

/// Statements that change something, each with parameters of its own.
///
/// SQLite gets all of them as one text, because the way to its thread and back costs more than most
/// statements do. PostgreSQL takes one statement at a time.
pub(super) struct Batch {
    dialect: Dialect,
    statements: Vec<Statement>,
    /// The number of statements that were added.
    count: usize,
    of_one: Vec<OfOne>,
}

/// A statement that must change exactly one row.
struct OfOne {
    /// The index of the statement.
    index: usize,
    /// The kind of thing that the row stands for.
    kind: &'static str,
    /// The id of that thing.
    id: String,
}

impl Batch {
    /// An empty batch for a database of this kind.
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            statements: Vec::new(),
            count: 0,
            of_one: Vec::new(),
        }
    }

    /// Adds a statement, or the first part of one: more can be pushed to what is returned.
    pub(super) fn add<const N: usize>(
        &mut self,
        sql: &'static str,
        values: [Value; N],
    ) -> &mut Statement {
        self.count += 1;
        let is_joined = self.dialect == Dialect::Sqlite && !self.statements.is_empty();
        if !is_joined {
            self.statements.push(Statement::default());
        }
        let last = self.statements.len() - 1;
        let statement = &mut self.statements[last];
        if is_joined {
            statement.push("; ", []);
        }
        // Its parameters are renumbered to follow those of the statements before it.
        statement.push(sql, values)
    }

    /// Adds a statement that must change exactly one row, that of the `kind` with this `id`.
    pub(super) fn add_of_one<const N: usize>(
        &mut self,
        (kind, id): (&'static str, &str),
        sql: &'static str,
        values: [Value; N],
    ) {
        self.of_one.push(OfOne {
            index: self.count,
            kind,
            id: id.to_owned(),
        });
        self.add(sql, values);
    }

    /// Runs the statements, and returns the number of rows that each has changed. A statement that
    /// fails is the last one.
    ///
    /// # Errors
    /// Also when a statement that must change one row changed none or several. The transaction must
    /// not be committed then.
    pub(super) async fn run(self, connection: &mut Connection) -> Result<Vec<u64>, StoreError> {
        let mut changed = Vec::with_capacity(self.count);
        for statement in self.statements {
            let mut results = connection.fetch_many(statement.query());
            while let Some(result) = results.try_next().await? {
                if let Either::Left(result) = result {
                    changed.push(result.rows_affected());
                }
            }
        }
        for OfOne { index, kind, id } in self.of_one {
            let rows = changed.get(index).copied().unwrap_or_default();
            if rows != 1 {
                return Err(StoreError::Corrupt(format!(
                    "{rows} rows of {kind} {id}, where one was to change"
                )));
            }
        }
        Ok(changed)
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::{Store, samples::open, statement::values};

    /// Runs on either database.
    pub(crate) async fn counts_and_insists(store: &Store) {
        let insert = |batch: &mut Batch, sku: &str, level: i64| {
            batch.add(
                "INSERT INTO stock (on_hand, sku, reorder_level) VALUES (0, $1, $2)",
                values![sku, level],
            );
        };
        let update_one = |batch: &mut Batch, sku: &str| {
            batch.add_of_one(
                ("sku", sku),
                "UPDATE stock SET reorder_level = $1 WHERE sku = $2",
                values![20, sku],
            );
        };
        let level_of = async |sku: &str| {
            let item = store.stock_item(sku).await.unwrap();
            item.map(|item| item.reorder_level)
        };
        let mut batch = Batch::new(store.dialect);
        insert(&mut batch, "one", 1);
        insert(&mut batch, "two", 2);
        batch.add(
            "UPDATE stock SET reorder_level = reorder_level + $1",
            values![10],
        );
        batch.add(
            "UPDATE stock SET reorder_level = 0 WHERE sku = $1",
            values!["three"],
        );
        update_one(&mut batch, "two");
        let mut tx = store.write().await.unwrap();
        assert_eq!(batch.run(&mut tx).await.unwrap(), [1, 1, 2, 0, 1]);
        tx.commit().await.unwrap();
        assert_eq!(
            (level_of("one").await, level_of("two").await),
            (Some(11), Some(20))
        );

        let mut batch = Batch::new(store.dialect);
        insert(&mut batch, "four", 4);
        update_one(&mut batch, "three");
        let mut tx = store.write().await.unwrap();
        let none = batch.run(&mut tx).await.unwrap_err().to_string();
        assert!(none.contains("0 rows of sku three"), "{none}");
        drop(tx);
        assert_eq!(level_of("four").await, None);

        let mut batch = Batch::new(store.dialect);
        insert(&mut batch, "four", 4);
        insert(&mut batch, "one", 1);
        insert(&mut batch, "five", 5);
        let mut tx = store.write().await.unwrap();
        let again = batch.run(&mut tx).await.unwrap_err();
        let StoreError::Unavailable(error) = again else {
            panic!("{again}");
        };
        assert!(crate::is_duplicate(&error), "{error}");
        drop(tx);
        assert_eq!(
            (level_of("four").await, level_of("five").await),
            (None, None)
        );
        // A text that failed once can be run again.
        let mut batch = Batch::new(store.dialect);
        for (sku, level) in [("four", 4), ("six", 6), ("five", 5)] {
            insert(&mut batch, sku, level);
        }
        let mut tx = store.write().await.unwrap();
        assert_eq!(batch.run(&mut tx).await.unwrap(), [1, 1, 1]);
    }

    #[tokio::test]
    async fn a_batch_counts_the_rows_of_each_and_insists_on_one_where_there_is_one() {
        let folder = tempfile::tempdir().unwrap();
        counts_and_insists(&open(&folder.path().join("orders.db")).await).await;
    }

    #[test]
    fn a_batch_sends_sqlite_one_text_and_postgres_several() {
        for (dialect, texts) in [
            (
                Dialect::Sqlite,
                &[
                    "DELETE FROM a WHERE b = $1; INSERT INTO c (d) VALUES ($2), ($3); DELETE FROM e WHERE f = $4",
                ][..],
            ),
            (
                Dialect::Postgres,
                &[
                    "DELETE FROM a WHERE b = $1",
                    "INSERT INTO c (d) VALUES ($1), ($2)",
                    "DELETE FROM e WHERE f = $1",
                ],
            ),
        ] {
            let mut batch = Batch::new(dialect);
            batch.add("DELETE FROM a WHERE b = $1", values![1]);
            let insert = batch.add("INSERT INTO c (d) VALUES ", []);
            insert.rows([values![2], values![3]]);
            batch.add("DELETE FROM e WHERE f = $1", values![4]);
            let sent: Vec<&str> = batch.statements.iter().map(Statement::sql).collect();
            assert_eq!(sent, texts);
        }
    }
}
