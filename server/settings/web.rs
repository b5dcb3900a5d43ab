//! Settings of gRPC-Web.

use crate::layer::{WebOrigin, WebOrigins};
use clap::Args;

/// Which web pages may call.
#[derive(Args, Clone, Debug)]
pub struct WebSettings {
    /// The origins whose pages may call by gRPC-Web: as in `https://shop.example.com`; `loopback` for
    /// pages served from this machine; `*` for all; `none` turns gRPC-Web off. May be given more than
    /// once.
    #[arg(
        long = "web-origin",
        env = "ORDERS_WEB_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ',',
        default_value = "loopback",
        help_heading = "Limits"
    )]
    origins: Vec<WebOrigin>,
}

impl WebSettings {
    /// All pages that may call.
    pub fn origins(&self) -> WebOrigins {
        WebOrigins::new(&self.origins)
    }
}
