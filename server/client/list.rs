//! `orders list`: a table of orders.

use super::{
    Run, amount,
    connection::Connection,
    failure::Failure,
    lines::Side,
    options::{ClientOptions, Format},
    pages, print, time,
    words::{self, state_parser},
};
use clap::Args;
use orders::v1::{ListOrdersRequest, ListOrdersResponse, Order, OrderState};

/// Arguments of `orders list`. All filters have to be met.
#[derive(Args, Debug)]
pub struct List {
    /// Only orders of this customer.
    #[arg(long, value_name = "ID")]
    customer: Option<String>,

    /// Only orders by this policy.
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,

    /// Only orders in this state.
    #[arg(long, value_parser = state_parser(), ignore_case = true)]
    state: Option<OrderState>,

    /// Only orders that this filter of the API lets pass:
    /// `place_time >= "2026-01-01T00:00:00Z"`.
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,

    /// What to sort by: `place_time` or `place_time desc`.
    #[arg(long, value_name = "FIELD", default_value = "place_time desc")]
    order_by: String,

    /// How many at most; 0 for all.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,

    #[command(flatten)]
    client: ClientOptions,
}

impl List {
    /// The filter of the API for all filters here.
    fn filter(&self) -> String {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let customer = self.customer.as_deref();
        let policy = self.policy.as_deref();
        let terms = [
            customer.map(|id| format!("customer_id = \"{}\"", quoted(id))),
            policy.map(|name| format!("policy = \"{}\"", quoted(name))),
            self.state
                .map(|state| format!("state = {}", state.as_str_name())),
            self.filter
                .clone()
                .filter(|filter| !filter.trim().is_empty()),
        ];
        let terms: Vec<String> = terms.into_iter().flatten().collect();
        terms.join(" AND ")
    }
}

impl Run for List {
    fn format(&self) -> Format {
        self.client.output
    }

    async fn run(self) -> Result<(), Failure> {
        let connection = Connection::new(&self.client)?;
        let (filter, order_by) = (self.filter(), self.order_by);
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
