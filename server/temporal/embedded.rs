//! The embedded Temporal as orders need it: with their search attributes, and with its address
//! noted for the commands that run beside the server.

use super::connect::Profile;
use backon::{BackoffBuilder, ExponentialBuilder};
use orders_dev_server::{DevServer, DevServerError, DevServerSettings};
use orders_worker::workflow::search::NAMES;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// The longest pause before the dev server is started again, without its jitter.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The pauses before the dev server is started again.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(500))
    .with_max_delay(LONGEST_PAUSE)
    .with_jitter()
    .without_max_times();

/// How long it may be away. Whoever watches over the server may then know better.
const GIVE_UP: Duration = Duration::from_secs(600);

/// In the data directory: the database of the embedded Temporal.
pub const DATABASE: &str = "temporal.db";

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
    DevServer::start(settings, progress, |address| serves(profile, address)).await
}

async fn serves(profile: &Profile, address: SocketAddr) -> bool {
    let client = profile.embedded(address).connect(Duration::ZERO).await;
    client.is_ok()
}

/// Keeps the dev server running: whenever it ends (its disk is full, say, or it is killed), it is started
/// again. Returns why it ended once it could not be started again for [`GIVE_UP`]. Orders wait meanwhile, as
/// they do for any Temporal that is away.
pub async fn keep(dev_server: &mut DevServer, profile: &Profile) -> DevServerError {
    loop {
        let mut reason = dev_server.exited().await;
        tracing::error!(%reason, "the embedded Temporal ended: it is started again");
        let ended = Instant::now();
        let mut pauses = PAUSES.build();
        loop {
            sleep(pauses.next().unwrap_or(LONGEST_PAUSE)).await;
            let progress = |line: &str| tracing::info!("{line}");
            let ready = |address| serves(profile, address);
            match dev_server.restart(progress, ready).await {
                Ok(()) => break,
                Err(_) if ended.elapsed() > GIVE_UP => return reason,
                Err(error) => {
                    tracing::error!(%error, "the embedded Temporal cannot be started again now");
                    reason = error;
                }
            }
        }
    }
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
