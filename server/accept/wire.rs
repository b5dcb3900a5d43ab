//! The bytes of a connection: counted, and given up when the peer does not take them.

use super::connection::Connection;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// After so many new calls of one connection, they are worked on before more is read. It is not known earlier
/// how many of them were cancelled.
const CALLS_AT_ONCE: u32 = 128;

/// A stream of bytes that counts what passes and ends when nothing can be written for some time.
#[derive(Debug)]
pub struct Wire<S> {
    inner: S,
    connection: Arc<Connection>,
    write_timeout: Duration,
    /// Runs while a write waits.
    blocked: Option<Pin<Box<Sleep>>>,
    is_blocked: bool,
    /// Runs while nothing is read, because too many calls were cancelled.
    paused: Option<Pin<Box<Sleep>>>,
    /// How many calls had begun when others were last let go first.
    begun: u32,
}

impl<S> Wire<S> {
    /// Wraps `inner`. With TLS inside, the bytes that are counted are those of HTTP.
    pub fn new(inner: S, connection: Arc<Connection>, write_timeout: Duration) -> Self {
        Self {
            inner,
            connection,
            write_timeout,
            blocked: None,
            is_blocked: false,
            paused: None,
            begun: 0,
        }
    }

    /// Waits until more may be read.
    fn poll_pause(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let begun = self.connection.begun();
        if begun.wrapping_sub(self.begun) >= CALLS_AT_ONCE {
            self.begun = begun;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            if let Some(paused) = &mut self.paused {
                ready!(paused.as_mut().poll(context));
                self.paused = None;
            }
            let Some(pause) = self.connection.pause() else {
                return Poll::Ready(());
            };
            self.paused = Some(Box::pin(sleep(pause)));
        }
    }

    /// Passes on what a write came to, unless it has waited too long.
    fn written<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.is_blocked = false;
            return written;
        }
        let timeout = self.write_timeout;
        let timer = self.blocked.get_or_insert_with(|| Box::pin(sleep(timeout)));
        if !self.is_blocked {
            self.is_blocked = true;
            timer.as_mut().reset(Instant::now() + timeout);
        }
        ready!(timer.as_mut().poll(context));
        let text = "the peer takes nothing";
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, text)))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_pause(context));
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let read = buffer.filled().get(before..).unwrap_or_default();
        self.connection.has_read(read);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        let count = ready!(self.written(context, written))?;
        self.connection.has_written(count);
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        let count = ready!(self.written(context, written))?;
        self.connection.has_written(count);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // With TLS a flush writes, too.
        let flushed = Pin::new(&mut self.inner).poll_flush(context);
        self.written(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.inner).poll_shutdown(context);
        self.written(context, shut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accept::{pool::Pools, registry::Registry, transport::Rewound, turns::Turns};
    use bytes::Bytes;
    use std::net::{IpAddr, Ipv4Addr};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    fn connection() -> Arc<Connection> {
        let registry = Registry::new(Pools::default(), Turns::new(1), 9, 9, 9);
        let peer = IpAddr::from(Ipv4Addr::LOCALHOST);
        let admitted = Arc::new(registry).admit(peer, None, false).unwrap();
        admitted.connection().clone()
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_given_up_and_a_slow_one_is_not() {
        let timeout = Duration::from_millis(1500);
        let (near, mut far) = duplex(8);
        let mut wire = Wire::new(near, connection(), timeout);
        let slow = async {
            let mut bytes = [0; 8];
            for _ in 0..6 {
                tokio::time::sleep(timeout / 3).await;
                far.read_exact(&mut bytes).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(wire.write_all(&[7; 56]), slow);
        written.unwrap();
        let begun = Instant::now();
        let error = wire.write_all(&[7; 8]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(begun.elapsed() >= timeout);
        assert_eq!(wire.connection.bytes(), [0, 56]);
    }

    #[tokio::test]
    async fn what_was_read_ahead_comes_first_and_a_preface_is_seen() {
        let (near, mut far) = duplex(64);
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        far.write_all(&preface[5..]).await.unwrap();
        let ahead = Bytes::copy_from_slice(&preface[..5]);
        let connection = connection();
        let mut wire = Wire::new(
            Rewound::new(near, ahead),
            connection.clone(),
            Duration::from_secs(1),
        );
        let mut read = [0; 24];
        wire.read_exact(&mut read[..23]).await.unwrap();
        assert!(!connection.has_greeted());
        wire.read_exact(&mut read[23..]).await.unwrap();
        assert_eq!(&read, preface);
        assert!(connection.has_greeted());
        connection.has_read(b"more");
        assert!(connection.has_greeted());
        let other = self::connection();
        other.has_read(b"POST / HTTP/1.1\r\n and much more");
        assert!(!other.has_greeted());
    }
}
