//! What the payment journal has to say when an operator resolves a payment.

use super::{Connection, StoreError};
use crate::domain::{
    command::{PaymentOutcome, Refusal, ResolvePayment},
    order::Order,
};
use sqlx::Row;

/// Books what an operator says became of a payment, in the transaction of its event; or refuses it,
/// because the journal holds something else.
///
/// The embedded provider's journal is its books: what stands there under the step's key happened, what
/// does not, did not. So there is nothing to write, and only the truth is let through.
///
/// # Errors
/// When the database cannot be used.
pub async fn book(
    connection: &mut Connection,
    order: &Order,
    resolved: &ResolvePayment,
) -> Result<Result<(), Refusal>, StoreError> {
    let step = resolved.step;
    let key = format!("{}/{}", order.order_id, order.step_key(step));
    let row = sqlx::query("SELECT transaction_id, kind FROM payment_entries WHERE key = $1")
        .bind(&key)
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else {
        return Ok(match resolved.outcome {
            PaymentOutcome::NotHappened => Ok(()),
            PaymentOutcome::Succeeded => Err(Refusal::PaymentKnown {
                step,
                known: format!("the payment journal holds no movement {key}"),
            }),
        });
    };
    let (transaction_id, kind): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    let same = transaction_id == resolved.transaction_id;
    Ok(match resolved.outcome {
        PaymentOutcome::Succeeded if same => Ok(()),
        _ => Err(Refusal::PaymentKnown {
            step,
            known: format!("the payment journal holds {kind} {key} as {transaction_id}"),
        }),
    })
}
