//! `orders confirm-pickup`.

use super::{Run, command::CommandOptions, failure::Failure, options::Format};
use clap::Args;
use orders::v1::{
    ConfirmPickupRequest,
    signal_order_request::{Command, ConfirmPickup as Signal},
};

/// Arguments of `orders confirm-pickup`.
#[derive(Args, Debug)]
pub struct ConfirmPickup {
    #[command(flatten)]
    command: CommandOptions,

    /// The carrier's number to follow the parcel by.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value = "",
        hide_default_value = true
    )]
    tracking_number: String,
}

impl Run for ConfirmPickup {
    fn format(&self) -> Format {
        self.command.format()
    }

    async fn run(self) -> Result<(), Failure> {
        let Self {
            command,
            tracking_number,
        } = self;
        let request_id = command.change.request_id();
        if command.signal {
            let signal = Command::ConfirmPickup(Signal { tracking_number });
            return command.send_signal(request_id, signal).await;
        }
        let request = ConfirmPickupRequest {
            order_id: command.order_id.clone(),
            request_id,
            actor: command.change.actor(),
            expected_revision: command.expected_revision,
            tracking_number,
        };
        command
            .send(
                &request,
                &request.request_id,
                async |mut orders, request| orders.confirm_pickup(request).await,
            )
            .await
    }
}
