//! The folder of golden files: `golden/RELEASE/NAME.json`.

use super::sample::Sample;
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::PathBuf};

/// Names the release whose payloads are accepted, as in `v2`.
const ACCEPT: &str = "GOLDEN_RELEASE";

/// All golden files.
pub struct Golden {
    /// By name, oldest release first.
    files: BTreeMap<String, Vec<File>>,
}

/// A golden file.
pub struct File {
    /// Which release wrote so first.
    pub release: String,
    /// What.
    pub json: Value,
}

/// The release that is being accepted, if one is.
pub fn accepting() -> Option<String> {
    std::env::var(ACCEPT)
        .ok()
        .filter(|release| !release.is_empty())
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/golden"))
}

fn number(release: &str) -> u32 {
    let number = release
        .strip_prefix('v')
        .and_then(|number| number.parse().ok());
    number.unwrap_or_else(|| panic!("{release}: a release is named v1, v2, ..."))
}

impl Golden {
    /// Reads all of them.
    pub fn read() -> Golden {
        let mut files = BTreeMap::<String, Vec<File>>::new();
        for folder in fs::read_dir(folder()).into_iter().flatten() {
            let folder = folder.unwrap();
            let release = folder.file_name().into_string().unwrap();
            for file in fs::read_dir(folder.path()).unwrap() {
                let path = file.unwrap().path();
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                let text = fs::read_to_string(&path).unwrap();
                let json = serde_json::from_str(&text);
                let json = json.unwrap_or_else(|error| panic!("{release}/{name}: {error}"));
                let release = release.clone();
                files.entry(name).or_default().push(File { release, json });
            }
        }
        for of_name in files.values_mut() {
            of_name.sort_by_key(|file| number(&file.release));
        }
        Golden { files }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The names that there are.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// All of a name, oldest first.
    pub fn all(&self, name: &str) -> &[File] {
        self.files.get(name).map_or(&[], Vec::as_slice)
    }

    /// The newest of a name.
    pub fn newest(&self, name: &str) -> Option<&File> {
        self.all(name).last()
    }

    /// Writes those that are new or have changed as those of a release. What is there stays as it is.
    pub fn accept(&self, release: &str, samples: &[Sample]) {
        let all = self
            .files
            .values()
            .flatten()
            .map(|file| number(&file.release));
        let newest = all.max().unwrap_or(0);
        assert!(
            number(release) >= newest,
            "{release} is older than the newest release, v{newest}: released payloads never change"
        );
        let folder = folder().join(release);
        fs::create_dir_all(&folder).unwrap();
        for sample in samples {
            let newest = self.newest(&sample.name);
            if newest.is_some_and(|newest| newest.json == sample.json) {
                continue;
            }
            let path = folder.join(format!("{}.json", sample.name));
            assert!(
                !path.exists(),
                "{release}/{}: was accepted before, and released payloads never change: name another \
                 release. (One that no build was released with may be deleted first.)",
                sample.name
            );
            let text = serde_json::to_string_pretty(&sample.json).unwrap();
            fs::write(path, text + "\n").unwrap();
            println!("accepted {release}/{}", sample.name);
        }
    }
}
