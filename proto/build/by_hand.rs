//! The rules in CEL of single fields and messages. They compare several fields, or look into a message of another
//! package, so that their Rust twins are written by hand in `server/convert`.

use super::{Error, predefined::text, unknown};
use prost_reflect::DynamicMessage;

/// The rules whose twins exist: the id, the hash of the expression from which the twin was written, and where it is.
/// A rule whose expression has changed does not build until its twin was looked at.
const BY_HAND: [(&str, u64, &str); 11] = [
    (
        "line_items.one_currency",
        0x3609_a000_840b_b80c,
        "line_item.rs",
    ),
    ("line_items.total", 0x3649_0cb5_ef3f_385c, "place_order.rs"),
    ("money.currency_code", 0xc0a5_cfec_d354_59eb, "money.rs"),
    ("money.minor_unit", 0x4813_afb3_a354_a237, "money.rs"),
    ("money.nanos", 0x9aaa_7605_8069_b144, "money.rs"),
    ("money.not_negative", 0xca5c_ef0b_eab1_09a5, "line_item.rs"),
    ("money.positive", 0xf5b9_315e_4cf0_36c6, "command/body.rs"),
    (
        "review_order.reviewer.required",
        0xdac7_3208_b9fa_32a3,
        "command/body.rs",
    ),
    (
        "reviewer.required",
        0xb723_1bdd_f34a_a130,
        "command/body.rs",
    ),
    (
        "stock_item.reorder_level",
        0x0fb7_21b3_94e4_b739,
        "inventory.rs",
    ),
    (
        "transaction_id.required",
        0x43b4_af4e_c90e_a6be,
        "operator.rs",
    ),
];

/// Accepts the rules in `cel` of a field's or a message's options if each has a twin. Rules of one id have one
/// expression, since they have one twin.
///
/// # Errors
/// When a rule has none, or has changed since its twin was written.
pub(crate) fn accept(at: &str, rules: &DynamicMessage) -> Result<(), Error> {
    let cel = rules.get_field_by_name("cel");
    let cel = cel.as_ref().and_then(|value| value.as_list());
    for rule in cel.unwrap_or_default() {
        let Some(rule) = rule.as_message() else {
            return Err(unknown(at, "has a rule that is no message"));
        };
        let (id, hash) = (text(rule, "id"), hash(&text(rule, "expression")));
        match BY_HAND.iter().find(|(known, _, _)| *known == id) {
            Some((_, known, _)) if *known == hash => {}
            Some((_, _, twin)) => {
                let what = format!(
                    "the rule {id} is not the one of its twin: change server/convert/{twin} to say the same, then \
                     write {hash:#018x} at {id} in proto/build/by_hand.rs"
                );
                return Err(unknown(at, what));
            }
            None => {
                let what = format!(
                    "the rule {id} has no twin in Rust: write one in server/convert, and add it to proto/build/by_hand.rs"
                );
                return Err(unknown(at, what));
            }
        }
    }
    Ok(())
}

/// The hash of an expression: FNV-1a, which is the same with every compiler.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
    }
}
