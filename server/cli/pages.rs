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

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// 450 numbers in pages, read up to a limit; gives how many came, the token of the rest, and
    /// how many were asked for each time.
    async fn numbers(limit: usize) -> (usize, String, Vec<i32>) {
        let sizes = RefCell::new(Vec::new());
        let page = async |size: i32, token: String| {
            sizes.borrow_mut().push(size);
            let from: usize = token.parse().unwrap_or(0);
            let to = (from + size as usize).min(450);
            let next = match to {
                450 => String::new(),
                to => to.to_string(),
            };
            Ok(((from..to).collect(), next))
        };
        let (all, token) = read(limit, page).await.unwrap();
        assert!(all.iter().copied().eq(0..all.len()));
        (all.len(), token, sizes.into_inner())
    }

    #[tokio::test]
    async fn pages_are_followed_up_to_the_limit() {
        let end = String::new;
        assert_eq!(numbers(0).await, (450, end(), vec![200, 200, 200]));
        assert_eq!(numbers(1_000).await, (450, end(), vec![200, 200, 200]));
        assert_eq!(numbers(450).await, (450, end(), vec![200, 200, 50]));
        assert_eq!(numbers(250).await, (250, "250".to_owned(), vec![200, 50]));
        assert_eq!(numbers(3).await, (3, "3".to_owned(), vec![3]));
    }
}
