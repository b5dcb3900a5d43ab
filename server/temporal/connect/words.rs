//! Why a connection fails, in words for the person who wrote the address.

use std::{
    error::Error,
    io::{self, ErrorKind},
};
use temporalio_client::errors::ClientConnectError;
use tonic::{Code, Status};

/// In words; `is_tls` when the connection was to use TLS.
pub(super) fn in_words(error: &ClientConnectError, is_tls: bool) -> String {
    match error {
        ClientConnectError::TonicTransportError(error) => transport(error, is_tls),
        ClientConnectError::SystemInfoCallError(status) => of_call(status, is_tls),
        ClientConnectError::InvalidUri(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// The first call on a new connection failed.
fn of_call(status: &Status, is_tls: bool) -> String {
    if status.source().is_some() {
        return transport(status, is_tls);
    }
    let message = status.message();
    match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => {
            format!("it refuses who we are (API key, client certificate): {message}")
        }
        code if message.is_empty() => code.description().to_owned(),
        _ => message.to_owned(),
    }
}

fn transport(error: &(dyn Error + 'static), is_tls: bool) -> String {
    let causes = causes(error);
    let texts: Vec<String> = causes.iter().map(ToString::to_string).collect();
    let find = |part: &str| texts.iter().find(|text| text.contains(part));
    if find("failed to lookup address information").is_some() {
        return "the name cannot be resolved".to_owned();
    }
    if find("InvalidContentType").is_some() {
        return "it does not speak TLS, which an API key or a TLS setting turns on (TEMPORAL_TLS=false \
                turns it off)"
            .to_owned();
    }
    if let Some(text) = find("invalid peer certificate") {
        return format!("its certificate is not accepted ({text})");
    }
    if find("CertificateRequired").is_some() {
        return "it wants a client certificate".to_owned();
    }
    if let Some(text) = find("received fatal alert") {
        return format!("it refuses the TLS handshake ({text})");
    }
    let kinds = causes
        .iter()
        .filter_map(|cause| cause.downcast_ref::<io::Error>());
    for kind in kinds.map(io::Error::kind) {
        match kind {
            ErrorKind::ConnectionRefused => return "connection refused".to_owned(),
            ErrorKind::TimedOut => return "no answer".to_owned(),
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                return "there is no way to that host".to_owned();
            }
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
                return broke_off(is_tls);
            }
            _ => {}
        }
    }
    // HTTP/2 gives up on bytes that are none, or finds the connection gone before it has read them.
    let of_http = ["http2 error", "h2 protocol error", "connection closed"];
    if of_http.iter().any(|text| find(text).is_some()) {
        return broke_off(is_tls);
    }
    let deepest = texts.last().cloned().unwrap_or_default();
    match deepest.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => deepest,
    }
}

fn broke_off(is_tls: bool) -> String {
    let hint = if is_tls {
        "is it Temporal's gRPC port?"
    } else {
        "is it Temporal's gRPC port, and does it want TLS?"
    };
    format!("it broke the connection off ({hint})")
}

/// An error and all that caused it. What an `io::Error` holds is not in its chain.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut causes = vec![error];
    let mut next = Some(error);
    while let Some(error) = next {
        next = match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
        causes.extend(next);
    }
    causes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_an_io_error_holds_is_found() {
        let inner = io::Error::other("received corrupt message of type InvalidContentType");
        let outer = io::Error::new(ErrorKind::InvalidData, inner);
        assert!(transport(&outer, true).contains("does not speak TLS"));
        let reset = io::Error::from(ErrorKind::ConnectionReset);
        assert!(transport(&reset, false).contains("want TLS"));
        let closed = io::Error::other("connection closed");
        assert!(transport(&closed, false).contains("want TLS"));
        let unknown = io::Error::from_raw_os_error(13);
        assert_eq!(transport(&unknown, false), "Permission denied");
    }

    #[test]
    fn who_is_refused_is_told_so() {
        let refused = ClientConnectError::SystemInfoCallError(Status::unauthenticated("bad key"));
        let words = in_words(&refused, true);
        assert!(
            words.contains("API key") && words.contains("bad key"),
            "{words}"
        );
    }
}
