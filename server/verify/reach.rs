//! Reaching the database and Temporal, beside a server that runs or without one.

use crate::{
    settings::{CommonSettings, DatabaseSettings, DatabaseSettingsError},
    temporal::{
        Temporal, TemporalError,
        connect::{ConnectError, Profile},
        embedded::{self, noted_address},
    },
};
use orders_dev_server::{DevServer, DevServerError, DevServerSettings};
use orders_store::{Store, StoreError, database::Database, migrate::Migrations, open::OpenError};
use std::{path::PathBuf, time::Duration};

/// How long Temporal may take to answer.
const CONNECT: Duration = Duration::from_secs(10);

/// Why something cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// There is no database to look at.
    #[error("there is no database {0}: name the data directory of the server with --data-dir")]
    NoDatabase(PathBuf),
    /// The URL of the database is none.
    #[error(transparent)]
    Settings(#[from] DatabaseSettingsError),
    /// The database cannot be used, or is not of this version.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database is a server's, and nothing says which Temporal runs its orders.
    #[error(
        "which Temporal runs the orders of this database? {0} holds none: name it with \
         --temporal-address, name the data directory of the server with --data-dir, or leave it out \
         with --no-temporal"
    )]
    WhichTemporal(PathBuf),
    /// Temporal does not answer.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The embedded Temporal cannot be started.
    #[error(transparent)]
    DevServer(#[from] DevServerError),
    /// Temporal answers no more.
    #[error("Temporal cannot be asked: {0}")]
    Temporal(#[from] TemporalError),
    /// A server runs, and does not say where its Temporal is.
    #[error(
        "a server uses {0}, and where its Temporal listens cannot be read there: name it with \
         --temporal-address, or stop the server"
    )]
    Unknown(PathBuf),
}

impl ReachError {
    /// Returns the program's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Settings(_) | Self::WhichTemporal(_) => 2,
            _ => 3,
        }
    }
}

/// Temporal, and our own embedded one if no server runs one.
pub struct Reached {
    /// Temporal.
    pub temporal: Temporal,
    own: Option<DevServer>,
}

impl Reached {
    /// Stops what was started for it.
    pub async fn leave(self) {
        if let Some(dev_server) = self.own {
            dev_server.stop().await;
        }
    }
}

/// Refuses settings that name a database server and no Temporal. A new, empty one in the data
/// directory would lack every workflow, and a repair would start them all a second time.
///
/// # Errors
/// When nothing says which Temporal it is.
pub fn require_temporal(settings: &CommonSettings) -> Result<(), ReachError> {
    let DatabaseSettings {
        data_dir,
        database_url,
        ..
    } = &settings.database;
    let is_embedded = database_url.is_none() || data_dir.join(embedded::DATABASE).is_file();
    if is_embedded || profile(settings)?.address().is_some() {
        return Ok(());
    }
    Err(ReachError::WhichTemporal(data_dir.clone()))
}

fn profile(settings: &CommonSettings) -> Result<Profile, ConnectError> {
    Profile::load(
        settings.temporal_address.as_deref(),
        settings.namespace.as_deref(),
    )
}

/// The database, as it is.
///
/// # Errors
/// When it is not there, or not of this version.
pub async fn store(settings: &CommonSettings) -> Result<Store, ReachError> {
    let database = settings.database.database()?;
    if let Database::File(path) = &database
        && !path.is_file()
    {
        return Err(ReachError::NoDatabase(path.clone()));
    }
    Ok(Store::connect(&database, Migrations::Require).await?)
}

/// Temporal: the one that is named, that of the server that runs, or the embedded one, started for
/// this and without a worker.
///
/// # Errors
/// When it cannot be reached.
pub async fn temporal(settings: &CommonSettings) -> Result<Reached, ReachError> {
    let profile = profile(settings)?;
    let (profile, own) = match profile.address() {
        Some(_) => (profile, None),
        None => embedded(settings, &profile).await?,
    };
    let client = profile.connect_saying(CONNECT, |line| eprintln!("orders: {line}"));
    let client = client.await?;
    let temporal = Temporal::new(client, &settings.task_queue);
    Ok(Reached { temporal, own })
}

async fn embedded(
    settings: &CommonSettings,
    profile: &Profile,
) -> Result<(Profile, Option<DevServer>), ReachError> {
    let dev_server = DevServerSettings {
        cli: settings.temporal_cli.clone(),
        preferred_port: 0,
        ui: false,
        lock_patience: Duration::ZERO,
        ..embedded::settings(&settings.database.data_dir, profile)
    };
    let say = |line: &str| tracing::debug!("{line}");
    match embedded::start(&dev_server, profile, say).await {
        Ok(dev_server) => Ok((profile.embedded(dev_server.address()), Some(dev_server))),
        Err(DevServerError::InUse { .. }) => {
            let data_dir = &settings.database.data_dir;
            let address = noted_address(data_dir);
            let address = address.ok_or_else(|| ReachError::Unknown(data_dir.clone()))?;
            Ok((profile.embedded(address), None))
        }
        Err(error) => Err(error.into()),
    }
}
