//! `orders confirm-payment`.

use super::{
    Run, amount,
    command::CommandOptions,
    connection::Connection,
    failure::Failure,
    options::Format,
    payment_method::{self, Kind},
    wait::{get, order_of},
};
use clap::Args;
use orders::v1::{
    ConfirmPaymentRequest,
    signal_order_request::{Command, ConfirmPayment as Signal},
};

/// Arguments of `orders confirm-payment`.
#[derive(Args, Debug)]
pub struct ConfirmPayment {
    #[command(flatten)]
    command: CommandOptions,

    /// The payer's name for the transaction, as on the bank's statement.
    #[arg(long, value_name = "ID")]
    transaction_id: String,

    /// The amount that arrived: 999.99.
    #[arg(long, value_name = "AMOUNT")]
    amount: String,

    /// The currency of the amount [default: the order's own].
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,

    /// With what it was paid.
    #[arg(long = "type", value_name = "TYPE", value_enum)]
    kind: Option<Kind>,

    /// The last four digits of the method.
    #[arg(long, value_name = "DIGITS")]
    last4: Option<String>,
}

impl Run for ConfirmPayment {
    fn format(&self) -> Format {
        self.command.format()
    }

    async fn run(self) -> Result<(), Failure> {
        let Self {
            command,
            transaction_id,
            amount,
            currency,
            kind,
            last4,
        } = self;
        let currency = match currency {
            Some(currency) => currency,
            None => currency_of(&command).await?,
        };
        let amount = Some(amount::parse("--amount", &amount, &currency)?);
        // Money that has arrived needs no token: nobody is charged.
        let payment_method = payment_method::method(kind, None, last4);
        let request_id = command.change.request_id();
        if command.signal {
            let signal = Command::ConfirmPayment(Signal {
                transaction_id,
                amount,
                payment_method,
            });
            return command.send_signal(request_id, signal).await;
        }
        let request = ConfirmPaymentRequest {
            order_id: command.order_id.clone(),
            request_id,
            actor: command.change.actor(),
            expected_revision: command.expected_revision,
            transaction_id,
            amount,
            payment_method,
        };
        command
            .send(
                &request,
                &request.request_id,
                async |mut orders, request| orders.confirm_payment(request).await,
            )
            .await
    }
}

/// Reads the currency of the order.
async fn currency_of(command: &CommandOptions) -> Result<String, Failure> {
    let connection = Connection::new(&command.client)?;
    let answer = get(&connection, &command.order_id).await?;
    let total = order_of(&answer)?.total.as_ref();
    let currency = total.map(|total| total.currency_code.clone());
    currency.ok_or_else(|| Failure::unexpected("the order has no total: give --currency"))
}
