//! Variables of the environment that nobody reads: one with a slip in its name would be ignored, and the
//! program would run with a default.

use std::collections::BTreeSet;

/// The prefix of our own variables.
const OWN: &str = "ORDERS_";

/// Variables by which tests change what a process does.
#[cfg(feature = "test-hooks")]
const TEST: &str = "ORDERS_TEST_";

/// Read without a flag.
const WITHOUT_FLAG: [&str; 1] = ["ORDERS_TEMPORAL_CLI"];

/// A name that people may guess, though nothing reads it, and the names that they may mean. It differs from
/// both by too much to count as a slip. Ignoring it would leave a certificate unchecked.
const GUESSED: (&str, &str) = (
    "ORDERS_TLS_CA",
    "ORDERS_CLI_TLS_CA (the client's) or ORDERS_TLS_CLIENT_CA (that of `serve`)",
);

/// A variable whose name is nearly that of one that is read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {found} is not known; did you mean {meant}?")]
pub struct Misspelt {
    /// The variable that is set.
    pub found: String,
    /// The variable that is read.
    pub meant: String,
}

/// Looks for variables of ours that `program` does not read and whose name is nearly that of one it
/// reads.
///
/// # Errors
/// When there is one.
pub fn check(program: &clap::Command) -> Result<(), Misspelt> {
    let known = known(program);
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    find(set(), OWN, &known)
}

#[cfg(feature = "test-hooks")]
fn is_of_tests(name: &str) -> bool {
    name.starts_with(TEST)
}

#[cfg(not(feature = "test-hooks"))]
fn is_of_tests(_: &str) -> bool {
    false
}

/// Returns the names of all variables that `program` and its subcommands read.
pub fn known(program: &clap::Command) -> BTreeSet<String> {
    let mut known = BTreeSet::from(WITHOUT_FLAG.map(str::to_owned));
    add_variables(program, &mut known);
    known
}

/// The names of the variables that are set.
pub fn set() -> impl Iterator<Item = String> {
    std::env::vars_os().filter_map(|(name, _)| name.into_string().ok())
}

/// Looks among `names` for a variable that begins with `prefix`, is not `known`, and nearly is.
///
/// # Errors
/// When there is one. Others are let be: in Kubernetes, a service called `orders` gives each process
/// `ORDERS_SERVICE_HOST` and more.
pub fn find(
    names: impl Iterator<Item = String>,
    prefix: &str,
    known: &[&str],
) -> Result<(), Misspelt> {
    for found in names {
        if found == GUESSED.0 {
            let meant = GUESSED.1.to_owned();
            return Err(Misspelt { found, meant });
        }
        let Some(rest) = found.strip_prefix(prefix) else {
            continue;
        };
        if known.contains(&found.as_str()) || is_of_tests(&found) {
            continue;
        }
        let near = known.iter().filter_map(|name| {
            let other = name.strip_prefix(prefix)?;
            let distance = strsim::osa_distance(rest, other);
            (distance <= slips(other)).then_some((distance, *name))
        });
        if let Some((_, meant)) = near.min() {
            let meant = meant.to_owned();
            return Err(Misspelt { found, meant });
        }
    }
    Ok(())
}

/// How many slips a name may have and still be recognized: few in a short one.
fn slips(name: &str) -> usize {
    if name.len() < 6 { 1 } else { 2 }
}

fn add_variables(command: &clap::Command, known: &mut BTreeSet<String>) {
    let variables = command.get_arguments().filter_map(clap::Arg::get_env);
    known.extend(variables.filter_map(|name| name.to_str().map(str::to_owned)));
    for subcommand in command.get_subcommands() {
        add_variables(subcommand, known);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_slip_is_found_and_what_others_set_is_let_be() {
        let known = [
            "ORDERS_TEMPORAL_ADDRESS",
            "ORDERS_RUN",
            "ORDERS_ACTOR",
            "ORDERS_SERVER",
        ];
        let find = |name: &str| find([name.to_owned()].into_iter(), OWN, &known);
        for (found, meant) in [
            ("ORDERS_TEMPORAL_ADDRES", "ORDERS_TEMPORAL_ADDRESS"),
            ("ORDERS_TEMPORAL_ADRESS", "ORDERS_TEMPORAL_ADDRESS"),
            ("ORDERS_TEMPORAL_ADDRSES", "ORDERS_TEMPORAL_ADDRESS"),
            ("ORDERS_RUNS", "ORDERS_RUN"),
            ("ORDERS_SERVR", "ORDERS_SERVER"),
        ] {
            assert_eq!(find(found).unwrap_err().meant, meant);
        }
        let guessed = find("ORDERS_TLS_CA").unwrap_err().to_string();
        assert!(guessed.contains("ORDERS_TLS_CLIENT_CA"), "{guessed}");
        for other in [
            "ORDERS_RUN",
            "ORDERS_PORT",
            "ORDERS_SERVICE_HOST",
            "ORDERS_SERVICE_PORT",
            "ORDERS_PORT_50051_TCP_ADDR",
            "ORDERS_TEST_RUN",
            "ORDERSRUN",
            "PATH",
        ] {
            assert_eq!(find(other), Ok(()));
        }
    }
}
