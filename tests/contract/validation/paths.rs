//! Paths of fields: `line_items[0].unit_price.units`.

use prost_reflect::{Kind, MessageDescriptor};

/// The path without its indices: the same for each item of a list.
pub fn without_indices(path: &str) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for c in path.chars() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            c if !inside => kept.push(c),
            _ => {}
        }
    }
    kept
}

/// Whether `outer` is `inner`, or a message or list that holds it. The empty path is the request.
pub fn holds(outer: &str, inner: &str) -> bool {
    match inner.strip_prefix(outer) {
        Some(rest) => outer.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']),
        None => false,
    }
}

/// Whether there is such a field (or oneof) in the message.
pub fn exists(message: &MessageDescriptor, path: &str) -> bool {
    let path = without_indices(path);
    let mut names = path.split('.').peekable();
    let mut message = message.clone();
    while let Some(name) = names.next() {
        let Some(field) = message.get_field_by_name(name) else {
            let is_oneof = message.oneofs().any(|oneof| oneof.name() == name);
            return is_oneof && names.peek().is_none();
        };
        match field.kind() {
            Kind::Message(inner) => message = inner,
            _ => return names.peek().is_none(),
        }
    }
    true
}

#[test]
fn a_path_holds_itself_and_what_is_in_it() {
    for (outer, inner) in [
        ("a", "a"),
        ("a", "a.b"),
        ("a", "a[0].b"),
        ("a[0]", "a[0].b"),
        ("", "a"),
    ] {
        assert!(holds(outer, inner), "{outer} {inner}");
    }
    for (outer, inner) in [
        ("a", "ab"),
        ("a.b", "a"),
        ("a[1]", "a[10]"),
        ("b", "a.b"),
        ("a", ""),
    ] {
        assert!(!holds(outer, inner), "{outer} {inner}");
    }
}
