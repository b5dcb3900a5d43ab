//! A connection of HTTP/2 frame by frame, for what no client shows: settings, pings, GOAWAY.

use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Types of frames.
pub const HEADERS: u8 = 1;
/// See [`HEADERS`].
pub const RST_STREAM: u8 = 3;
/// See [`HEADERS`].
pub const SETTINGS: u8 = 4;
/// See [`HEADERS`].
pub const PING: u8 = 6;
/// See [`HEADERS`].
pub const GOAWAY: u8 = 7;

/// The flag of an answer to SETTINGS or PING.
pub const ACK: u8 = 1;

/// A frame.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its type.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// The rest of it.
    pub payload: Vec<u8>,
}

/// The bytes of a frame.
pub fn bytes(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let stream = stream.to_be_bytes();
    [&length[1..], &[kind, flags], &stream, payload].concat()
}

/// A client that says only what HTTP/2 asks of it.
pub struct H2 {
    stream: TcpStream,
    /// Whether pings are answered.
    pub alive: bool,
}

impl H2 {
    /// Connects.
    pub async fn connect(address: &str) -> H2 {
        H2::over(TcpStream::connect(address).await.unwrap()).await
    }

    /// Over a connection that is there.
    pub async fn over(mut stream: TcpStream) -> H2 {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        stream.write_all(preface).await.unwrap();
        let mut connection = H2 {
            stream,
            alive: true,
        };
        connection.send(SETTINGS, 0, &[]).await;
        connection
    }

    async fn send(&mut self, kind: u8, flags: u8, payload: &[u8]) {
        // The server may have closed it: what follows shows that.
        let _ = self.write(&bytes(kind, flags, 0, payload)).await;
    }

    /// Sends frames as they are.
    pub async fn write(&mut self, frames: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(frames).await
    }

    /// The connection itself, for those who read no frames.
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// The next frame; none when the server has closed the connection.
    pub async fn next(&mut self) -> Option<Frame> {
        let read = async {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let mut payload = vec![0; length];
            self.stream.read_exact(&mut payload).await.ok()?;
            Some(Frame {
                kind: head[3],
                flags: head[4],
                payload,
            })
        };
        let patience = Duration::from_secs(30);
        let frame = timeout(patience, read).await.expect("a frame in time")?;
        if self.alive && frame.kind == PING && frame.flags & ACK == 0 {
            self.send(PING, ACK, &frame.payload).await;
        }
        Some(frame)
    }

    /// Reads on until a frame of that type.
    pub async fn until(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }
}
