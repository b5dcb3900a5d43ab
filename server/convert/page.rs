//! Page sizes, page tokens and positions.
//!
//! A token is the URL-safe base64 of a small JSON: a version, a hash of the request that it goes on
//! with, and where the page before ended. Callers must not look into it; it is no secret either.

use super::violations::Violations;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use orders_domain::fingerprint;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// How many when the request does not say.
const SIZE_DEFAULT: i64 = 50;
/// The most of one page.
const SIZE_MOST: i64 = 1_000;
/// Changes with the form of a token. A token of another version is not read.
const VERSION: u8 = 1;
/// The longest token that is looked at; those that are made here are below 500 letters.
const TOKEN_MOST: usize = 2_000;

/// The request that a token belongs to: which RPC, and what it was asked for beside the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    hash: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token<P> {
    v: u8,
    scope: String,
    after: P,
}

/// Only the version, of whatever form the rest is.
#[derive(Deserialize)]
struct Version {
    v: u8,
}

impl Scope {
    /// A request of `rpc` with these texts.
    pub(super) fn new(rpc: &str, asked: &[&str]) -> Self {
        let mut hash = fingerprint([rpc].into_iter().chain(asked.iter().copied()));
        // It tells requests apart, it does not protect them: 64 bits are enough.
        hash.truncate(16);
        Self { hash }
    }

    /// The token of the page that begins after `after`.
    pub(super) fn token<P: Serialize>(&self, after: P) -> String {
        let token = Token {
            v: VERSION,
            scope: self.hash.clone(),
            after,
        };
        // Positions are texts, numbers and times: their JSON cannot fail.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token).unwrap_or_default())
    }

    /// Where the page in the field `page_token` begins; none for the first one, and for a token
    /// that is not right, which is a violation.
    pub(super) fn parse<P: DeserializeOwned>(
        &self,
        found: &mut Violations,
        page_token: &str,
        is_possible: impl FnOnce(&P) -> bool,
    ) -> Option<P> {
        self.parse_field(found, "page_token", page_token, is_possible)
    }

    /// The same for a token in another field.
    pub(super) fn parse_field<P: DeserializeOwned>(
        &self,
        found: &mut Violations,
        field: &str,
        token: &str,
        is_possible: impl FnOnce(&P) -> bool,
    ) -> Option<P> {
        if token.is_empty() {
            return None;
        }
        let token = match read(token) {
            Ok(token) => token,
            Err(description) => {
                found.push(field, description);
                return None;
            }
        };
        let Token { v: _, scope, after } = token;
        if scope != self.hash {
            let description = "belongs to another request: filter, order and names must stay the same from page to page";
            found.push(field, description);
            return None;
        }
        if !is_possible(&after) {
            found.push(field, BROKEN);
            return None;
        }
        Some(after)
    }
}

const BROKEN: &str = "was not given by this server: send it unchanged as it came, or begin anew";

fn read<P: DeserializeOwned>(page_token: &str) -> Result<Token<P>, &'static str> {
    if page_token.len() > TOKEN_MOST {
        return Err(BROKEN);
    }
    let json = URL_SAFE_NO_PAD.decode(page_token).map_err(|_| BROKEN)?;
    let version: Version = serde_json::from_slice(&json).map_err(|_| BROKEN)?;
    if version.v != VERSION {
        return Err("is of another version of this server: begin anew with the first page");
    }
    let token: Value = serde_json::from_slice(&json).map_err(|_| BROKEN)?;
    // No position has one, and PostgreSQL does not take one as a parameter.
    if has_nul(&token) {
        return Err(BROKEN);
    }
    serde_json::from_value(token).map_err(|_| BROKEN)
}

/// Whether a text in it has the character U+0000. The parser bounds how deep it is.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// How many a page has at most.
pub(super) fn page_size(asked: i32) -> i64 {
    match i64::from(asked) {
        0 => SIZE_DEFAULT,
        size => size.min(SIZE_MOST),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::violations::Verdict, *};
    use proptest::prelude::*;

    fn parse<P: DeserializeOwned>(scope: &Scope, token: &str) -> Result<Option<P>, String> {
        let mut found = Violations::new();
        let after = scope.parse(&mut found, token, |_| true);
        let result = found.into_result(Some(after));
        result.map_err(|found| found[0].description.clone())
    }

    #[test]
    fn sizes_have_a_default_and_an_end() {
        assert_eq!(page_size(0), 50);
        assert_eq!(page_size(1), 1);
        assert_eq!(page_size(1_000), 1_000);
        assert_eq!(page_size(1_001), 1_000);
        assert_eq!(page_size(i32::MAX), 1_000);
    }

    #[test]
    fn a_token_goes_on_only_with_its_own_request() {
        let scope = Scope::new("ListOrders", &["state = X", "place_time"]);
        let token = scope.token(7i64);
        assert_eq!(parse(&scope, &token), Ok(Some(7i64)));
        assert_eq!(parse::<i64>(&scope, ""), Ok(None));
        for other in [
            Scope::new("ListOrders", &["state = Y", "place_time"]),
            Scope::new("ListOrders", &["state = X", "place_time desc"]),
            Scope::new("ListOrders", &["state = Xplace_time", ""]),
            Scope::new("ListStockItems", &["state = X", "place_time"]),
        ] {
            assert!(
                parse::<i64>(&other, &token)
                    .unwrap_err()
                    .contains("another request")
            );
        }
    }

    #[test]
    fn a_position_with_a_nul_is_not_taken_and_one_that_looks_like_it_is() {
        let scope = Scope::new("ListStockItems", &[]);
        let found = |sku: &str| parse::<String>(&scope, &scope.token(sku));
        assert_eq!(found("a\0b"), Err(BROKEN.to_owned()));
        let looks_like_it = "a\\u0000b";
        assert_eq!(found(looks_like_it), Ok(Some(looks_like_it.to_owned())));
    }

    #[test]
    fn broken_tokens_are_violations() {
        let scope = Scope::new("ListOrders", &[]);
        let encode = |json: &str| URL_SAFE_NO_PAD.encode(json);
        let hash = &scope.hash;
        let right = format!(r#"{{"v":1,"scope":"{hash}","after":7}}"#);
        assert_eq!(parse(&scope, &encode(&right)), Ok(Some(7i64)));
        for token in [
            "7".to_owned(),
            "%".to_owned(),
            "ä".to_owned(),
            encode("null"),
            encode("[1]"),
            encode(&right.replace('7', "\"x\"")),
            encode(&right.replace("after", "before")),
            encode(&right.replace("}", ",\"more\":1}")),
            format!("{}=", encode(&right)),
            "A".repeat(TOKEN_MOST + 1),
        ] {
            assert_eq!(
                parse::<i64>(&scope, &token),
                Err(BROKEN.to_owned()),
                "{token}"
            );
        }
        let newer = encode(&right.replace("\"v\":1", "\"v\":2"));
        assert!(
            parse::<i64>(&scope, &newer)
                .unwrap_err()
                .contains("another version")
        );
        let mut found = Violations::new();
        assert_eq!(
            scope.parse(&mut found, &scope.token(-1i64), |n: &i64| *n >= 0),
            None
        );
        assert!(found.names("page_token"));
    }

    proptest! {
        #[test]
        fn tokens_go_both_ways(sku in "[^\\x00\n]{0,64}", number: i64) {
            let scope = Scope::new("Any", &[&sku]);
            let token = scope.token((&sku, number));
            prop_assert!(token.len() < TOKEN_MOST);
            prop_assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
            prop_assert_eq!(parse(&scope, &token), Ok(Some((sku, number))));
        }

        #[test]
        fn no_token_panics(token in ".{0,80}", bytes in prop::collection::vec(any::<u8>(), 1..80)) {
            let scope = Scope::new("Any", &[]);
            let _ = parse::<(String, i64)>(&scope, &token);
            prop_assert!(parse::<i64>(&scope, &URL_SAFE_NO_PAD.encode(bytes)).is_err());
        }
    }
}
