//! Other languages' verdicts, by the rules in the descriptor set.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::{collections::BTreeSet, fmt::Write, fs, path::Path, process::Command};
use tempfile::TempDir;

/// A protovalidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judge {
    /// PyPI's protovalidate.
    Python,
    /// protovalidate-go.
    Go,
    /// build.buf:protovalidate.
    Java,
}

#[derive(Deserialize)]
struct Verdict {
    #[serde(default)]
    paths: Option<BTreeSet<String>>,
    error: Option<String>,
}

impl Judge {
    /// The program, with the descriptor set and the messages still to be named.
    fn command(self) -> Command {
        let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests");
        match self {
            Self::Python => {
                let python = concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/venv/bin/python");
                assert!(Path::new(python).exists(), "run `make test-tools`");
                let mut command = Command::new(python);
                command.arg(format!("{tests}/contract/validation/judge.py"));
                command
            }
            Self::Go => {
                let judge = format!("{tests}/clients/go/generated/judge");
                assert!(Path::new(&judge).exists(), "run `make client-tools`");
                Command::new(judge)
            }
            Self::Java => {
                let target = format!("{tests}/clients/java/judge/target");
                assert!(Path::new(&target).exists(), "run `make client-tools`");
                let mut command = Command::new("java");
                command
                    .arg("-cp")
                    .arg(format!("{target}/classes:{target}/lib/*"));
                command.arg("example.judge.Main");
                command
            }
        }
    }

    /// The paths that break a rule, for each message of a type; or why there is no verdict.
    pub fn judge(self, messages: &[(&str, &[u8])]) -> Vec<Result<BTreeSet<String>, String>> {
        let folder = TempDir::new().unwrap();
        let (set, asked) = (folder.path().join("set.bin"), folder.path().join("asked"));
        let mut lines = String::new();
        for (message, bytes) in messages {
            writeln!(lines, "{message} {}", STANDARD.encode(bytes)).unwrap();
        }
        fs::write(&set, orders::FILE_DESCRIPTOR_SET).unwrap();
        fs::write(&asked, lines).unwrap();
        let output = self.command().arg(&set).arg(&asked).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{self:?}: {errors}");
        let verdicts: Vec<_> = String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .map(|verdict: Verdict| match verdict.error {
                Some(error) => Err(error),
                None => Ok(verdict.paths.unwrap_or_default()),
            })
            .collect();
        assert_eq!(verdicts.len(), messages.len());
        verdicts
    }
}
