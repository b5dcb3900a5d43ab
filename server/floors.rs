//! The modules of the server and of the worker stand on floors: each uses only what is below it. The
//! order of the floors is that of the table in the crate's documentation.

#![allow(clippy::unwrap_used, reason = "tests")]

use regex::Regex;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The folders that hold a crate's modules, below the root of the workspace.
const CRATES: [&str; 2] = ["server", "worker"];

/// Folders without sources of ours.
const FOREIGN: [&str; 4] = ["target", "node_modules", "generated", "clients"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All Rust files below a folder. `nested`: also those of crates inside of it.
fn sources(folder: &Path, nested: bool) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_other_crate = !nested && path.join("Cargo.toml").exists();
        if path.is_dir() && !name.starts_with('.') && !FOREIGN.contains(&name) && !is_other_crate {
            files.extend(sources(&path, nested));
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
    files
}

/// A file without its comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules in the table of a crate's documentation, the highest floor first.
fn floors(lib: &str) -> Vec<String> {
    let row = Regex::new(r"(?m)^//! \| \[`(\w+)`\] \|").unwrap();
    let rows = row.captures_iter(lib);
    rows.map(|found| found[1].to_owned()).collect()
}

/// The first names of the paths that begin with `crate::`, also in the braces of a `use`.
fn used(code: &str) -> BTreeSet<&str> {
    let paths = code.match_indices("crate::").flat_map(|(at, prefix)| {
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(braces) => parts(braces),
            None => vec![rest],
        }
    });
    paths.map(first_name).collect()
}

/// The parts between the commas of the outermost braces, of which the text is what follows the first.
fn parts(braces: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut depth) = (Vec::new(), 0, 0);
    for (at, c) in braces.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                parts.push(braces[begin..at].trim());
                begin = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    parts
}

fn first_name(path: &str) -> &str {
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_');
    &path[..end.unwrap_or(path.len())]
}

fn is_test(path: &Path) -> bool {
    let path = path.to_str().unwrap();
    path.contains("/tests") || path.ends_with("tests.rs") || path.contains("_tests/")
}

#[test]
fn no_module_uses_one_of_a_higher_floor() {
    let declared = Regex::new(r"(?m)^(?:pub )?mod (\w+);").unwrap();
    let mut wrong = Vec::new();
    for name in CRATES {
        let folder = root().join(name).canonicalize().unwrap();
        let lib = fs::read_to_string(folder.join("lib.rs")).unwrap();
        let floors = floors(&lib);
        let lib = lib.replace("#[cfg(test)]\nmod ", "");
        for module in declared
            .captures_iter(&lib)
            .map(|found| found[1].to_owned())
        {
            if !floors.contains(&module) {
                wrong.push(format!("{name}/lib.rs: {module} is not in the table"));
            }
        }
        for path in sources(&folder, false) {
            let relative = path.strip_prefix(&folder).unwrap();
            let module = relative.iter().next().unwrap().to_str().unwrap();
            let module = module.trim_end_matches(".rs");
            let floor = |module: &str| floors.iter().position(|floor| floor == module);
            let (Some(own), false) = (floor(module), is_test(&path)) else {
                continue;
            };
            // So many times `super` is the crate; in tests of the same file it is something else.
            let root = "super::".repeat(relative.iter().count());
            let text = code(&path).replace(&root, "crate::");
            let text = text.split("mod tests {").next().unwrap();
            for other in used(text) {
                if floor(other).is_some_and(|other| other < own) {
                    wrong.push(format!("{}: uses {other}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_module_is_a_file_of_another_folder() {
    let attribute = concat!("#[", "path");
    let files = sources(&root().canonicalize().unwrap(), true);
    let with: Vec<_> = files
        .iter()
        .filter(|path| code(path).contains(attribute))
        .collect();
    assert!(with.is_empty(), "{with:?}");
}

#[test]
fn paths_are_found_wherever_they_stand() {
    let code =
        "use crate::{a, b::{c, d::e}, f::g};\npub use crate::h::x;\nlet x = crate::i::j(crate::k);";
    let names = used(code);
    assert_eq!(Vec::from_iter(names), ["a", "b", "f", "h", "i", "k"]);
}
