//! `orders start-fulfillment`.

use super::{Run, command::CommandOptions, failure::Failure, options::Format};
use clap::Args;
use orders::v1::{
    StartFulfillmentRequest,
    signal_order_request::{Command, StartFulfillment as Signal},
};

/// Arguments of `orders start-fulfillment`.
#[derive(Args, Debug)]
pub struct StartFulfillment {
    #[command(flatten)]
    command: CommandOptions,
}

impl Run for StartFulfillment {
    fn format(&self) -> Format {
        self.command.format()
    }

    async fn run(self) -> Result<(), Failure> {
        let Self { command } = self;
        let request_id = command.change.request_id();
        if command.signal {
            let signal = Command::StartFulfillment(Signal {});
            return command.send_signal(request_id, signal).await;
        }
        let request = StartFulfillmentRequest {
            order_id: command.order_id.clone(),
            request_id,
            actor: command.change.actor(),
            expected_revision: command.expected_revision,
        };
        command
            .send(
                &request,
                &request.request_id,
                async |mut orders, request| orders.start_fulfillment(request).await,
            )
            .await
    }
}
