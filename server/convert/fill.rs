//! Filling a page up to its rows and its bytes.

use prost::Message;

/// The most bytes of a page. Every client takes four times as much by default, and the one item that
/// may go over it is much smaller than that.
pub const BYTES_MOST: usize = 1024 * 1024;

/// The most bytes of one item: an order, or an event with what it changed.
pub const ITEM_MOST: usize = 256 * 1024;

/// How many rows are read first: a page of the default size, and one more, which tells whether there
/// is a next page.
const FIRST: i64 = 51;

/// The most bytes of rows that are read at once, as far as their size is known.
const READ_MOST: usize = 2 * BYTES_MOST;

/// What an item takes beside its own bytes: its tag and its length.
const PER_ITEM: usize = 6;

/// A page that is being filled from rows, which are read a few at a time: how many fit is known only
/// once they are there.
#[derive(Debug)]
pub struct Page<M, P> {
    items: Vec<M>,
    /// Where the last item stands.
    last: Option<P>,
    size: i64,
    bytes: usize,
    /// The largest item so far.
    largest: usize,
    state: State,
}

#[derive(Debug, PartialEq)]
enum State {
    Filling,
    /// The next row belongs to the next page.
    Full,
    /// There are no more rows.
    Exhausted,
}

impl<M: Message, P> Page<M, P> {
    /// An empty page of at most `size` items.
    pub fn new(size: i64) -> Self {
        Self {
            items: Vec::new(),
            last: None,
            size,
            bytes: 0,
            largest: 0,
            state: State::Filling,
        }
    }

    /// How many rows to read next; none when the page is done.
    pub fn wants(&self) -> Option<i64> {
        if self.state != State::Filling {
            return None;
        }
        let left = self.size - self.items.len() as i64 + 1;
        let fit = match self.largest {
            0 => FIRST,
            largest => ((READ_MOST / largest) as i64).max(1),
        };
        Some(left.min(fit))
    }

    /// Notes that `came` rows came where `wanted` were asked for.
    pub fn read(&mut self, wanted: i64, came: usize) {
        if (came as i64) < wanted {
            self.state = State::Exhausted;
        }
    }

    /// Adds an item, which stands at `position`. Returns `false` if it belongs to the next page.
    pub fn push(&mut self, item: M, position: P) -> bool {
        let bytes = item.encoded_len() + PER_ITEM;
        let is_full = self.items.len() as i64 >= self.size || self.bytes + bytes > BYTES_MOST;
        if is_full && !self.items.is_empty() {
            self.state = State::Full;
            return false;
        }
        self.bytes += bytes;
        self.largest = self.largest.max(bytes);
        self.items.push(item);
        self.last = Some(position);
        true
    }

    /// Where the last item stands.
    pub fn last(&self) -> Option<&P> {
        self.last.as_ref()
    }

    /// The items, and the token of the next page, which `token` makes of where the last item stands;
    /// empty if this is the last page.
    pub fn finish(self, token: impl FnOnce(&P) -> String) -> (Vec<M>, String) {
        let last = self.last.filter(|_| self.state == State::Full);
        let token = last.as_ref().map_or_else(String::new, token);
        (self.items, token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads pages of items of `bytes` each to the end; gives how many each page had.
    fn pages(count: usize, size: i64, bytes: usize) -> Vec<usize> {
        let rows: Vec<String> = vec!["x".repeat(bytes); count];
        let mut at = 0;
        let mut found = Vec::new();
        loop {
            let mut page = Page::new(size);
            let mut next = at;
            while let Some(wanted) = page.wants() {
                assert!(wanted >= 1 && wanted <= size + 1);
                let end = (next + wanted as usize).min(count);
                page.read(wanted, end - next);
                for row in &rows[next..end] {
                    next += 1;
                    if !page.push(row.clone(), next) {
                        break;
                    }
                }
                next = page.last().copied().unwrap_or(next);
            }
            let (items, token) = page.finish(usize::to_string);
            let encoded: usize = items.iter().map(|item| item.encoded_len() + PER_ITEM).sum();
            assert!(encoded <= BYTES_MOST || items.len() == 1);
            found.push(items.len());
            if token.is_empty() {
                assert_eq!(found.iter().sum::<usize>(), count);
                return found;
            }
            at = token.parse().unwrap();
        }
    }

    #[test]
    fn a_page_ends_by_rows_or_by_bytes_and_the_next_one_begins_there() {
        for (count, size, bytes, expected) in [
            (0, 50, 10, vec![0]),
            (50, 50, 10, vec![50]),
            (51, 50, 10, vec![50, 1]),
            (120, 1, 10, vec![1; 120]),
            (1_000, 1_000, 10, vec![1_000]),
            (1_001, 1_000, 10, vec![1_000, 1]),
            (31, 50, 180_000, vec![5, 5, 5, 5, 5, 5, 1]),
            (3, 50, 2_000_000, vec![1, 1, 1]),
        ] {
            assert_eq!(pages(count, size, bytes), expected, "{count} of {bytes}");
        }
        let large = pages(2_000, 1_000, 2_000);
        assert_eq!(large[0], BYTES_MOST / 2_009);
    }
}
