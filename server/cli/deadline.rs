//! `orders deadline`: what an order waits for.

use super::{
    Run,
    connection::Connection,
    failure::Failure,
    options::{ClientOptions, Format},
    order_sheet, print,
    wait::{get, order_of},
};
use clap::Args;
use orders::v1::{GetOrderResponse, Order};

/// Arguments of `orders deadline`.
#[derive(Args, Debug)]
pub struct Deadline {
    /// The order.
    #[arg(value_name = "ORDER_ID")]
    order_id: String,
    #[command(flatten)]
    client: ClientOptions,
}

impl Run for Deadline {
    fn format(&self) -> Format {
        self.client.output
    }

    async fn run(self) -> Result<(), Failure> {
        let connection = Connection::new(&self.client)?;
        let answer = get(&connection, &self.order_id).await?;
        let order = order_of(&answer)?;
        let part = GetOrderResponse {
            order: Some(Order {
                order_id: order.order_id.clone(),
                deadline: order.deadline,
                ..Order::default()
            }),
        };
        print::answer(self.client.output, &part, |lines| match &order.deadline {
            Some(deadline) => lines.line(order_sheet::deadline(deadline)),
            None => lines.line("none"),
        })
    }
}
