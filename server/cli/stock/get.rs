//! `orders stock get`.

use super::table;
use crate::{
    Run,
    connection::Connection,
    failure::Failure,
    options::{ClientOptions, Format},
    print,
};
use clap::Args;
use orders::v1::GetStockItemRequest;

/// Arguments of `orders stock get`.
#[derive(Args, Debug)]
pub struct Get {
    /// What is stocked.
    sku: String,
    #[command(flatten)]
    client: ClientOptions,
}

impl Run for Get {
    fn format(&self) -> Format {
        self.client.output
    }

    async fn run(self) -> Result<(), Failure> {
        let connection = Connection::new(&self.client)?;
        let request = GetStockItemRequest { sku: self.sku };
        let answer = connection.call(&request, async |request| {
            connection.inventory().get_stock_item(request).await
        });
        let message = answer.await?.message;
        print::answer(self.client.output, &message, |lines| {
            table(lines, &message.stock_item);
        })
    }
}
