//! Every request by the name of its message: decoded, and read as its RPC reads it. Nothing is asked
//! of the store or of Temporal.

use super::{
    Parsed, adjust_stock, cancel_order, confirm_delivery, confirm_payment, confirm_pickup,
    explain_order, get_order, get_stock_item, list_order_events, list_orders,
    list_orders_needing_attention, list_stock_items, list_supplier_orders, place_order,
    resolve_payment, retry_order, review_order, set_stock_item, signal_order, start_fulfillment,
    update_shipping_address, watch_order, watch_orders,
};
use jiff::Timestamp;
use orders::v1;
use orders_domain::{place::Violation, policy::book::PolicyBook};
use prost::{DecodeError, Message, Name};

/// Why a request is not taken.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// There is no such request.
    #[error("there is no request {0}: name the message of an RPC, as in orders.v1.GetOrderRequest")]
    Unknown(String),
    /// The bytes are no message of this type.
    #[error("the request cannot be decoded: {0}")]
    Undecodable(#[from] DecodeError),
    /// The request can never be right: INVALID_ARGUMENT.
    #[error("the request has {} violations", .0.len())]
    Invalid(Vec<Violation>),
}

/// One request: its message's name without the package, and how it is read.
struct Check {
    name: &'static str,
    read: fn(&[u8], &PolicyBook, Timestamp) -> Result<(), CheckError>,
}

/// A request that is read without knowing anything else.
macro_rules! check {
    ($request:ident, $parse:expr) => {
        Check {
            name: v1::$request::NAME,
            read: |bytes, _, _| read::<v1::$request, _>(bytes, $parse),
        }
    };
}

const CHECKS: [Check; 24] = [
    Check {
        name: v1::PlaceOrderRequest::NAME,
        read: |bytes, policies, now| {
            let parse = |asked: &_| place_order(asked, policies, now, String::new);
            read(bytes, parse)
        },
    },
    check!(GetOrderRequest, get_order),
    check!(ListOrdersRequest, list_orders),
    check!(WatchOrderRequest, watch_order),
    check!(ListOrderEventsRequest, list_order_events),
    check!(ConfirmPaymentRequest, confirm_payment),
    check!(ReviewOrderRequest, review_order),
    check!(StartFulfillmentRequest, start_fulfillment),
    check!(ConfirmPickupRequest, confirm_pickup),
    check!(ConfirmDeliveryRequest, confirm_delivery),
    check!(UpdateShippingAddressRequest, update_shipping_address),
    check!(CancelOrderRequest, cancel_order),
    check!(SignalOrderRequest, signal_order),
    check!(ListPoliciesRequest, |_| Ok(())),
    check!(WatchOrdersRequest, watch_orders),
    check!(GetStockItemRequest, get_stock_item),
    check!(ListStockItemsRequest, list_stock_items),
    check!(SetStockItemRequest, set_stock_item),
    check!(AdjustStockRequest, adjust_stock),
    check!(ListSupplierOrdersRequest, list_supplier_orders),
    check!(
        ListOrdersNeedingAttentionRequest,
        list_orders_needing_attention
    ),
    check!(ExplainOrderRequest, explain_order),
    check!(RetryOrderRequest, retry_order),
    check!(ResolvePaymentRequest, resolve_payment),
];

/// Decodes and reads the request of this message (`orders.v1.GetOrderRequest`), as its RPC does with
/// these policies at this time.
///
/// # Errors
/// When there is no such request, when it cannot be decoded, and when it is wrong.
pub fn check(
    message: &str,
    bytes: &[u8],
    policies: &PolicyBook,
    now: Timestamp,
) -> Result<(), CheckError> {
    let name = message.strip_prefix("orders.v1.").unwrap_or_default();
    match CHECKS.iter().find(|check| check.name == name) {
        Some(check) => (check.read)(bytes, policies, now),
        None => Err(CheckError::Unknown(message.to_owned())),
    }
}

fn read<M: Message + Default, T>(
    bytes: &[u8],
    parse: impl FnOnce(&M) -> Parsed<T>,
) -> Result<(), CheckError> {
    let asked = M::decode(bytes)?;
    parse(&asked).map(drop).map_err(CheckError::Invalid)
}

#[cfg(test)]
mod tests {
    use super::{super::place_order::samples, *};

    #[test]
    fn a_request_is_found_by_its_name_and_read() {
        let check =
            |message: &str, bytes: &[u8]| check(message, bytes, &samples::book(), samples::now());
        let place = samples::place_order().encode_to_vec();
        assert!(check("orders.v1.PlaceOrderRequest", &place).is_ok());
        let empty = check("orders.v1.GetOrderRequest", &[]);
        assert!(matches!(empty, Err(CheckError::Invalid(found)) if found[0].field == "order_id"));
        let broken = check("orders.v1.GetOrderRequest", &[0xff]);
        assert!(matches!(broken, Err(CheckError::Undecodable(_))));
        for unknown in ["GetOrderRequest", "orders.v1.Order", "orders.v1.", ""] {
            assert!(matches!(check(unknown, &[]), Err(CheckError::Unknown(_))));
        }
    }
}
