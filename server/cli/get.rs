//! `orders get`: one order, or waiting for it.

use super::{
    Run,
    connection::Connection,
    failure::Failure,
    options::{ClientOptions, Format},
    order_sheet, print,
    wait::{WaitOptions, order_of},
};
use clap::Args;

/// Arguments of `orders get`.
#[derive(Args, Debug)]
pub struct Get {
    /// The order.
    #[arg(value_name = "ORDER_ID")]
    order_id: String,
    #[command(flatten)]
    wait: WaitOptions,
    #[command(flatten)]
    client: ClientOptions,
}

impl Run for Get {
    fn format(&self) -> Format {
        self.client.output
    }

    async fn run(self) -> Result<(), Failure> {
        let connection = Connection::new(&self.client)?;
        let (answer, missed) = self.wait.get(&connection, &self.order_id).await?;
        let order = order_of(&answer)?;
        print::answer(self.client.output, &answer, |lines| {
            order_sheet::write(lines, order);
        })?;
        missed.map_or(Ok(()), Err)
    }
}
