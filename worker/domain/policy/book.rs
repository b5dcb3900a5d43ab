//! The policies that a server offers: the presets, and an operator's file over them.

use super::{Policy, check::problems};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

const PRESETS: &str = include_str!("presets.toml");

/// Policies by name.
#[derive(Clone, Debug)]
pub struct PolicyBook {
    policies: BTreeMap<String, Policy>,
}

/// Why a policy file was refused.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Not TOML, or not of the form of a policy; the text names the line.
    #[error("the policies cannot be read: {0}")]
    Unreadable(#[from] toml::de::Error),
    /// Policies that cannot work, one problem a line.
    #[error("these policies cannot work:\n  {}", .0.join("\n  "))]
    Unworkable(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    policy: Vec<toml::Spanned<Policy>>,
}

impl PolicyBook {
    /// The presets alone.
    ///
    /// # Errors
    /// Never for a released build: a test reads them.
    pub fn presets() -> Result<Self, PolicyError> {
        let mut book = Self {
            policies: BTreeMap::new(),
        };
        book.add(PRESETS)?;
        Ok(book)
    }

    /// The presets with the policies of an operator's file over them.
    ///
    /// # Errors
    /// When the file is not of the right form, or a policy in it cannot work; the message names
    /// the line and the reason, for all of them.
    pub fn with_file(text: &str) -> Result<Self, PolicyError> {
        let mut book = Self::presets()?;
        book.add(text)?;
        Ok(book)
    }

    /// The policy of that name.
    pub fn get(&self, name: &str) -> Option<&Policy> {
        self.policies.get(name)
    }

    /// All policies, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Policy> {
        self.policies.values()
    }

    fn add(&mut self, text: &str) -> Result<(), PolicyError> {
        let file: File = toml::from_str(text)?;
        let mut wrong = Vec::new();
        let mut seen = BTreeSet::new();
        for entry in &file.policy {
            let line = 1 + text
                .get(..entry.span().start)
                .map_or(0, |head| head.matches('\n').count());
            let policy = entry.get_ref();
            let mut found = problems(policy);
            if !seen.insert(policy.name.as_str()) {
                found.push("the name stands twice in this file".to_owned());
            }
            let name = &policy.name;
            wrong.extend(
                found
                    .iter()
                    .map(|why| format!("line {line}: policy \"{name}\": {why}")),
            );
        }
        if !wrong.is_empty() {
            return Err(PolicyError::Unworkable(wrong));
        }
        for entry in file.policy {
            let policy = entry.into_inner();
            self.policies.insert(policy.name.clone(), policy);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_presets_can_be_read_and_work() {
        let book = PolicyBook::presets().unwrap();
        let names: Vec<&str> = book.iter().map(|policy| policy.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "approval",
                "external-payment",
                "pre-order",
                "shipping-lane",
                "standard",
                "stock"
            ]
        );
        let pre_order = book.get("pre-order").unwrap();
        assert_eq!(pre_order.release_grace.unwrap().as_secs(), 7 * 24 * 3600);
        assert_eq!(
            pre_order
                .payment_retry
                .as_ref()
                .unwrap()
                .wait_after(1)
                .as_secs(),
            2
        );
    }

    #[test]
    fn a_snapshot_reads_back_as_it_was() {
        for policy in PolicyBook::presets().unwrap().iter() {
            let json = serde_json::to_string(policy).unwrap();
            assert_eq!(&serde_json::from_str::<Policy>(&json).unwrap(), policy);
        }
    }

    #[test]
    fn every_problem_is_named_with_its_line() {
        let text = "\n[[policy]]\nname = \"Bad Name\"\nsecure = \"PAY_ONLY\"\npayment = \"SALE\"\n\
            approval_above = 10\ndelivery = \"AUTO_AFTER\"\ncancel_until = \"DISPATCH\"\n\
            retry = { max_attempts = 1, initial_interval = \"0s\", backoff = 0.5, max_interval = \"1s\" }\n";
        let error = PolicyBook::with_file(text).unwrap_err().to_string();
        for part in [
            "line 2",
            "lower-case",
            "approval_above needs approval_timeout",
            "delivery = \"AUTO_AFTER\" needs delivery_after",
            "backoff",
            "initial_interval",
        ] {
            assert!(error.contains(part), "{part} is missing in: {error}");
        }
    }

    /// The reason for a changed preset, if there is one.
    fn refused(name: &str, changes: &[(&str, &str)]) -> String {
        let start = PRESETS.find(&format!("name = \"{name}\"")).unwrap();
        let rest = &PRESETS[start..];
        let mut text = rest.split("[[policy]]").next().unwrap().to_owned();
        for (before, after) in changes {
            assert!(text.contains(before), "{before}");
            text = text.replace(before, after);
        }
        let book = PolicyBook::with_file(&format!("[[policy]]\n{text}"));
        book.err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn what_is_held_must_outlast_the_waits() {
        let expiry = |field: &str, time: &str| format!("{field} = \"{time}\"\nsecure");
        let why = refused(
            "approval",
            &[("secure", &expiry("reservation_expiry", "24h"))],
        );
        let told = "line 1: policy \"approval\": reservation_expiry: a reservation would expire after \
                    1day, before approval_timeout can end (1day)";
        assert!(why.contains(told), "{why}");
        let kept = refused(
            "approval",
            &[("secure", &expiry("reservation_expiry", "25h"))],
        );
        assert_eq!(kept, "");
        let why = refused(
            "standard",
            &[("secure", &expiry("authorization_expiry", "12h"))],
        );
        assert!(
            why.contains("an authorization would expire after 12h"),
            "{why}"
        );
        let why = refused(
            "external-payment",
            &[("secure", &expiry("reservation_expiry", "1h"))],
        );
        assert!(why.contains("before payment_timeout can end"), "{why}");
        let why = refused(
            "pre-order",
            &[("secure", &expiry("reservation_expiry", "1day"))],
        );
        assert!(why.contains("release"), "{why}");
        let why = refused(
            "approval",
            &[(
                "secure",
                &format!(
                    "pickup_reminder = \"1h\"\n{}",
                    expiry("reservation_expiry", "9days")
                ),
            )],
        );
        assert!(why.contains("until the pickup is confirmed"), "{why}");
        let endless = "18446744073709551615s";
        let why = refused(
            "external-payment",
            &[
                (
                    "payment_timeout = \"24h\"",
                    &format!("payment_timeout = \"{endless}\""),
                ),
                (
                    "secure",
                    &format!(
                        "approval_above = 1\napproval_timeout = \"{endless}\"\n{}",
                        expiry("reservation_expiry", "9days")
                    ),
                ),
            ],
        );
        assert!(why.contains("at most ten years"), "{why}");
        let why = refused(
            "shipping-lane",
            &[("secure", &expiry("reservation_expiry", "1day"))],
        );
        assert!(why.contains("nothing is reserved"), "{why}");
    }

    #[test]
    fn keys_that_need_each_other_name_the_one_that_is_missing() {
        let policy = |keys: &str| {
            let text = format!(
                "[[policy]]\nname = \"x\"\nsecure = \"PAY_ONLY\"\ncancel_until = \"DISPATCH\"\n\
                 retry = {{ max_attempts = 1, initial_interval = \"1s\", backoff = 1.0, \
                 max_interval = \"1s\" }}\n{keys}\n"
            );
            PolicyBook::with_file(&text)
                .err()
                .map(|error| error.to_string())
        };
        for (keys, needed) in [
            (
                "payment = \"EXTERNAL\"\ndelivery = \"CONFIRM\"",
                "payment = \"EXTERNAL\" needs payment_timeout",
            ),
            (
                "payment = \"SALE\"\npayment_timeout = \"1h\"\ndelivery = \"CONFIRM\"",
                "payment_timeout needs payment = \"EXTERNAL\"",
            ),
            (
                "payment = \"SALE\"\napproval_timeout = \"1h\"\ndelivery = \"CONFIRM\"",
                "approval_timeout needs approval_above",
            ),
            (
                "payment = \"SALE\"\ndelivery = \"CONFIRM\"\ndelivery_after = \"1h\"",
                "delivery_after needs delivery = \"AUTO_AFTER\"",
            ),
            (
                "payment = \"SALE\"\ndelivery = \"CONFIRM\"\nauthorization_expiry = \"1h\"",
                "authorization_expiry needs payment = \"AUTHORIZE_CAPTURE\"",
            ),
        ] {
            let why = policy(keys).unwrap_or_default();
            assert!(why.contains(needed), "{needed} in {why}");
        }
        assert_eq!(policy("payment = \"SALE\"\ndelivery = \"CONFIRM\""), None);
    }

    #[test]
    fn a_lane_has_its_own_numbers() {
        let why = refused("shipping-lane", &[("shipping = \"LANE\"", "")]);
        assert!(why.contains("shipping_retry needs shipping"), "{why}");
        let why = refused("shipping-lane", &[("250ms", "3s")]);
        assert!(why.contains("attempt_timeout must be"), "{why}");
    }

    #[test]
    fn unknown_keys_are_refused() {
        let error = PolicyBook::with_file("[[policy]]\nnmae = \"x\"\n").unwrap_err();
        assert!(error.to_string().contains("nmae"), "{error}");
    }

    #[test]
    fn a_policy_of_the_same_name_replaces_the_preset() {
        let text = PRESETS.replace("delivery_after = \"30s\"", "delivery_after = \"5s\"");
        let book = PolicyBook::with_file(&text).unwrap();
        let policy = book.get("external-payment").unwrap();
        assert_eq!(policy.delivery_after.unwrap().as_secs(), 5);
    }
}
