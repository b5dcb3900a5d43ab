//! Statements that are put together at run time. (sqlx's own builder writes `?` for a parameter,
//! which PostgreSQL does not know.)

use super::{Connection, Db, StoreError, dialect::Dialect};
use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, Either, Executor, any::AnyArguments, query::Query};

/// A statement and its parameters.
pub(super) struct Statement {
    sql: String,
    values: Vec<Value>,
}

/// A parameter.
pub(super) enum Value {
    Number(i64),
    Text(String),
    NoNumber,
    NoText,
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Self::NoNumber, Self::Number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::NoText, Self::from)
    }
}

impl Statement {
    /// Begins with that text.
    pub(super) fn new(sql: &'static str) -> Self {
        Self {
            sql: sql.to_owned(),
            values: Vec::new(),
        }
    }

    /// Adds text, which cannot come from a caller.
    pub(super) fn push(&mut self, sql: &'static str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Adds a parameter.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.sql.push('$');
        self.sql.push_str(&self.values.len().to_string());
        self
    }

    /// At most so many rows. Not a parameter: SQLite looks at a bound limit when it plans, and would plan
    /// again each time that one is bound.
    pub(super) fn limit(&mut self, rows: i64) -> &mut Self {
        self.sql.push_str(" LIMIT ");
        self.sql.push_str(&rows.to_string());
        self
    }

    /// The statement, to be run.
    pub(super) fn query(self) -> Query<'static, Db, AnyArguments> {
        let query = sqlx::query(AssertSqlSafe(self.sql));
        self.values
            .into_iter()
            .fold(query, |query, value| match value {
                Value::Number(number) => query.bind(number),
                Value::Text(text) => query.bind(text),
                Value::NoNumber => query.bind(None::<i64>),
                Value::NoText => query.bind(None::<String>),
            })
    }
}

/// Statements that change something, one after the other, with parameters of their own each. SQLite is
/// given all of them at once: the way to its thread and back costs more than most of them. PostgreSQL
/// takes one at a time.
pub(super) struct Batch {
    dialect: Dialect,
    statements: Vec<Statement>,
    count: usize,
    /// The statements that must change one row, by their numbers, with what has that row.
    of_one: Vec<(usize, &'static str, String)>,
}

impl Batch {
    /// For a database of that kind.
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            statements: Vec::new(),
            count: 0,
            of_one: Vec::new(),
        }
    }

    /// Begins the next statement with that text.
    pub(super) fn begin(&mut self, sql: &'static str) -> &mut Statement {
        self.count += 1;
        // Its parameters are counted through all of them.
        if self.dialect == Dialect::Sqlite
            && let Some(mut all) = self.statements.pop()
        {
            all.push("; ").push(sql);
            self.statements.push(all);
        } else {
            self.statements.push(Statement::new(sql));
        }
        let last = self.statements.len() - 1;
        &mut self.statements[last]
    }

    /// The same with one that changes the row of `kind` and `id`, and that row only.
    pub(super) fn begin_of_one(
        &mut self,
        kind: &'static str,
        id: &str,
        sql: &'static str,
    ) -> &mut Statement {
        self.of_one.push((self.count, kind, id.to_owned()));
        self.begin(sql)
    }

    /// Runs them, and says how many rows each of them has changed. One that fails is the last one.
    ///
    /// # Errors
    /// Also when one that was to change one row has not: the transaction must not be committed.
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
        for (number, kind, id) in self.of_one {
            match changed.get(number) {
                Some(1) => {}
                rows => {
                    let rows = rows.copied().unwrap_or_default();
                    let corrupt = format!("{rows} rows of {kind} {id}, where one was to change");
                    return Err(StoreError::Corrupt(corrupt));
                }
            }
        }
        Ok(changed)
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::{Store, samples::open};

    /// On whatever database.
    pub(crate) async fn counts_and_insists(store: &Store) {
        let insert = |batch: &mut Batch, sku: &str, level: i64| {
            let insert = batch.begin("INSERT INTO stock (on_hand, sku, reorder_level) VALUES (0, ");
            insert.bind(sku).push(", ").bind(level).push(")");
        };
        let level_of = async |sku: &str| {
            let item = store.stock_item(sku).await.unwrap();
            item.map(|item| item.reorder_level)
        };
        let mut batch = Batch::new(store.dialect);
        insert(&mut batch, "one", 1);
        insert(&mut batch, "two", 2);
        batch
            .begin("UPDATE stock SET reorder_level = reorder_level + ")
            .bind(10);
        let other = batch.begin("UPDATE stock SET reorder_level = 0 WHERE sku = ");
        other.bind("three");
        let update = batch.begin_of_one("sku", "two", "UPDATE stock SET reorder_level = ");
        update.bind(20).push(" WHERE sku = ").bind("two");
        let mut tx = store.write().await.unwrap();
        assert_eq!(batch.run(&mut tx).await.unwrap(), [1, 1, 2, 0, 1]);
        tx.commit().await.unwrap();
        assert_eq!(
            (level_of("one").await, level_of("two").await),
            (Some(11), Some(20))
        );

        let mut batch = Batch::new(store.dialect);
        insert(&mut batch, "four", 4);
        let update = batch.begin_of_one("sku", "three", "UPDATE stock SET reorder_level = ");
        update.bind(20).push(" WHERE sku = ").bind("three");
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
        // What failed does not stand in the way of the same text.
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
}
