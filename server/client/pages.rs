//! Lists that come in pages.

use super::failure::Failure;

/// How many are asked for at once.
const PAGE: usize = 200;

/// Reads pages until there are `limit` entries (0: no limit) or no more; gives the entries and the
/// token of what was not read. `page` gets how many to ask for and where to begin.
pub async fn read<T>(
    limit: usize,
    page: impl AsyncFn(i32, String) -> Result<(Vec<T>, String), Failure>,
) -> Result<(Vec<T>, String), Failure> {
    let limit = match limit {
        0 => usize::MAX,
        limit => limit,
    };
    let mut all = Vec::new();
    let mut token = String::new();
    loop {
        let size = PAGE.min(limit - all.len());
        let (entries, next) = page(i32::try_from(size).unwrap_or(i32::MAX), token).await?;
        all.extend(entries);
        // A server that answers more than was asked for must not end this with an overflow.
        all.truncate(limit);
        token = next;
        if token.is_empty() || all.len() == limit {
            return Ok((all, token));
        }
    }
}
