//! Statements that are put together at run time. (sqlx's own builder writes `?` for a parameter,
//! which PostgreSQL does not know.)

use super::Db;
use sqlx::{AssertSqlSafe, any::AnyArguments, query::Query};

/// A statement and its parameters.
pub(super) struct Statement {
    sql: String,
    values: Vec<Value>,
}

/// A parameter.
pub(super) enum Value {
    Number(i64),
    Text(String),
    NoText,
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
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
                Value::NoText => query.bind(None::<String>),
            })
    }
}
