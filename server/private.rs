//! What only its owner may read: addresses, tokens and messages of customers are in the data directory.

use nix::sys::stat::{Mode, umask};
use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::Path,
};

/// The rights of everybody but the owner.
const OTHERS: u32 = 0o077;

/// The names that files of ours begin with: the databases with their logs, and what is around Temporal's.
const OURS: [&str; 2] = ["orders.db", "temporal."];

/// From here on, whatever this process or a child of it creates is for its owner only.
pub fn keep_others_out() {
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
}

/// Makes a folder for its owner only, where there is none. One that is there stays as it is, since others
/// may need to enter it: files of ours in it are closed to them, and the log says so.
///
/// # Errors
/// When it cannot be made.
pub fn make_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path)?;
    let folder = fs::metadata(path)?;
    if folder.mode() & OTHERS != 0 {
        tracing::warn!(
            path = %path.display(),
            mode = format!("{:o}", folder.mode() & 0o7777),
            "other users may enter this folder: its files are closed to them; `chmod 700` closes it, too"
        );
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_ours = OURS
            .iter()
            .any(|ours| name.as_encoded_bytes().starts_with(ours.as_bytes()));
        if is_ours {
            close_to_others(&entry.path());
        }
    }
    Ok(())
}

/// Takes the rights of others from a file.
fn close_to_others(path: &Path) {
    let Ok(file) = fs::symlink_metadata(path) else {
        return;
    };
    if !file.is_file() || file.mode() & OTHERS == 0 {
        return;
    }
    match fs::set_permissions(path, Permissions::from_mode(0o600)) {
        Ok(()) => tracing::info!(path = %path.display(), "other users could read this file"),
        Err(error) => tracing::warn!(
            path = %path.display(), %error,
            "other users may read this file, and that cannot be changed"
        ),
    }
}
