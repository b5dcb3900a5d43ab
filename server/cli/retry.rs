//! `orders retry`: tries at once what an order would try later.

use super::{
    Run, command::order_line, connection::Connection, failure::Failure, operator::OperatorOptions,
    options::Format, print,
};
use clap::Args;
use orders::v1::RetryOrderRequest;

/// Arguments of `orders retry`.
#[derive(Args, Debug)]
pub struct Retry {
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Run for Retry {
    fn format(&self) -> Format {
        self.operator.client.output
    }

    async fn run(self) -> Result<(), Failure> {
        let options = self.operator;
        let connection = Connection::new(&options.client)?;
        let request = RetryOrderRequest {
            order_id: options.order_id.clone(),
            request_id: options.change.request_id(),
            actor: options.actor(),
            reason: options.reason,
        };
        let answer = connection.call(&request, async |request| {
            connection.operator().retry_order(request).await
        });
        let answer = answer.await;
        let answer =
            answer.map_err(|failure| failure.of_operator().of_request(&request.request_id))?;
        print::answer(options.client.output, &answer.message, |lines| {
            lines.line(order_line(&answer));
        })
    }
}
