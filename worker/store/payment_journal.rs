//! The payment journal in the database, and the sums of each payment beside it.

use super::{Connection, StoreError, micros, order_tx::OrderTx};
use crate::domain::{
    event::ACTOR_PROCESS,
    movement::{self, Balance, Entry, EntryPhase, Imbalance, Journal, Movement, MovementKind},
    order::Order,
};
use sqlx::Row;

/// What became of a movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How far it is.
    pub phase: EntryPhase,
    /// The provider's name for it; of those that moved.
    pub transaction_id: Option<String>,
    /// What it is known by, in words; may be empty.
    pub evidence: String,
}

impl Outcome {
    /// It moved.
    pub fn moved(transaction_id: &str) -> Self {
        Self {
            phase: EntryPhase::Succeeded,
            transaction_id: Some(transaction_id.to_owned()),
            evidence: String::new(),
        }
    }

    /// It did not, or nobody knows.
    pub fn unmoved(phase: EntryPhase, evidence: &str) -> Self {
        Self {
            phase,
            transaction_id: None,
            evidence: evidence.to_owned(),
        }
    }
}

impl OrderTx {
    /// The journal of the order's payment.
    ///
    /// # Errors
    /// When the database cannot be read, or the payment's sums are not those of its journal.
    pub async fn journal(&mut self) -> Result<Journal, StoreError> {
        let (order, db) = self.parts();
        let payment_id = &order.payment.payment_id;
        let journal = read(db, payment_id).await?;
        let (sums, balance) = (sums(db, payment_id).await?, balance(&journal, payment_id)?);
        if sums != balance {
            return Err(StoreError::Corrupt(format!(
                "payment {payment_id} has the sums {sums:?}, its journal says {balance:?}"
            )));
        }
        self.has_sums(sums);
        Ok(journal)
    }

    /// Writes that a provider is about to be asked. To be committed before it is, where it is outside
    /// of the process.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn intend(
        &mut self,
        journal: &mut Journal,
        movement: &Movement,
    ) -> Result<(), StoreError> {
        let intent = Outcome::unmoved(EntryPhase::Intent, "");
        self.append_entry(journal, movement, &intent, ACTOR_PROCESS)
            .await
    }

    /// Writes what became of a movement, as `actor` says. What has moved has moved: an answer that
    /// comes twice, or late, is booked once.
    ///
    /// # Errors
    /// When the database cannot be written, or the movement contradicts what has moved before.
    pub async fn book(
        &mut self,
        journal: &mut Journal,
        movement: &Movement,
        outcome: &Outcome,
        actor: &str,
    ) -> Result<(), StoreError> {
        if journal.moved(&movement.key).is_some() {
            return Ok(());
        }
        self.append_entry(journal, movement, outcome, actor).await
    }

    async fn append_entry(
        &mut self,
        journal: &mut Journal,
        movement: &Movement,
        outcome: &Outcome,
        actor: &str,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let (_, db) = self.parts();
        let number = i64::try_from(journal.entries.len()).unwrap_or(i64::MAX - 1) + 1;
        sqlx::query(
            "INSERT INTO payment_journal (payment_id, entry, key, kind, phase, amount,
                 transaction_id, actor, evidence, time)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(&movement.payment_id)
        .bind(number)
        .bind(&movement.key)
        .bind(movement.kind.as_str())
        .bind(outcome.phase.as_str())
        .bind(movement.amount)
        .bind(outcome.transaction_id.as_deref())
        .bind(actor)
        .bind(&outcome.evidence)
        .bind(micros(now))
        .execute(&mut *db)
        .await?;
        journal.entries.push(Entry {
            key: movement.key.clone(),
            kind: movement.kind,
            phase: outcome.phase,
            amount: movement.amount,
            transaction_id: outcome.transaction_id.clone(),
        });
        if outcome.phase == EntryPhase::Succeeded {
            let balance = balance(journal, &movement.payment_id)?;
            write_sums(db, &movement.payment_id, balance).await?;
            self.has_sums(balance);
        }
        self.booked();
        Ok(())
    }
}

fn balance(journal: &Journal, payment_id: &str) -> Result<Balance, StoreError> {
    let contradiction =
        |error: Imbalance| StoreError::Corrupt(format!("payment {payment_id}: {error}"));
    journal.balance().map_err(contradiction)
}

async fn write_sums(
    db: &mut Connection,
    payment_id: &str,
    balance: Balance,
) -> Result<(), StoreError> {
    let written = sqlx::query(
        "UPDATE payments SET authorized = $1, captured = $2, refunded = $3, voided = $4
         WHERE payment_id = $5",
    )
    .bind(balance.authorized)
    .bind(balance.captured)
    .bind(balance.refunded)
    .bind(i64::from(balance.voided))
    .bind(payment_id)
    .execute(db)
    .await?;
    match written.rows_affected() {
        1 => Ok(()),
        rows => Err(StoreError::Corrupt(format!(
            "{rows} payments are called {payment_id}"
        ))),
    }
}

/// The journal of a payment.
async fn read(db: &mut Connection, payment_id: &str) -> Result<Journal, StoreError> {
    let rows = sqlx::query(
        "SELECT key, kind, phase, amount, transaction_id FROM payment_journal
         WHERE payment_id = $1 ORDER BY entry",
    )
    .bind(payment_id)
    .fetch_all(db)
    .await?;
    let entries = rows.iter().map(|row| {
        let unknown = |text: &str| StoreError::Corrupt(format!("no such entry: {text}"));
        let (kind, phase): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
        Ok(Entry {
            key: row.try_get(0)?,
            kind: kind.parse::<MovementKind>().map_err(|()| unknown(kind))?,
            phase: phase.parse::<EntryPhase>().map_err(|()| unknown(phase))?,
            amount: row.try_get(3)?,
            transaction_id: row.try_get(4)?,
        })
    });
    Ok(Journal {
        entries: entries.collect::<Result<_, StoreError>>()?,
    })
}

async fn sums(db: &mut Connection, payment_id: &str) -> Result<Balance, StoreError> {
    let row = sqlx::query(
        "SELECT authorized, captured, refunded, voided FROM payments WHERE payment_id = $1",
    )
    .bind(payment_id)
    .fetch_one(db)
    .await?;
    Ok(Balance {
        authorized: row.try_get(0)?,
        captured: row.try_get(1)?,
        refunded: row.try_get(2)?,
        voided: row.try_get::<i64, _>(3)? == 1,
    })
}

/// That the order's own log and the books say the same of its money. `known` are the sums, where this
/// transaction has read or written them already.
///
/// # Errors
/// When they do not: nothing may be committed then.
pub(super) async fn check(
    db: &mut Connection,
    order: &Order,
    known: Option<Balance>,
) -> Result<(), StoreError> {
    let Some(expected) = movement::expected(order) else {
        return Ok(());
    };
    let sums = match known {
        Some(sums) => sums,
        None => sums(db, &order.payment.payment_id).await?,
    };
    if sums == expected {
        return Ok(());
    }
    Err(StoreError::Corrupt(format!(
        "the money of order {}: its log says {expected:?}, its payment {sums:?}",
        order.order_id
    )))
}
