//! Web pages: which of them may call (gRPC-Web, CORS), and that no other one does.
//!
//! There is no authentication, so a page that anybody opens must not drive a server on somebody's
//! loopback. A browser names the page in the header `Origin` of every POST, and a page cannot change
//! it; also not one whose host name was pointed at this server later (DNS rebinding).

use crate::error::Error;
use futures::future::{BoxFuture, FutureExt};
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use std::{
    str::FromStr,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tonic::body::Body;
use tower::{Layer, Service};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// What a page may see of an answer, beside its body.
const EXPOSED: [&str; 8] = [
    "grpc-status",
    "grpc-message",
    "grpc-status-details-bin",
    "grpc-encoding",
    "grpc-accept-encoding",
    "grpc-retry-pushback-ms",
    orders::REPLAYED,
    "orders-position",
];

/// What a page may send with a call.
const SENT: [&str; 12] = [
    "content-type",
    "authorization",
    "x-grpc-web",
    "x-user-agent",
    "grpc-timeout",
    "grpc-encoding",
    "grpc-accept-encoding",
    "grpc-previous-rpc-attempts",
    "connect-protocol-version",
    "connect-timeout-ms",
    "traceparent",
    "tracestate",
];

/// How long a browser may remember that a page may call.
const REMEMBER: Duration = Duration::from_secs(7200);

/// Pages that may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebOrigin {
    /// Those served from this machine, on any port: `localhost`, `127.0.0.1`, `[::1]`.
    Loopback,
    /// All of them.
    Any,
    /// None of them.
    None,
    /// Those of one origin.
    Exact(Origin),
}

/// Where a page comes from: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl FromStr for WebOrigin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "loopback" => Ok(Self::Loopback),
            "*" => Ok(Self::Any),
            "none" => Ok(Self::None),
            _ => Origin::parse(text).map(Self::Exact).ok_or_else(|| {
                "give loopback, *, none, or an origin as https://shop.example.com".to_owned()
            }),
        }
    }
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let scheme = uri.scheme_str()?;
        let usual_port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let authority = uri.authority()?;
        // What is left of the text would be a user or a path: no origin has one.
        let rest = text.get(scheme.len() + "://".len()..)?;
        if !rest.eq_ignore_ascii_case(authority.as_str()) || rest.contains('@') {
            return None;
        }
        let port = authority.port_u16();
        if port.is_none() && authority.as_str() != authority.host() {
            return None;
        }
        Some(Self {
            scheme: scheme.to_owned(),
            host: authority.host().to_ascii_lowercase(),
            port: port.filter(|port| *port != usual_port),
        })
    }

    fn is_loopback(&self) -> bool {
        matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "[::1]")
    }
}

/// All pages that may call. Cheap to clone.
#[derive(Clone, Debug)]
pub struct WebOrigins(Arc<[WebOrigin]>);

impl WebOrigins {
    /// Those, together.
    pub fn new(origins: &[WebOrigin]) -> Self {
        Self(origins.into())
    }

    /// Whether any page may call at all.
    pub fn any(&self) -> bool {
        self.0.iter().any(|origin| *origin != WebOrigin::None)
    }

    fn allow(&self, named: &HeaderValue) -> bool {
        let origin = named.to_str().ok().and_then(Origin::parse);
        self.0.iter().any(|allowed| match allowed {
            WebOrigin::Any => true,
            WebOrigin::None => false,
            WebOrigin::Loopback => origin.as_ref().is_some_and(Origin::is_loopback),
            WebOrigin::Exact(exact) => origin.as_ref() == Some(exact),
        })
    }

    /// What tells browsers which pages may call.
    pub fn cors(&self) -> CorsLayer {
        let origins = self.clone();
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(move |origin, _| {
                origins.allow(origin)
            }))
            .allow_methods([Method::POST])
            .allow_headers(SENT.map(HeaderName::from_static))
            .expose_headers(EXPOSED.map(HeaderName::from_static))
            .max_age(REMEMBER)
    }
}

/// Refuses calls of other pages, before anything is done: CORS alone only keeps the answer from them.
#[derive(Clone, Debug)]
pub struct OriginLayer(WebOrigins);

impl OriginLayer {
    /// Only these may call, and whoever is no page.
    pub fn new(origins: WebOrigins) -> Self {
        Self(origins)
    }
}

/// See [`OriginLayer`].
#[derive(Clone, Debug)]
pub struct OriginService<S> {
    inner: S,
    origins: WebOrigins,
}

impl<S> Layer<S> for OriginLayer {
    type Service = OriginService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let origins = self.0.clone();
        OriginService { inner, origins }
    }
}

impl<S> Service<Request<Body>> for OriginService<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut named = request.headers().get_all(header::ORIGIN).iter();
        let foreign = named.find(|origin| !self.origins.allow(origin));
        if let Some(origin) = foreign {
            let origin = origin.to_str().unwrap_or("?").to_owned();
            let path = request.uri().path();
            tracing::warn!(path, origin, "a call of a web page that may not call");
            let refused = Error::Origin(origin).into_status("").into_http();
            return futures::future::ready(Ok(refused)).boxed();
        }
        self.inner.call(request).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(allowed: &str, origin: &str) -> bool {
        let allowed: Vec<WebOrigin> = allowed.split(',').map(|o| o.parse().unwrap()).collect();
        WebOrigins::new(&allowed).allow(&HeaderValue::from_str(origin).unwrap())
    }

    #[test]
    fn loopback_is_this_machine_on_any_port_and_nothing_that_looks_like_it() {
        for page in [
            "http://localhost",
            "http://localhost:3000",
            "https://localhost:8443",
            "http://127.0.0.1:5173",
            "http://[::1]:80",
        ] {
            assert!(allows("loopback", page), "{page}");
        }
        for page in [
            "http://localhost.evil.example",
            "http://evil.example",
            "http://127.0.0.1.evil.example:50051",
            "http://localhost@evil.example",
            "http://evil.example/localhost",
            "http://localhost:80:80",
            "http://localhost:",
            "http://[::2]",
            "http://0.0.0.0:50051",
            "ftp://localhost",
            "file://",
            "null",
            "",
            "localhost",
            "http://localhost http://localhost",
        ] {
            assert!(!allows("loopback", page), "{page}");
        }
    }

    #[test]
    fn an_origin_is_its_scheme_host_and_port() {
        let shop = "https://Shop.example.com:443";
        assert!(allows(shop, "https://shop.example.com"));
        for other in [
            "http://shop.example.com",
            "https://shop.example.com:8443",
            "https://shop.example.com.evil.example",
            "http://localhost",
        ] {
            assert!(!allows(shop, other), "{other}");
        }
        assert!(allows("loopback,https://a.example", "https://a.example"));
        assert!(allows("*", "null"));
        assert!(!allows("none", "http://localhost"));
        for wrong in [
            "shop.example.com",
            "https://a.example/",
            "https://a@b",
            "all",
        ] {
            assert!(wrong.parse::<WebOrigin>().is_err(), "{wrong}");
        }
    }
}
