//! Payment methods. The token comes in and never goes out.

use super::{enums, violations::Violations};
use orders::v1;
use orders_domain::payment_method::{PaymentMethod, PaymentMethodType, PaymentToken};

/// What a caller gives: the method for people to see, and its token, which is kept apart.
pub(super) type Given = (Option<PaymentMethod>, Option<PaymentToken>);

/// The method in the field `payment_method`, where there is one. Whether there has to be one, with
/// a token, depends on the policy.
pub(super) fn parse_payment_method(
    violations: &mut Violations,
    method: Option<&v1::PaymentMethod>,
) -> Given {
    let Some(method) = method else {
        return (None, None);
    };
    let v1::PaymentMethod {
        r#type,
        token,
        last4,
    } = method;
    violations.inside("payment_method", |violations| {
        let kind = enums::parse_payment_method_type(*r#type);
        if is_card_number(token) {
            // Without the value: errors are logged, and this one must not be.
            violations.push(
                "token",
                "must be a token of the payment provider, not a card number",
            );
        }
        let method = PaymentMethod {
            kind: kind.unwrap_or(PaymentMethodType::Unspecified),
            last4: last4.clone(),
        };
        (Some(method), PaymentToken::new(token))
    })
}

/// Whether a text is 12 to 19 digits, with or without blanks and dashes between them, whose last
/// one is the check digit of a card number (Luhn).
fn is_card_number(text: &str) -> bool {
    let mut digits = Vec::new();
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => digits.push(u32::from(byte - b'0')),
            b' ' | b'-' => {}
            _ => return false,
        }
    }
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 => *digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    (12..=19).contains(&digits.len()) && sum.is_multiple_of(10)
}

/// A payment method as a message.
pub(super) fn payment_method(method: &PaymentMethod) -> v1::PaymentMethod {
    let PaymentMethod { kind, last4 } = method;
    v1::PaymentMethod {
        r#type: enums::payment_method_type(*kind).into(),
        // Input only.
        token: String::new(),
        last4: last4.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::violations::Verdict, *};
    use orders::rules::Check;

    fn wrong(kind: i32, token: &str, last4: &str) -> Vec<String> {
        let asked = v1::PaymentMethod {
            r#type: kind,
            token: token.to_owned(),
            last4: last4.to_owned(),
        };
        let mut violations = Violations::new();
        violations.inside("payment_method", |found| asked.check(found));
        let parsed = parse_payment_method(&mut violations, Some(&asked));
        let debug = format!("{asked:?}");
        assert!(token.len() < 4 || !debug.contains(token), "{debug}");
        match violations.into_result(Some(parsed)) {
            Ok((method, kept)) => {
                let shown = v1::PaymentMethod {
                    token: String::new(),
                    ..asked
                };
                assert_eq!(payment_method(&method.unwrap()), shown);
                assert_eq!(kept, PaymentToken::new(token));
                Vec::new()
            }
            Err(found) => {
                for violation in &found {
                    assert!(token.len() < 4 || !violation.description.contains(token));
                }
                found.into_iter().map(|v| v.field).collect()
            }
        }
    }

    #[test]
    fn every_field_has_its_limit() {
        let none: [&str; 0] = [];
        assert_eq!(wrong(0, "", ""), none);
        assert_eq!(wrong(1, "tok-good", "4242"), none);
        assert_eq!(wrong(4, &"x".repeat(256), "0000"), none);
        assert_eq!(wrong(1, &"x".repeat(257), ""), ["payment_method.token"]);
        assert_eq!(wrong(1, "tok\n", ""), ["payment_method.token"]);
        assert_eq!(wrong(5, "t", ""), ["payment_method.type"]);
        assert_eq!(wrong(-1, "t", ""), ["payment_method.type"]);
        for last4 in ["424", "42424", "424a", "٤٢٤٢", "42 4"] {
            assert_eq!(wrong(1, "t", last4), ["payment_method.last4"], "{last4}");
        }
        let all = [
            "payment_method.type",
            "payment_method.token",
            "payment_method.last4",
        ];
        assert_eq!(wrong(9, " t", "x"), all);
    }

    #[test]
    fn a_card_number_is_no_token() {
        for token in [
            "4242424242424242",
            "4242 4242 4242 4242",
            "3782-822463-10005",
        ] {
            assert_eq!(wrong(1, token, ""), ["payment_method.token"], "{token}");
        }
        for token in ["4242424242424243", "tok-4242424242424242", "0", "18"] {
            assert_eq!(wrong(1, token, ""), [""; 0], "{token}");
        }
    }
}
