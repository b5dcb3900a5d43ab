//! Calls below the generated clients: bytes and headers as one likes, by HTTP/2 and by HTTP/1.

use http::{HeaderMap, Method};
use http_body_util::{BodyExt, Full};
use std::time::Duration;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tonic::{Status, body::Body, transport::Channel};
use tower::{Service, ServiceExt};

/// What came back.
#[derive(Debug, Default)]
pub struct Answer {
    /// Of HTTP.
    pub status: u16,
    /// Headers; for gRPC with the trailers among them.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

/// A message as gRPC frames it, with that flag.
pub fn frame(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap();
    [&[flag], &length.to_be_bytes()[..], message].concat()
}

/// The frames of a body, with their flags.
pub fn frames(mut body: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    while body.len() >= 5 {
        let length = u32::from_be_bytes(body[1..5].try_into().unwrap()) as usize;
        if body.len() < 5 + length {
            break;
        }
        found.push((body[0], body[5..5 + length].to_vec()));
        body = &body[5 + length..];
    }
    found
}

impl Answer {
    /// The status, from the headers or from the trailers, where gRPC-Web has them in the body.
    pub fn grpc_status(&self) -> Status {
        let trailers = self.web_trailers();
        let found = Status::from_header_map(&self.headers);
        found
            .or_else(|| Status::from_header_map(&trailers))
            .unwrap_or_else(|| panic!("no status: {self:?}"))
    }

    /// The trailers that gRPC-Web has at the end of its body.
    pub fn web_trailers(&self) -> HeaderMap {
        let mut trailers = HeaderMap::new();
        for (_, text) in frames(&self.body)
            .iter()
            .filter(|(flag, _)| flag & 0x80 != 0)
        {
            for line in std::str::from_utf8(text).unwrap().lines() {
                let (name, value) = line.split_once(':').unwrap();
                let name: http::HeaderName = name.parse().unwrap();
                trailers.insert(name, value.trim().parse().unwrap());
            }
        }
        trailers
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// A gRPC call by HTTP/2 with that body.
pub async fn grpc(address: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
    let mut channel = endpoint.connect().await.unwrap();
    let mut request = http::Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::new(Full::from(body))).unwrap();
    let channel = channel.ready().await.unwrap();
    let response = channel.call(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap();
    let mut headers = parts.headers;
    headers.extend(body.trailers().cloned().unwrap_or_default());
    Answer {
        status: parts.status.as_u16(),
        headers,
        body: body.to_bytes().to_vec(),
    }
}

/// A connection of HTTP/1, as a browser makes it.
pub struct Http1<S = TcpStream> {
    stream: S,
    read: Vec<u8>,
}

impl Http1 {
    /// Sends a request.
    pub async fn send(
        address: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Http1 {
        let stream = TcpStream::connect(address).await.unwrap();
        Http1::send_over(stream, address, method, path, headers, body).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Http1<S> {
    /// Sends a request over a connection that is there.
    pub async fn send_over(
        mut stream: S,
        address: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Http1<S> {
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!(
            "content-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        ));
        stream.write_all(text.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        let read = Vec::new();
        Http1 { stream, read }
    }

    /// Reads on until `enough`, or the end; gives what there is.
    pub async fn until(&mut self, enough: impl Fn(&Answer) -> bool) -> Answer {
        let read = async {
            loop {
                let answer = parse(&self.read);
                if enough(&answer) {
                    return answer;
                }
                let mut bytes = [0; 8192];
                match self.stream.read(&mut bytes).await {
                    Ok(0) | Err(_) => return answer,
                    Ok(count) => self.read.extend_from_slice(&bytes[..count]),
                }
            }
        };
        let patience = Duration::from_secs(30);
        timeout(patience, read).await.expect("an answer in time")
    }

    /// Reads to the end.
    pub async fn answer(mut self) -> Answer {
        self.until(|_| false).await
    }
}

/// As much of an answer as there is.
fn parse(read: &[u8]) -> Answer {
    let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Answer::default();
    };
    let head = std::str::from_utf8(&read[..end]).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap();
        let name: http::HeaderName = name.parse().unwrap();
        headers.append(name, value.trim().parse().unwrap());
    }
    let rest = &read[end + 4..];
    let body = match headers.contains_key("transfer-encoding") {
        true => chunks(rest),
        false => rest.to_vec(),
    };
    Answer {
        status: status.parse().unwrap(),
        headers,
        body,
    }
}

fn chunks(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let length = std::str::from_utf8(&rest[..end]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        let Some(chunk) = rest.get(end + 2..end + 2 + length) else {
            break;
        };
        body.extend_from_slice(chunk);
        rest = rest.get(end + 4 + length..).unwrap_or_default();
    }
    body
}
