//! Connecting to Temporal: by our own flags, by Temporal's own environment configuration
//! (`TEMPORAL_ADDRESS`, `temporal.toml`, TLS, API key), or to the embedded dev server.

use std::{net::SocketAddr, time::Duration};
use temporalio_client::{
    Client, ClientOptions, Connection, ConnectionOptions, GrpcCompression,
    envconfig::{ClientConfigProfile, LoadClientConfigProfileOptions},
};
use temporalio_common::envconfig::load_client_config_profile;
use url::Host;

/// How to reach Temporal.
#[derive(Clone, Debug)]
pub struct Profile(ClientConfigProfile);

/// Why Temporal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Its environment configuration is wrong.
    #[error("Temporal's environment configuration cannot be used: {0}")]
    Config(#[from] temporalio_client::envconfig::ConfigError),
    /// It does not answer.
    #[error(
        "Temporal at {address} cannot be reached: {reason}\n\
         Check the address (--temporal-address, TEMPORAL_ADDRESS or temporal.toml), or leave it \
         out to use the embedded dev server"
    )]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        reason: String,
    },
}

impl Profile {
    /// Temporal's own environment configuration, with our settings over it.
    ///
    /// # Errors
    /// When that configuration cannot be read.
    pub fn load(address: Option<&str>, namespace: Option<&str>) -> Result<Profile, ConnectError> {
        let options = LoadClientConfigProfileOptions::default();
        let mut profile = load_client_config_profile(options, None)?;
        if let Some(address) = address {
            profile.address = Some(address.to_owned());
        }
        if let Some(namespace) = namespace {
            profile.namespace = Some(namespace.to_owned());
        }
        Ok(Profile(profile))
    }

    /// The address, if any is configured; else the embedded dev server is meant.
    pub fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        self.0.namespace.as_deref().unwrap_or("default")
    }

    /// The same for the embedded dev server, which has neither TLS nor keys.
    pub fn embedded(&self, address: SocketAddr) -> Profile {
        let mut profile = ClientConfigProfile::default();
        profile.address = Some(address.to_string());
        profile.namespace = Some(self.namespace().to_owned());
        Profile(profile)
    }

    /// Connects, trying again for `patience`.
    ///
    /// # Errors
    /// When Temporal does not answer in that time, or refuses.
    pub async fn connect(&self, patience: Duration) -> Result<Client, ConnectError> {
        let end = tokio::time::Instant::now() + patience;
        loop {
            let mut options = ConnectionOptions::try_from(self.0.clone())?;
            options.identity = format!("orders@{}", std::process::id());
            if is_here(&options) {
                options.grpc_compression = GrpcCompression::None;
            }
            let error = match Connection::connect(options).await {
                Ok(connection) => {
                    let options = ClientOptions::new(self.namespace()).build();
                    match Client::new(connection, options) {
                        Ok(client) => return Ok(client),
                        Err(error) => error.to_string(),
                    }
                }
                Err(error) => error.to_string(),
            };
            if tokio::time::Instant::now() >= end {
                return Err(ConnectError::Unreachable {
                    address: self.address().unwrap_or_default().to_owned(),
                    reason: error,
                });
            }
            tracing::debug!(error, "Temporal does not answer yet");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// Whether Temporal is on this machine: then compressing each message, as the SDK does by default, costs
/// both sides time and spares nothing.
fn is_here(options: &ConnectionOptions) -> bool {
    match options.target.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn messages_to_other_machines_are_compressed() {
        let here = |address: &str| {
            let profile = Profile::load(Some(address), None).unwrap();
            is_here(&ConnectionOptions::try_from(profile.0).unwrap())
        };
        for address in ["127.0.0.1:7233", "localhost:7233", "[::1]:7233"] {
            assert!(here(address), "{address}");
        }
        for address in ["10.0.0.1:7233", "temporal.example.com:7233"] {
            assert!(!here(address), "{address}");
        }
    }
}
