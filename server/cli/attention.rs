//! `orders attention`: the orders that need a person.

use super::{
    Run,
    connection::Connection,
    failure::Failure,
    lines::Side,
    options::{ClientOptions, Format},
    pages, print, time, words,
};
use clap::Args;
use orders::v1::{
    ListOrdersNeedingAttentionRequest, ListOrdersNeedingAttentionResponse, OrderNeedingAttention,
};

/// Arguments of `orders attention`.
#[derive(Args, Debug)]
pub struct Attention {
    /// How many at most; 0 for all.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,

    #[command(flatten)]
    client: ClientOptions,
}

impl Run for Attention {
    fn format(&self) -> Format {
        self.client.output
    }

    async fn run(self) -> Result<(), Failure> {
        let connection = Connection::new(&self.client)?;
        let unavailable = std::cell::Cell::new(false);
        let read = pages::read(self.limit, async |page_size, page_token| {
            let request = ListOrdersNeedingAttentionRequest {
                page_size,
                page_token,
            };
            let answer = connection.call(&request, async |request| {
                let mut operator = connection.operator();
                operator.list_orders_needing_attention(request).await
            });
            let message = answer.await?.message;
            unavailable.set(unavailable.get() || message.temporal_unavailable);
            Ok((message.orders, message.next_page_token))
        });
        let (orders, next_page_token) = read.await.map_err(Failure::of_operator)?;
        let all = ListOrdersNeedingAttentionResponse {
            orders,
            next_page_token,
            temporal_unavailable: unavailable.get(),
        };
        print::answer(self.client.output, &all, |lines| {
            let head = [
                ("ORDER", Side::Left),
                ("STATE", Side::Left),
                ("SINCE", Side::Left),
                ("REASON", Side::Left),
                ("WHAT", Side::Left),
            ];
            let rows: Vec<Vec<String>> = all.orders.iter().flat_map(rows).collect();
            lines.table(&head, &rows);
        })?;
        if self.client.output == Format::Text {
            if all.temporal_unavailable {
                eprintln!(
                    "orders: Temporal could not be asked: what is said of workflows is not all"
                );
            }
            if !all.next_page_token.is_empty() {
                eprintln!("orders: there are more; --limit 0 lists all");
            }
        }
        Ok(())
    }
}

fn rows(order: &OrderNeedingAttention) -> Vec<Vec<String>> {
    let reasons = order.reasons.iter().map(|reason| {
        vec![
            order.order_id.clone(),
            words::state(order.state()).to_owned(),
            reason.since.as_ref().map_or_else(String::new, time::local),
            words::attention_reason(reason.r#type()).to_owned(),
            reason.description.clone(),
        ]
    });
    reasons.collect()
}
