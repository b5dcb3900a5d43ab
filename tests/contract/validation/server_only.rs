//! What no rule can say, and the comparison that leaves it out.

use super::paths::{holds, without_indices};
use orders_domain::place::Violation;
use std::collections::BTreeSet;

/// The end of a path, and what the server says there: of the corpus's cases with `only`, each kind.
const SERVER_ONLY: [(&str, &str); 20] = [
    ("actor", "is a name that the service itself goes by"),
    ("reviewer", "is a name that the service itself goes by"),
    ("request_id", "the service makes such ids itself"),
    ("payment_id", "must not begin with pay-"),
    ("amount", "in one confirmation"),
    ("policy", "there is no policy"),
    ("filter", "at "),
    ("page_token", ""),
    ("after", ""),
    ("country_code", "is not a country"),
    ("currency_code", "is not a currency"),
    ("token", "not a card number"),
    ("token", "is required by this policy"),
    ("payment_method", "is required by this policy"),
    ("release_time", "is required by this policy"),
    ("release_time", "this policy does not hold"),
    ("release_time", "has passed"),
    ("release_time", "its nanos"),
    ("line_items", "the total cannot be computed"),
    ("line_items", "in its encoded form"),
];

fn is_server_only(violation: &Violation) -> bool {
    let path = without_indices(&violation.field);
    let name = path.rsplit('.').next().unwrap_or_default();
    SERVER_ONLY
        .iter()
        .any(|(field, said)| *field == name && violation.description.contains(said))
}

/// Where the two differ, if they do. A rule over several fields stands at what holds them, and so
/// does a rule about a message of another package: so a path is met by what holds it, too. What the
/// server stops looking at (the items of a list that is too long) is met by the list.
pub fn difference(server: &[Violation], rules: &BTreeSet<String>) -> Option<String> {
    let meet = |a: &str, b: &str| holds(a, b) || holds(b, a);
    for rule in rules {
        if !server.iter().any(|violation| meet(&violation.field, rule)) {
            return Some(format!("the rules alone find {rule:?}"));
        }
    }
    for violation in server {
        let met = rules.iter().any(|rule| meet(&violation.field, rule));
        if !met && !is_server_only(violation) {
            return Some(format!("the server alone finds {violation:?}"));
        }
    }
    None
}

#[test]
fn a_difference_is_seen_and_what_no_rule_can_say_is_none() {
    let server = |field: &str, said: &str| vec![Violation::new(field, said)];
    let rules = |path: &str| BTreeSet::from([path.to_owned()]);
    assert_eq!(difference(&[], &BTreeSet::new()), None);
    assert_eq!(difference(&server("a.b", "is wrong"), &rules("a")), None);
    assert!(difference(&server("a.b", "is wrong"), &rules("a.c")).is_some());
    assert!(difference(&server("a", "is wrong"), &BTreeSet::new()).is_some());
    assert!(difference(&[], &rules("a")).is_some());
    assert_eq!(
        difference(&server("page_token", "is wrong"), &BTreeSet::new()),
        None
    );
    assert!(difference(&server("filter", "must have"), &BTreeSet::new()).is_some());
}
