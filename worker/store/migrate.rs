//! Bringing the tables up to date: when the program starts, or by `orders migrate`.

use super::{
    Connection,
    database::{Database, Mode, create_private},
    dialect::Dialect,
    open::OpenError,
};
use sqlx::{
    ConnectOptions, Connection as _, Executor,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};
use std::{borrow::Cow, fs::File, path::Path, time::Duration};

/// A migration: its SQL is the same for both databases unless PostgreSQL needs its own.
struct Source {
    version: i64,
    description: &'static str,
    sql: &'static str,
    postgres: Option<&'static str>,
}

/// All migrations, oldest first. A released one is never changed.
const MIGRATIONS: &[Source] = &[
    Source {
        version: 1,
        description: "orders",
        sql: include_str!("migrations/0001_orders.sql"),
        postgres: None,
    },
    Source {
        version: 2,
        description: "notifications",
        sql: include_str!("migrations/0002_notifications.sql"),
        postgres: None,
    },
    Source {
        version: 3,
        description: "supplier orders",
        sql: include_str!("migrations/0003_supplier_orders.sql"),
        postgres: None,
    },
    Source {
        version: 4,
        description: "event log",
        sql: include_str!("migrations/0004_event_log.sql"),
        postgres: Some(include_str!("migrations/0004_event_log.postgres.sql")),
    },
    Source {
        version: 5,
        description: "payment journal",
        sql: include_str!("migrations/0005_payment_journal.sql"),
        postgres: None,
    },
    Source {
        version: 6,
        description: "attention",
        sql: include_str!("migrations/0006_attention.sql"),
        postgres: None,
    },
    Source {
        version: 7,
        description: "payment receipts",
        sql: include_str!("migrations/0007_payment_receipts.sql"),
        postgres: None,
    },
    Source {
        version: 9,
        description: "vouched payments",
        sql: include_str!("migrations/0009_vouched_payments.sql"),
        postgres: None,
    },
    Source {
        version: 10,
        description: "payment tokens",
        sql: include_str!("migrations/0010_payment_tokens.sql"),
        postgres: Some(include_str!("migrations/0010_payment_tokens.postgres.sql")),
    },
    Source {
        version: 11,
        description: "refused signals",
        sql: include_str!("migrations/0011_refused_signals.sql"),
        postgres: None,
    },
    Source {
        version: 12,
        description: "write probe",
        sql: include_str!("migrations/0012_write_probe.sql"),
        postgres: None,
    },
    Source {
        version: 13,
        description: "unstarted orders",
        sql: include_str!("migrations/0013_unstarted.sql"),
        postgres: None,
    },
    Source {
        version: 14,
        description: "stock revisions",
        sql: include_str!("migrations/0014_stock_revisions.sql"),
        postgres: None,
    },
];

/// What to do when tables are not up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrations {
    /// Bring them up to date.
    Apply,
    /// Refuse to open the database.
    Require,
}

/// A migration that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its number; they are applied in this order.
    pub version: i64,
    /// What it is about.
    pub description: &'static str,
}

/// How long a server may take to let us in before anything else happens.
const CONNECT: Duration = Duration::from_secs(10);

/// Any number, the same in all processes: who migrates a server's database holds this lock.
const LOCK: &str = "SET lock_timeout = '60s'; SELECT pg_advisory_lock(7230041520211)";

/// Brings the tables of a database up to date, and gives what was missing.
///
/// # Errors
/// When it cannot be used, or was written by a newer version.
pub async fn migrate(database: &Database) -> Result<Vec<Applied>, OpenError> {
    Ok(prepare(database, Migrations::Apply).await?.applied)
}

/// One process at a time gets here; until this is dropped.
pub(super) struct Prepared {
    applied: Vec<Applied>,
    _file: Option<File>,
}

/// Sees to the tables. What it gives holds the lock of a file until it is dropped: two that start at
/// once on a new one must not both turn it to write-ahead logging, which SQLite refuses at once while
/// the other one is at it.
pub(super) async fn prepare(
    database: &Database,
    migrations: Migrations,
) -> Result<Prepared, OpenError> {
    let path = database.to_string();
    let connect = |source| OpenError::connect(database, source);
    let failed = |reason: String| OpenError::Migrate {
        path: path.clone(),
        reason,
    };
    let mut file = None;
    if let Database::File(at) = database {
        if migrations == Migrations::Require && !at.exists() {
            let versions = MIGRATIONS.iter().map(|source| source.version).collect();
            return Err(OpenError::Missing { path, versions });
        }
        let locked = lock_file(at).await;
        file = Some(locked.map_err(|error| failed(error.to_string()))?);
    }
    // A connection of its own: a migration may take longer than any statement of a pool's.
    let options = database.options(Mode::Write).map_err(connect)?;
    let connected = tokio::time::timeout(CONNECT, options.connect()).await;
    let mut connection = connected
        .unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut))
        .map_err(connect)?;
    let dialect = Dialect::of(&connection);
    let setup = match dialect {
        Dialect::Sqlite => dialect.writer_setup(),
        Dialect::Postgres => LOCK,
    };
    connection.execute(setup).await.map_err(connect)?;
    let before = versions(&mut connection).await.map_err(connect)?;
    let is_known = |version: &i64| MIGRATIONS.iter().any(|source| source.version == *version);
    if let Some(version) = before.iter().copied().find(|version| !is_known(version)) {
        return Err(OpenError::Newer { path, version });
    }
    let missing: Vec<Applied> = MIGRATIONS
        .iter()
        .filter(|source| !before.contains(&source.version))
        .map(|source| Applied {
            version: source.version,
            description: source.description,
        })
        .collect();
    if migrations == Migrations::Require && !missing.is_empty() {
        let versions = missing.iter().map(|applied| applied.version).collect();
        return Err(OpenError::Missing { path, versions });
    }
    if migrations == Migrations::Apply {
        let migrator = migrator(dialect);
        let ran = migrator.run_direct(None, &mut connection, false).await;
        ran.map_err(|error: MigrateError| failed(error.to_string()))?;
    }
    if dialect == Dialect::Postgres {
        raise_offset(&mut connection).await.map_err(connect)?;
    }
    connection.close().await.map_err(connect)?;
    Ok(Prepared {
        applied: missing,
        _file: file,
    })
}

fn migrator(dialect: Dialect) -> Migrator {
    let migrations = MIGRATIONS.iter().map(|source| {
        let sql = match dialect {
            Dialect::Sqlite => source.sql,
            Dialect::Postgres => source.postgres.unwrap_or(source.sql),
        };
        let description = Cow::Borrowed(source.description);
        let sql = dialect.migration(sql);
        Migration::new(
            source.version,
            description,
            MigrationType::Simple,
            sql,
            false,
        )
    });
    Migrator {
        migrations: migrations.collect::<Vec<_>>().into(),
        locking: false,
        ..Migrator::DEFAULT
    }
}

/// The migrations that were applied; none when even their table is not there.
async fn versions(connection: &mut Connection) -> Result<Vec<i64>, sqlx::Error> {
    let tables = match Dialect::of(connection) {
        Dialect::Sqlite => "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'",
        Dialect::Postgres => {
            "SELECT COUNT(*) FROM information_schema.tables
             WHERE table_name = '_sqlx_migrations' AND table_schema = current_schema()"
        }
    };
    let tables: i64 = sqlx::query_scalar(tables)
        .fetch_one(&mut *connection)
        .await?;
    if tables == 0 {
        return Ok(Vec::new());
    }
    let versions = "SELECT version FROM _sqlx_migrations ORDER BY version";
    sqlx::query_scalar(versions).fetch_all(connection).await
}

/// A dump that was restored into another server has positions of larger transactions than that
/// server has had: from here on, what is added comes after them.
async fn raise_offset(connection: &mut Connection) -> Result<(), sqlx::Error> {
    // Only when needed: it gives this transaction a number, and that is a write to disk.
    let query = "SELECT COALESCE(MAX(position), 0) FROM order_events WHERE position >= log_end()";
    let newest: i64 = sqlx::query_scalar(query)
        .fetch_one(&mut *connection)
        .await?;
    if newest == 0 {
        return Ok(());
    }
    // What was committed since the query began is of this server, and is no reason.
    sqlx::query(
        "UPDATE log_offset SET transactions =
             GREATEST(transactions, $1 / 4096 + 1 - pg_current_xact_id()::text::bigint)",
    )
    .bind(newest)
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes the database's file if it is not there, and a lock beside it that is freed when it is dropped.
async fn lock_file(path: &Path) -> std::io::Result<File> {
    let path = path.to_owned();
    let mut lock_path = path.clone().into_os_string();
    lock_path.push(".migrate-lock");
    let locked = tokio::task::spawn_blocking(move || {
        let file = create_private(Path::new(&lock_path))?;
        file.lock()?;
        create_private(&path)?;
        Ok(file)
    });
    locked.await.map_err(std::io::Error::other)?
}
