//! Recording a command: the transaction decides, whatever a validator saw before.

use super::{
    CommandInput, CommandNews, CommandReply, News, OrderActivities, Recorded, failed, fault,
    payment::{Answered, Question},
    testimony,
};
use orders_domain::{
    command::{Command, CommandRequest, ConfirmPayment, Refusal},
    event::{ACTOR_ANONYMOUS, ACTOR_PROCESS},
};
use orders_store::{
    StoreError,
    order_tx::OrderTx,
    payment_resolution::{self, Booked},
    receipts::{self, Received},
};
use std::time::Instant;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

/// What became of a command.
pub(super) enum Applied {
    /// It was recorded or refused.
    Reply(CommandReply),
    /// Nothing yet: the provider is to be asked first, while the order is not locked.
    Ask(Vec<Question>),
}

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
        let mut heard = Vec::new();
        let (tx, reply) = loop {
            let mut tx = self.lock(progress, progress.now).await?;
            if let Err(refusal) = request.check() {
                let reply = refused(&tx, refusal);
                break (tx, reply);
            }
            match self.apply(&mut tx, request, &heard, false).await? {
                Applied::Reply(reply) => break (tx, reply),
                Applied::Ask(questions) => {
                    // The order is not locked while a provider is asked; then it is read again.
                    drop(tx);
                    for question in questions {
                        heard.push(question.ask().await);
                    }
                }
            }
        };
        let recorded = self
            .finish(tx, ctx, progress.known, "record_command")
            .await?;
        Ok((recorded, reply))
    }

    /// Applies a command to the order that `tx` has locked, or refuses it. `heard` are the provider's
    /// answers to the questions that an earlier call asked for. The caller of a `signalled` one does
    /// not wait for the reply.
    pub(super) async fn apply(
        &self,
        tx: &mut OrderTx,
        request: &CommandRequest,
        heard: &[Answered],
        signalled: bool,
    ) -> Result<Applied, StoreError> {
        if let Command::ConfirmPayment(payment) = &request.command {
            return Ok(Applied::Reply(
                received(tx, request, payment, signalled).await?,
            ));
        }
        let order_id = tx.order().order_id.clone();
        let fingerprint = request.fingerprint(&order_id);
        let before = tx.request(&request.request_id).await?;
        let decision = match before {
            Some(before) if before.resource == order_id && before.fingerprint == fingerprint => {
                return Ok(Applied::Reply(CommandReply::Done {
                    revision: tx.order().revision,
                    fingerprint,
                    replayed: true,
                }));
            }
            Some(_) => Err(Refusal::RequestReused),
            None => request.decide(tx.order(), tx.now()),
        };
        let mut change = match decision {
            Ok(change) => change,
            Err(refusal) => return Ok(Applied::Reply(refused(tx, refusal))),
        };
        let payment = &self.providers.payment;
        let questions = testimony::questions(tx, payment, &request.command, heard).await?;
        if !questions.is_empty() {
            return Ok(Applied::Ask(questions));
        }
        let (request_id, command) = (&request.request_id, request.command.kind());
        if let Command::ResolvePayment(resolved) = &request.command {
            let source = testimony::source(tx.order(), resolved.step, payment, heard);
            let booked = payment_resolution::book(tx, resolved, source, actor(request));
            match booked.await? {
                Err(refusal) => return Ok(Applied::Reply(refused(tx, refusal))),
                // What the provider says counts, and the caller is told that it is something else.
                Ok(Booked {
                    change,
                    contradicted: Some(refusal),
                }) => {
                    tx.record_answer(change, actor(request));
                    tx.settle()?;
                    tracing::warn!(order_id, request_id, %command, %refusal, "contradicted");
                    return Ok(Applied::Reply(refused(tx, refusal)));
                }
                Ok(booked) => change = booked.change,
            }
        }
        tx.record_command(change, actor(request), request_id, &request.attempt);
        // The answer shows what follows from the command, too.
        tx.settle()?;
        if let Command::RetryOrder(_) = &request.command {
            testimony::record_verified(tx, heard, ACTOR_PROCESS).await?;
        }
        tx.remember_request(request_id, &fingerprint);
        tracing::info!(order_id, request_id, %command, "command recorded");
        Ok(Applied::Reply(CommandReply::Done {
            revision: tx.order().revision,
            fingerprint,
            replayed: false,
        }))
    }
}

/// Records money that arrived from outside, or its refusal. Only the store knows whether its transaction is
/// new.
async fn received(
    tx: &mut OrderTx,
    request: &CommandRequest,
    payment: &ConfirmPayment,
    signalled: bool,
) -> Result<CommandReply, StoreError> {
    let received = receipts::receive(tx, request, payment, signalled).await?;
    let order_id = &tx.order().order_id;
    let request_id = &request.request_id;
    let revision = tx.order().revision;
    Ok(match received {
        Received::Recorded | Received::Again => {
            let replayed = received == Received::Again;
            tracing::info!(order_id, request_id, replayed, "payment received");
            CommandReply::Done {
                revision,
                fingerprint: request.fingerprint(order_id),
                replayed,
            }
        }
        Received::Refused(refusal) => {
            tracing::warn!(order_id, request_id, %refusal, "payment refused");
            CommandReply::Refused { revision, refusal }
        }
    })
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
