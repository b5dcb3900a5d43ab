//! The filter language: a small part of AIP-160. Comparisons, joined by AND:
//!
//! ```text
//! state = ORDER_STATE_IN_TRANSIT AND place_time >= "2026-01-01T00:00:00Z"
//! ```
//!
//! Errors name the position of the character, counting from 1, at which reading stopped.

mod token;

use super::{
    Parsed,
    enums::parse_order_state,
    violations::{Verdict, Violations},
};
use jiff::Timestamp;
use orders::v1::ListOrdersRequest;
use orders_domain::{rfc3339, state::OrderState};
use orders_store::list::{Comparison, Equality, Filter, Term};
use token::{Kind, Token, tokens};

const FIELDS: &str = "customer_id, policy, state or place_time";

/// Reads a filter. An empty one lets every order pass.
///
/// # Errors
/// One violation of the field `filter`: the first thing that is wrong.
pub fn parse(text: &str) -> Parsed<Filter> {
    let request = ListOrdersRequest {
        filter: text.to_owned(),
        ..ListOrdersRequest::default()
    };
    let mut found = Violations::in_request(&request);
    let filter = parse_filter(&mut found, text);
    found.into_result(filter)
}

/// The filter in the field `filter`; none is a violation.
pub(super) fn parse_filter(found: &mut Violations, text: &str) -> Option<Filter> {
    if found.has("filter") {
        return None;
    }
    match filter(text) {
        Ok(filter) => Some(filter),
        Err(description) => {
            found.push("filter", description);
            None
        }
    }
}

fn filter(text: &str) -> Result<Filter, String> {
    let tokens = tokens(text)?;
    let mut rest = tokens.iter();
    let mut terms = Vec::new();
    let end = text.chars().count() + 1;
    let mut next = rest.next();
    while let Some(field) = next {
        let operator = rest.next();
        let value = rest.next();
        terms.push(term(field, operator, value, end)?);
        next = rest.next();
        if let Some(joint) = next {
            if !is_word(joint, "AND") {
                return Err(joint.error("expected AND or the end"));
            }
            next = rest.next();
            if next.is_none() {
                return Err(format!("at {end}: expected a comparison after AND"));
            }
        }
    }
    Ok(Filter { terms })
}

fn term(
    field: &Token,
    operator: Option<&Token>,
    value: Option<&Token>,
    end: usize,
) -> Result<Term, String> {
    let name = match &field.kind {
        Kind::Word(word) => word.as_str(),
        _ => return Err(field.error(&format!("expected {FIELDS}"))),
    };
    if !["customer_id", "policy", "state", "place_time"].contains(&name) {
        return Err(field.error(&format!("expected {FIELDS}")));
    }
    let operators = match name {
        "place_time" => "<, <=, > or >=",
        _ => "=",
    };
    let expected = format!("expected {operators} after {name}");
    let Some(operator) = operator else {
        return Err(format!("at {end}: {expected}"));
    };
    let comparison = match (name, &operator.kind) {
        ("place_time", Kind::Sign("<")) => Some(Comparison::Before),
        ("place_time", Kind::Sign("<=")) => Some(Comparison::NotAfter),
        ("place_time", Kind::Sign(">=")) => Some(Comparison::NotBefore),
        ("place_time", Kind::Sign(">")) => Some(Comparison::After),
        ("customer_id" | "policy" | "state", Kind::Sign("=")) => None,
        _ => return Err(operator.error(&expected)),
    };
    let Some(value) = value else {
        return Err(format!("at {end}: expected a value"));
    };
    if let Some(comparison) = comparison {
        return Ok(Term::PlaceTime(comparison, time(value)?));
    }
    let text = match &value.kind {
        Kind::Quoted(text) => text.clone(),
        Kind::Word(word) if !matches!(word.as_str(), "AND" | "OR" | "NOT") => word.clone(),
        _ => return Err(value.error("expected a value, in quotes unless it is a simple word")),
    };
    Ok(match name {
        "customer_id" => Term::Customer(Equality::Is, text),
        "policy" => Term::Policy(Equality::Is, text),
        _ => Term::State(Equality::Is, state(value, &text)?),
    })
}

fn state(value: &Token, text: &str) -> Result<OrderState, String> {
    parse_order_state(text).ok_or_else(|| {
        let names = OrderState::ALL
            .iter()
            .map(|state| format!("ORDER_STATE_{state}"));
        let names = names.collect::<Vec<_>>().join(", ");
        value.error(&format!("expected a state, one of {names}"))
    })
}

fn time(value: &Token) -> Result<Timestamp, String> {
    let expected = "expected a time of RFC 3339 in quotes, as \"2026-01-01T00:00:00Z\"";
    let Kind::Quoted(text) = &value.kind else {
        return Err(value.error(expected));
    };
    rfc3339::parse(text).ok_or_else(|| value.error(expected))
}

fn is_word(token: &Token, word: &str) -> bool {
    matches!(&token.kind, Kind::Word(found) if found == word)
}

#[cfg(test)]
mod tests;
