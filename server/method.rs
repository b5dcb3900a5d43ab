//! The RPCs of the API and what the contract says of each: its kind, its scope, and how long it may take.
//!
//! The contract is the only list: each RPC carries the option `orders.v1.method`, which is read here once. Load
//! shedding, deadlines, the published service config and the tests look an RPC up by its path.

use orders::v1::MethodKind;
use prost_reflect::{DescriptorError, DescriptorPool, MethodDescriptor, Value};
use std::{collections::HashMap, sync::OnceLock, time::Duration};

/// The package of the API.
const PACKAGE: &str = "orders.v1";

/// What an RPC does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It changes nothing and has one answer.
    Read,
    /// It changes something and has one answer.
    Change,
    /// It changes nothing, and its answers come until it ends.
    Stream,
}

/// One RPC of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// The service's full name: `orders.v1.OrderService`.
    pub service: String,
    /// The RPC's name: `PlaceOrder`.
    pub name: String,
    /// What it does.
    pub kind: Kind,
    /// The scope that a caller needs: `orders.place`. It is declared, and nobody asks for it yet.
    pub scope: String,
    /// How long a call may take whose caller names no deadline. None for a stream.
    pub default_timeout: Option<Duration>,
    /// Whether it answers a page of a list, which is large.
    pub is_list: bool,
}

/// Why the contract has no table of methods.
#[derive(Debug, thiserror::Error)]
pub enum MethodError {
    /// The descriptor set cannot be read.
    #[error("the compiled-in descriptors are broken: {0}")]
    Descriptors(#[from] DescriptorError),
    /// An RPC does not say what it does.
    #[error("{0} has no usable `option (orders.v1.method)`")]
    Option(String),
}

/// All RPCs of the API, by path.
#[derive(Debug, Default)]
pub struct Methods(HashMap<String, Method>);

impl Methods {
    /// Reads the table from the compiled-in descriptor set.
    ///
    /// # Errors
    /// When an RPC does not carry the option. The build script refuses such a contract.
    pub fn read() -> Result<Self, MethodError> {
        let pool = DescriptorPool::decode(orders::FILE_DESCRIPTOR_SET)?;
        let mut methods = HashMap::new();
        for service in pool.services() {
            if service.package_name() != PACKAGE {
                continue;
            }
            for method in service.methods() {
                let described = describe(&pool, &method);
                let described =
                    described.ok_or_else(|| MethodError::Option(method.full_name().to_owned()))?;
                let path = format!("/{}/{}", service.full_name(), method.name());
                methods.insert(path, described);
            }
        }
        Ok(Self(methods))
    }

    /// Returns the RPC of a path such as `/orders.v1.OrderService/PlaceOrder`, if the API has it.
    pub fn get(&self, path: &str) -> Option<&Method> {
        self.0.get(path)
    }

    /// Returns all RPCs with their paths, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Method)> {
        self.0.iter().map(|(path, method)| (path.as_str(), method))
    }
}

static TABLE: OnceLock<Methods> = OnceLock::new();

/// Reads the table of all RPCs, so that it is there for the first call.
///
/// # Errors
/// As [`Methods::read`].
pub fn load() -> Result<(), MethodError> {
    let methods = Methods::read()?;
    // Another server of this process may have read the same.
    let _ = TABLE.set(methods);
    Ok(())
}

/// Returns the RPC of a path.
pub fn find(path: &str) -> Option<&'static Method> {
    table().get(path)
}

/// Returns the table of all RPCs. It is empty where the descriptors are broken, which [`load`] reports.
pub fn table() -> &'static Methods {
    TABLE.get_or_init(|| Methods::read().unwrap_or_default())
}

fn describe(pool: &DescriptorPool, method: &MethodDescriptor) -> Option<Method> {
    let extension = pool.get_extension_by_name("orders.v1.method")?;
    let options = method.options();
    let option = options.get_extension(&extension);
    let option = option.as_message()?;
    let get = |field: &str| {
        option
            .get_field_by_name(field)
            .map(|value| value.into_owned())
    };
    let kind = MethodKind::try_from(get("kind")?.as_enum_number()?).ok()?;
    let timeout = match get("default_timeout") {
        Some(Value::Message(timeout)) if option.has_field_by_name("default_timeout") => {
            let seconds = timeout.get_field_by_name("seconds")?.as_i64()?;
            let nanos = timeout.get_field_by_name("nanos")?.as_i32()?;
            Some(Duration::new(
                u64::try_from(seconds).ok()?,
                u32::try_from(nanos).ok()?,
            ))
        }
        _ => None,
    };
    Some(Method {
        service: method.parent_service().full_name().to_owned(),
        name: method.name().to_owned(),
        kind: match kind {
            MethodKind::Unspecified => return None,
            MethodKind::Read => Kind::Read,
            MethodKind::Change => Kind::Change,
            MethodKind::Stream => Kind::Stream,
        },
        scope: get("scope")?.as_str()?.to_owned(),
        default_timeout: timeout,
        is_list: method.input().get_field_by_name("page_size").is_some(),
    })
}

#[cfg(test)]
mod tests;
