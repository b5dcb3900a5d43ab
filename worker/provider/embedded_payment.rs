//! The embedded payment provider: a ledger of movements, one row for each key, in the store.

use super::{Call, PaymentProvider, ProviderError, Receipt, test_token};
use crate::{
    domain::{
        movement::{Movement, MovementKind},
        payment_method::PaymentToken,
    },
    store::{Connection, micros},
};
use async_trait::async_trait;
use sqlx::Row;
use std::time::Duration;

pub(super) struct EmbeddedPayment;

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
        db: &mut Connection,
        call: &Call<'_>,
        movement: &Movement,
        token: Option<&PaymentToken>,
    ) -> Result<Receipt, ProviderError> {
        let play = match token {
            Some(token) => Play::of(token),
            None => played(db, &movement.payment_id).await?,
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
        if !write(db, call, movement, &receipt, play).await? {
            // Made before: as it was made then.
            let made = self.resolve(db, call, movement).await?;
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
        db: &mut Connection,
        _call: &Call<'_>,
        movement: &Movement,
    ) -> Result<Option<Receipt>, ProviderError> {
        Ok(receipt(db, &movement.key).await?)
    }
}

/// An attempt that was too short for a slow movement has not ended it.
fn since_first_asked(call: &Call<'_>) -> Duration {
    let fault = call.order.fault.as_ref();
    let failed = fault.filter(|fault| fault.step == call.step);
    let time = failed.map(|fault| call.now.duration_since(fault.since));
    time.and_then(|time| Duration::try_from(time).ok())
        .unwrap_or_default()
}

/// False when the key's movement is in the ledger already.
async fn write(
    db: &mut Connection,
    call: &Call<'_>,
    movement: &Movement,
    receipt: &Receipt,
    play: Play,
) -> Result<bool, ProviderError> {
    let written = sqlx::query(
        "INSERT INTO payment_entries (key, payment_id, kind, amount, transaction_id, time, plays)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (key) DO NOTHING",
    )
    .bind(&movement.key)
    .bind(&movement.payment_id)
    .bind(movement.kind.as_str())
    .bind(movement.amount)
    .bind(&receipt.transaction_id)
    .bind(micros(call.now))
    .bind(play.as_str())
    .execute(db)
    .await?;
    Ok(written.rows_affected() == 1)
}

/// What was played for the payment before.
async fn played(db: &mut Connection, payment_id: &str) -> Result<Play, sqlx::Error> {
    let row = sqlx::query("SELECT plays FROM payment_entries WHERE payment_id = $1 LIMIT 1")
        .bind(payment_id)
        .fetch_optional(db)
        .await?;
    let name: Option<&str> = row.as_ref().map(|row| row.try_get(0)).transpose()?;
    Ok(Play::named(name.unwrap_or_default()))
}

async fn receipt(db: &mut Connection, key: &str) -> Result<Option<Receipt>, sqlx::Error> {
    let row = sqlx::query("SELECT transaction_id, amount FROM payment_entries WHERE key = $1")
        .bind(key)
        .fetch_optional(db)
        .await?;
    row.map(|row| {
        Ok(Receipt {
            transaction_id: row.try_get(0)?,
            amount: row.try_get(1)?,
        })
    })
    .transpose()
}
