//! One value of a type that is kept somewhere, and how it is read.

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::fmt::Debug;

/// A value, as it is written now.
pub struct Sample {
    /// The golden file's name.
    pub name: String,
    /// What this build writes.
    pub json: Value,
    again: fn(&Value) -> Result<Value, String>,
}

impl Sample {
    /// Of that value, which must read back as it is.
    pub fn new<T: Serialize + DeserializeOwned + Debug>(name: impl Into<String>, value: T) -> Self {
        let name = name.into();
        let json = serde_json::to_value(&value).unwrap();
        let read: T = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(format!("{read:?}"), format!("{value:?}"), "{name}");
        Self {
            name,
            json,
            again: |old| {
                let read: T = serde_json::from_value(old.clone()).map_err(|e| e.to_string())?;
                Ok(serde_json::to_value(&read).unwrap())
            },
        }
    }

    /// The first thing that this build writes in another way.
    pub fn change(&self, old: &Value) -> Option<String> {
        let lost = holds(&self.json, old, "").err();
        lost.or_else(|| {
            let added = holds(old, &self.json, "").err();
            added.map(|text| text.replace("is lost", "is new"))
        })
    }

    /// Reads what some build wrote. Nothing of it may be lost: what is written again holds all of it,
    /// and perhaps more.
    pub fn reads(&self, old: &Value) -> Result<(), String> {
        let again = (self.again)(old)?;
        holds(&again, old, "")
    }
}

fn holds(now: &Value, old: &Value, path: &str) -> Result<(), String> {
    match (now, old) {
        (Value::Object(now), Value::Object(old)) => old.iter().try_for_each(|(name, old)| {
            let path = format!("{path}/{name}");
            match now.get(name) {
                Some(now) => holds(now, old, &path),
                // Left out, and read as null, also by every release.
                None if old.is_null() => Ok(()),
                None => Err(format!("{path} is {old}, and is lost")),
            }
        }),
        (Value::Array(now), Value::Array(old)) if now.len() == old.len() => {
            let mut pairs = now.iter().zip(old).enumerate();
            pairs.try_for_each(|(at, (now, old))| holds(now, old, &format!("{path}/{at}")))
        }
        _ if now == old => Ok(()),
        _ => Err(format!("{path} is {old}, and becomes {now}")),
    }
}

/// Some moment, with fractions of a second.
pub fn time(minute: i64) -> Timestamp {
    Timestamp::from_microsecond(1_700_000_000_123_456 + minute * 60_000_000).unwrap()
}
