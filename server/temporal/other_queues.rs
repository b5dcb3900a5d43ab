//! Workflows of ours that wait on another task queue than ours: the setting has changed since they were started,
//! or another fleet works on the same database. They are left alone, since what was sent to them waits there.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// So many queues are told apart.
const QUEUES_MOST: usize = 100;

/// How often a workflow on each of the other queues was found.
#[derive(Default)]
pub(super) struct OtherQueues(Mutex<HashMap<String, u64>>);

impl OtherQueues {
    /// Says in the log that a workflow waits on that queue; ever less often, because all orders of a queue
    /// are in the same place.
    pub(super) fn note(&self, workflow_id: &str, queue: &str, ours: &str) {
        if self.is_news(queue) {
            tracing::warn!(
                workflow_id,
                queue,
                ours,
                "workflows of this service wait on another task queue: keep `orders worker --task-queue` running \
                 for that queue until they have ended, or start this process with it"
            );
        }
    }

    fn is_news(&self, queue: &str) -> bool {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if queues.len() >= QUEUES_MOST && !queues.contains_key(queue) {
            return false;
        }
        let count = queues.entry(queue.to_owned()).or_default();
        *count += 1;
        count.is_power_of_two()
    }
}

#[cfg(test)]
mod tests {
    use super::{OtherQueues, QUEUES_MOST};

    #[test]
    fn each_queue_is_named_at_once_and_then_ever_less_often() {
        let queues = OtherQueues::default();
        let said: Vec<u32> = (1..=9).filter(|_| queues.is_news("old")).collect();
        assert_eq!(said, [1, 2, 4, 8]);
        assert!(queues.is_news("older"));
        for number in 0..2 * QUEUES_MOST {
            queues.is_news(&number.to_string());
        }
        assert_eq!(queues.0.lock().unwrap().len(), QUEUES_MOST);
    }
}
