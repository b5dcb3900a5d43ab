//! What the database holds when all is over, read past the server.

use orders_domain::{event::Event, order::Order};
use sqlx::{Pool, Row, Sqlite, sqlite::SqliteConnectOptions};
use std::{collections::BTreeMap, path::Path};

/// The database, for reading.
pub struct Books {
    pool: Pool<Sqlite>,
}

/// One order with everything that is kept of it.
pub struct Entry {
    /// The row.
    pub order: Order,
    /// Its log.
    pub events: Vec<Event>,
    /// The movements of its money: kind and amount.
    pub movements: Vec<(String, i64)>,
    /// The money from outside: transaction, amount, and the part of it that counts towards the total.
    pub receipts: Vec<(String, i64, i64)>,
    /// Its reservations: sku, pieces, state.
    pub reservations: Vec<(String, i64, String)>,
    /// The state of its shipment, where there is one, and the address that the carrier was told.
    pub shipment: Option<(String, String)>,
}

/// The tables that reading must leave as they are. (What is due is put in order in the background.)
const TABLES: &[&str] = &[
    "orders",
    "order_events",
    "requests",
    "payments",
    "payment_entries",
    "payment_journal",
    "payment_receipts",
    "stock",
    "reservations",
    "shipments",
    "notifications",
];

impl Books {
    /// Opens the database of a server.
    pub async fn open(data_dir: &Path) -> Books {
        let file = SqliteConnectOptions::new().filename(data_dir.join("orders.db"));
        let pool = Pool::connect_with(file.read_only(true)).await.unwrap();
        Books { pool }
    }

    /// Lets go of it.
    pub async fn close(self) {
        self.pool.close().await;
    }

    /// A number.
    pub async fn number(&self, query: &'static str) -> i64 {
        let number = sqlx::query_scalar(query).fetch_one(&self.pool);
        number.await.unwrap()
    }

    /// Every order, by its id.
    pub async fn entries(&self) -> BTreeMap<String, Entry> {
        let mut entries = BTreeMap::new();
        for (order_id, document) in self.pairs("SELECT order_id, document FROM orders").await {
            let entry = Entry {
                order: serde_json::from_str(&document).unwrap(),
                events: Vec::new(),
                movements: Vec::new(),
                receipts: Vec::new(),
                reservations: Vec::new(),
                shipment: None,
            };
            entries.insert(order_id, entry);
        }
        let log = "SELECT order_id, body FROM order_events ORDER BY order_id, revision";
        for (order_id, body) in self.pairs(log).await {
            let entry: &mut Entry = entries.get_mut(&order_id).unwrap();
            entry.events.push(serde_json::from_str(&body).unwrap());
        }
        for row in self
            .rows("SELECT p.order_id, j.kind, j.amount FROM payment_journal j JOIN payments p USING (payment_id) WHERE j.phase = 'SUCCEEDED'")
            .await
        {
            let entry = entries.get_mut(row.get::<&str, _>(0)).unwrap();
            entry.movements.push((row.get(1), row.get(2)));
        }
        for row in self
            .rows("SELECT order_id, transaction_id, amount, counted FROM payment_receipts")
            .await
        {
            let entry = entries.get_mut(row.get::<&str, _>(0)).unwrap();
            entry.receipts.push((row.get(1), row.get(2), row.get(3)));
        }
        for row in self
            .rows("SELECT order_id, sku, quantity, state FROM reservations")
            .await
        {
            let entry = entries.get_mut(row.get::<&str, _>(0)).unwrap();
            entry
                .reservations
                .push((row.get(1), row.get(2), row.get(3)));
        }
        for row in self
            .rows("SELECT order_id, state, address FROM shipments")
            .await
        {
            let entry = entries.get_mut(row.get::<&str, _>(0)).unwrap();
            entry.shipment = Some((row.get(1), row.get(2)));
        }
        entries
    }

    /// What people were to be told: order and milestone.
    pub async fn milestones(&self) -> Vec<(String, String)> {
        let told = "SELECT order_id, milestone FROM notifications ORDER BY order_id, milestone";
        self.pairs(told).await
    }

    /// The stock: sku, adjusted, supplied, shipped.
    pub async fn stock(&self) -> Vec<(String, i64, i64, i64)> {
        let rows = self.rows("SELECT sku, adjusted, supplied, shipped FROM stock ORDER BY sku");
        let rows = rows.await;
        let item = |row: &sqlx::sqlite::SqliteRow| (row.get(0), row.get(1), row.get(2), row.get(3));
        rows.iter().map(item).collect()
    }

    /// All rows of all tables, to be compared with what they are later.
    pub async fn dump(&self) -> Vec<String> {
        let mut dump = Vec::new();
        for table in TABLES {
            let columns = format!("SELECT name, '' FROM pragma_table_info('{table}')");
            let columns = self.pairs(&columns).await.into_iter();
            let columns = columns.filter(|(name, _)| name != "due_time");
            let columns: Vec<String> = columns.map(|(name, _)| format!("quote({name})")).collect();
            let rows = format!(
                "SELECT '{table}', {} FROM {table}",
                columns.join(" || ',' || ")
            );
            let rows = self.pairs(&rows).await.into_iter();
            dump.extend(rows.map(|(table, row)| format!("{table}: {row}")));
        }
        dump.sort();
        dump
    }

    async fn rows(&self, query: &str) -> Vec<sqlx::sqlite::SqliteRow> {
        // The query is made of this file's own words.
        let query = sqlx::AssertSqlSafe(query.to_owned());
        sqlx::query(query).fetch_all(&self.pool).await.unwrap()
    }

    async fn pairs(&self, query: &str) -> Vec<(String, String)> {
        let rows = self.rows(query).await;
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }
}
