//! Proxies that may name the client they speak for.

use http::HeaderMap;
use ipnet::IpNet;
use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

/// The header by which a proxy names the client, one address behind the other.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The addresses of trusted proxies. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// Those networks, together.
    pub fn new(networks: &[IpNet]) -> Self {
        Self(networks.into())
    }

    /// Whether an address is the one of a trusted proxy.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client that a trusted proxy names in a request's headers: the rightmost address that is
    /// not a trusted proxy's. What stands left of it is the client's own word. None if there is no
    /// such address, or something else stands where it should be.
    pub fn forwarded(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let mut named = headers.get_all(FORWARDED_FOR).iter().collect::<Vec<_>>();
        named.reverse();
        for line in named {
            for text in line.to_str().ok()?.rsplit(',') {
                let address = parse(text.trim())?;
                if !self.contains(address) {
                    return Some(address);
                }
            }
        }
        None
    }
}

/// An address with or without a port, as proxies write it.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.split(']').next())
        .unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    let (address, port) = bare.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    let address: IpAddr = address.parse().ok()?;
    address.is_ipv4().then_some(address)
}

/// What counts as one address: of IPv6 the network of 64 bits, within which a client may choose.
pub fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn proxies() -> TrustedProxies {
        TrustedProxies::new(&["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()])
    }

    fn forwarded(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        let address = proxies().forwarded(&headers);
        address.map(|address| address.to_string())
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_is_the_client() {
        for (lines, client) in [
            (&["192.0.2.1"][..], Some("192.0.2.1")),
            (&["192.0.2.1, 10.1.2.3"], Some("192.0.2.1")),
            (&["203.0.113.9, 192.0.2.1,10.1.2.3"], Some("192.0.2.1")),
            (&["203.0.113.9", "192.0.2.1", "10.0.0.1"], Some("192.0.2.1")),
            (&["192.0.2.1:4711"], Some("192.0.2.1")),
            (&["[2001:db8::1]:4711, fd00::1"], Some("2001:db8::1")),
            (&["2001:db8::1"], Some("2001:db8::1")),
            (&["::ffff:192.0.2.1"], Some("192.0.2.1")),
            (&["10.0.0.1"], None),
            (&["192.0.2.1, unknown"], None),
            (&["192.0.2.1, "], None),
            (&[""], None),
            (&[], None),
        ] {
            assert_eq!(forwarded(lines).as_deref(), client, "{lines:?}");
        }
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let counted = |text: &str| counted(text.parse().unwrap()).to_string();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(counted("::ffff:192.0.2.1"), "192.0.2.1");
        assert!(proxies().contains("::ffff:10.0.0.1".parse().unwrap()));
        assert!(!proxies().contains("192.0.2.1".parse().unwrap()));
    }
}
