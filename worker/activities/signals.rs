//! Recording signals: commands whose callers do not wait. Many may have come while no worker ran, so
//! one transaction takes as many as it can, and refusals are counted.

use super::{
    CommandReply, OrderActivities, Progress, Recorded, Signal, SignalsInput, SignalsNews,
    command::{Applied, actor, unstorable},
    failed, fault,
};
use orders_domain::{
    command::{CommandRequest, Refusal},
    effect::Effect,
    event::{ACTOR_TEMPORAL, Change},
    text,
};
use orders_store::{StoreError, order_tx::OrderTx};
use std::time::Instant;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

impl OrderActivities {
    pub(super) async fn signals(
        &self,
        ctx: &ActivityContext,
        input: SignalsInput,
    ) -> Result<SignalsNews, ActivityError> {
        let started = Instant::now();
        let SignalsInput { progress, signals } = &input;
        fault::begins("record_signals", &progress.order_id);
        let run = self.try_signals(ctx, progress, signals);
        let (recorded, taken) = run
            .await
            .map_err(|error| failed(ctx, &progress.order_id, &error))?;
        let news = self.onward(ctx, progress, recorded, started).await;
        Ok(SignalsNews { news, taken })
    }

    /// Takes as many signals as it can: all of them, or none but the first where the database refuses
    /// one of them for its content.
    async fn try_signals(
        &self,
        ctx: &ActivityContext,
        progress: &Progress,
        signals: &[Signal],
    ) -> Result<(Recorded, usize), StoreError> {
        let first = &signals[..signals.len().min(1)];
        match self.take(ctx, progress, signals).await {
            Err(error) if error.is_about_data() => {}
            answer => return answer,
        }
        match self.take(ctx, progress, first).await {
            Err(error) if error.is_about_data() => {}
            answer => return answer,
        }
        let mut tx = self.lock(progress, progress.now).await?;
        for signal in first {
            refuse(&mut tx, &signal.request, &unstorable()).await?;
        }
        let finished = self.finish(tx, ctx, progress.known, "record_signals");
        Ok((finished.await?, first.len()))
    }

    /// Takes signals in one transaction, in their order. It ends early when an effect has become due
    /// which was not before: the next signal may be one for after that effect.
    async fn take(
        &self,
        ctx: &ActivityContext,
        progress: &Progress,
        signals: &[Signal],
    ) -> Result<(Recorded, usize), StoreError> {
        let mut tx = self.lock(progress, progress.now).await?;
        let mut taken = 0;
        for signal in signals {
            let before = ready(&tx);
            self.take_one(&mut tx, signal).await?;
            taken += 1;
            if ready(&tx).iter().any(|effect| !before.contains(effect)) {
                break;
            }
        }
        let finished = self.finish(tx, ctx, progress.known, "record_signals");
        Ok((finished.await?, taken))
    }

    async fn take_one(&self, tx: &mut OrderTx, signal: &Signal) -> Result<(), StoreError> {
        let request = &signal.request;
        if let Err(refusal) = check(signal) {
            return refuse(tx, request, &refusal).await;
        }
        let refusal = match self.apply(tx, request, &[], true).await? {
            Applied::Reply(CommandReply::Done { .. }) => return Ok(()),
            // It is an event already: money may have arrived.
            Applied::Reply(CommandReply::Refused { refusal, .. }) if refusal.is_recorded() => {
                tx.count_refused();
                return Ok(());
            }
            Applied::Reply(CommandReply::Refused { refusal, .. }) => refusal,
            // Only commands of operators ask a provider.
            Applied::Ask(_) => for_operators(),
        };
        refuse(tx, request, &refusal).await
    }
}

/// What anybody who reaches Temporal may ask by a signal, whatever the order does.
fn check(signal: &Signal) -> Result<(), Refusal> {
    if signal.own {
        return Ok(());
    }
    if signal.numbered {
        signal.request.check_numbered()?;
    } else {
        signal.request.check()?;
    }
    if signal.request.command.kind().is_for_operators() {
        return Err(for_operators());
    }
    Ok(())
}

fn for_operators() -> Refusal {
    let description = "is for operators, who wait for its answer: it cannot be signalled";
    Refusal::invalid("command", description)
}

/// The effects that the order wants carried out now.
fn ready(tx: &OrderTx) -> Vec<Effect> {
    tx.todo().ready(tx.now()).collect()
}

/// Counts a refused signal. The first of its kind is an event as well: nobody waits for the answer, so
/// it must be found later. Not each of them, or anybody could make an order's log grow without limit.
async fn refuse(
    tx: &mut OrderTx,
    request: &CommandRequest,
    refusal: &Refusal,
) -> Result<(), StoreError> {
    tx.count_refused();
    let command = request.command.kind();
    let key = format!("refused/{command}/{}/{}", refusal.kind(), tx.order().state);
    if tx.has_key(&key).await? {
        return Ok(());
    }
    let order_id = &tx.order().order_id;
    tracing::info!(order_id, %command, %refusal, "signal refused; more of this kind are only counted");
    let change = Change::CommandRefused {
        command: command.to_string(),
        reason: refusal.to_string(),
    };
    // What is refused may be the names themselves.
    let is_named = text::is_actor(&request.actor);
    let actor = if is_named {
        actor(request)
    } else {
        ACTOR_TEMPORAL
    };
    let request_id = Some(request.request_id.as_str()).filter(|id| text::is_id(id));
    tx.record_refusal(change, actor, request_id, key);
    Ok(())
}
