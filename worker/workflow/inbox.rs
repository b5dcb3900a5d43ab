//! What arrives for an order: commands, signals, and calls to look at the store. All of it waits in one
//! queue and is applied one at a time, in the order of arrival, beside the story of the order.

use super::{
    call,
    fold::KeepsOrder,
    wait::{detached_wait, flush},
};
use crate::activities::{CommandReply, Signal};
use orders_domain::command::CommandRequest;
use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    future::Future,
};
use temporalio_sdk::{WorkflowContext, workflows};

/// The most signals that one activity records.
const SIGNALS_MOST: usize = 50;

/// The most bytes of the signals that one activity records, beside the first.
const SIGNAL_BYTES_MOST: usize = 64 * 1024;

/// Answers of so many bytes may stand in one workflow task before it is sent off. Temporal takes 4 MB.
const ANSWER_BYTES_MOST: usize = 1024 * 1024;

/// The place of an arrival in the queue, counted over the whole run.
pub(super) type Ticket = u64;

/// What has arrived and is not applied.
#[derive(Default)]
pub(super) struct Inbox {
    waiting: VecDeque<Arrival>,
    /// How many have arrived.
    arrived: Ticket,
    /// The answers to commands that their handlers have not fetched.
    replies: BTreeMap<Ticket, CommandReply>,
    /// Whether the store is to be looked at.
    wake: bool,
    /// Whether something is being applied.
    busy: bool,
    /// How many signals were passed over, because they cannot be read.
    unreadable: u64,
    /// Bytes of the answers since the workflow task was last sent off.
    answered: usize,
}

enum Arrival {
    Signal { signal: Box<Signal>, bytes: usize },
    Command(Box<CommandRequest>),
}

/// What is applied next.
enum Work {
    Signals(Vec<Signal>),
    Command(Ticket, Box<CommandRequest>),
    Wake,
}

impl Inbox {
    /// Adds a signal of so many bytes.
    pub(super) fn push_signal(&mut self, signal: Signal, bytes: usize) -> Ticket {
        let signal = Box::new(signal);
        self.push(Arrival::Signal { signal, bytes })
    }

    /// Adds a command whose caller waits for the reply.
    pub(super) fn push_command(&mut self, request: CommandRequest) -> Ticket {
        self.push(Arrival::Command(Box::new(request)))
    }

    fn push(&mut self, arrival: Arrival) -> Ticket {
        self.waiting.push_back(arrival);
        self.arrived += 1;
        self.arrived
    }

    /// Notes that the store may know more than the workflow. However often this comes, the store is
    /// looked at once.
    pub(super) fn wake(&mut self) {
        self.wake = true;
    }

    /// Counts a signal that cannot be read. Gives the count when it is worth a line in the log: ever
    /// less often.
    pub(super) fn pass_over(&mut self) -> Option<u64> {
        self.unreadable += 1;
        Some(self.unreadable).filter(|count| count.is_power_of_two())
    }

    /// Whether everything that has arrived was applied.
    pub(super) fn is_idle(&self) -> bool {
        !self.busy && !self.has_work()
    }

    fn has_work(&self) -> bool {
        self.wake || !self.waiting.is_empty()
    }

    fn is_applied(&self, ticket: Ticket) -> bool {
        // Those that wait are the newest.
        let applied = self.arrived.saturating_sub(self.waiting.len() as u64);
        applied >= ticket
    }

    /// Gives what is applied next. It stays in the queue until it [was applied](Self::applied).
    fn begin(&mut self) -> Option<Work> {
        let work = match self.waiting.front() {
            Some(Arrival::Command(request)) => {
                let ticket = self.arrived + 1 - self.waiting.len() as u64;
                Work::Command(ticket, request.clone())
            }
            Some(Arrival::Signal { .. }) => Work::Signals(self.first_signals()),
            None if self.wake => Work::Wake,
            None => return None,
        };
        self.busy = true;
        // Whatever is done, its answer brings what the store knows from now on.
        self.wake = false;
        Some(work)
    }

    fn first_signals(&self) -> Vec<Signal> {
        let mut all = 0;
        let first = self.waiting.iter().map_while(|arrival| match arrival {
            Arrival::Signal { signal, bytes } => {
                let fits = all == 0 || all + bytes <= SIGNAL_BYTES_MOST;
                all += bytes.max(&1);
                fits.then(|| (**signal).clone())
            }
            Arrival::Command(_) => None,
        });
        first.take(SIGNALS_MOST).collect()
    }

    /// The first `count` of those that wait were applied.
    fn applied(&mut self, count: usize) {
        self.waiting.drain(..count.min(self.waiting.len()));
        self.busy = false;
    }

    /// Counts the bytes of an answer; true when the workflow task should be sent off.
    fn is_heavy(&mut self, bytes: usize) -> bool {
        self.answered += bytes;
        let heavy = self.answered > ANSWER_BYTES_MOST;
        if heavy {
            self.answered = 0;
        }
        heavy
    }
}

/// Runs the story of an order to its end, and applies beside it what arrives.
pub(super) async fn beside<W: KeepsOrder, T>(
    ctx: &WorkflowContext<W>,
    story: impl Future<Output = T>,
) -> T {
    use futures::FutureExt;
    let arrivals = apply_all(ctx).fuse();
    let story = story.fuse();
    futures::pin_mut!(arrivals, story);
    // The arrivals come first, so that the story finds them applied.
    workflows::select! {
        never = arrivals => match never {},
        end = story => end,
    }
}

/// The only place that applies arrivals, so that no two of them are applied at once.
async fn apply_all<W: KeepsOrder>(ctx: &WorkflowContext<W>) -> Infallible {
    loop {
        // A detached wait is never cancelled.
        let _ = ctx
            .wait_condition_with_options(
                |workflow: &W| workflow.inbox().has_work(),
                detached_wait(),
            )
            .await;
        let Some(work) = ctx.state_mut(|workflow| workflow.inbox_mut().begin()) else {
            continue;
        };
        match work {
            Work::Wake => {
                call::settle(ctx).await;
                ctx.state_mut(|workflow| workflow.inbox_mut().applied(0));
            }
            Work::Command(ticket, request) => {
                let reply = call::command(ctx, *request).await;
                ctx.state_mut(|workflow| {
                    let inbox = workflow.inbox_mut();
                    if let Some(reply) = reply {
                        inbox.replies.insert(ticket, reply);
                    }
                    inbox.applied(1);
                });
            }
            Work::Signals(signals) => {
                let (taken, bytes) = call::signals(ctx, signals).await;
                let heavy = ctx.state_mut(|workflow| {
                    let inbox = workflow.inbox_mut();
                    inbox.applied(taken);
                    inbox.is_heavy(bytes)
                });
                if heavy {
                    flush(ctx).await;
                }
            }
        }
    }
}

/// Applies a command when its turn comes, and gives the reply; none when the order was given up.
pub(super) async fn command<W: KeepsOrder>(
    ctx: &WorkflowContext<W>,
    request: CommandRequest,
) -> Option<CommandReply> {
    let ticket = ctx.state_mut(|workflow| workflow.inbox_mut().push_command(request));
    applied(ctx, ticket).await;
    ctx.state_mut(|workflow| workflow.inbox_mut().replies.remove(&ticket))
}

/// Waits until an arrival was applied, or the order was given up.
pub(super) async fn applied<W: KeepsOrder>(ctx: &WorkflowContext<W>, ticket: Ticket) {
    let applied =
        move |workflow: &W| workflow.inbox().is_applied(ticket) || workflow.order().is_none();
    // A detached wait is never cancelled.
    let _ = ctx
        .wait_condition_with_options(applied, detached_wait())
        .await;
}

/// Waits until everything that has arrived was applied, and every handler has answered.
pub(super) async fn idle<W: KeepsOrder>(ctx: &WorkflowContext<W>) {
    let handlers = ctx.clone();
    let idle = move |workflow: &W| workflow.inbox().is_idle() && handlers.all_handlers_finished();
    // A detached wait is never cancelled.
    let _ = ctx.wait_condition_with_options(idle, detached_wait()).await;
}

#[cfg(test)]
mod tests {
    use super::{Inbox, SIGNAL_BYTES_MOST, SIGNALS_MOST, Signal, Work};
    use orders_domain::command::{Command, CommandRequest};

    fn request(id: &str) -> CommandRequest {
        CommandRequest {
            request_id: id.to_owned(),
            actor: String::new(),
            expected_revision: None,
            seen_revision: 0,
            attempt: String::new(),
            command: Command::ConfirmDelivery,
        }
    }

    fn push(inbox: &mut Inbox, id: &str, bytes: usize) -> u64 {
        let signal = Signal {
            request: request(id),
            own: false,
            numbered: false,
        };
        inbox.push_signal(signal, bytes)
    }

    fn ids(work: Option<Work>) -> Vec<String> {
        match work {
            Some(Work::Signals(signals)) => {
                let ids = signals.into_iter().map(|signal| signal.request.request_id);
                ids.collect()
            }
            Some(Work::Command(_, request)) => vec![request.request_id],
            Some(Work::Wake) => vec!["wake".to_owned()],
            None => Vec::new(),
        }
    }

    #[test]
    fn arrivals_are_applied_in_their_order_and_a_command_stands_alone() {
        let mut inbox = Inbox::default();
        let first = push(&mut inbox, "a", 1);
        push(&mut inbox, "b", 1);
        let command = inbox.push_command(request("c"));
        let last = push(&mut inbox, "d", 1);
        assert_eq!(ids(inbox.begin()), ["a", "b"]);
        assert!(!inbox.is_applied(first));
        // Not all of what was begun was taken.
        inbox.applied(1);
        assert!(inbox.is_applied(first) && !inbox.is_applied(command));
        assert_eq!(ids(inbox.begin()), ["b"]);
        inbox.applied(1);
        let next = inbox.begin();
        assert!(matches!(next, Some(Work::Command(ticket, _)) if ticket == command));
        inbox.applied(1);
        assert!(inbox.is_applied(command) && !inbox.is_applied(last));
        assert_eq!(ids(inbox.begin()), ["d"]);
        assert!(!inbox.is_idle());
        inbox.applied(1);
        assert!(inbox.is_idle());
        assert!(inbox.begin().is_none());
    }

    #[test]
    fn many_wakes_are_one_and_what_is_applied_is_one_as_well() {
        let mut inbox = Inbox::default();
        inbox.wake();
        inbox.wake();
        assert_eq!(ids(inbox.begin()), ["wake"]);
        // One that comes meanwhile is for what happens meanwhile.
        inbox.wake();
        push(&mut inbox, "a", 1);
        inbox.applied(0);
        assert_eq!(ids(inbox.begin()), ["a"]);
        inbox.applied(1);
        assert!(inbox.is_idle());
    }

    #[test]
    fn one_activity_takes_few_signals_and_few_bytes() {
        let mut inbox = Inbox::default();
        for number in 0..=SIGNALS_MOST {
            push(&mut inbox, &number.to_string(), 1);
        }
        assert_eq!(ids(inbox.begin()).len(), SIGNALS_MOST);
        let mut inbox = Inbox::default();
        push(&mut inbox, "large", 2 * SIGNAL_BYTES_MOST);
        push(&mut inbox, "small", 1);
        assert_eq!(ids(inbox.begin()), ["large"]);
        inbox.applied(1);
        assert_eq!(ids(inbox.begin()), ["small"]);
    }
}
