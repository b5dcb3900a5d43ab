//! `orders update-address`.

use super::{
    Run, address::AddressOptions, command::CommandOptions, failure::Failure, options::Format,
};
use clap::Args;
use orders::v1::{
    UpdateShippingAddressRequest,
    signal_order_request::{Command, UpdateShippingAddress as Signal},
};

/// Arguments of `orders update-address`.
#[derive(Args, Debug)]
pub struct UpdateAddress {
    #[command(flatten)]
    command: CommandOptions,
    /// The new address, as a whole: what is left out is empty afterwards, and not as it was.
    #[command(flatten)]
    address: AddressOptions,
}

impl Run for UpdateAddress {
    fn format(&self) -> Format {
        self.command.format()
    }

    async fn run(self) -> Result<(), Failure> {
        let Self { command, address } = self;
        let shipping_address = address.address();
        let request_id = command.change.request_id();
        if command.signal {
            let signal = Command::UpdateShippingAddress(Signal { shipping_address });
            return command.send_signal(request_id, signal).await;
        }
        let request = UpdateShippingAddressRequest {
            order_id: command.order_id.clone(),
            request_id,
            actor: command.change.actor(),
            expected_revision: command.expected_revision,
            shipping_address,
        };
        command
            .send(
                &request,
                &request.request_id,
                async |mut orders, request| orders.update_shipping_address(request).await,
            )
            .await
    }
}
