//! The embedded Temporal as orders need it: with their search attributes, and with its address
//! noted for the commands that run beside the server.

use super::connect::Profile;
use orders_dev_server::{DevServer, DevServerError, DevServerSettings};
use orders_worker::workflow::search::NAMES;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// In the data directory: where the embedded Temporal of the running server listens.
const ADDRESS: &str = "temporal.address";

/// Returns the settings of a dev server that orders can run on, with its data in `data_dir` and with
/// the profile's namespace.
pub fn settings(data_dir: impl Into<PathBuf>, profile: &Profile) -> DevServerSettings {
    let keyword = |name: &str| (name.to_owned(), "Keyword".to_owned());
    DevServerSettings {
        namespace: profile.namespace().to_owned(),
        search_attributes: NAMES.map(keyword).into(),
        ..DevServerSettings::new(data_dir)
    }
}

/// Starts the dev server and waits until a client can connect to it. `progress` gets a line for each
/// step.
///
/// # Errors
/// When it cannot be started, as [`DevServer::start`] says.
pub async fn start(
    settings: &DevServerSettings,
    profile: &Profile,
    progress: impl Fn(&str),
) -> Result<DevServer, DevServerError> {
    let ready = async |address: SocketAddr| {
        let client = profile.embedded(address).connect(Duration::ZERO).await;
        client.is_ok()
    };
    DevServer::start(settings, progress, ready).await
}

/// Writes the address of the embedded Temporal to the data directory, so that commands that run beside
/// the server find it. A failure is only logged: those commands can be given the address.
pub fn note_address(data_dir: &Path, address: SocketAddr) {
    let path = data_dir.join(ADDRESS);
    if let Err(error) = std::fs::write(&path, address.to_string()) {
        tracing::warn!(%error, path = %path.display(), "the address of Temporal cannot be noted");
    }
}

/// Reads the address that a running server has noted in its data directory.
pub fn noted_address(data_dir: &Path) -> Option<SocketAddr> {
    let noted = std::fs::read_to_string(data_dir.join(ADDRESS)).ok()?;
    noted.trim().parse().ok()
}
