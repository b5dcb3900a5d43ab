//! Bringing the tables up to date when the program starts.

use super::{Db, open::OpenError};
use sqlx::{
    Pool, SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};
use std::{fs::File, path::Path};

/// All migrations, oldest first. A released one is never changed.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "orders", include_str!("migrations/0001_orders.sql")),
    (
        2,
        "notifications",
        include_str!("migrations/0002_notifications.sql"),
    ),
    (
        3,
        "supplier orders",
        include_str!("migrations/0003_supplier_orders.sql"),
    ),
    (
        4,
        "event log",
        include_str!("migrations/0004_event_log.sql"),
    ),
    (
        5,
        "payment journal",
        include_str!("migrations/0005_payment_journal.sql"),
    ),
    (
        6,
        "attention",
        include_str!("migrations/0006_attention.sql"),
    ),
];

/// Applies what is missing. Called with the [`lock`] held.
pub(super) async fn run(pool: &Pool<Db>, path: &Path) -> Result<(), OpenError> {
    let failed = |reason: String| OpenError::Migrate {
        path: path.display().to_string(),
        reason,
    };
    let migrations = MIGRATIONS.iter().map(|(version, description, sql)| {
        let description = std::borrow::Cow::Borrowed(*description);
        let kind = MigrationType::Simple;
        Migration::new(*version, description, kind, sql.into_sql_str(), false)
    });
    let migrator = Migrator {
        migrations: migrations.collect::<Vec<_>>().into(),
        ..Migrator::DEFAULT
    };
    migrator.run(pool).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => OpenError::Newer {
            path: path.display().to_string(),
            version,
        },
        other => failed(other.to_string()),
    })
}

/// One process at a time opens a file and brings its tables up to date. Two that start at once on a
/// new one must not both create its tables, nor both turn it to write-ahead logging, which SQLite
/// refuses at once while the other one is at it. Freed when the file is dropped.
pub(super) async fn lock(path: &Path) -> Result<File, OpenError> {
    let locked = try_lock(path).await;
    locked.map_err(|error| OpenError::Migrate {
        path: path.display().to_string(),
        reason: error.to_string(),
    })
}

async fn try_lock(path: &Path) -> std::io::Result<File> {
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".migrate-lock");
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::create(lock_path)?;
        file.lock()?;
        Ok(file)
    });
    locked.await.map_err(std::io::Error::other)?
}
