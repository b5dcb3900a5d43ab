//! Random values and messages, made from the descriptors. Half of the values are such that a request
//! can be right, so that what is behind the first check is reached, too.

use crate::recovery::soak::dice::Dice;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

const WHOLE: [i64; 20] = [
    0,
    1,
    2,
    5,
    -1,
    19,
    999,
    1_000,
    1_001,
    1_000_000,
    1_000_001,
    1_000_000_000,
    1_000_000_001,
    92_233_720_368_547_758,
    92_233_720_368_547_759,
    253_402_207_200,
    -62_135_596_800,
    -62_135_596_801,
    i64::MAX,
    i64::MIN,
];
const SMALL: [i32; 15] = [
    0,
    1,
    2,
    3,
    4,
    5,
    -1,
    10_000_000,
    990_000_000,
    500_000_000,
    999_999_999,
    1_000_000_000,
    -10_000_000,
    i32::MAX,
    i32::MIN,
];
const LENGTHS: [usize; 16] = [
    2, 19, 20, 21, 63, 64, 65, 100, 101, 128, 129, 200, 201, 256, 501, 1_001,
];
const ODD: [char; 28] = [
    '\0',
    '\t',
    '\n',
    '\u{b}',
    '\r',
    '\u{1f}',
    ' ',
    '"',
    '\'',
    '\\',
    '\u{7f}',
    '\u{85}',
    '\u{9f}',
    '\u{a0}',
    '\u{ad}',
    'ß',
    '\u{301}',
    '\u{1680}',
    '\u{200b}',
    '\u{200f}',
    '\u{202e}',
    '\u{2028}',
    '\u{2029}',
    '\u{3000}',
    '\u{d7ff}',
    '\u{feff}',
    '\u{ffff}',
    '\u{10ffff}',
];
const FILTERS: [&str; 8] = [
    "",
    "customer_id = ada",
    "state = ORDER_STATE_PLACED AND policy = 'standard'",
    "place_time >= \"2026-01-01T00:00:00Z\"",
    "state = X",
    "a OR b",
    "((((",
    "customer_id = \"\\",
];

/// What can be right in a field of this name.
fn right(dice: &mut Dice, field: &str) -> String {
    let from: &[&str] = match field {
        "currency_code" => &[
            "USD", "USD", "USD", "EUR", "JPY", "KWD", "UYW", "UYI", "BGN", "XAU", "ZZZ", "usd",
        ],
        "country_code" => &["US", "DE", "ZZ", "us"],
        "policy" => &[
            "standard",
            "pre-order",
            "external-payment",
            "approval",
            "gold",
        ],
        "last4" => &["4242", "", "424"],
        "token" => &["tok-1", "4242424242424242", ""],
        "filter" => &FILTERS,
        "order_by" => &["", "place_time", " place_time  desc ", "desc"],
        "page_token" | "after" => &["", "", "eyJ2IjoxfQ", "AAAA"],
        "actor" => &[
            "",
            "grace",
            "orders",
            "temporal",
            "Orders",
            "orders\u{200b}",
        ],
        _ => &["a", "order-1", "x y", "1"],
    };
    dice.pick(from).to_owned()
}

fn text(dice: &mut Dice, field: &str) -> String {
    match dice.between(1, 10) {
        1..=7 => right(dice, field),
        8 => dice
            .pick(&["x", "ä", "💶", " "])
            .repeat(dice.pick(&LENGTHS)),
        9 => (0..dice.between(0, 6)).map(|_| dice.pick(&ODD)).collect(),
        _ => {
            let length = dice.between(0, 12);
            let any = |dice: &mut Dice| dice.between(0, 0x10_ffff) as u32;
            (0..length)
                .filter_map(|_| char::from_u32(any(dice)))
                .collect()
        }
    }
}

fn whole(dice: &mut Dice) -> i64 {
    match dice.chance(60) {
        true => dice.between(0, 20) as i64,
        false => dice.pick(&WHOLE),
    }
}

/// A value for the field, or for one item of it.
pub fn value(dice: &mut Dice, field: &FieldDescriptor, depth: usize) -> Value {
    match field.kind() {
        Kind::String => Value::String(text(dice, field.name())),
        Kind::Bool => Value::Bool(dice.chance(50)),
        Kind::Int64 => Value::I64(whole(dice)),
        Kind::Int32 => Value::I32(match dice.chance(60) {
            true => 0,
            false => dice.pick(&SMALL),
        }),
        Kind::Enum(_) => Value::EnumNumber(match dice.chance(80) {
            true => dice.between(0, 2) as i32,
            false => dice.pick(&SMALL),
        }),
        Kind::Message(inner) => Value::Message(message(dice, &inner, depth + 1)),
        other => panic!("a request has a field of a new kind, {other:?}: make values for it"),
    }
}

/// A value for the whole field: of a repeated one, a list.
pub fn field_value(dice: &mut Dice, field: &FieldDescriptor, depth: usize) -> Value {
    if !field.is_list() {
        return value(dice, field, depth);
    }
    let count = match dice.between(1, 1_000) {
        1 => dice.between(199, 202),
        2..=100 => 0,
        101..=800 => 1,
        _ => dice.between(2, 4),
    };
    Value::List((0..count).map(|_| value(dice, field, depth)).collect())
}

/// A message with most of its fields.
pub fn message(dice: &mut Dice, descriptor: &MessageDescriptor, depth: usize) -> DynamicMessage {
    let mut made = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        if dice.chance(85) {
            made.set_field(&field, field_value(dice, &field, depth));
        }
    }
    made
}
