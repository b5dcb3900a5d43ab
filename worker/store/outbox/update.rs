//! The updates of messages: they are taken on lease, and afterwards delivered, given up or put off.

use super::{Claim, Outcome};
use crate::{
    Connection, StoreError, micros,
    statement::{Statement, values},
};
use jiff::Timestamp;
use orders_domain::message::message_id;
use sqlx::Row;
use std::collections::BTreeSet;

/// Puts messages on lease. Returns the ids of those that are ours now: since they were read, another
/// process may have taken or delivered some.
pub(super) async fn take(
    connection: &mut Connection,
    due: &[Vec<Claim>],
    now: Timestamp,
    lease: i64,
) -> Result<BTreeSet<String>, StoreError> {
    let now = micros(now);
    let mut update = Statement::new(
        "UPDATE notifications SET next_time = $1, first_time = COALESCE(first_time, $2)",
        values![lease, now],
    );
    push_named(&mut update, due.iter().flatten());
    update.push(
        " AND next_time <= $1 RETURNING order_id, milestone",
        values![now],
    );
    let rows = update.query().persistent(false).fetch_all(connection);
    let rows = rows.await?;
    let names = rows.iter().map(|row| {
        let (order_id, milestone) = (row.try_get("order_id")?, row.try_get("milestone")?);
        Ok(message_id(order_id, milestone))
    });
    names.collect()
}

/// Limits an update to the messages of `claims` that are still pending.
fn push_named<'a>(update: &mut Statement, claims: impl Iterator<Item = &'a Claim>) {
    // A join, so that the database finds each message by its key, and does not read all that are pending.
    update.push(" FROM (VALUES ", []);
    update.rows(claims.map(|claim| values![claim.order_id(), claim.milestone()]));
    update.push(
        ") AS named WHERE order_id = named.column1 AND milestone = named.column2
             AND state = 'PENDING'",
        [],
    );
}

/// Marks the messages that were delivered.
pub(super) async fn delivered(
    connection: &mut Connection,
    outcomes: &[(Claim, Outcome)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut claims = Vec::new();
    for (claim, outcome) in outcomes {
        if *outcome == Outcome::Delivered {
            claims.push(claim);
        }
    }
    if claims.is_empty() {
        return Ok(());
    }
    let mut update = Statement::new(
        "UPDATE notifications SET state = 'DELIVERED', attempts = attempts + 1, last_error = NULL,
             delivered_time = $1",
        values![micros(now)],
    );
    push_named(&mut update, claims.into_iter());
    let updated = update.query().persistent(false).execute(connection);
    updated.await?;
    Ok(())
}

/// Marks a message that is never tried again.
pub(super) async fn give_up(
    connection: &mut Connection,
    claim: &Claim,
    error: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE notifications SET state = 'FAILED', attempts = attempts + 1, last_error = $1
         WHERE order_id = $2 AND milestone = $3 AND state = 'PENDING'",
    )
    .bind(error)
    .bind(claim.order_id())
    .bind(claim.milestone())
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts off a message and those behind it. Without an `error`, it was not tried.
pub(super) async fn retry(
    connection: &mut Connection,
    claim: &Claim,
    error: Option<&str>,
    again: Timestamp,
) -> Result<(), StoreError> {
    let again = micros(again);
    // Only while the lease is ours: a process that took it over knows better. The first time is that of
    // the first attempt, so a message that was taken and not tried has none.
    let noted = sqlx::query(
        "UPDATE notifications SET next_time = $1, attempts = attempts + $2,
             first_time = CASE WHEN attempts + $2 > 0 THEN first_time END,
             last_error = COALESCE($3, last_error)
         WHERE order_id = $4 AND milestone = $5 AND state = 'PENDING' AND next_time = $6",
    )
    .bind(again)
    .bind(i64::from(error.is_some()))
    .bind(error)
    .bind(claim.order_id())
    .bind(claim.milestone())
    .bind(claim.lease)
    .execute(&mut *connection)
    .await?;
    if noted.rows_affected() == 1 {
        // Those that were taken with it, and those that wait: else each query would have to skip them.
        sqlx::query(
            "UPDATE notifications SET next_time = $1,
                 first_time = CASE WHEN attempts > 0 THEN first_time END
             WHERE order_id = $2 AND state = 'PENDING' AND revision > $3
                 AND (next_time < $1 OR next_time = $4)",
        )
        .bind(again)
        .bind(claim.order_id())
        .bind(claim.revision)
        .bind(claim.lease)
        .execute(connection)
        .await?;
    }
    Ok(())
}
