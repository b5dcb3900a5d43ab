//! `orders stock set`.

use super::table;
use crate::{
    Run,
    command::before,
    connection::Connection,
    failure::Failure,
    options::{ChangeOptions, ClientOptions, Format},
    print,
};
use clap::Args;
use orders::v1::{SetStockItemRequest, StockItem};

/// Arguments of `orders stock set`. What is left out stays as it is; for a new sku it is 0.
#[derive(Args, Debug)]
pub struct Set {
    /// What is stocked.
    sku: String,

    /// Pieces in the warehouse, with those that are reserved.
    #[arg(long, value_name = "COUNT", required_unless_present_any = ["reorder_point", "reorder_level"])]
    on_hand: Option<i64>,

    /// An order that lowers what is available below this opens a supplier order.
    #[arg(long, value_name = "COUNT")]
    reorder_point: Option<i64>,

    /// Pieces to which a supplier order fills up; 0 for never.
    #[arg(long, value_name = "COUNT")]
    reorder_level: Option<i64>,

    /// Refuse it when the stock of the sku is not at this revision any more; 0 for a sku that must be new.
    #[arg(long, value_name = "REVISION", help_heading = "Request")]
    expected_revision: Option<i64>,

    #[command(flatten)]
    change: ChangeOptions,
    #[command(flatten)]
    client: ClientOptions,
}

impl Run for Set {
    fn format(&self) -> Format {
        self.client.output
    }

    async fn run(self) -> Result<(), Failure> {
        let connection = Connection::new(&self.client)?;
        let request = SetStockItemRequest {
            stock_item: Some(StockItem {
                sku: self.sku,
                on_hand: self.on_hand,
                reorder_point: self.reorder_point,
                reorder_level: self.reorder_level,
                ..StockItem::default()
            }),
            request_id: self.change.request_id(),
            actor: self.change.actor(),
            expected_revision: self.expected_revision,
        };
        let answer = connection
            .call(&request, async |request| {
                connection.inventory().set_stock_item(request).await
            })
            .await
            .map_err(|failure| failure.of_request(&request.request_id))?;
        print::answer(self.client.output, &answer.message, |lines| {
            table(lines, &answer.message.stock_item);
            if answer.replayed {
                lines.line(before(true).trim_start());
            }
        })
    }
}
