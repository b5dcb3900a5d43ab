//! Recording a command: the transaction decides, whatever a validator saw before.

use super::{CommandInput, CommandNews, CommandReply, OrderActivities, Recorded, failed, fault};
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
        let run = self.try_command(ctx, &input);
        let (recorded, reply) = run
            .await
            .map_err(|error| failed(ctx, &input.progress.order_id, &error))?;
        let news = self.onward(ctx, &input.progress, recorded, started).await;
        Ok(CommandNews { news, reply })
    }

    async fn try_command(
        &self,
        ctx: &ActivityContext,
        input: &CommandInput,
    ) -> Result<(Recorded, CommandReply), StoreError> {
        let CommandInput {
            progress,
            request,
            signal,
        } = input;
        let order_id = &progress.order_id;
        let mut tx = self.store.lock_order(order_id, progress.now).await?;
        let fingerprint = request.fingerprint(order_id);
        let before = tx.request(&request.request_id).await?;
        let mut decision = match before {
            Some(before) if before.resource == *order_id && before.fingerprint == fingerprint => {
                return self.replayed(tx, ctx, input, fingerprint).await;
            }
            Some(_) => Err(Refusal::RequestReused),
            None => request.decide(tx.order(), tx.now()),
        };
        if let (Ok(Change::PaymentResolved { amount, .. }), Command::ResolvePayment(resolved)) =
            (&decision, &request.command)
        {
            let (amount, witness) = (*amount, self.witness());
            let actor = actor(request);
            let booked = payment_resolution::book(&mut tx, resolved, amount, witness, actor);
            decision = booked.await?.and(decision);
        }
        let kind = request.command.kind();
        let request_id = &request.request_id;
        let reply = match decision {
            Ok(change) => {
                self.effect(&mut tx, &change, actor(request)).await?;
                tx.record_command(change, actor(request), request_id, &request.attempt);
                // The answer shows what follows from the command, too.
                tx.settle()?;
                tx.remember_request(request_id, &fingerprint);
                tracing::info!(order_id, request_id, command = %kind, "command recorded");
                CommandReply::Done {
                    revision: tx.order().revision,
                    fingerprint,
                    replayed: false,
                }
            }
            Err(refusal) => {
                tracing::info!(order_id, request_id, command = %kind, %refusal, "command refused");
                if let Some(signal) = signal {
                    refuse_signal(&mut tx, request, &refusal, signal).await?;
                }
                CommandReply::Refused {
                    revision: tx.order().revision,
                    refusal,
                }
            }
        };
        let recorded = self
            .finish(tx, ctx, progress.known, "record_command")
            .await?;
        Ok((recorded, reply))
    }

    async fn replayed(
        &self,
        tx: OrderTx,
        ctx: &ActivityContext,
        input: &CommandInput,
        fingerprint: String,
    ) -> Result<(Recorded, CommandReply), StoreError> {
        let reply = CommandReply::Done {
            revision: tx.order().revision,
            fingerprint,
            replayed: true,
        };
        let known = input.progress.known;
        let recorded = self.finish(tx, ctx, known, "record_command").await?;
        Ok((recorded, reply))
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

/// A refused signal is an event: nobody waits for its answer, so it must be found later.
async fn refuse_signal(
    tx: &mut OrderTx,
    request: &CommandRequest,
    refusal: &Refusal,
    signal: &str,
) -> Result<(), StoreError> {
    let key = format!("refused/{signal}");
    if tx.has_step_key(&key).await? {
        return Ok(());
    }
    let change = Change::CommandRefused {
        command: request.command.kind().to_string(),
        reason: refusal.to_string(),
    };
    tx.record_refusal(change, actor(request), &request.request_id, &key);
    Ok(())
}

fn actor(request: &CommandRequest) -> &str {
    match request.actor.as_str() {
        "" => ACTOR_ANONYMOUS,
        actor => actor,
    }
}
