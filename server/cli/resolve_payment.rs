//! `orders resolve-payment`: says what became of a payment whose answer was lost.

use super::{
    Run, command::order_line, connection::Connection, failure::Failure, operator::OperatorOptions,
    options::Format, print,
};
use clap::{ArgGroup, Args, ValueEnum};
use orders::v1::{PaymentOutcome, ResolvePaymentRequest, Step};

/// Arguments of `orders resolve-payment`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("outcome").required(true))]
pub struct ResolvePayment {
    #[command(flatten)]
    operator: OperatorOptions,

    /// Which payment step, as `orders explain` names it.
    #[arg(long, value_enum)]
    step: PaymentStep,

    /// The money moved: under this name of the provider.
    #[arg(long, value_name = "TRANSACTION_ID", group = "outcome")]
    succeeded: Option<String>,

    /// The money did not move, and never will.
    #[arg(long, group = "outcome")]
    not_happened: bool,

    /// How that is known: a statement of the provider, a ticket.
    #[arg(long, value_name = "TEXT")]
    evidence: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum PaymentStep {
    AuthorizePayment,
    CapturePayment,
    ChargePayment,
    RefundPayment,
    VoidAuthorization,
}

impl From<PaymentStep> for Step {
    fn from(step: PaymentStep) -> Self {
        match step {
            PaymentStep::AuthorizePayment => Self::AuthorizePayment,
            PaymentStep::CapturePayment => Self::CapturePayment,
            PaymentStep::ChargePayment => Self::ChargePayment,
            PaymentStep::RefundPayment => Self::RefundPayment,
            PaymentStep::VoidAuthorization => Self::VoidAuthorization,
        }
    }
}

impl Run for ResolvePayment {
    fn format(&self) -> Format {
        self.operator.client.output
    }

    async fn run(self) -> Result<(), Failure> {
        let options = self.operator;
        if options.actor().is_empty() {
            return Err(Failure::usage(
                "only a named person can say what became of a payment: give --actor, or set \
                 ORDERS_ACTOR",
            ));
        }
        let connection = Connection::new(&options.client)?;
        let outcome = match self.not_happened {
            true => PaymentOutcome::NotHappened,
            false => PaymentOutcome::Succeeded,
        };
        let request = ResolvePaymentRequest {
            order_id: options.order_id.clone(),
            request_id: options.change.request_id(),
            actor: options.actor(),
            step: Step::from(self.step).into(),
            outcome: outcome.into(),
            transaction_id: self.succeeded.unwrap_or_default(),
            evidence: self.evidence,
            reason: options.reason,
        };
        let answer = connection.call(&request, async |request| {
            connection.operator().resolve_payment(request).await
        });
        let answer = answer.await;
        let answer =
            answer.map_err(|failure| failure.of_operator().of_request(&request.request_id))?;
        print::answer(options.client.output, &answer.message, |lines| {
            lines.line(order_line(&answer));
        })
    }
}
