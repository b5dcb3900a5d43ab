//! What a payment provider outside says became of a movement, asked before an order is locked: when an operator says
//! what became of a payment, and while nobody but a person knows it.

use super::payment::{self, Answered, Question};
use crate::provider::{ExternalPaymentProvider, PaymentPort};
use orders_domain::{
    command::Command,
    effect::Effect,
    movement::{EntryPhase, Movement, MovementKind},
    order::Order,
    step::Step,
};
use orders_store::{
    StoreError,
    order_tx::OrderTx,
    payment_resolution::{self, Source},
};
use std::sync::Arc;

/// The questions that the provider is to be asked before `command` is decided: none once their answers are `heard`,
/// or when the command needs none.
pub(super) async fn questions(
    tx: &mut OrderTx,
    port: &PaymentPort,
    command: &Command,
    heard: &[Answered],
) -> Result<Vec<Question>, StoreError> {
    let PaymentPort::External(provider) = port else {
        return Ok(Vec::new());
    };
    let mut effects = match command {
        Command::ResolvePayment(resolved) => vec![tx.order().effect(resolved.step)],
        Command::RetryOrder(_) => to_verify(tx.order()),
        _ => return Ok(Vec::new()),
    };
    effects.retain(|effect| answer(tx.order(), *effect, heard).is_none());
    about(tx, provider, &effects).await
}

/// The questions what became of movements. A movement that the provider was never asked for needs none.
async fn about(
    tx: &mut OrderTx,
    provider: &Arc<dyn ExternalPaymentProvider>,
    effects: &[Effect],
) -> Result<Vec<Question>, StoreError> {
    if effects.is_empty() {
        return Ok(Vec::new());
    }
    let journal = tx.journal().await?;
    let order = tx.order();
    let movements = effects.iter().filter_map(|effect| {
        let key = effect.key(&order.order_id);
        let mut entries = journal.entries.iter();
        let intended =
            entries.find(|entry| entry.key == key && entry.phase == EntryPhase::Intent)?;
        Some(Movement {
            payment_id: order.payment.payment_id.clone(),
            kind: MovementKind::of(effect.step)?,
            amount: intended.amount,
            original: None,
            key,
        })
    });
    let movements = movements.map(|movement| payment::question(tx, provider, movement, true, None));
    Ok(movements.collect())
}

/// Whom an operator's word about a step is held against.
pub(super) fn source(order: &Order, step: Step, port: &PaymentPort, heard: &[Answered]) -> Source {
    match port {
        PaymentPort::Embedded(_) => Source::Ledger,
        PaymentPort::External(_) => {
            let effect = order.effect(step);
            let answer = answer(order, effect, heard);
            if let Some(error) = answer.and_then(Answered::error) {
                let order_id = &order.order_id;
                tracing::warn!(order_id, %effect, %error, "the provider does not say what became of it");
            }
            Source::Outside(answer.and_then(Answered::said))
        }
    }
}

/// Records what the provider says of payments that a person vouched for.
///
/// # Errors
/// When the database cannot be used.
pub(super) async fn record_verified(
    tx: &mut OrderTx,
    heard: &[Answered],
    actor: &str,
) -> Result<(), StoreError> {
    for effect in to_verify(tx.order()) {
        if let Some(said) = answer(tx.order(), effect, heard).and_then(Answered::said) {
            payment_resolution::verify(tx, effect, &said, actor).await?;
        }
    }
    Ok(())
}

/// Asks the provider about the payments of one order that a person vouched for, and records what it says.
///
/// # Errors
/// When the database cannot be used.
pub(crate) async fn verify(
    store: &orders_store::Store,
    provider: &Arc<dyn ExternalPaymentProvider>,
    order_id: &str,
    now: jiff::Timestamp,
) -> Result<(), StoreError> {
    let mut tx = store.lock_order(order_id, now).await?;
    let effects = to_verify(tx.order());
    let questions = about(&mut tx, provider, &effects).await?;
    // The order is not locked while a provider is asked.
    drop(tx);
    let mut heard = Vec::new();
    for question in questions {
        heard.push(question.ask().await);
    }
    let mut tx = store.lock_order(order_id, now).await?;
    let known = tx.order().revision;
    record_verified(&mut tx, &heard, orders_domain::event::ACTOR_PROCESS).await?;
    let verified = tx.appended().len();
    if verified > 0 {
        tx.commit(known, None).await?;
        tracing::info!(
            order_id,
            "the provider answered about a payment that a person vouched for"
        );
    }
    Ok(())
}

fn to_verify(order: &Order) -> Vec<Effect> {
    order.to_verify().map(|vouched| vouched.effect).collect()
}

fn answer<'a>(order: &Order, effect: Effect, heard: &'a [Answered]) -> Option<&'a Answered> {
    let key = effect.key(&order.order_id);
    heard.iter().find(|answered| answered.key() == key)
}
