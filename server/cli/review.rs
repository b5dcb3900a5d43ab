//! `orders review`.

use super::{Run, command::CommandOptions, failure::Failure, options::Format};
use clap::{ArgGroup, Args};
use orders::v1::{
    ReviewDecision, ReviewOrderRequest,
    signal_order_request::{Command, ReviewOrder as Signal},
};

/// Arguments of `orders review`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("decision").required(true))]
pub struct Review {
    #[command(flatten)]
    command: CommandOptions,

    /// The order goes on.
    #[arg(long, group = "decision")]
    approve: bool,

    /// The order is undone and rejected.
    #[arg(long, group = "decision")]
    reject: bool,

    /// The person who decided; the actor when left out. One of the two must name somebody.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    reviewer: String,

    /// Why it was decided so.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    reason: String,
}

impl Run for Review {
    fn format(&self) -> Format {
        self.command.format()
    }

    async fn run(self) -> Result<(), Failure> {
        let Self {
            command,
            approve,
            reject: _,
            reviewer,
            reason,
        } = self;
        let decision = match approve {
            true => ReviewDecision::Approve,
            false => ReviewDecision::Reject,
        };
        let decision = decision.into();
        let request_id = command.change.request_id();
        if command.signal {
            let signal = Command::ReviewOrder(Signal {
                decision,
                reviewer,
                reason,
            });
            return command.send_signal(request_id, signal).await;
        }
        let request = ReviewOrderRequest {
            order_id: command.order_id.clone(),
            request_id,
            actor: command.change.actor(),
            expected_revision: command.expected_revision,
            decision,
            reviewer,
            reason,
        };
        command
            .send(
                &request,
                &request.request_id,
                async |mut orders, request| orders.review_order(request).await,
            )
            .await
    }
}
