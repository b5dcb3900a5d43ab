//! What a process opens before it does anything: the database, and Temporal.

use super::{ServeError, progress};
use crate::{
    convert::UiLinks,
    private,
    settings::{CommonSettings, UiAddress},
    temporal::{
        Temporal,
        connect::Profile,
        embedded::{self, note_address},
    },
};
use orders_dev_server::{DevServer, DevServerSettings};
use orders_store::{Store, migrate::Migrations};
use std::{path::Path, time::Duration};

/// How long Temporal may take to answer when the program starts.
const CONNECT: Duration = Duration::from_secs(30);

/// What a process has open, beside what it serves.
pub(super) struct Base {
    /// The business database.
    pub(super) store: Store,
    /// Temporal.
    pub(super) temporal: Temporal,
    /// Where Temporal's web UI is, if that is known.
    pub(super) ui: Option<UiLinks>,
    /// The embedded Temporal, if there is one.
    pub(super) dev_server: Option<DevServer>,
    /// How Temporal is reached.
    pub(super) profile: Profile,
}

/// How to reach Temporal, as the settings and its own configuration say.
pub(super) fn load_profile(settings: &CommonSettings) -> Result<Profile, ServeError> {
    let address = settings.temporal_address.as_deref();
    Ok(Profile::load(address, settings.namespace.as_deref())?)
}

/// Opens what a process needs, the embedded Temporal with it where no other is named.
///
/// # Errors
/// When something of it cannot be used.
pub(super) async fn open(settings: &CommonSettings) -> Result<Base, ServeError> {
    let database = settings.database.database()?;
    make_private_dir(&settings.database.data_dir)?;
    let profile = load_profile(settings)?;
    progress(&format!("database {database}"));
    let migrations = match settings.no_migrate {
        true => Migrations::Require,
        false => Migrations::Apply,
    };
    let store = Store::connect(&database, migrations).await?;
    let (profile, dev_server) = match profile.address() {
        Some(_) => (profile, None),
        None => {
            if let Some(note) = profile.note() {
                progress(&format!("{note}: the embedded dev server is used"));
            }
            let dev_server = start_dev_server(settings, &profile).await?;
            note_address(&settings.database.data_dir, dev_server.address());
            (profile.embedded(dev_server.address()), Some(dev_server))
        }
    };
    let ui = dev_server.as_ref().and_then(DevServer::ui_url);
    let ui = ui.map(|base_url| UiLinks {
        base_url,
        namespace: profile.namespace().to_owned(),
    });
    let address = profile.address().unwrap_or_default();
    progress(&format!("connecting to Temporal at {address}"));
    let client = profile.connect_saying(CONNECT, progress).await?;
    let mut temporal = Temporal::new(client, &settings.task_queue).at(address);
    if settings.versioning.version().is_some() {
        temporal = temporal.without_eager_start();
    }
    if settings.no_order_state {
        temporal = temporal.without_order_state();
    }
    if dev_server.is_some() {
        temporal.keep_histories().await;
    }
    temporal.make_searchable().await;
    Ok(Base {
        store,
        temporal,
        ui,
        dev_server,
        profile,
    })
}

impl Base {
    /// Shows orders with links to a web UI at that address, whoever runs it.
    pub(super) fn show_ui_at(&mut self, address: &UiAddress) {
        self.ui = Some(UiLinks {
            base_url: address.as_str().to_owned(),
            namespace: self.temporal.namespace().to_owned(),
        });
    }
}

pub(super) fn make_private_dir(path: &Path) -> Result<(), ServeError> {
    let made = private::make_private_dir(path);
    made.map_err(|source| ServeError::DataDir {
        path: path.to_owned(),
        source,
    })
}

async fn start_dev_server(
    settings: &CommonSettings,
    profile: &Profile,
) -> Result<DevServer, ServeError> {
    let dev_server = DevServerSettings {
        cli: settings.temporal_cli.clone(),
        ..embedded::settings(&settings.database.data_dir, profile)
    };
    Ok(embedded::start(&dev_server, profile, progress).await?)
}
