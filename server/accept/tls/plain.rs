//! Answers to clients that speak plain text to a TLS port, in their own protocol: their error then says
//! what is wrong, rather than that a connection broke.

use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The advice to the client. The command line client reads the error code below, not this text.
const ADVICE: &str = "this port speaks TLS: use https://";

/// The first bytes of a client of HTTP/2.
const PREFACE: &[u8] = b"PRI * HTTP/2";

/// An empty SETTINGS frame, which a server of HTTP/2 has to send first.
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

/// A GOAWAY frame after its length: its head, the last stream that was read (none), and the error code
/// INADEQUATE_SECURITY.
const GOAWAY: [u8; 14] = [7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0c];

/// Answers a client by its first bytes. One whose protocol is unknown gets no answer.
pub(super) async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> io::Result<()> {
    let mut begun = Vec::new();
    // The preface may come in parts.
    while begun.len() < PREFACE.len() && PREFACE.starts_with(&begun) {
        if stream.read_buf(&mut begun).await? == 0 {
            break;
        }
    }
    stream.write_all(&answer(&begun)).await
}

fn answer(begun: &[u8]) -> Vec<u8> {
    if begun.starts_with(PREFACE) {
        let length = GOAWAY.len() - 6 + ADVICE.len();
        let head = [0, 0, u8::try_from(length).unwrap_or_default()];
        return [&SETTINGS[..], &head, &GOAWAY, ADVICE.as_bytes()].concat();
    }
    if begun.first().is_some_and(u8::is_ascii_uppercase) {
        let length = ADVICE.len();
        let text = format!(
            "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n{ADVICE}"
        );
        return text.into_bytes();
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_of_http_2_understands_why_it_is_refused() {
        let (near, mut far) = tokio::io::duplex(4096);
        let (client, connection) = h2::client::handshake(near).await.unwrap();
        let connection = tokio::spawn(connection);
        refuse(&mut far).await.unwrap();
        let mut client = client.ready().await.unwrap();
        let (answer, _) = client.send_request(http::Request::default(), true).unwrap();
        let error = answer.await.unwrap_err();
        assert_eq!(error.reason(), Some(h2::Reason::INADEQUATE_SECURITY));
        assert!(error.to_string().contains("use https://"), "{error}");
        assert!(connection.await.unwrap().is_err());
    }

    #[test]
    fn a_browser_gets_a_page_and_others_get_nothing() {
        let page = answer(b"GET / HTTP/1.1\r\nhost: a\r\n");
        assert!(page.starts_with(b"HTTP/1.1 400 ") && page.ends_with(ADVICE.as_bytes()));
        assert_eq!(answer(b"\0\0\0"), b"");
        assert_eq!(answer(b""), b"");
    }
}
