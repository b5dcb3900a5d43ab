//! The payment journal in the database, and the sums of each payment beside it.

use super::{
    Connection, DbRow, StoreError, batch::Batch, micros, order_tx::OrderTx, statement::values,
};
use orders_domain::{
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
    /// Whether only a person says so.
    pub vouched: bool,
    /// What it is known by, in words; may be empty.
    pub evidence: String,
}

impl Outcome {
    /// It moved.
    pub fn moved(transaction_id: &str) -> Self {
        Self {
            phase: EntryPhase::Succeeded,
            transaction_id: Some(transaction_id.to_owned()),
            vouched: false,
            evidence: String::new(),
        }
    }

    /// It did not, or nobody knows.
    pub fn unmoved(phase: EntryPhase, evidence: &str) -> Self {
        Self {
            phase,
            transaction_id: None,
            vouched: false,
            evidence: evidence.to_owned(),
        }
    }
}

/// The books of the order's payment in one transaction: as they were read, and what it adds.
#[derive(Default)]
pub(super) struct Books {
    /// With what was added; none until it is read.
    account: Option<Account>,
    /// Whether the row of the payment has other sums.
    has_moved: bool,
    added: Vec<Added>,
}

/// What is known of a payment.
struct Account {
    journal: Journal,
    /// The sums that belong to it.
    sums: Balance,
}

/// An entry that is written at the commit.
struct Added {
    number: i64,
    movement: Movement,
    outcome: Outcome,
    actor: String,
    time: i64,
}

impl Books {
    /// Whether there is something to be written: it is kept, whether or not the order changes.
    pub(super) fn have_entries(&self) -> bool {
        !self.added.is_empty()
    }

    /// Adds what writes the sums, where they have changed, and what was added, in one statement.
    pub(super) fn write(&self, batch: &mut Batch) {
        let Some(last) = self.added.last() else {
            return;
        };
        if let Some(account) = self.account.as_ref().filter(|_| self.has_moved) {
            write_sums(batch, &last.movement.payment_id, account.sums);
        }
        insert(batch, &self.added);
    }

    /// That the order's own log and the books say the same of its money.
    ///
    /// # Errors
    /// When they do not: nothing may be committed then.
    pub(super) async fn check(&self, db: &mut Connection, order: &Order) -> Result<(), StoreError> {
        let Some(expected) = movement::expected(order) else {
            return Ok(());
        };
        let sums = match &self.account {
            Some(account) => account.sums,
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
}

impl OrderTx {
    /// The journal of the order's payment, with what this transaction has added.
    ///
    /// # Errors
    /// When the database cannot be read, or the payment's sums are not those of its journal.
    pub async fn journal(&mut self) -> Result<Journal, StoreError> {
        Ok(self.account().await?.journal.clone())
    }

    /// Adds that a provider is about to be asked. To be committed before it is, where it is outside
    /// of the process.
    ///
    /// # Errors
    /// When the journal cannot be read, or the movement contradicts what has moved before.
    pub async fn intend(&mut self, movement: &Movement) -> Result<(), StoreError> {
        let intent = Outcome::unmoved(EntryPhase::Intent, "");
        self.append_entry(movement, &intent, ACTOR_PROCESS).await
    }

    /// Adds what became of a movement, as `actor` says. What has moved has moved: an answer that
    /// comes twice, or late, is booked once.
    ///
    /// # Errors
    /// When the journal cannot be read, or the movement contradicts what has moved before.
    pub async fn book(
        &mut self,
        movement: &Movement,
        outcome: &Outcome,
        actor: &str,
    ) -> Result<(), StoreError> {
        if self.account().await?.journal.moved(&movement.key).is_some() {
            return Ok(());
        }
        self.append_entry(movement, outcome, actor).await
    }

    /// Adds what the provider says of a movement that a person vouched for.
    ///
    /// # Errors
    /// As [`book`](Self::book).
    pub(super) async fn book_verdict(
        &mut self,
        movement: &Movement,
        outcome: &Outcome,
    ) -> Result<(), StoreError> {
        self.append_entry(movement, outcome, ACTOR_PROCESS).await
    }

    async fn append_entry(
        &mut self,
        movement: &Movement,
        outcome: &Outcome,
        actor: &str,
    ) -> Result<(), StoreError> {
        let moves = outcome.phase == EntryPhase::Succeeded;
        if let Some(transaction_id) = &outcome.transaction_id
            && movement.kind != MovementKind::Confirm
            && !outcome.vouched
        {
            self.note_answered(transaction_id).await?;
        }
        let account = self.account().await?;
        if moves {
            let after = account.sums.after(movement.kind, movement.amount);
            account.sums = after.map_err(|error| contradiction(&movement.payment_id, &error))?;
        }
        account.journal.entries.push(Entry {
            key: movement.key.clone(),
            kind: movement.kind,
            phase: outcome.phase,
            amount: movement.amount,
            transaction_id: outcome.transaction_id.clone(),
        });
        let refutes = outcome.phase == EntryPhase::Refuted;
        if refutes {
            let balance = account.journal.balance();
            account.sums = balance.map_err(|error| contradiction(&movement.payment_id, &error))?;
        }
        let number = i64::try_from(account.journal.entries.len()).unwrap_or(i64::MAX);
        let time = micros(self.now());
        self.books.has_moved |= moves || refutes;
        self.books.added.push(Added {
            number,
            movement: movement.clone(),
            outcome: outcome.clone(),
            actor: actor.to_owned(),
            time,
        });
        Ok(())
    }

    async fn account(&mut self) -> Result<&mut Account, StoreError> {
        let account = match self.books.account.take() {
            Some(account) => account,
            None => {
                let (order, db) = self.parts();
                let payment_id = &order.payment.payment_id;
                let account = read(db, payment_id).await?;
                let balance = account.journal.balance();
                let balance = balance.map_err(|error| contradiction(payment_id, &error))?;
                if account.sums != balance {
                    return Err(StoreError::Corrupt(format!(
                        "payment {payment_id} has the sums {:?}, its journal says {balance:?}",
                        account.sums
                    )));
                }
                account
            }
        };
        Ok(self.books.account.insert(account))
    }
}

fn contradiction(payment_id: &str, error: &Imbalance) -> StoreError {
    StoreError::Corrupt(format!("payment {payment_id}: {error}"))
}

fn write_sums(batch: &mut Batch, payment_id: &str, balance: Balance) {
    batch.add_of_one(
        ("payment", payment_id),
        "UPDATE payments SET authorized = $1, captured = $2, refunded = $3, voided = $4
         WHERE payment_id = $5",
        values![
            balance.authorized,
            balance.captured,
            balance.refunded,
            i64::from(balance.voided),
            payment_id,
        ],
    );
}

fn insert(batch: &mut Batch, added: &[Added]) {
    let rows = added.iter().map(|entry| {
        let (movement, outcome) = (&entry.movement, &entry.outcome);
        values![
            &movement.payment_id,
            entry.number,
            &movement.key,
            movement.kind.as_str(),
            outcome.phase.as_str(),
            movement.amount,
            outcome.transaction_id.as_deref(),
            i64::from(outcome.vouched),
            &entry.actor,
            &outcome.evidence,
            entry.time,
        ]
    });
    batch
        .add(
            "INSERT INTO payment_journal (payment_id, entry, key, kind, phase, amount,
                 transaction_id, vouched, actor, evidence, time) VALUES ",
            [],
        )
        .rows(rows);
}

/// Reads the journal of a payment and its sums with one query.
async fn read(db: &mut Connection, payment_id: &str) -> Result<Account, StoreError> {
    let rows = sqlx::query(
        "SELECT p.authorized, p.captured, p.refunded, p.voided,
             j.key, j.kind, j.phase, j.amount, j.transaction_id
         FROM payments p LEFT JOIN payment_journal j ON j.payment_id = p.payment_id
         WHERE p.payment_id = $1 ORDER BY j.entry",
    )
    .bind(payment_id)
    .fetch_all(db)
    .await?;
    let payment = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let sums = balance_of(payment)?;
    let mut journal = Journal::default();
    for row in &rows {
        let unknown = |text: &str| StoreError::Corrupt(format!("no such entry: {text}"));
        // One row without an entry stands for a payment without entries.
        let Some(key) = row.try_get("key")? else {
            continue;
        };
        let (kind, phase): (&str, &str) = (row.try_get("kind")?, row.try_get("phase")?);
        journal.entries.push(Entry {
            key,
            kind: kind.parse::<MovementKind>().map_err(|()| unknown(kind))?,
            phase: phase.parse::<EntryPhase>().map_err(|()| unknown(phase))?,
            amount: row.try_get("amount")?,
            transaction_id: row.try_get("transaction_id")?,
        });
    }
    Ok(Account { journal, sums })
}

async fn sums(db: &mut Connection, payment_id: &str) -> Result<Balance, StoreError> {
    let row = sqlx::query(
        "SELECT authorized, captured, refunded, voided FROM payments WHERE payment_id = $1",
    )
    .bind(payment_id)
    .fetch_one(db)
    .await?;
    balance_of(&row)
}

fn balance_of(row: &DbRow) -> Result<Balance, StoreError> {
    Ok(Balance {
        authorized: row.try_get("authorized")?,
        captured: row.try_get("captured")?,
        refunded: row.try_get("refunded")?,
        voided: row.try_get::<i64, _>("voided")? == 1,
    })
}
