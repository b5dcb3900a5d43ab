//! Recording a command: the transaction decides, whatever a validator saw before.

use super::{
    CommandInput, CommandNews, CommandReply, News, OrderActivities, Recorded, failed, fault,
};
use crate::{
    domain::{
        command::{Command, CommandRequest, Refusal},
        event::{ACTOR_ANONYMOUS, Change},
        movement::{Movement, MovementKind},
        step::Step,
    },
    provider::PaymentPort,
    store::{
        StoreError,
        order_tx::OrderTx,
        payment_journal::Outcome,
        payment_resolution::{self, Witness},
    },
};
use std::time::Instant;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

impl OrderActivities {
    pub(super) async fn command(
        &self,
        ctx: &ActivityContext,
        input: CommandInput,
    ) -> Result<CommandNews, ActivityError> {
        let started = Instant::now();
        fault::begins("record_command", &input.progress.order_id);
        let CommandInput { progress, request } = &input;
        let (order_id, request_id) = (&progress.order_id, &request.request_id);
        let (recorded, reply) = match self.try_command(ctx, &input).await {
            // The same again would fail in the same way.
            Err(error) if error.is_about_data() => {
                tracing::warn!(order_id, request_id, %error, "a command cannot be stored");
                let reply = CommandReply::Refused {
                    revision: progress.known,
                    refusal: unstorable(),
                };
                let news = News::default();
                return Ok(CommandNews { news, reply });
            }
            answer => answer.map_err(|error| failed(ctx, order_id, &error))?,
        };
        if let CommandReply::Refused { refusal, .. } = &reply {
            let command = request.command.kind();
            tracing::info!(order_id, request_id, %command, %refusal, "command refused");
        }
        let news = self.onward(ctx, progress, recorded, started).await;
        Ok(CommandNews { news, reply })
    }

    async fn try_command(
        &self,
        ctx: &ActivityContext,
        input: &CommandInput,
    ) -> Result<(Recorded, CommandReply), StoreError> {
        let CommandInput { progress, request } = input;
        let mut tx = self.lock(progress, progress.now).await?;
        let reply = match request.check() {
            Ok(()) => self.apply(&mut tx, request).await?,
            Err(refusal) => refused(&tx, refusal),
        };
        let recorded = self
            .finish(tx, ctx, progress.known, "record_command")
            .await?;
        Ok((recorded, reply))
    }

    /// Applies a command to the order that `tx` has locked, or refuses it.
    pub(super) async fn apply(
        &self,
        tx: &mut OrderTx,
        request: &CommandRequest,
    ) -> Result<CommandReply, StoreError> {
        let order_id = tx.order().order_id.clone();
        let fingerprint = request.fingerprint(&order_id);
        let before = tx.request(&request.request_id).await?;
        let mut decision = match before {
            Some(before) if before.resource == order_id && before.fingerprint == fingerprint => {
                return Ok(CommandReply::Done {
                    revision: tx.order().revision,
                    fingerprint,
                    replayed: true,
                });
            }
            Some(_) => Err(Refusal::RequestReused),
            None => request.decide(tx.order(), tx.now()),
        };
        if let (Ok(Change::PaymentResolved { amount, .. }), Command::ResolvePayment(resolved)) =
            (&decision, &request.command)
        {
            let (amount, witness) = (*amount, self.witness());
            let actor = actor(request);
            let booked = payment_resolution::book(tx, resolved, amount, witness, actor);
            decision = booked.await?.and(decision);
        }
        let change = match decision {
            Ok(change) => change,
            Err(refusal) => return Ok(refused(tx, refusal)),
        };
        let request_id = &request.request_id;
        self.effect(tx, &change, actor(request)).await?;
        tx.record_command(change, actor(request), request_id, &request.attempt);
        // The answer shows what follows from the command, too.
        tx.settle()?;
        tx.remember_request(request_id, &fingerprint);
        let command = request.command.kind();
        tracing::info!(order_id, request_id, %command, "command recorded");
        Ok(CommandReply::Done {
            revision: tx.order().revision,
            fingerprint,
            replayed: false,
        })
    }

    /// Who can contradict an operator about a payment.
    fn witness(&self) -> Witness {
        match self.providers.payment {
            PaymentPort::Embedded(_) => Witness::Ledger,
            PaymentPort::External(_) => Witness::Outside,
        }
    }

    /// What a command books beside the order's own rows: never a wait for anybody.
    async fn effect(
        &self,
        tx: &mut OrderTx,
        change: &Change,
        actor: &str,
    ) -> Result<(), StoreError> {
        let Change::PaymentConfirmed { transaction_id, .. } = change else {
            return Ok(());
        };
        let order = tx.order();
        let movement = Movement {
            key: order.effect_key(Step::ChargePayment),
            payment_id: order.payment.payment_id.clone(),
            kind: MovementKind::Confirm,
            amount: order.total.minor,
            original: None,
        };
        let moved = Outcome::moved(transaction_id);
        tx.book(&movement, &moved, actor).await
    }
}

/// The refusal of a command that the database does not take.
pub(super) fn unstorable() -> Refusal {
    Refusal::invalid("command", "has a text that cannot be stored")
}

fn refused(tx: &OrderTx, refusal: Refusal) -> CommandReply {
    CommandReply::Refused {
        revision: tx.order().revision,
        refusal,
    }
}

pub(super) fn actor(request: &CommandRequest) -> &str {
    match request.actor.as_str() {
        "" => ACTOR_ANONYMOUS,
        actor => actor,
    }
}
