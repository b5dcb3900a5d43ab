//! The commands: one update each, and one way to send them all.

use super::{Orders, within};
use crate::{error::Error, temporal::TemporalError};
use orders_domain::command::{Command, CommandRequest};
use orders_store::{
    read::{StoredOrder, StoredRequest},
    receipts::Received,
};
use orders_worker::activities::CommandReply;
use std::time::Duration;

/// How often a command is sent again after a refusal that the store does not share.
const TRIES: usize = 4;

impl Orders {
    /// Sends a command, and gives the order as it is afterwards, and whether the same request was
    /// answered before.
    pub(super) async fn command(
        &self,
        order_id: &str,
        request: CommandRequest,
        time: Duration,
    ) -> Result<(StoredOrder, bool), Error> {
        within(time, self.send(order_id, request)).await
    }

    async fn send(
        &self,
        order_id: &str,
        mut request: CommandRequest,
    ) -> Result<(StoredOrder, bool), Error> {
        let fingerprint = request.fingerprint(order_id);
        let first_update_id = request.update_id(order_id);
        let mut update_id = first_update_id.clone();
        // Of those who ask for the same at once, whoever's call was applied is told that it was.
        request.attempt = uuid::Uuid::now_v7().to_string();
        for _ in 0..TRIES {
            let (stored, asked) = self.stored_asked(order_id, &request.request_id).await?;
            if is_replay(order_id, &request, &fingerprint, asked)? {
                return Ok((stored, self.is_other(order_id, &request).await?));
            }
            // What the store refuses is refused, and Temporal need not be asked.
            self.check(order_id, &request, &stored)?;
            if stored.order.state.is_closed()
                && let Some(closed) = self.on_closed(order_id, &request).await?
            {
                return Ok(closed);
            }
            let stored = self.started(stored).await?;
            request.seen_revision = stored.order.revision;
            let mut committed = self.store().wait_for(&request.request_id);
            let sent = self
                .temporal()
                .command(order_id, request.clone(), update_id.clone());
            let reply = tokio::select! {
                // Committed is done: what follows (a provider's answer, Temporal's own record) the
                // caller need not wait for, and the sweep sees to it whatever happens now.
                committed = committed.committed() => {
                    let stored = committed.stored;
                    // Another request of the same id may have been quicker.
                    if stored.order.order_id != order_id || committed.fingerprint != fingerprint {
                        return Err(Error::RequestReused(request.request_id));
                    }
                    let is_other = match &committed.attempt {
                        Some(attempt) => *attempt != request.attempt,
                        None => self.is_other(order_id, &request).await?,
                    };
                    return Ok((stored, is_other));
                }
                reply = sent => reply,
            };
            match reply {
                Ok(CommandReply::Done {
                    fingerprint: done,
                    replayed,
                    revision,
                }) => {
                    // Anybody who reaches Temporal can use an update id in advance.
                    if done != fingerprint {
                        return Err(Error::RequestReused(request.request_id));
                    }
                    let stored = match replayed {
                        true => self.stored(order_id).await?,
                        false => self.store().order_at(order_id, revision).await?,
                    };
                    return Ok((stored, self.is_other(order_id, &request).await?));
                }
                Ok(CommandReply::Refused { refusal, .. }) if refusal.is_final() => {
                    return Err(Error::refused(order_id, &request.request_id, refusal));
                }
                Ok(CommandReply::Refused { revision, refusal }) => {
                    let now = self.stored(order_id).await?.order.revision;
                    if now == revision {
                        return Err(Error::refused(order_id, &request.request_id, refusal));
                    }
                    // The order has moved since: a refusal is not remembered, and Temporal must
                    // not answer from its memory of this update id.
                    update_id = format!("{first_update_id}@{now}");
                }
                // The workflow refused: the store says why, or it was a refusal of something older
                // than the store, and is asked again.
                Err(TemporalError::Refused(_)) => {}
                // It has ended meanwhile, or is gone: it is started where something is due.
                Err(TemporalError::NotFound(_)) => {
                    let stored = self.stored(order_id).await?;
                    if !stored.order.is_over() {
                        self.resume(stored).await?;
                    }
                }
                Err(TemporalError::Busy(_)) => return Err(Error::Busy(order_id.to_owned())),
                Err(TemporalError::Unavailable(cause)) => return Err(Error::Temporal(cause)),
                Err(TemporalError::Unexpected(cause)) => return Err(Error::Internal(cause)),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(Error::Temporal(format!(
            "the workflow of {order_id} keeps refusing what the store allows"
        )))
    }

    /// Starts the workflow of an order anew, from where the order stands: Temporal has lost it, or is
    /// another one; or it had ended, and something is due again.
    pub(super) async fn resume(&self, stored: StoredOrder) -> Result<(), Error> {
        let order_id = stored.order.order_id.clone();
        tracing::warn!(order_id, "Temporal does not have this order: started anew");
        let resumed = self.temporal().ensure_running(stored.order).await;
        resumed
            .map(drop)
            .map_err(|error| Error::Temporal(error.to_string()))
    }

    /// The order, and what was asked under that id before.
    pub(super) async fn stored_asked(
        &self,
        order_id: &str,
        request_id: &str,
    ) -> Result<(StoredOrder, Option<StoredRequest>), Error> {
        let stored = self.store().order_asked(order_id, request_id).await?;
        stored.ok_or_else(|| Error::NoOrder(order_id.to_owned()))
    }

    /// Whether a command that was applied was applied by another call than this.
    async fn is_other(&self, order_id: &str, request: &CommandRequest) -> Result<bool, Error> {
        let (attempt, request_id) = (&request.attempt, &request.request_id);
        let own = self.store().was_applied_by(order_id, attempt, request_id);
        Ok(!own.await?)
    }

    /// Refuses what the order, as the store has it, refuses.
    pub(super) fn check(
        &self,
        order_id: &str,
        request: &CommandRequest,
        stored: &StoredOrder,
    ) -> Result<(), Error> {
        let checked = request.check_early(&stored.order, stored.order.update_time);
        checked.map_err(|refusal| Error::refused(order_id, &request.request_id, refusal))
    }

    /// Records money that arrived for a closed order without its workflow, which has ended or is about
    /// to. Returns the order and whether the same was recorded before; none where the command is of
    /// another kind.
    pub(super) async fn on_closed(
        &self,
        order_id: &str,
        request: &CommandRequest,
    ) -> Result<Option<(StoredOrder, bool)>, Error> {
        let now = orders_store::clock::now();
        let store = self.store();
        let Command::ConfirmPayment(payment) = &request.command else {
            return Ok(None);
        };
        let closed = store.confirm_closed(order_id, request, payment, now);
        let Some(closed) = closed.await? else {
            return Ok(None);
        };
        match closed.received {
            Received::Recorded => Ok(Some((closed.stored, false))),
            Received::Again => Ok(Some((closed.stored, true))),
            Received::Refused(refusal) => {
                Err(Error::refused(order_id, &request.request_id, refusal))
            }
        }
    }
}

/// Whether it is the same that was asked under its id before.
pub(super) fn is_replay(
    order_id: &str,
    request: &CommandRequest,
    fingerprint: &str,
    before: Option<StoredRequest>,
) -> Result<bool, Error> {
    match before {
        None => Ok(false),
        Some(before) if before.resource == order_id && before.fingerprint == fingerprint => {
            Ok(true)
        }
        Some(_) => Err(Error::RequestReused(request.request_id.clone())),
    }
}
