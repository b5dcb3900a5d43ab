//! TLS on the port: its certificates, the handshake, and the identity of clients.
//!
//! | file | what it does |
//! |---|---|
//! | `load` | reads and checks the files |
//! | `certificate` | reads names and dates of a certificate |
//! | `reload` | notices files that change, and certificates that expire |
//! | `plain` | answers clients that speak plain text |

mod certificate;
mod load;
mod plain;
mod reload;

pub use certificate::{SubjectName, TlsIdentity};
pub use load::{TlsError, TlsFiles};

use super::transport::Rewound;
use load::Loaded;
use std::{
    io,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use x509_cert::der;

/// The first byte of every TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// How long a refused client may take to read the reason. The system resets a connection that is closed
/// with unread bytes, and the reason would be lost.
const LINGER: Duration = Duration::from_secs(1);

/// The most that is read of a refused client meanwhile.
const LINGER_BYTES: u64 = 256 * 1024;

/// The certificates of the port, which may be replaced at any time. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tls(Arc<Port>);

#[derive(Debug)]
struct Port {
    files: TlsFiles,
    current: RwLock<Loaded>,
}

/// Why a handshake failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandshakeError {
    /// The client closed the connection during the handshake.
    #[error("the client went away")]
    Gone,
    /// The first byte was not the one of a TLS handshake.
    #[error("the client speaks plain text")]
    Plain,
    /// The client or the server did not accept the other.
    #[error("{0}")]
    Refused(#[source] io::Error),
    /// The client's certificate is valid, but its names cannot be read.
    #[error("the client's certificate cannot be read: {0}")]
    Certificate(#[from] der::Error),
    /// It took too long.
    #[error("it did not end in time")]
    Late,
}

impl From<io::Error> for HandshakeError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe => Self::Gone,
            _ => Self::Refused(error),
        }
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// When they cannot be used.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let current = RwLock::new(files.load()?);
        Ok(Self(Arc::new(Port { files, current })))
    }

    /// Whether clients must show a certificate.
    pub fn asks_clients(&self) -> bool {
        self.0.files.client_ca.is_some()
    }

    fn current(&self) -> RwLockReadGuard<'_, Loaded> {
        let current = self.0.current.read();
        current.unwrap_or_else(PoisonError::into_inner)
    }

    fn replace(&self, loaded: Loaded) {
        let current = self.0.current.write();
        *current.unwrap_or_else(PoisonError::into_inner) = loaded;
    }

    /// Does the handshake of a connection. Returns the stream, and the identity of a client that showed a
    /// certificate. A refused client is told the reason first.
    pub(super) async fn accept(
        &self,
        mut stream: Rewound<TcpStream>,
    ) -> Result<(TlsStream<Rewound<TcpStream>>, Option<TlsIdentity>), HandshakeError> {
        match stream.first().await? {
            None => return Err(HandshakeError::Gone),
            Some(HANDSHAKE) => {}
            Some(_) => {
                plain::refuse(&mut stream).await?;
                linger(&mut stream).await;
                return Err(HandshakeError::Plain);
            }
        }
        let acceptor = TlsAcceptor::from(self.current().config.clone());
        let stream = match acceptor.accept(stream).into_fallible().await {
            Ok(stream) => stream,
            Err((error, mut stream)) => {
                linger(&mut stream).await;
                return Err(error.into());
            }
        };
        let (_, session) = stream.get_ref();
        let shown = session.peer_certificates().and_then(<[_]>::first);
        let identity = shown.map(|shown| TlsIdentity::read(shown)).transpose()?;
        Ok((stream, identity))
    }
}

/// Ends the writing half, and reads until the client has closed its own.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) {
    let rest = async {
        stream.shutdown().await?;
        let mut rest = stream.take(LINGER_BYTES);
        tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
    };
    // The connection is over in any case.
    let _ = timeout(LINGER, rest).await;
}

#[cfg(test)]
mod tests;
