//! What is around the server goes away or goes wrong, and comes back: orders wait and go on, callers are
//! told the truth, and the process stays up.

mod clock;
mod database;
mod disk;
mod frozen;
mod late_namespace;
mod namespace;
mod not_current;
mod poisoned;

use orders::v1::{Order, OrderState};
use orders_test_support::{Client, Placing};

/// Places an order and waits until it is with the carrier.
async fn shipped(client: &Client, policy: &str, sku: &str) -> Order {
    let placing = Placing::new(policy, sku);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::InTransit).await
}
