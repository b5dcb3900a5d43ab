//! `orders stock supplier-orders`.

use crate::{
    Run,
    connection::Connection,
    failure::Failure,
    lines::Side,
    options::{ClientOptions, Format},
    pages, print, time, words,
};
use clap::Args;
use orders::v1::{ListSupplierOrdersRequest, ListSupplierOrdersResponse, SupplierOrder};

/// Arguments of `orders stock supplier-orders`.
#[derive(Args, Debug)]
pub struct SupplierOrders {
    /// Only those of this sku.
    #[arg(default_value = "", hide_default_value = true)]
    sku: String,

    /// How many at most; 0 for all.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,

    #[command(flatten)]
    client: ClientOptions,
}

impl Run for SupplierOrders {
    fn format(&self) -> Format {
        self.client.output
    }

    async fn run(self) -> Result<(), Failure> {
        let connection = Connection::new(&self.client)?;
        let read = pages::read(self.limit, async |page_size, page_token| {
            let request = ListSupplierOrdersRequest {
                sku: self.sku.clone(),
                page_size,
                page_token,
            };
            let answer = connection.call(&request, async |request| {
                connection.inventory().list_supplier_orders(request).await
            });
            let message = answer.await?.message;
            Ok((message.supplier_orders, message.next_page_token))
        });
        let (supplier_orders, next_page_token) = read.await?;
        let all = ListSupplierOrdersResponse {
            supplier_orders,
            next_page_token,
        };
        print::answer(self.client.output, &all, |lines| {
            let head = [
                ("SUPPLIER ORDER", Side::Left),
                ("SKU", Side::Left),
                ("QUANTITY", Side::Right),
                ("STATE", Side::Left),
                ("OPENED", Side::Left),
                ("DELIVERED", Side::Left),
            ];
            let rows: Vec<Vec<String>> = all.supplier_orders.iter().map(row).collect();
            lines.table(&head, &rows);
        })
    }
}

fn row(order: &SupplierOrder) -> Vec<String> {
    let at = |time: Option<&_>| time.map_or_else(String::new, time::local);
    vec![
        order.supplier_order_id.clone(),
        order.sku.clone(),
        order.quantity.to_string(),
        words::supplier_order_state(order.state()).to_owned(),
        at(order.open_time.as_ref()),
        at(order.deliver_time.as_ref()),
    ]
}
