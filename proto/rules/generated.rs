//! The checks that the build script generates.

use super::{
    Check, Found,
    checks::{Choice, Rule, Test, Text, Whole},
};
use regex::Regex;
use std::sync::LazyLock;

include!(concat!(env!("OUT_DIR"), "/orders_rules.rs"));
