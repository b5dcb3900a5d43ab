//! `orders stock list`.

use super::table;
use crate::{
    Run,
    connection::Connection,
    failure::Failure,
    options::{ClientOptions, Format},
    pages, print,
};
use clap::Args;
use orders::v1::{ListStockItemsRequest, ListStockItemsResponse};

/// Arguments of `orders stock list`.
#[derive(Args, Debug)]
pub struct List {
    #[command(flatten)]
    client: ClientOptions,
}

impl Run for List {
    fn format(&self) -> Format {
        self.client.output
    }

    async fn run(self) -> Result<(), Failure> {
        let connection = Connection::new(&self.client)?;
        let read = pages::read(0, async |page_size, page_token| {
            let request = ListStockItemsRequest {
                page_size,
                page_token,
            };
            let answer = connection.call(&request, async |request| {
                connection.inventory().list_stock_items(request).await
            });
            let message = answer.await?.message;
            Ok((message.stock_items, message.next_page_token))
        });
        let (stock_items, next_page_token) = read.await?;
        let all = ListStockItemsResponse {
            stock_items,
            next_page_token,
        };
        print::answer(self.client.output, &all, |lines| {
            table(lines, &all.stock_items);
        })
    }
}
