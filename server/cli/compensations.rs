//! `orders compensations`: what has been or is being undone.

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

/// Arguments of `orders compensations`.
#[derive(Args, Debug)]
pub struct Compensations {
    /// The order.
    #[arg(value_name = "ORDER_ID")]
    order_id: String,
    #[command(flatten)]
    client: ClientOptions,
}

impl Run for Compensations {
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
                compensations: order.compensations.clone(),
                ..Order::default()
            }),
        };
        print::answer(self.client.output, &part, |lines| {
            for compensation in &order.compensations {
                lines.line(order_sheet::compensation(compensation));
            }
            if order.compensations.is_empty() {
                lines.line("none");
            }
        })
    }
}
