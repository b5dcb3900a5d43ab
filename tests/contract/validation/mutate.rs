//! Good requests made bad: one value changed, or the bytes broken.

use super::random;
use crate::recovery::soak::dice::Dice;
use prost::encoding::{WireType, encode_key, encode_varint};
use prost_reflect::{DynamicMessage, FieldDescriptor, ReflectMessage, Value};

/// Changes one value, here or in a message inside.
pub fn change(dice: &mut Dice, message: &mut DynamicMessage) {
    let fields: Vec<FieldDescriptor> = message.descriptor().fields().collect();
    if fields.is_empty() {
        return;
    }
    let field = dice.pick(&fields);
    if message.has_field(&field) && dice.chance(70) {
        match message.get_field_mut(&field) {
            Value::Message(inner) => return change(dice, inner),
            Value::List(items) if !items.is_empty() => {
                let index = dice.between(0, items.len() as u64 - 1) as usize;
                if let Value::Message(inner) = &mut items[index] {
                    return change(dice, inner);
                }
            }
            _ => {}
        }
    }
    match dice.chance(15) {
        true => message.clear_field(&field),
        false => message.set_field(&field, random::field_value(dice, &field, 0)),
    }
}

/// Turns bits over.
pub fn flip(dice: &mut Dice, bytes: &mut [u8]) {
    if bytes.is_empty() {
        return;
    }
    for _ in 0..dice.between(1, 4) {
        let index = dice.between(0, bytes.len() as u64 - 1) as usize;
        bytes[index] ^= 1 << dice.between(0, 7);
    }
}

/// Cuts the end off.
pub fn cut(dice: &mut Dice, bytes: &mut Vec<u8>) {
    let length = dice.between(0, bytes.len() as u64) as usize;
    bytes.truncate(length);
}

/// Adds a field with a number that exists or not, of a type that it has or not.
pub fn add_field(dice: &mut Dice, bytes: &mut Vec<u8>) {
    let types = [
        WireType::Varint,
        WireType::SixtyFourBit,
        WireType::LengthDelimited,
        WireType::ThirtyTwoBit,
        WireType::StartGroup,
        WireType::EndGroup,
    ];
    let number = dice.pick(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 19_000, 536_870_911]);
    encode_key(number, dice.pick(&types), bytes);
    for _ in 0..dice.between(0, 12) {
        bytes.push(dice.between(0, 255) as u8);
    }
}

/// Adds a field that says that it is much longer than it is.
pub fn add_huge(dice: &mut Dice, bytes: &mut Vec<u8>) {
    encode_key(dice.between(1, 10) as u32, WireType::LengthDelimited, bytes);
    let lengths = [
        1 << 20,
        u64::from(u32::MAX),
        1 << 40,
        i64::MAX as u64,
        u64::MAX,
    ];
    encode_varint(dice.pick(&lengths), bytes);
    bytes.extend([0x61; 8]);
}

/// Adds the same empty field very often: what holds many small messages in few bytes.
pub fn add_many(dice: &mut Dice, bytes: &mut Vec<u8>) {
    let number = dice.between(1, 10) as u32;
    for _ in 0..dice.between(1_000, 20_000) {
        encode_key(number, WireType::LengthDelimited, bytes);
        bytes.push(0);
    }
}

/// Puts a message of the same field inside of itself, very deep.
pub fn add_deep(dice: &mut Dice, bytes: &mut Vec<u8>) {
    let number = dice.between(1, 10) as u32;
    let mut inner = Vec::new();
    for _ in 0..dice.between(50, 300) {
        let mut outer = Vec::new();
        encode_key(number, WireType::LengthDelimited, &mut outer);
        encode_varint(inner.len() as u64, &mut outer);
        outer.extend(inner);
        inner = outer;
    }
    bytes.extend(inner);
}
