//! Temporal's own settings, where its defaults are for clusters and not for one machine. They are better
//! for whoever uses it, and risk no data.

use crate::error::{DevServerError, system};
use std::{fs::File, path::Path};

/// How its database works.
pub(crate) const PRAGMAS: [&str; 4] = [
    // Twice the throughput of the default journal, and it came through kill -9 unharmed.
    "journal_mode=WAL",
    "synchronous=NORMAL",
    // 64 MiB where SQLite has 2: each order changes some hundred pages, most of them of the indexes by which
    // Temporal lists workflows.
    "cache_size=-65536",
    // The log is copied into the file after 32 MiB and not after 4: mostly the same pages as before.
    "wal_autocheckpoint=8000",
];

/// What the dev server is told, as the CLI's `--dynamic-config-value` takes it: values are JSON, so
/// texts have their quotes.
pub const DYNAMIC_CONFIG: [&str; 6] = [
    // Timers of less than a second would wait for a whole one.
    "history.timerProcessorMaxTimeShift=\"100ms\"",
    // A workflow task whose worker died under it several times is given more and more time, up to ten
    // minutes, before Temporal gives it to another one. Ours take milliseconds.
    "history.workflowTaskRetryMaxInterval=\"10s\"",
    // A task queue has four parts, for several machines to share. On one machine they only keep tasks
    // apart from those who would take them: measured, one in ten waited for five seconds.
    "matching.numTaskqueueWritePartitions=1",
    // Temporal looks for what is to be done next (a task for a worker, a child, a timer) at most 20 times
    // a second, to spare the database that thousands share: each of them waits for 50 ms. Measured: an order
    // with a shipping lane takes 23 ms then, and not 100.
    "history.transferProcessorMaxPollRPS=1000",
    "history.timerProcessorMaxPollRPS=1000",
    // What workflows are listed by is written after them, by 512 writers, to a database that takes one at a
    // time: orders wait behind them. One writer is as quick where there is little to do; under load it
    // comes later, finds what has ended meanwhile, and writes that once and not for each change. Measured at
    // 32 orders at once: `stock` 13 % more in a second, `pre-order` 20 %.
    "history.visibilityProcessorSchedulerWorkerCount=1",
];

/// The same for reading. Apart, since what an older dev server has left in the other three parts would
/// never be found.
pub const ONE_PARTITION: &str = "matching.numTaskqueueReadPartitions=1";

/// Beside a database whose task queues have had one part from the beginning.
const MARK: &str = "temporal.one-partition";

/// All that a dev server on the database file `name` in `data_dir` is to be told.
pub(crate) fn dynamic_config(
    data_dir: &Path,
    name: &str,
) -> Result<Vec<&'static str>, DevServerError> {
    let mut config = DYNAMIC_CONFIG.to_vec();
    let mark = data_dir.join(MARK);
    if !data_dir.join(name).exists() {
        File::create(&mark).map_err(system(format!("its file {}", mark.display())))?;
    }
    if mark.exists() {
        config.push(ONE_PARTITION);
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_parts_of_older_task_queues_are_still_read() {
        let folder = tempfile::tempdir().unwrap();
        let config = || dynamic_config(folder.path(), "temporal.db").unwrap();
        File::create(folder.path().join("temporal.db")).unwrap();
        assert_eq!(config(), DYNAMIC_CONFIG);

        let folder = tempfile::tempdir().unwrap();
        let config = || dynamic_config(folder.path(), "temporal.db").unwrap();
        for _ in ["new", "begun again"] {
            assert!(config().contains(&ONE_PARTITION));
            File::create(folder.path().join("temporal.db")).unwrap();
        }
    }
}
