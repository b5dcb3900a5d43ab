//! The embedded payment provider: a ledger of movements, one row for each key, in the store.

use crate::provider::{Call, PaymentProvider, ProviderError, Receipt, test_token};
use async_trait::async_trait;
use orders_domain::{
    movement::{Movement, MovementKind},
    payment_method::PaymentToken,
};
use orders_store::ledger::Ledger;
use std::time::Duration;

pub(in crate::provider) struct EmbeddedPayment;

/// How long a movement with the slow test token takes.
const SLOW: Duration = Duration::from_secs(1);

/// What the provider plays for a payment, as its test token asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Play {
    /// Nothing: all goes well.
    Nothing,
    /// It declines to take money.
    Declines,
    /// The first answer about each movement is lost.
    LosesAnswers,
    /// Each movement takes its time.
    TakesTime,
}

impl Play {
    fn of(token: &PaymentToken) -> Self {
        match token.expose() {
            test_token::DECLINED => Self::Declines,
            test_token::LOST_ANSWER => Self::LosesAnswers,
            test_token::SLOW => Self::TakesTime,
            _ => Self::Nothing,
        }
    }

    /// As the ledger keeps it for the movements that come without a token.
    fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Declines => "DECLINES",
            Self::LosesAnswers => "LOSES_ANSWERS",
            Self::TakesTime => "TAKES_TIME",
        }
    }

    fn named(name: &str) -> Self {
        let all = [Self::Declines, Self::LosesAnswers, Self::TakesTime];
        let mut all = all.into_iter();
        all.find(|play| play.as_str() == name)
            .unwrap_or(Self::Nothing)
    }
}

#[async_trait]
impl PaymentProvider for EmbeddedPayment {
    async fn perform(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
        movement: &Movement,
        token: Option<&PaymentToken>,
    ) -> Result<Receipt, ProviderError> {
        let play = match token {
            Some(token) => Play::of(token),
            None => played(ledger, &movement.payment_id).await?,
        };
        let takes = !matches!(movement.kind, MovementKind::Refund | MovementKind::Void);
        if takes && play == Play::Declines {
            return Err(ProviderError::Refused("the card was declined".to_owned()));
        }
        if play == Play::TakesTime && !call.waited {
            let left = SLOW.saturating_sub(since_first_asked(call));
            if !left.is_zero() {
                return Err(ProviderError::Wait(left));
            }
        }
        let receipt = Receipt {
            transaction_id: format!("txn-{}", movement.key.replace('/', "-")),
            amount: movement.amount,
        };
        let added = ledger.add_movement(movement, &receipt.transaction_id, play.as_str(), call.now);
        if !added.await? {
            // Made before: as it was made then.
            let made = self.resolve(ledger, call, movement).await?;
            return made.ok_or_else(|| ProviderError::Failed("a movement vanished".to_owned()));
        }
        if play == Play::LosesAnswers {
            let lost = format!("no answer to {} {}", movement.kind, movement.key);
            return Err(ProviderError::NoAnswer(lost));
        }
        Ok(receipt)
    }

    /// What is not in the ledger did not happen, and cannot come later: the order is locked.
    async fn resolve(
        &self,
        ledger: &mut Ledger<'_>,
        _call: &Call<'_>,
        movement: &Movement,
    ) -> Result<Option<Receipt>, ProviderError> {
        let made = ledger.movement(&movement.key).await?;
        Ok(made.map(|entry| Receipt {
            transaction_id: entry.transaction_id,
            amount: entry.amount,
        }))
    }
}

/// An attempt that was too short for a slow movement has not ended it.
fn since_first_asked(call: &Call<'_>) -> Duration {
    let failed = call.order.fault_of(call.effect);
    let time = failed.map(|fault| call.now.duration_since(fault.since));
    time.and_then(|time| Duration::try_from(time).ok())
        .unwrap_or_default()
}

/// Returns what was simulated for the payment before.
async fn played(ledger: &mut Ledger<'_>, payment_id: &str) -> Result<Play, ProviderError> {
    let name = ledger.plays(payment_id).await?;
    Ok(Play::named(name.as_deref().unwrap_or_default()))
}
