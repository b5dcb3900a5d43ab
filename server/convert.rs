//! Proto to domain and back. The only place that knows both.
//!
//! A request becomes a domain type, or all of its violations at once. A domain type becomes a
//! message by full destructuring, so that a new field does not build until it is handled. Nothing
//! here does I/O or reads a clock: whoever needs the time passes it in.
//!
//! # Layout
//!
//! | file | what it holds |
//! |---|---|
//! | `violations` | the collector of what is wrong with a request |
//! | `text`, `time`, `money`, `address`, `line_item`, `payment_method`, `enums` | one kind of value each, both ways |
//! | `place_order`, `command`, `signal_order`, `read`, `list_orders`, `watch`, `inventory`, `operator` | requests |
//! | `check` | every request by its name |
//! | `filter`, `page`, `fill` | the filter language, page sizes and page tokens, filling a page |
//! | `movement` | what a payment provider outside is asked, and answers |
//! | `order`, `event`, `policy`, `cancel_preview` | answers |

mod address;
mod cancel_preview;
mod check;
mod command;
mod enums;
mod event;
mod fill;
mod filter;
mod inventory;
mod line_item;
mod list_orders;
mod money;
mod movement;
mod operator;
mod order;
mod page;
mod payment_method;
mod place_order;
mod policy;
mod read;
mod signal_order;
mod text;
mod time;
mod violations;
mod watch;

pub use cancel_preview::cancel_preview;
pub use check::{CheckError, check};
pub use command::{
    cancel_order, confirm_delivery, confirm_payment, confirm_pickup, review_order,
    start_fulfillment, update_shipping_address,
};
pub use event::event;
pub use fill::{BYTES_MOST, ITEM_MOST, Page};
pub use filter::parse as filter;
pub use inventory::{
    ListStockItems, ListSupplierOrders, adjust_stock, get_stock_item, list_stock_items,
    list_supplier_orders, set_stock_item, stock_item, supplier_order,
};
pub use list_orders::{ListOrders, list_orders};
pub use money::{amount, money};
pub use movement::{moved, movement, payment_token, resolved};
pub use operator::{
    ListOrdersNeedingAttention, explain_order, explanation, list_orders_needing_attention,
    needing_attention, resolve_payment, retry_order,
};
pub use order::{UiLinks, order};
pub use place_order::{PlaceOrder, place_fingerprint, place_order};
pub use policy::policy;
pub use read::{GetOrder, ListOrderEvents, get_order, list_order_events};
pub use signal_order::signal_order;
pub use watch::{WatchOrder, WatchOrders, position_token, watch_order, watch_orders};

use orders_domain::place::Violation;

/// Everything that is wrong with a request, or what it asks for.
pub type Parsed<T> = Result<T, Vec<Violation>>;
