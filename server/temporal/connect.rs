//! Connecting to Temporal: by our own flags, by Temporal's own environment configuration
//! (`TEMPORAL_ADDRESS`, `temporal.toml`, TLS, API key), or to the embedded dev server.

mod config;
mod words;

use crate::environment::Misspelt;
use std::{io, net::SocketAddr, time::Duration};
use temporalio_client::{
    Client, ClientOptions, Connection, ConnectionOptions, GrpcCompression,
    envconfig::ClientConfigProfile,
};
use tokio::time::{Instant, sleep, timeout};
use url::Host;
use words::in_words;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// How long one try may take: an address behind a firewall answers never.
const ATTEMPT: Duration = Duration::from_secs(5);

/// How to reach Temporal.
#[derive(Clone, Debug)]
pub struct Profile {
    config: ClientConfigProfile,
    note: Option<String>,
}

/// Why Temporal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Its environment configuration is wrong.
    #[error("Temporal's environment configuration cannot be used: {0}")]
    Config(#[from] temporalio_client::envconfig::ConfigError),
    /// A variable has a slip in its name.
    #[error(transparent)]
    Variable(#[from] Misspelt),
    /// A variable is neither true nor false.
    #[error("{0} must be true or false")]
    NoBoolean(&'static str),
    /// The configuration file is not there.
    #[error("TEMPORAL_CONFIG_FILE names {0}, and there is no such file")]
    NoFile(String),
    /// A file of the TLS settings cannot be read.
    #[error("the {what} for Temporal cannot be read from {path}: {reason}")]
    Certificate {
        /// What should be in it.
        what: &'static str,
        /// The file.
        path: String,
        /// Why.
        #[source]
        reason: io::Error,
    },
    /// The check of the server's name cannot be switched off.
    #[error(
        "Temporal's TLS setting disable_host_verification is not supported: name the server's CA \
         certificate (server_ca_cert_path) and its name (server_name) instead"
    )]
    NoHostVerification,
    /// The configuration is for a cluster, and does not say where that is.
    #[error(
        "{0}, but no address of Temporal: give one (--temporal-address, TEMPORAL_ADDRESS, or \
         `address` in temporal.toml). To use the embedded dev server, unset it"
    )]
    NoAddress(&'static str),
    /// No address at all.
    #[error(
        "the address of Temporal is empty: write HOST:PORT, or leave it out to use the embedded dev \
         server"
    )]
    EmptyAddress,
    /// Where Temporal listens has no usual port.
    #[error("the address of Temporal, {0}, has no port: write {0}:7233")]
    NoPort(String),
    /// It does not answer.
    #[error(
        "Temporal at {address} cannot be reached: {reason}\n\
         Check the address (--temporal-address, TEMPORAL_ADDRESS or temporal.toml), or leave it \
         out to use the embedded dev server"
    )]
    Unreachable {
        /// Where.
        address: String,
        /// Why, in words.
        reason: String,
    },
}

impl ConnectError {
    /// Whether the settings are wrong, rather than Temporal away.
    pub fn is_of_settings(&self) -> bool {
        !matches!(self, Self::Unreachable { .. })
    }
}

impl Profile {
    /// Temporal's own environment configuration, with our settings over it.
    ///
    /// # Errors
    /// When that configuration cannot be read, or holds something that would be ignored.
    pub fn load(address: Option<&str>, namespace: Option<&str>) -> Result<Profile, ConnectError> {
        let mut config = config::load()?;
        if let Some(address) = address {
            config.address = Some(address.to_owned());
        }
        if let Some(namespace) = namespace {
            config.namespace = Some(namespace.to_owned());
        }
        let note = match &config.address {
            None => config::check_without_address(&config)?,
            Some(address) => {
                check_address(address)?;
                config::read_files(&mut config)?;
                // An address that is none is known now, and not after half a minute.
                ConnectionOptions::try_from(config.clone())?;
                None
            }
        };
        Ok(Profile { config, note })
    }

    /// The address, if any is configured; else the embedded dev server is meant.
    pub fn address(&self) -> Option<&str> {
        self.config.address.as_deref()
    }

    /// Why a person may be surprised that the embedded dev server is used.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        self.config.namespace.as_deref().unwrap_or("default")
    }

    /// The same for the embedded dev server, which has neither TLS nor keys.
    pub fn embedded(&self, address: SocketAddr) -> Profile {
        let mut config = ClientConfigProfile::default();
        config.address = Some(address.to_string());
        config.namespace = Some(self.namespace().to_owned());
        Profile { config, note: None }
    }

    /// Connects, trying again for `patience`.
    ///
    /// # Errors
    /// When Temporal does not answer in that time, or refuses.
    pub async fn connect(&self, patience: Duration) -> Result<Client, ConnectError> {
        self.connect_saying(patience, |_| {}).await
    }

    /// Connects, trying again for `patience`. `say` gets a line whenever there is a new reason to wait.
    ///
    /// # Errors
    /// As [`Profile::connect`].
    pub async fn connect_saying(
        &self,
        patience: Duration,
        say: impl Fn(&str),
    ) -> Result<Client, ConnectError> {
        let end = Instant::now() + patience;
        let address = self.address().unwrap_or_default();
        let mut said = String::new();
        loop {
            let mut options = ConnectionOptions::try_from(self.config.clone())?;
            options.identity = format!("orders@{}", std::process::id());
            if is_here(&options) {
                options.grpc_compression = GrpcCompression::None;
            }
            let is_tls = options.tls_options.is_some();
            let reason = match timeout(ATTEMPT, Connection::connect(options)).await {
                Ok(Ok(connection)) => {
                    let options = ClientOptions::new(self.namespace()).build();
                    match Client::new(connection, options) {
                        Ok(client) => return Ok(client),
                        Err(error) => error.to_string(),
                    }
                }
                Ok(Err(error)) => in_words(&error, is_tls),
                Err(_) => format!("no answer within {} s", ATTEMPT.as_secs()),
            };
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ConnectError::Unreachable {
                    address: address.to_owned(),
                    reason,
                });
            }
            if reason != said {
                let seconds = left.as_secs_f32().ceil();
                say(&format!(
                    "waiting for Temporal at {address}: {reason}; for at most {seconds} s"
                ));
                said = reason;
            }
            sleep(PAUSE).await;
        }
    }
}

/// Refuses an address that would be taken for another one.
fn check_address(address: &str) -> Result<(), ConnectError> {
    if address.is_empty() {
        return Err(ConnectError::EmptyAddress);
    }
    let is_url = address.contains("://");
    // Port 80 would be meant, where no Temporal listens.
    if !is_url && !address.contains(']') && !address.contains(':') {
        return Err(ConnectError::NoPort(address.to_owned()));
    }
    Ok(())
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
            is_here(&ConnectionOptions::try_from(profile.config).unwrap())
        };
        for address in ["127.0.0.1:7233", "localhost:7233", "[::1]:7233"] {
            assert!(here(address), "{address}");
        }
        for address in ["10.0.0.1:7233", "temporal.example.com:7233"] {
            assert!(!here(address), "{address}");
        }
    }

    #[test]
    fn an_address_that_would_be_taken_for_another_is_refused() {
        for address in [
            "127.0.0.1:7233",
            "[::1]:7233",
            "https://temporal.example.com",
        ] {
            assert!(Profile::load(Some(address), None).is_ok(), "{address}");
        }
        for (address, part) in [
            ("", "is empty"),
            ("temporal.internal", "write temporal.internal:7233"),
            ("temporal.internal:port", "configuration"),
        ] {
            let error = Profile::load(Some(address), None).unwrap_err();
            assert!(error.is_of_settings());
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[tokio::test]
    async fn nobody_there_is_said_in_words() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let profile = Profile::load(Some(&address), None).unwrap();
        let lines = std::sync::Mutex::new(Vec::new());
        let say = |line: &str| lines.lock().unwrap().push(line.to_owned());
        let patience = Duration::from_millis(300);
        let error = profile.connect_saying(patience, say).await.unwrap_err();
        assert!(!error.is_of_settings());
        let error = error.to_string();
        assert!(error.contains(": connection refused\n"), "{error}");
        // Each reason once.
        let lines = lines.into_inner().unwrap();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(
            lines[0].contains("connection refused; for at most"),
            "{lines:?}"
        );
    }
}
