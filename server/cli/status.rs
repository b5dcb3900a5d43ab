//! `orders status`: the state of an order.

use super::{
    Run,
    connection::Connection,
    failure::Failure,
    options::{ClientOptions, Format},
    print,
    wait::{get, order_of},
    words,
};
use clap::Args;
use orders::v1::{GetOrderResponse, Order};

/// Arguments of `orders status`.
#[derive(Args, Debug)]
pub struct Status {
    /// The order.
    #[arg(value_name = "ORDER_ID")]
    order_id: String,
    #[command(flatten)]
    client: ClientOptions,
}

impl Run for Status {
    fn format(&self) -> Format {
        self.client.output
    }

    async fn run(self) -> Result<(), Failure> {
        let connection = Connection::new(&self.client)?;
        let answer = get(&connection, &self.order_id).await?;
        let order = order_of(&answer)?;
        // The same message as that of `get`, so that a script finds it at the same place.
        let part = GetOrderResponse {
            order: Some(Order {
                order_id: order.order_id.clone(),
                state: order.state,
                close_reason: order.close_reason,
                revision: order.revision,
                ..Order::default()
            }),
        };
        print::answer(self.client.output, &part, |lines| {
            lines.line(words::state(order.state()));
        })
    }
}
