//! Where the Temporal CLI is.

use std::path::{Path, PathBuf};

/// Names the CLI, before any other place.
const VARIABLE: &str = "ORDERS_TEMPORAL_CLI";

/// Where `make tools` puts it, in the project's folder.
const INSTALLED: &str = ".tools/bin/temporal";

/// The CLI: named by the environment, on the path, or installed by `make tools` in the current
/// folder or above the program (which lies in `target/release`).
pub(super) fn cli() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return Some(PathBuf::from(named)).filter(|path| path.is_file());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("temporal"));
    let program = std::env::current_exe().ok();
    let above = program.iter().flat_map(|program| program.ancestors());
    let here = std::env::current_dir().ok();
    let installed = here.as_deref().into_iter().chain(above.map(Path::new));
    on_path
        .chain(installed.map(|folder| folder.join(INSTALLED)))
        .find(|path| path.is_file())
}
