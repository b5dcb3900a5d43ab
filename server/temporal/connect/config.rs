//! What Temporal's environment configuration ignores and we do not: a slip there would let a process run
//! on a Temporal of its own, or without the security that was asked for.

use super::ConnectError;
use crate::environment;
use std::{fs, path::Path};
use temporalio_client::envconfig::{
    ClientConfigProfile, DataSource, LoadClientConfigProfileOptions,
};
use temporalio_common::envconfig::load_client_config_profile;

/// The file of the configuration.
const FILE: &str = "TEMPORAL_CONFIG_FILE";

/// The profile in that file.
const PROFILE: &str = "TEMPORAL_PROFILE";

/// The variables that are read.
const KNOWN: [&str; 16] = [
    FILE,
    PROFILE,
    "TEMPORAL_ADDRESS",
    "TEMPORAL_NAMESPACE",
    "TEMPORAL_API_KEY",
    "TEMPORAL_TLS",
    "TEMPORAL_TLS_CLIENT_CERT_PATH",
    "TEMPORAL_TLS_CLIENT_CERT_DATA",
    "TEMPORAL_TLS_CLIENT_KEY_PATH",
    "TEMPORAL_TLS_CLIENT_KEY_DATA",
    "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
    "TEMPORAL_TLS_SERVER_CA_CERT_DATA",
    "TEMPORAL_TLS_SERVER_NAME",
    "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION",
    "TEMPORAL_CODEC_ENDPOINT",
    "TEMPORAL_CODEC_AUTH",
];

/// Those of them that are true or false. Anything else would be ignored.
const BOOLEANS: [&str; 2] = ["TEMPORAL_TLS", "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION"];

/// Reads the configuration.
pub(super) fn load() -> Result<ClientConfigProfile, ConnectError> {
    environment::find(environment::set(), "TEMPORAL_", &KNOWN)?;
    for name in BOOLEANS {
        let value = variable(name).unwrap_or_default().to_lowercase();
        if !matches!(value.as_str(), "" | "true" | "false" | "1" | "0") {
            return Err(ConnectError::NoBoolean(name));
        }
    }
    if let Some(path) = variable(FILE)
        && !Path::new(&path).is_file()
    {
        return Err(ConnectError::NoFile(path));
    }
    let options = LoadClientConfigProfileOptions::builder().config_file_strict(true);
    Ok(load_client_config_profile(options.build(), None)?)
}

/// Refuses a configuration without an address that can only be meant for a cluster. Gives what a person
/// should know of one that is let be.
pub(super) fn check_without_address(
    profile: &ClientConfigProfile,
) -> Result<Option<String>, ConnectError> {
    let tls = profile.tls.as_ref();
    let found = if variable(PROFILE).is_some() {
        "TEMPORAL_PROFILE is set"
    } else if profile.api_key.is_some() {
        "an API key is set"
    } else if tls.is_some_and(|tls| tls.disabled != Some(true)) {
        "TLS is set up"
    } else {
        let file_only = LoadClientConfigProfileOptions::builder().disable_env(true);
        let in_file = load_client_config_profile(file_only.build(), None)?;
        let is_empty = in_file == ClientConfigProfile::default();
        let file = variable(FILE).unwrap_or_else(|| "temporal.toml".to_owned());
        let note = format!("{file} names no address of Temporal in [profile.default]");
        return Ok((!is_empty).then_some(note));
    };
    Err(ConnectError::NoAddress(found))
}

/// Reads the files that the configuration names, so that one that is missing is known at once and by
/// its name.
pub(super) fn read_files(profile: &mut ClientConfigProfile) -> Result<(), ConnectError> {
    let Some(tls) = &mut profile.tls else {
        return Ok(());
    };
    if tls.disabled == Some(true) {
        return Ok(());
    }
    if tls.disable_host_verification {
        return Err(ConnectError::NoHostVerification);
    }
    for (what, source) in [
        ("client certificate", &mut tls.client_cert),
        ("client key", &mut tls.client_key),
        ("server CA certificate", &mut tls.server_ca_cert),
    ] {
        if let Some(DataSource::Path(path)) = source {
            let read = fs::read(&*path).map_err(|reason| ConnectError::Certificate {
                what,
                path: path.clone(),
                reason,
            });
            *source = Some(DataSource::Data(read?));
        }
    }
    Ok(())
}

/// A variable that is set to something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
