//! Everything that is wrong with a request: what the rules of the contract find, and what only Rust can say.

use super::Parsed;
use orders_domain::place::Violation;

/// What is wrong with a request, as far as it was checked.
pub(super) type Violations = orders::rules::Found;

/// The end of a check.
pub(super) trait Verdict {
    /// Notes a violation of the domain.
    fn add(&mut self, violation: Violation);

    /// Returns the value if nothing is wrong. A value that is missing without a reason is wrong too.
    fn into_result<T>(self, value: Option<T>) -> Parsed<T>;
}

impl Verdict for Violations {
    fn add(&mut self, violation: Violation) {
        self.note(violation.field, violation.description);
    }

    fn into_result<T>(self, value: Option<T>) -> Parsed<T> {
        let broken = self.into_broken().into_iter();
        let mut found: Vec<Violation> = broken
            .map(|broken| Violation::new(broken.path, broken.description))
            .collect();
        if found.is_empty() {
            if let Some(value) = value {
                return Ok(value);
            }
            found.push(Violation::new("", "the request cannot be read"));
        }
        Err(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_wrong_gives_the_value_and_no_value_is_never_right() {
        assert_eq!(Violations::new().into_result(Some(1)), Ok(1));
        assert_eq!(
            Violations::new().into_result::<()>(None).unwrap_err().len(),
            1
        );
        let mut found = Violations::new();
        found.push("policy", "is wrong");
        found.add(Violation::new("line_items", "cost nothing"));
        let fields: Vec<_> = found
            .into_result(Some(1))
            .unwrap_err()
            .into_iter()
            .map(|v| v.field)
            .collect();
        assert_eq!(fields, ["policy", "line_items"]);
    }
}
