//! The PROXY protocol, version 2: what a TCP proxy sends ahead of a connection's bytes to say for
//! whom it speaks. Read from trusted proxies only.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};
use tokio::io::AsyncReadExt;

/// The twelve bytes that every header begins with. No HTTP request does.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The longest part after the first 16 bytes that is read: addresses and some extensions.
const LONGEST: usize = 2048;

/// Whether these first bytes of a connection may be those of a header.
pub fn may_begin(bytes: &[u8]) -> bool {
    let length = bytes.len().min(SIGNATURE.len());
    bytes[..length] == SIGNATURE[..length]
}

/// Reads a header from the beginning of a connection. Returns the client that it names; none for a
/// connection of the proxy's own, as for a health check.
///
/// # Errors
/// When the header is malformed, or the connection breaks.
pub async fn read<R: AsyncReadExt + Unpin>(stream: &mut R) -> io::Result<Option<IpAddr>> {
    let mut head = [0; 16];
    stream.read_exact(&mut head).await?;
    let [signature @ .., command, family, high, low] = head;
    if signature != SIGNATURE {
        return Err(malformed("no signature"));
    }
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > LONGEST {
        return Err(malformed("too long"));
    }
    let mut rest = [0; LONGEST];
    let rest = rest.get_mut(..length).unwrap_or_default();
    stream.read_exact(rest).await?;
    match command {
        // Of the proxy's own.
        0x20 => Ok(None),
        0x21 => source(family, rest),
        _ => Err(malformed("an unknown version or command")),
    }
}

fn source(family: u8, addresses: &[u8]) -> io::Result<Option<IpAddr>> {
    let short = || malformed("too short for its addresses");
    match family >> 4 {
        1 => {
            let bytes = addresses.first_chunk::<4>().ok_or_else(short)?;
            Ok(Some(Ipv4Addr::from(*bytes).into()))
        }
        2 => {
            let bytes = addresses.first_chunk::<16>().ok_or_else(short)?;
            Ok(Some(Ipv6Addr::from(*bytes).to_canonical()))
        }
        // Unspecified, or a Unix socket.
        _ => Ok(None),
    }
}

fn malformed(what: &str) -> io::Error {
    let text = format!("the header of the PROXY protocol is malformed: {what}");
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    async fn named(bytes: &[u8]) -> Result<Option<String>, io::ErrorKind> {
        let mut bytes = bytes;
        let read = read(&mut bytes).await;
        read.map(|address| address.map(|address| address.to_string()))
            .map_err(|error| error.kind())
    }

    #[tokio::test]
    async fn a_header_names_the_client() {
        let v4 = [192, 0, 2, 1, 10, 0, 0, 1, 0x12, 0x34, 0, 80];
        let v6 = [&[0x20, 0x01, 0x0d, 0xb8][..], &[0; 12], &[0; 16], &[0; 4]].concat();
        let extended = [&v4[..], &[4, 0, 1, 0]].concat();
        for (bytes, client) in [
            (header(0x21, 0x11, &v4), Some("192.0.2.1")),
            (header(0x21, 0x11, &extended), Some("192.0.2.1")),
            (header(0x21, 0x21, &v6), Some("2001:db8::")),
            (header(0x20, 0x00, &[]), None),
            (header(0x21, 0x00, &[]), None),
        ] {
            assert_eq!(named(&bytes).await.unwrap().as_deref(), client);
            assert!(may_begin(&bytes));
        }
        // What comes behind it is left for HTTP.
        let bytes = [header(0x21, 0x11, &v4), b"PRI".to_vec()].concat();
        let mut rest = &bytes[..];
        read(&mut rest).await.unwrap();
        assert_eq!(rest, b"PRI");
    }

    #[tokio::test]
    async fn what_is_malformed_is_refused() {
        for bytes in [
            header(0x11, 0x11, &[0; 12]),
            header(0x2f, 0x11, &[0; 12]),
            header(0x21, 0x11, &[0; 3]),
            header(0x21, 0x21, &[0; 12]),
            header(0x21, 0x11, &[0; LONGEST + 1]),
            b"PRI * HTTP/2.0\r\n\r\nSM".to_vec(),
        ] {
            assert_eq!(named(&bytes).await, Err(io::ErrorKind::InvalidData));
        }
        assert!(named(&header(0x21, 0x11, &[0; 12])[..20]).await.is_err());
        assert!(!may_begin(b"PRI"));
        assert!(!may_begin(b"POST /"));
        assert!(may_begin(b"\r\n"));
    }

    proptest! {
        #[test]
        fn no_header_panics(rest in prop::collection::vec(any::<u8>(), 0..64), command: u8, family: u8) {
            let bytes = header(command, family, &rest);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _ = runtime.block_on(named(&bytes));
        }
    }
}
