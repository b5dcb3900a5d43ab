//! Random policies that can work, with short waits, and the presets, as an operator's file.

use super::dice::Dice;
use std::fmt::Write;

/// Every way in which stock and money can be secured.
const SECURE: &[(&str, &str)] = &[
    ("RESERVE_THEN_PAY", "SALE"),
    ("RESERVE_THEN_PAY", "AUTHORIZE_CAPTURE"),
    ("RESERVE_THEN_PAY", "EXTERNAL"),
    ("PAY_THEN_RESERVE", "SALE"),
    ("PAY_THEN_RESERVE", "AUTHORIZE_CAPTURE"),
    ("PAY_ONLY", "SALE"),
    ("PAY_ONLY", "AUTHORIZE_CAPTURE"),
    ("PAY_ONLY", "EXTERNAL"),
];

/// The presets, but without waits of up to 100 s between two attempts: a few failures in a row would
/// take minutes.
fn impatient_presets() -> String {
    let presets = include_str!("../../../worker/domain/policy/presets.toml");
    let waits = ["\"30s\" }", "\"1m\" }", "\"100s\" }"];
    let impatient = |text: String, wait: &str| {
        assert!(text.contains(wait), "no preset waits {wait} any more");
        text.replace(wait, "\"2s\" }")
    };
    waits.into_iter().fold(presets.to_owned(), impatient)
}

/// A file of the presets and of so many random policies, named `random-0` and so on. Each way to
/// secure comes in turn, so that none is missing.
pub fn file(seed: u64, count: u64) -> String {
    let mut text = impatient_presets();
    text.push('\n');
    for number in 0..count {
        let mut dice = Dice::new(seed, 1_000_000 + number);
        let secure = SECURE[number as usize % SECURE.len()];
        text.push_str(&policy(&format!("random-{number}"), secure, &mut dice));
    }
    text
}

fn policy(name: &str, (secure, payment): (&str, &str), dice: &mut Dice) -> String {
    let mut text = String::new();
    let mut line = |field: &str, value: String| writeln!(text, "{field} = {value}").unwrap();
    line("[[policy]]\nname", quoted(name));
    line("fraud_check", dice.chance(50).to_string());
    line("secure", quoted(secure));
    line("payment", quoted(payment));
    if payment == "EXTERNAL" {
        line("payment_timeout", wait(dice));
    }
    if dice.chance(50) {
        line("approval_above", dice.pick(&[0, 50, 1_000]).to_string());
        line("approval_timeout", wait(dice));
    }
    if dice.chance(30) {
        line("release_grace", wait(dice));
    }
    if dice.chance(40) {
        line("pickup_reminder", wait(dice));
    }
    let delivery = dice.pick(&["CONFIRM", "AUTO_AFTER", "ON_SHIP"]);
    line("delivery", quoted(delivery));
    if delivery == "AUTO_AFTER" {
        line("delivery_after", wait(dice));
    }
    line(
        "cancel_until",
        quoted(dice.pick(&["FULFILLMENT", "DISPATCH"])),
    );
    line("retry", retry(dice));
    if dice.chance(40) {
        line("payment_retry", retry(dice));
    }
    if dice.chance(35) {
        line("shipping", quoted("LANE"));
        if dice.chance(50) {
            line("shipping_retry", retry(dice));
        }
    }
    line("attempt_timeout", ms(dice.between(100, 250)));
    // Past it, undoing becomes slower: later than a test can wait for each order.
    line("attention_after", dice.between(3, 6).to_string());
    line(
        "lane",
        quoted(dice.pick(&["LOCAL", "LOCAL", "LOCAL", "REGULAR"])),
    );
    text.push('\n');
    text
}

fn retry(dice: &mut Dice) -> String {
    let first = dice.between(20, 100);
    format!(
        "{{ max_attempts = {}, initial_interval = {}, backoff = {}, max_interval = {} }}",
        dice.pick(&[0, 1, 2, 3, 5]),
        ms(first),
        dice.pick(&["1.0", "1.5", "2.0"]),
        ms(first + dice.between(0, 300)),
    )
}

fn wait(dice: &mut Dice) -> String {
    ms(dice.between(50, 1_000))
}

fn ms(ms: u64) -> String {
    quoted(&format!("{ms}ms"))
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
