//! Which database: a SQLite file, or a PostgreSQL server.

use super::dialect::Dialect;
use sqlx::{ConnectOptions, any::AnyConnectOptions};
use std::{
    fmt,
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use url::Url;

/// Where the business database is.
#[derive(Clone)]
pub enum Database {
    /// A SQLite file, made when it is not there.
    File(PathBuf),
    /// A PostgreSQL database.
    Server {
        /// With everything that is needed to get in.
        url: Url,
        /// The most connections that this process has at once, 2 or more.
        connections: u32,
    },
}

/// Why a URL names no database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// Not even a URL.
    #[error(
        "is not a URL: write postgres://user:password@host:port/name, with / in a password as %2F"
    )]
    NotAUrl,
    /// A URL of something else.
    #[error("must begin with postgres:// or postgresql://")]
    Scheme,
    /// No database in it.
    #[error("must name the database behind the host: postgres://user:password@host:port/name")]
    NoName,
    /// Reading and writing need one each.
    #[error("needs at least 2 connections")]
    Connections,
}

impl Database {
    /// A PostgreSQL database by its URL.
    ///
    /// # Errors
    /// When it is no such URL. The error does not repeat it, since it may hold a password.
    pub fn server(url: &str, connections: u32) -> Result<Self, DatabaseUrlError> {
        let url = Url::parse(url).map_err(|_| DatabaseUrlError::NotAUrl)?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(DatabaseUrlError::Scheme);
        }
        if url.path().trim_matches('/').is_empty() {
            return Err(DatabaseUrlError::NoName);
        }
        match connections {
            0 | 1 => Err(DatabaseUrlError::Connections),
            _ => Ok(Self::Server { url, connections }),
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::File(_) => Dialect::Sqlite,
            Self::Server { .. } => Dialect::Postgres,
        }
    }

    /// How to connect for writing, or for reading only.
    pub(super) fn options(&self, mode: Mode) -> Result<AnyConnectOptions, sqlx::Error> {
        sqlx::any::install_default_drivers();
        match self {
            Self::File(path) => AnyConnectOptions::from_url(&file_url(path, mode)?),
            Self::Server { url, .. } => AnyConnectOptions::from_url(url),
        }
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Write,
    Read,
}

/// A URL's dots and slashes would be simplified, so the folder is named as it really is.
fn file_url(path: &Path, mode: Mode) -> Result<Url, sqlx::Error> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.canonicalize()?,
        _ => std::env::current_dir()?,
    };
    let path = folder.join(path.file_name().unwrap_or_default());
    let text = path.to_str().ok_or_else(|| {
        let reason = "its path is not UTF-8: choose another data directory";
        sqlx::Error::Configuration(reason.into())
    })?;
    let encoded = percent_encoding::utf8_percent_encode(text, PATH);
    let mode = match mode {
        Mode::Write => "rwc",
        Mode::Read => "ro",
    };
    Url::parse(&format!("sqlite://{encoded}?mode={mode}"))
        .map_err(|error| sqlx::Error::Configuration(error.into()))
}

/// Makes an empty file that only its owner may read, whatever the umask; one that is there stays as it is.
/// SQLite gives the files beside a database the rights of the database.
pub(super) fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    options.open(path)
}

/// What does not stand for itself in a path.
const PATH: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_');

/// For people: without user and password.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Server { url, .. } => {
                let host = url.host_str().unwrap_or("localhost");
                let port = url.port().unwrap_or(5432);
                write!(f, "{host}:{port}{}", url.path())
            }
        }
    }
}

/// A password must not be written anywhere.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({self})")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_password_is_never_said() {
        let url = "postgres://me:s3cret@db.example.com/orders?password=s3cret";
        let database = Database::server(url, 16).unwrap();
        assert_eq!(database.to_string(), "db.example.com:5432/orders");
        assert!(!format!("{database:?}").contains("s3cret"));
        for wrong in [
            "postgres://me:s3cret/x@db/orders",
            "mysql://me:s3cret@db/orders",
            "postgres://me:s3cret@db",
        ] {
            let error = Database::server(wrong, 16).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
        let few = Database::server(url, 1).unwrap_err();
        assert_eq!(few, DatabaseUrlError::Connections);
    }
}
