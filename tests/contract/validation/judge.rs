//! Another language's verdict: PyPI's protovalidate, by the rules in the descriptor set.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::{collections::BTreeSet, fmt::Write, fs, path::Path, process::Command};
use tempfile::TempDir;

#[derive(Deserialize)]
struct Verdict {
    #[serde(default)]
    paths: BTreeSet<String>,
    error: Option<String>,
}

/// The paths that break a rule, for each message of a type; or why there is no verdict.
pub fn judge(messages: &[(&str, &[u8])]) -> Vec<Result<BTreeSet<String>, String>> {
    let python = concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/venv/bin/python");
    assert!(Path::new(python).exists(), "run `make test-tools`");
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/contract/validation/judge.py"
    );
    let folder = TempDir::new().unwrap();
    let (set, asked) = (folder.path().join("set.bin"), folder.path().join("asked"));
    let mut lines = String::new();
    for (message, bytes) in messages {
        writeln!(lines, "{message} {}", STANDARD.encode(bytes)).unwrap();
    }
    fs::write(&set, orders::FILE_DESCRIPTOR_SET).unwrap();
    fs::write(&asked, lines).unwrap();
    let output = Command::new(python)
        .arg(script)
        .arg(&set)
        .arg(&asked)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "judge.py: {errors}\nrun `make test-tools`"
    );
    let verdicts: Vec<_> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .map(|verdict: Verdict| match verdict.error {
            Some(error) => Err(error),
            None => Ok(verdict.paths),
        })
        .collect();
    assert_eq!(verdicts.len(), messages.len());
    verdicts
}
