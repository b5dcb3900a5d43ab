//! Collecting everything that is wrong with a request, with the path of each field.

use super::Parsed;
use orders_domain::place::Violation;

/// What is wrong with a request, as far as it was looked at.
#[derive(Debug, Default)]
pub(super) struct Violations {
    found: Vec<Violation>,
    /// The message that is looked at: empty for the request itself, else `line_items[2].unit_price`.
    path: String,
}

impl Violations {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Notes that `field` of the message that is looked at is wrong. An empty field is that
    /// message itself.
    pub(super) fn push(&mut self, field: &str, description: impl Into<String>) {
        let mut path = self.path.clone();
        join(&mut path, field);
        self.add(Violation::new(path, description));
    }

    /// Notes a violation that has its whole path.
    pub(super) fn add(&mut self, violation: Violation) {
        self.found.push(violation);
    }

    /// Looks at the message in `field`.
    pub(super) fn inside<T>(&mut self, field: &str, look: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        join(&mut self.path, field);
        let seen = look(self);
        self.path.truncate(length);
        seen
    }

    /// Looks at one message of the repeated `field`.
    pub(super) fn inside_item<T>(
        &mut self,
        field: &str,
        index: usize,
        look: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.inside(&format!("{field}[{index}]"), look)
    }

    /// Whether something is noted for exactly this path.
    pub(super) fn names(&self, path: &str) -> bool {
        self.found.iter().any(|violation| violation.field == path)
    }

    /// The value, if nothing is wrong. A value that is missing without a reason is wrong too.
    pub(super) fn into_result<T>(mut self, value: Option<T>) -> Parsed<T> {
        if let (true, Some(value)) = (self.found.is_empty(), value) {
            return Ok(value);
        }
        if self.found.is_empty() {
            self.push("", "the request cannot be read");
        }
        Err(self.found)
    }
}

fn join(path: &mut String, field: &str) {
    if !path.is_empty() && !field.is_empty() {
        path.push('.');
    }
    path.push_str(field);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_nest_and_end_where_they_began() {
        let mut violations = Violations::new();
        violations.inside_item("line_items", 2, |violations| {
            violations.inside("unit_price", |violations| {
                violations.push("currency_code", "is wrong");
                violations.push("", "is wrong as a whole");
            });
            violations.push("quantity", "is wrong");
        });
        violations.push("policy", "is wrong");
        assert!(violations.names("line_items[2].quantity"));
        assert!(!violations.names("line_items[2]"));
        let found = violations.into_result(Some(())).unwrap_err();
        let fields: Vec<&str> = found.iter().map(|v| v.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "line_items[2].unit_price.currency_code",
                "line_items[2].unit_price",
                "line_items[2].quantity",
                "policy"
            ]
        );
    }

    #[test]
    fn nothing_wrong_gives_the_value_and_no_value_is_never_right() {
        assert_eq!(Violations::new().into_result(Some(1)), Ok(1));
        assert_eq!(
            Violations::new().into_result::<()>(None).unwrap_err().len(),
            1
        );
    }
}
