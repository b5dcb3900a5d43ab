//! `orders migrate`: brings the tables up to date, and nothing else.

use super::{ServeError, base::make_private_dir, progress};
use crate::settings::DatabaseSettings;
use orders_store::migrate;

/// Applies the migrations that the database lacks, and says which.
///
/// # Errors
/// When the database cannot be used, or is newer than this program.
pub async fn migrate(settings: DatabaseSettings) -> Result<(), ServeError> {
    let database = settings.database()?;
    if settings.database_url.is_none() {
        make_private_dir(&settings.data_dir)?;
    }
    let applied = migrate::migrate(&database).await?;
    for migration in &applied {
        let (version, description) = (migration.version, migration.description);
        progress(&format!("applied migration {version}: {description}"));
    }
    let done = match applied.len() {
        0 => "was up to date".to_owned(),
        count => format!("is up to date now, by {count} of them"),
    };
    progress(&format!("database {database} {done}"));
    Ok(())
}
