//! SQL statements with their parameters.
//!
//! A statement is a whole text with the parameters `$1`, `$2`, ... and their values. Where its shape
//! varies, it is put together from several such texts, and the parameters of each begin at `$1`.
//! (sqlx's own `QueryBuilder` writes `?` for a parameter, which PostgreSQL does not understand.)

use super::Db;
use sqlx::{AssertSqlSafe, any::AnyArguments, query::Query};
use std::fmt::Write as _;

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Number(Option<i64>),
    Text(Option<String>),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(Some(text.clone()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}

/// The values of a text's parameters, in the order of their numbers.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        [$($crate::statement::Value::from($value)),*]
    };
}
pub(super) use values;

/// A statement and the values of its parameters.
#[derive(Default)]
pub(super) struct Statement {
    sql: String,
    values: Vec<Value>,
}

impl Statement {
    /// A statement that begins with `sql`.
    pub(super) fn new<const N: usize>(sql: &'static str, values: [Value; N]) -> Self {
        let mut statement = Self::default();
        statement.push(sql, values);
        statement
    }

    /// Appends `sql`, whose parameters are numbered from `$1` to `$N`. It cannot come from a caller.
    pub(super) fn push<const N: usize>(
        &mut self,
        sql: &'static str,
        values: [Value; N],
    ) -> &mut Self {
        debug_assert!(
            !sql.contains("--"),
            "a quote in a comment would begin a text"
        );
        debug_assert_eq!(last_parameter(sql), N, "{sql}");
        push_shifted(&mut self.sql, sql, self.values.len());
        self.values.extend(values);
        self
    }

    /// Appends a list of values, with commas between them.
    pub(super) fn list(&mut self, values: impl IntoIterator<Item = Value>) -> &mut Self {
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.sql.push_str(", ");
            }
            self.values.push(value);
            push_parameter(&mut self.sql, self.values.len());
        }
        self
    }

    /// Appends the rows of a `VALUES` clause.
    pub(super) fn rows<const N: usize>(
        &mut self,
        rows: impl IntoIterator<Item = [Value; N]>,
    ) -> &mut Self {
        for (index, row) in rows.into_iter().enumerate() {
            self.sql.push_str(if index == 0 { "(" } else { ", (" });
            self.list(row);
            self.sql.push(')');
        }
        self
    }

    /// Appends a `LIMIT`. It is no parameter: SQLite reads a bound limit when it plans a statement, and
    /// would plan it again for each new value.
    pub(super) fn limit(&mut self, rows: i64) -> &mut Self {
        let _ = write!(self.sql, " LIMIT {rows}");
        self
    }

    #[cfg(test)]
    pub(super) fn sql(&self) -> &str {
        &self.sql
    }

    /// Returns the statement as sqlx runs it.
    pub(super) fn query(self) -> Query<'static, Db, AnyArguments> {
        let query = sqlx::query(AssertSqlSafe(self.sql));
        self.values
            .into_iter()
            .fold(query, |query, value| match value {
                Value::Number(number) => query.bind(number),
                Value::Text(text) => query.bind(text),
            })
    }
}

/// Appends `sql` to `target`, with `offset` added to the number of each parameter. Quoted texts are
/// copied as they are: what looks like a parameter in them is none.
fn push_shifted(target: &mut String, sql: &str, offset: usize) {
    if offset == 0 {
        target.push_str(sql);
        return;
    }
    target.reserve(sql.len() + 32);
    // A quote begins or ends a quoted text. A doubled quote within one ends it and begins another.
    for (index, part) in sql.split('\'').enumerate() {
        if index > 0 {
            target.push('\'');
        }
        let is_quoted = index % 2 == 1;
        if is_quoted {
            target.push_str(part);
            continue;
        }
        let mut pieces = part.split('$');
        target.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            let (number, rest) = split_number(piece);
            match number {
                Some(number) => push_parameter(target, number + offset),
                None => target.push('$'),
            }
            target.push_str(rest);
        }
    }
}

fn push_parameter(target: &mut String, number: usize) {
    let _ = write!(target, "${number}");
}

/// Splits the digits off that a text begins with.
fn split_number(text: &str) -> (Option<usize>, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    match number.parse() {
        Ok(number) => (Some(number), rest),
        Err(_) => (None, text),
    }
}

/// Returns the largest number of a parameter in `sql`; 0 when it has none.
fn last_parameter(sql: &str) -> usize {
    let unquoted = sql.split('\'').step_by(2);
    let pieces = unquoted.flat_map(|part| part.split('$').skip(1));
    pieces
        .filter_map(|piece| split_number(piece).0)
        .max()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shifted(sql: &str, offset: usize) -> String {
        let mut target = "; ".to_owned();
        push_shifted(&mut target, sql, offset);
        target
    }

    #[test]
    fn parameters_are_shifted_and_all_else_is_copied() {
        let sql = "UPDATE t SET a = $1, b = b + $2, c = COALESCE(c, $2) WHERE d = $10";
        assert_eq!(shifted(sql, 0), format!("; {sql}"));
        assert_eq!(
            shifted(sql, 9),
            "; UPDATE t SET a = $10, b = b + $11, c = COALESCE(c, $11) WHERE d = $19"
        );
        assert_eq!(shifted("DELETE FROM t", 9), "; DELETE FROM t");
        assert_eq!(shifted("", 9), "; ");
        assert_eq!(shifted("($1,$2)", 98), "; ($99,$100)");
        // Not parameters: PostgreSQL's dollar quotes, and a name.
        assert_eq!(shifted("$$ a$b $", 3), "; $$ a$b $");
    }

    #[test]
    fn quoted_texts_are_copied() {
        assert_eq!(
            shifted("SELECT $1, '$1', 'it''s $2', '' || $2", 5),
            "; SELECT $6, '$1', 'it''s $2', '' || $7"
        );
        assert_eq!(
            shifted("LIKE 'attempt/%' AND a = $1", 1),
            "; LIKE 'attempt/%' AND a = $2"
        );
    }

    #[test]
    fn the_last_parameter_is_found_outside_of_quotes() {
        assert_eq!(last_parameter("SELECT 1"), 0);
        assert_eq!(last_parameter("SELECT $2, $12, $1"), 12);
        assert_eq!(last_parameter("SELECT $1, '$3', 'it''s $4', $2"), 2);
    }

    #[test]
    fn a_statement_is_put_together_from_texts_of_their_own_numbers() {
        let mut statement = Statement::new("SELECT a FROM t WHERE b = $1", values!["b"]);
        statement.push(" AND (c, d) > ($1, $2)", values![1, None::<i64>]);
        statement
            .push(" AND e IN (", [])
            .list(["x", "y"].map(Value::from));
        statement.push(") OR f = $1", values![2]).limit(5);
        assert_eq!(
            statement.sql,
            "SELECT a FROM t WHERE b = $1 AND (c, d) > ($2, $3) AND e IN ($4, $5) OR f = $6 LIMIT 5"
        );
        let values = values!["b", 1, None::<i64>, "x", "y", 2];
        assert_eq!(statement.values, values);

        let mut insert = Statement::new("INSERT INTO t (a, b) VALUES ", []);
        insert.rows([values![1, "x"], values![2, "y"]]);
        insert.push(" ON CONFLICT (a) DO NOTHING", []);
        assert_eq!(
            insert.sql,
            "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT (a) DO NOTHING"
        );
        assert_eq!(insert.values, values![1, "x", 2, "y"]);
    }

    #[test]
    #[should_panic(expected = "a = $1 AND b = $2")]
    fn a_text_needs_as_many_values_as_it_has_parameters() {
        Statement::new("a = $1 AND b = $2", values![1]);
    }
}
