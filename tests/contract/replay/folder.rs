//! The folder of recorded histories: one for each release, one file for each run of a workflow, in the
//! replayer's own JSON, compressed.

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
};
use temporalio_client::WorkflowHistory;

/// Where the recorded histories are.
pub fn histories() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/histories"))
}

/// A recorded history.
pub struct Recorded {
    /// Release and file, as in `v1/standard-fraud`.
    pub name: String,
    json: Vec<u8>,
}

impl Recorded {
    /// The history, to be replayed.
    pub fn history(&self) -> WorkflowHistory {
        WorkflowHistory::from_json(&self.json)
            .unwrap_or_else(|error| panic!("{}: not a history: {error}", self.name))
    }
}

/// Every file of a folder of histories, by name.
pub fn read(folder: &Path) -> Vec<Recorded> {
    let mut paths = Vec::new();
    for release in fs::read_dir(folder).unwrap() {
        let release = release.unwrap().path();
        if release.is_dir() {
            paths.extend(
                fs::read_dir(release)
                    .unwrap()
                    .map(|file| file.unwrap().path()),
            );
        }
    }
    paths.sort();
    paths.iter().map(|path| read_file(folder, path)).collect()
}

fn read_file(folder: &Path, path: &Path) -> Recorded {
    let name = path.strip_prefix(folder).unwrap().to_string_lossy();
    let name = name.strip_suffix(".json.gz");
    let name = name.unwrap_or_else(|| panic!("{}: not a history", path.display()));
    let mut json = Vec::new();
    GzDecoder::new(fs::File::open(path).unwrap())
        .read_to_end(&mut json)
        .unwrap_or_else(|error| panic!("{name}: cannot be unpacked: {error}"));
    Recorded {
        name: name.to_owned(),
        json,
    }
}

/// Writes a history into the folder of a release, without the names of machine and process.
pub async fn write(release: &Path, name: &str, history: WorkflowHistory) {
    let json = history.to_json().await.unwrap();
    let mut json: Value = serde_json::from_slice(&json).unwrap();
    let mut machines = BTreeSet::new();
    find_identities(&json, &mut machines);
    remove(&mut json, &machines);
    fs::create_dir_all(release).unwrap();
    let path = release.join(format!("{name}.json.gz"));
    assert!(!path.exists(), "{name} was recorded twice");
    let mut file = GzEncoder::new(fs::File::create(path).unwrap(), Compression::best());
    file.write_all(json.to_string().as_bytes()).unwrap();
    file.finish().unwrap();
}

fn find_identities(json: &Value, found: &mut BTreeSet<String>) {
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(identity) if name == "identity" && !identity.is_empty() => {
                        found.insert(identity.clone());
                    }
                    value => find_identities(value, found),
                }
            }
        }
        Value::Array(values) => values
            .iter()
            .for_each(|value| find_identities(value, found)),
        _ => {}
    }
}

fn remove(json: &mut Value, machines: &BTreeSet<String>) {
    match json {
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|value| remove(value, machines)),
        Value::Array(values) => values.iter_mut().for_each(|value| remove(value, machines)),
        Value::String(text) => {
            for machine in machines {
                // The names of sticky task queues begin with it.
                *text = text.replace(machine, "");
            }
        }
        _ => {}
    }
}
