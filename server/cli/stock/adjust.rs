//! `orders stock adjust`.

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
use orders::v1::AdjustStockRequest;

/// Arguments of `orders stock adjust`. Adjustments that are made at the same time add up.
#[derive(Args, Debug)]
pub struct Adjust {
    /// What is stocked.
    sku: String,

    /// How many pieces more, or fewer: `+4` or `-1`.
    #[arg(long, value_name = "PIECES", allow_hyphen_values = true, value_parser = pieces)]
    by: i64,

    /// Why: goods received, a count, breakage.
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// Refuse it when the stock of the sku is not at this revision any more.
    #[arg(long, value_name = "REVISION", help_heading = "Request")]
    expected_revision: Option<i64>,

    #[command(flatten)]
    change: ChangeOptions,
    #[command(flatten)]
    client: ClientOptions,
}

impl Run for Adjust {
    fn format(&self) -> Format {
        self.client.output
    }

    async fn run(self) -> Result<(), Failure> {
        let connection = Connection::new(&self.client)?;
        let request = AdjustStockRequest {
            sku: self.sku,
            delta: self.by,
            reason: self.reason,
            request_id: self.change.request_id(),
            actor: self.change.actor(),
            expected_revision: self.expected_revision,
        };
        let answer = connection
            .call(&request, async |request| {
                connection.inventory().adjust_stock(request).await
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

fn pieces(text: &str) -> Result<i64, String> {
    let read = text.parse();
    read.map_err(|_| "give a whole number of pieces, as +4 or -1".to_owned())
}
