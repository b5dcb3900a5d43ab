//! What is wrong with a request, with the path of each field.

use super::Check;

/// Something that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The path of the field, as in `line_items[2].unit_price`; empty for the request itself.
    pub path: String,
    /// What is wrong, in words that follow the path.
    pub description: String,
}

/// Collects everything that is wrong with a request.
#[derive(Debug, Default)]
pub struct Found {
    broken: Vec<Broken>,
    /// Where the message stands that is being checked: its fields from the request on, with the index of an item.
    place: Vec<(&'static str, Option<usize>)>,
}

impl Found {
    /// Returns a collector to which nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns what the rules of a request find.
    pub fn in_request(request: &impl Check) -> Self {
        let mut found = Self::new();
        request.check(&mut found);
        found
    }

    /// Notes that a field of the message that is being checked is wrong. An empty field is that message itself.
    pub fn push(&mut self, field: &str, description: impl Into<String>) {
        let path = self.path(field);
        self.note(path, description);
    }

    /// Notes that a field is wrong, unless something is noted for it already.
    pub fn push_first(&mut self, field: &str, description: impl Into<String>) {
        if !self.has(field) {
            self.push(field, description);
        }
    }

    /// Notes that a field is wrong, in the place of what is noted for it already.
    pub fn say(&mut self, field: &str, description: impl Into<String>) {
        let path = self.path(field);
        let mut said = Some(description.into());
        // The first is said in other words, where it stands; what else is noted for the field goes.
        self.broken.retain_mut(|broken| {
            if broken.path != path {
                return true;
            }
            let first = said.take();
            first.map(|first| broken.description = first).is_some()
        });
        if let Some(description) = said {
            self.note(path, description);
        }
    }

    /// Notes something under its whole path.
    pub fn note(&mut self, path: impl Into<String>, description: impl Into<String>) {
        self.broken.push(Broken {
            path: path.into(),
            description: description.into(),
        });
    }

    /// Runs the checks of the message in a field.
    pub fn inside<T>(&mut self, field: &'static str, check: impl FnOnce(&mut Self) -> T) -> T {
        self.within((field, None), check)
    }

    /// Runs the checks of one item of a list.
    pub fn inside_item<T>(
        &mut self,
        field: &'static str,
        index: usize,
        check: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.within((field, Some(index)), check)
    }

    fn within<T>(
        &mut self,
        place: (&'static str, Option<usize>),
        check: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.place.push(place);
        let checked = check(self);
        self.place.pop();
        checked
    }

    /// Returns whether something is noted for exactly this path.
    pub fn names(&self, path: &str) -> bool {
        self.broken.iter().any(|broken| broken.path == path)
    }

    /// Returns whether something is noted for a field of the message that is being checked.
    pub fn has(&self, field: &str) -> bool {
        !self.broken.is_empty() && self.names(&self.path(field))
    }

    /// Returns everything that is wrong, in the sequence in which it was noted.
    pub fn into_broken(self) -> Vec<Broken> {
        self.broken
    }

    fn path(&self, field: &str) -> String {
        let mut path = String::new();
        let mut join = |name: &str| {
            if !path.is_empty() && !name.is_empty() {
                path.push('.');
            }
            path.push_str(name);
        };
        for (name, index) in &self.place {
            match index {
                Some(index) => join(&format!("{name}[{index}]")),
                None => join(name),
            }
        }
        join(field);
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_nest_and_end_where_they_began() {
        let mut found = Found::new();
        found.inside_item("line_items", 2, |found| {
            found.inside("unit_price", |found| {
                found.push("currency_code", "is wrong");
                found.push("", "is wrong as a whole");
            });
            found.push("quantity", "is wrong");
            assert!(found.has("quantity") && !found.has("sku"));
        });
        found.push("policy", "is wrong");
        assert!(found.names("line_items[2].quantity"));
        assert!(!found.names("line_items[2]"));
        let paths: Vec<_> = found.into_broken().into_iter().map(|b| b.path).collect();
        assert_eq!(
            paths,
            [
                "line_items[2].unit_price.currency_code",
                "line_items[2].unit_price",
                "line_items[2].quantity",
                "policy"
            ]
        );
    }

    #[test]
    fn what_is_noted_stays_and_can_be_said_better() {
        let mut found = Found::new();
        found.push_first("policy", "is required");
        found.push_first("policy", "is wrong");
        assert_eq!(found.broken[0].description, "is required");
        found.say("policy", "is required: one of standard, stock");
        let broken = found.into_broken();
        assert_eq!(broken.len(), 1);
        assert_eq!(broken[0].description, "is required: one of standard, stock");
    }
}
