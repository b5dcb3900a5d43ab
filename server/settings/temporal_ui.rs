//! The address of Temporal's web UI.

use std::str::FromStr;
use url::Url;

/// The address of a web UI, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UiAddress(String);

impl UiAddress {
    /// The address, as links begin.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UiAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "write it as https://temporal.example.com or http://HOST:PORT/PATH";
        let url = Url::parse(text).map_err(|error| format!("{error}: {form}"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(format!("not an address of a web page: {form}"));
        }
        // Every order carries it to whoever may read the order.
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold a user or a password, since orders show it".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!("must end before any `?` or `#`: {form}"));
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn only_the_address_of_a_web_page_is_taken() {
        let cases = [
            ("http://localhost:8233", "http://localhost:8233"),
            (
                "https://temporal.example.com/",
                "https://temporal.example.com",
            ),
            (
                "https://example.com/temporal/ui/",
                "https://example.com/temporal/ui",
            ),
            ("https://[::1]:8080", "https://[::1]:8080"),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<UiAddress>().unwrap().as_str(), expected);
        }
        for text in [
            "",
            "temporal.example.com",
            "localhost:8233",
            "ftp://temporal.example.com",
            "javascript:alert(1)",
            "https://",
            "https://ada:secret@temporal.example.com",
            "https://temporal.example.com/?namespace=x",
            "https://temporal.example.com/#top",
        ] {
            let error = text.parse::<UiAddress>().unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
