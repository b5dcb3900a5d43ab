//! `orders list`: a table of orders.

use super::{
    Run, amount,
    connection::Connection,
    failure::Failure,
    filter::FilterOptions,
    lines::Side,
    options::{ClientOptions, Format},
    pages, print, time, words,
};
use clap::Args;
use orders::v1::{ListOrdersRequest, ListOrdersResponse, Order};

/// Arguments of `orders list`. All filters have to be met.
#[derive(Args, Debug)]
pub struct List {
    #[command(flatten)]
    which: FilterOptions,

    /// What to sort by: `place_time` or `place_time desc`.
    #[arg(long, value_name = "FIELD", default_value = "place_time desc")]
    order_by: String,

    /// How many at most; 0 for all.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,

    #[command(flatten)]
    client: ClientOptions,
}

impl Run for List {
    fn format(&self) -> Format {
        self.client.output
    }

    async fn run(self) -> Result<(), Failure> {
        let connection = Connection::new(&self.client)?;
        let (filter, order_by) = (self.which.filter(), self.order_by);
        let read = pages::read(self.limit, async |page_size, page_token| {
            let request = ListOrdersRequest {
                filter: filter.clone(),
                order_by: order_by.clone(),
                page_size,
                page_token,
            };
            let answer = connection.call(&request, async |request| {
                connection.orders().list_orders(request).await
            });
            let message = answer.await?.message;
            Ok((message.orders, message.next_page_token))
        });
        let (orders, next_page_token) = read.await?;
        let all = ListOrdersResponse {
            orders,
            next_page_token,
        };
        print::answer(self.client.output, &all, |lines| {
            let head = [
                ("ORDER", Side::Left),
                ("STATE", Side::Left),
                ("POLICY", Side::Left),
                ("CUSTOMER", Side::Left),
                ("TOTAL", Side::Right),
                ("PLACED", Side::Left),
                ("WAITS FOR", Side::Left),
            ];
            let rows: Vec<Vec<String>> = all.orders.iter().map(row).collect();
            lines.table(&head, &rows);
        })?;
        if self.client.output == Format::Text && !all.next_page_token.is_empty() {
            eprintln!("orders: there are more; --limit 0 lists all");
        }
        Ok(())
    }
}

fn row(order: &Order) -> Vec<String> {
    let waits = order.deadline.as_ref().map(|deadline| {
        let kind = words::deadline_kind(deadline.kind());
        let remaining = deadline.remaining.as_ref().map(time::rough);
        format!("{kind}, {}", remaining.unwrap_or_default())
    });
    let attention = order.attention.as_ref().map(|_| "attention".to_owned());
    vec![
        order.order_id.clone(),
        words::state(order.state()).to_owned(),
        order.policy.clone(),
        order.customer_id.clone(),
        order.total.as_ref().map_or_else(String::new, amount::text),
        order
            .place_time
            .as_ref()
            .map_or_else(String::new, time::local),
        attention.or(waits).unwrap_or_default(),
    ]
}
