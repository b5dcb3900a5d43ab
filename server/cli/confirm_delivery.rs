//! `orders confirm-delivery`.

use super::{Run, command::CommandOptions, failure::Failure, options::Format};
use clap::Args;
use orders::v1::{
    ConfirmDeliveryRequest,
    signal_order_request::{Command, ConfirmDelivery as Signal},
};

/// Arguments of `orders confirm-delivery`.
#[derive(Args, Debug)]
pub struct ConfirmDelivery {
    #[command(flatten)]
    command: CommandOptions,
}

impl Run for ConfirmDelivery {
    fn format(&self) -> Format {
        self.command.format()
    }

    async fn run(self) -> Result<(), Failure> {
        let Self { command } = self;
        let request_id = command.change.request_id();
        if command.signal {
            let signal = Command::ConfirmDelivery(Signal {});
            return command.send_signal(request_id, signal).await;
        }
        let request = ConfirmDeliveryRequest {
            order_id: command.order_id.clone(),
            request_id,
            actor: command.change.actor(),
            expected_revision: command.expected_revision,
        };
        command
            .send(
                &request,
                &request.request_id,
                async |mut orders, request| orders.confirm_delivery(request).await,
            )
            .await
    }
}
