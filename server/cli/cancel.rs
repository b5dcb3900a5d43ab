//! `orders cancel`: cancels an order, or shows what that would undo.

use super::{
    Run, amount,
    command::{CommandOptions, order_line},
    failure::Failure,
    lines::Lines,
    options::Format,
    order_sheet, print,
};
use clap::Args;
use orders::v1::{
    CancelOrderRequest, CancelPreview,
    signal_order_request::{CancelOrder as Signal, Command},
};

/// Arguments of `orders cancel`.
#[derive(Args, Debug)]
pub struct Cancel {
    #[command(flatten)]
    command: CommandOptions,

    /// Why it is cancelled.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    reason: String,

    /// Change nothing; print what would be released and refunded, or why it would be refused.
    #[arg(long, conflicts_with = "signal")]
    dry_run: bool,
}

impl Run for Cancel {
    fn format(&self) -> Format {
        self.command.format()
    }

    async fn run(self) -> Result<(), Failure> {
        let Self {
            command,
            reason,
            dry_run,
        } = self;
        let request_id = command.change.request_id();
        if command.signal {
            let signal = Command::CancelOrder(Signal { reason });
            return command.send_signal(request_id, signal).await;
        }
        let request = CancelOrderRequest {
            order_id: command.order_id.clone(),
            request_id,
            actor: command.change.actor(),
            expected_revision: command.expected_revision,
            reason,
            validate_only: dry_run,
        };
        let answer = command
            .ask(
                &request,
                &request.request_id,
                async |mut orders, request| orders.cancel_order(request).await,
            )
            .await?;
        print::answer(command.format(), &answer.message, |lines| {
            lines.line(order_line(&answer));
            let what = if dry_run { "would " } else { "will " };
            preview(lines, what, answer.message.preview.as_ref());
        })
    }
}

fn preview(lines: &mut Lines, what: &str, preview: Option<&CancelPreview>) {
    let Some(preview) = preview else { return };
    let CancelPreview {
        released_items,
        void_amount,
        refund_amount,
        cancels_shipment,
    } = preview;
    for item in released_items {
        lines.line(format!("  {what}release {}", order_sheet::item(item)));
    }
    if let Some(money) = void_amount {
        lines.line(format!(
            "  {what}give up the authorized {}",
            amount::text(money)
        ));
    }
    if let Some(money) = refund_amount {
        lines.line(format!("  {what}refund {}", amount::text(money)));
    }
    if *cancels_shipment {
        lines.line(format!("  {what}call off the shipment"));
    }
    if *preview == CancelPreview::default() {
        lines.line(format!("  {what}undo nothing"));
    }
}
