//! Commands on the stock of one SKU: a count of the shelf, which is absolute, and a correction, which is
//! relative, so that two of them at once lose nothing.

use super::{
    Connection, Store, StoreError,
    batch::Batch,
    is_duplicate, micros,
    read::{StoredRequest, request},
    remember::remember_request,
    statement::values,
    stock::{StockItem, lock_stock_item, stock_item},
};
use jiff::Timestamp;
use orders_domain::fingerprint;

/// The most pieces of a SKU, and the largest reorder numbers.
pub const PIECES_MOST: i64 = 1_000_000_000;

/// What a caller asks of the stock of one SKU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockRequest {
    /// Unique over the service: the same request twice has one effect.
    pub request_id: String,
    /// On whose behalf.
    pub actor: String,
    /// The revision that the caller saw, 0 for a SKU that is to be new. The command is refused when the
    /// item has changed since.
    pub expected_revision: Option<i64>,
    /// Of which SKU.
    pub sku: String,
    /// What for.
    pub command: StockCommand,
}

/// A change of the stock of one SKU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StockCommand {
    /// There are so many, and it is reordered like that. What is left out stays as it is; for a SKU that
    /// is new, it is 0.
    Set {
        /// Pieces in the warehouse, those that are reserved included.
        on_hand: Option<i64>,
        /// See [`StockItem::reorder_point`].
        reorder_point: Option<i64>,
        /// See [`StockItem::reorder_level`].
        reorder_level: Option<i64>,
    },
    /// There are so many more, or fewer when it is negative.
    Adjust {
        /// Pieces.
        delta: i64,
        /// Why, in the caller's words.
        reason: String,
    },
}

/// What became of a command on stock.
#[derive(Debug)]
pub enum StockOutcome {
    /// It is as asked, now or since the same request before.
    Done {
        /// As it is now.
        item: StockItem,
        /// Whether the request was answered before.
        replayed: bool,
    },
    /// Nothing was changed.
    Refused(StockRefusal),
}

/// Why a command on stock was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StockRefusal {
    /// The request id was used for something else.
    RequestReused,
    /// There is no such SKU to adjust.
    NoItem,
    /// The item has changed since the caller looked.
    Moved {
        /// What the caller expected.
        expected: i64,
        /// Where it is; 0 when there is none.
        actual: i64,
    },
    /// Orders hold more than there would be.
    BelowReserved {
        /// How much they hold.
        reserved: i64,
        /// How many there are.
        on_hand: i64,
    },
    /// There would be more than [`PIECES_MOST`].
    TooMany {
        /// How many there are.
        on_hand: i64,
    },
    /// The reorder level, with the other number that was kept, would be below the reorder point.
    LevelBelowPoint {
        /// The reorder point as it would be.
        reorder_point: i64,
        /// The reorder level as it would be.
        reorder_level: i64,
    },
}

impl StockCommand {
    /// The item after the command, at the same revision.
    fn apply(&self, before: &StockItem) -> Result<StockItem, StockRefusal> {
        let mut item = before.clone();
        match self {
            Self::Set {
                on_hand,
                reorder_point,
                reorder_level,
            } => {
                item.on_hand = on_hand.unwrap_or(item.on_hand);
                item.reorder_point = reorder_point.unwrap_or(item.reorder_point);
                item.reorder_level = reorder_level.unwrap_or(item.reorder_level);
            }
            Self::Adjust { delta, .. } => item.on_hand = item.on_hand.saturating_add(*delta),
        }
        let StockItem {
            on_hand,
            reserved,
            reorder_point,
            reorder_level,
            ..
        } = item;
        if on_hand < reserved {
            let on_hand = before.on_hand;
            return Err(StockRefusal::BelowReserved { reserved, on_hand });
        }
        // A delivery may bring more than a caller may set; nothing forbids to take some of it away.
        if on_hand > PIECES_MOST && on_hand > before.on_hand {
            let on_hand = before.on_hand;
            return Err(StockRefusal::TooMany { on_hand });
        }
        if reorder_level > 0 && reorder_level < reorder_point {
            return Err(StockRefusal::LevelBelowPoint {
                reorder_point,
                reorder_level,
            });
        }
        Ok(item)
    }

    fn reason(&self) -> &str {
        match self {
            Self::Set { .. } => "",
            Self::Adjust { reason, .. } => reason,
        }
    }
}

impl StockRequest {
    /// Tells two requests of the same id apart: a hash of what is asked for, without who asks.
    fn fingerprint(&self) -> String {
        let number = |number: Option<i64>| number.map_or("-".to_owned(), |n| n.to_string());
        let [kind, first, second, third] = match &self.command {
            StockCommand::Set {
                on_hand,
                reorder_point,
                reorder_level,
            } => [
                "set".to_owned(),
                number(*on_hand),
                number(*reorder_point),
                number(*reorder_level),
            ],
            StockCommand::Adjust { delta, reason } => [
                "adjust".to_owned(),
                delta.to_string(),
                reason.clone(),
                String::new(),
            ],
        };
        fingerprint([&self.sku, &kind, &first, &second, &third].map(String::as_str))
    }
}

impl Store {
    /// Sets or corrects the stock of a SKU. What is reserved stays reserved. A count of a SKU that is new
    /// makes it known.
    ///
    /// # Errors
    /// When the database cannot be used; the same call again is safe.
    pub async fn change_stock(
        &self,
        asked: &StockRequest,
        now: Timestamp,
    ) -> Result<StockOutcome, StoreError> {
        let fingerprint = asked.fingerprint();
        match self.try_change_stock(asked, &fingerprint, now).await {
            // The same request at once, for this item or another: it is committed by now.
            Err(StoreError::Unavailable(error)) if is_duplicate(&error) => {
                self.try_change_stock(asked, &fingerprint, now).await
            }
            outcome => outcome,
        }
    }

    async fn try_change_stock(
        &self,
        asked: &StockRequest,
        fingerprint: &str,
        now: Timestamp,
    ) -> Result<StockOutcome, StoreError> {
        let sku = &asked.sku;
        let refused = |refusal| Ok(StockOutcome::Refused(refusal));
        // Dropped without a commit, it changes nothing: also what a refusal leaves.
        let mut tx = self.write().await?;
        if matches!(asked.command, StockCommand::Set { .. }) {
            // A new one is made first, so that there is a row to lock.
            sqlx::query(
                "INSERT INTO stock (sku, on_hand) VALUES ($1, 0) ON CONFLICT (sku) DO NOTHING",
            )
            .bind(sku)
            .execute(&mut *tx)
            .await?;
        }
        let locked = lock_stock_item(&mut tx, sku).await?;
        if let Some(before) = request(&mut tx, &asked.request_id).await? {
            return match locked {
                Some(item) if before.resource == *sku && before.fingerprint == fingerprint => {
                    let replayed = true;
                    Ok(StockOutcome::Done { item, replayed })
                }
                _ => refused(StockRefusal::RequestReused),
            };
        }
        let Some(before) = locked else {
            return refused(StockRefusal::NoItem);
        };
        let actual = before.revision;
        if let Some(expected) = asked.expected_revision.filter(|seen| *seen != actual) {
            return refused(StockRefusal::Moved { expected, actual });
        }
        let after = match asked.command.apply(&before) {
            Ok(after) => after,
            Err(refusal) => return refused(refusal),
        };
        self.write_stock(&mut tx, asked, (&before, &after), fingerprint, now)
            .await?;
        let item = stock_item(&mut tx, sku).await?;
        tx.commit().await?;
        let item = item.ok_or_else(|| StoreError::Corrupt("stock vanished".to_owned()))?;
        let replayed = false;
        Ok(StockOutcome::Done { item, replayed })
    }

    async fn write_stock(
        &self,
        tx: &mut Connection,
        asked: &StockRequest,
        (before, after): (&StockItem, &StockItem),
        fingerprint: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sku = asked.sku.as_str();
        let delta = after.on_hand - before.on_hand;
        let mut batch = Batch::new(self.dialect);
        // `adjusted` takes up the difference, so that the books still balance.
        batch.add_of_one(
            ("sku", sku),
            "UPDATE stock SET adjusted = adjusted + $1, on_hand = $2, reorder_point = $3,
                 reorder_level = $4, revision = revision + 1
             WHERE sku = $5",
            values![
                delta,
                after.on_hand,
                after.reorder_point,
                after.reorder_level,
                sku,
            ],
        );
        if delta != 0 {
            batch.add(
                "INSERT INTO stock_adjustments
                     (sku, revision, delta, reason, actor, request_id, time)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
                values![
                    sku,
                    before.revision + 1,
                    delta,
                    asked.command.reason(),
                    &asked.actor,
                    &asked.request_id,
                    micros(now),
                ],
            );
        }
        let remembered = StoredRequest {
            resource: asked.sku.clone(),
            fingerprint: fingerprint.to_owned(),
            revision: 0,
        };
        remember_request(&mut batch, &asked.request_id, &remembered, micros(now));
        batch.run(tx).await?;
        Ok(())
    }
}
