//! The payment journal: which movements of money there are, how each is written down, and what follows
//! from what is written.
//!
//! A movement has the key of its effect. Before a provider is asked, its intent is
//! written; afterwards its outcome. A key whose answer is missing is *open*: money may have moved. It
//! is closed by asking the provider with the key, never by guessing.

use super::{
    effect::Effect,
    order::Order,
    step::{Compensation, CompensationOutcome, Step},
};
use crate::named;
use std::collections::BTreeMap;

named! {
    /// What moves.
    MovementKind {
        /// The amount is held.
        Authorize = "AUTHORIZE",
        /// What was held is taken.
        Capture = "CAPTURE",
        /// The amount is taken at once.
        Charge = "CHARGE",
        /// It was taken elsewhere, as ConfirmPayment says.
        Confirm = "CONFIRM",
        /// What was taken is given back.
        Refund = "REFUND",
        /// What was held is given back.
        Void = "VOID",
    }
}

named! {
    /// How far a movement is, entry by entry.
    EntryPhase {
        /// The provider is about to be asked.
        Intent = "INTENT",
        /// It moved. Final.
        Succeeded = "SUCCEEDED",
        /// The provider refused, for good. Final.
        Declined = "DECLINED",
        /// The attempt failed, and by itself moved nothing.
        Failed = "FAILED",
        /// No answer came: it may have moved.
        Indeterminate = "INDETERMINATE",
        /// The provider was asked later: it did not move, and will not. Final.
        NotHappened = "NOT_HAPPENED",
        /// The provider confirmed a movement that only a person had vouched for. It moves nothing more.
        Confirmed = "CONFIRMED",
        /// The provider says that a movement which only a person had vouched for never happened. It takes
        /// the movement out of the balance. Final.
        Refuted = "REFUTED",
    }
}

impl EntryPhase {
    /// Whether nothing can become of the movement any more.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Declined | Self::NotHappened | Self::Confirmed | Self::Refuted
        )
    }
}

impl MovementKind {
    /// What a step moves; none for steps that move no money.
    pub fn of(step: Step) -> Option<MovementKind> {
        match step {
            Step::AuthorizePayment => Some(Self::Authorize),
            Step::CapturePayment => Some(Self::Capture),
            Step::ChargePayment => Some(Self::Charge),
            Step::RefundPayment => Some(Self::Refund),
            Step::VoidAuthorization => Some(Self::Void),
            _ => None,
        }
    }

    /// Whether the provider is given the payment token for it. Everything else builds on one that was.
    pub fn needs_token(self) -> bool {
        matches!(self, Self::Authorize | Self::Charge)
    }
}

/// One movement of money, as a provider is asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The key of its effect: the same key never moves anything twice.
    pub key: String,
    /// Whose payment it is.
    pub payment_id: String,
    /// What moves.
    pub kind: MovementKind,
    /// Minor units of the order's currency.
    pub amount: i64,
    /// The provider's name for what is captured, refunded or voided; none for a first movement.
    pub original: Option<String>,
}

/// One entry of the journal. Never changed, never removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Of the movement.
    pub key: String,
    /// Of the movement.
    pub kind: MovementKind,
    /// How far it is with this entry.
    pub phase: EntryPhase,
    /// Of the movement, in minor units.
    pub amount: i64,
    /// The provider's name for it, once it moved.
    pub transaction_id: Option<String>,
}

/// What has moved. `authorized >= captured >= refunded >= 0`, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Held or taken.
    pub authorized: i64,
    /// Taken.
    pub captured: i64,
    /// Given back.
    pub refunded: i64,
    /// Whether what was held was given back.
    pub voided: bool,
}

/// A movement that cannot be: it would take what was not held, or give back what was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} of {amount} cannot follow {before:?}")]
pub struct Imbalance {
    /// What would move.
    pub kind: MovementKind,
    /// How much.
    pub amount: i64,
    /// What had moved before.
    pub before: Balance,
}

impl Balance {
    /// The balance with one more movement.
    ///
    /// # Errors
    /// When `authorized >= captured >= refunded >= 0` would not hold, money would be taken after its
    /// authorization was voided, or a sum would not fit.
    pub fn after(self, kind: MovementKind, amount: i64) -> Result<Balance, Imbalance> {
        let refused = Imbalance {
            kind,
            amount,
            before: self,
        };
        let moved = self.moved(kind, amount).filter(|after| {
            amount >= 0
                && after.authorized >= after.captured
                && after.captured >= after.refunded
                && !(after.voided && after.captured > 0)
        });
        moved.ok_or(refused)
    }

    fn moved(self, kind: MovementKind, amount: i64) -> Option<Balance> {
        let mut after = self;
        match kind {
            MovementKind::Authorize => after.authorized = self.authorized.checked_add(amount)?,
            MovementKind::Capture => after.captured = self.captured.checked_add(amount)?,
            MovementKind::Charge | MovementKind::Confirm => {
                after.authorized = self.authorized.checked_add(amount)?;
                after.captured = self.captured.checked_add(amount)?;
            }
            MovementKind::Refund => after.refunded = self.refunded.checked_add(amount)?,
            MovementKind::Void => after.voided = true,
        }
        Some(after)
    }

    /// What we have of the customer's money.
    pub fn kept(self) -> i64 {
        self.captured - self.refunded
    }

    /// What is held and was neither taken nor given back.
    pub fn held(self) -> i64 {
        match self.captured > 0 || self.voided {
            true => 0,
            false => self.authorized,
        }
    }
}

/// The journal of one payment, oldest entry first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// Everything that was written.
    pub entries: Vec<Entry>,
}

/// What is to be done about a payment step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// The provider is to be asked to make the movement; again, perhaps, with the same key.
    Move(Movement),
    /// The provider is to be asked what became of a movement whose answer was lost.
    Resolve(Movement),
    /// It has moved; only the order does not know yet.
    Moved(Entry),
    /// There is nothing to give back.
    Nothing,
}

impl Journal {
    /// What has moved.
    ///
    /// # Errors
    /// When the entries contradict themselves.
    pub fn balance(&self) -> Result<Balance, Imbalance> {
        let mut moved = self.all_moved();
        moved.try_fold(Balance::default(), |balance, entry| {
            balance.after(entry.kind, entry.amount)
        })
    }

    /// The movements whose answer is missing, the first of each key, oldest first: an intent without
    /// an outcome, or a lost answer, and nothing final since.
    pub fn open(&self) -> impl Iterator<Item = &Entry> {
        let mut missing: BTreeMap<&str, i64> = BTreeMap::new();
        for entry in &self.entries {
            let count = missing.entry(&entry.key).or_default();
            match entry.phase {
                EntryPhase::Intent => *count = count.saturating_add(i64::from(*count >= 0)),
                // An outcome answers one intent; a lost answer is none.
                EntryPhase::Failed if *count > 0 => *count -= 1,
                EntryPhase::Failed => {}
                EntryPhase::Indeterminate => {}
                // It may be tried anew.
                EntryPhase::NotHappened => *count = 0,
                // Whatever comes afterwards finds it settled.
                EntryPhase::Succeeded
                | EntryPhase::Declined
                | EntryPhase::Confirmed
                | EntryPhase::Refuted => *count = i64::MIN,
            }
        }
        missing.retain(|_, count| *count > 0);
        let mut entries = Vec::new();
        for entry in &self.entries {
            if missing.remove(entry.key.as_str()).is_some() {
                entries.push(entry);
            }
        }
        entries.into_iter()
    }

    /// Whether the answer of a key is missing.
    pub fn is_open(&self, key: &str) -> bool {
        self.open().any(|entry| entry.key == key)
    }

    /// The movement of a key, if it moved.
    pub fn moved(&self, key: &str) -> Option<&Entry> {
        self.all_moved().find(|entry| entry.key == key)
    }

    /// The movements that happened, as far as anybody knows.
    fn all_moved(&self) -> impl Iterator<Item = &Entry> {
        let refuted = self.entries.iter();
        let refuted = refuted.filter(|entry| entry.phase == EntryPhase::Refuted);
        let refuted: Vec<&str> = refuted.map(|entry| entry.key.as_str()).collect();
        let moved = self.entries.iter().filter(|entry| entry.moved());
        moved.filter(move |entry| !refuted.contains(&entry.key.as_str()))
    }

    /// Whether one attempt of the key failed, and another one was never answered. To ask for the movement
    /// again would not tell what became of that one.
    fn is_doubtful(&self, key: &str) -> bool {
        let mut of_key = self.entries.iter().filter(|entry| entry.key == key);
        of_key.any(|entry| entry.phase == EntryPhase::Failed) && self.is_open(key)
    }

    /// What is next for a payment effect of `order`; none for an effect that moves no money.
    ///
    /// # Errors
    /// When the entries contradict themselves.
    pub fn task(&self, order: &Order, effect: Effect) -> Result<Option<Task>, Imbalance> {
        let step = effect.step;
        let Some(kind) = MovementKind::of(step) else {
            return Ok(None);
        };
        let key = effect.key(&order.order_id);
        if let Some(entry) = self.moved(&key) {
            return Ok(Some(Task::Moved(entry.clone())));
        }
        let balance = self.balance()?;
        // What is given back is what was taken: that must be known first.
        let (undone, amount): (&[MovementKind], i64) = match kind {
            MovementKind::Refund => (
                &[MovementKind::Capture, MovementKind::Charge],
                balance.kept(),
            ),
            MovementKind::Void => (&[MovementKind::Authorize], balance.held()),
            _ => (&[], order.total.minor),
        };
        if let Some(entry) = self.open().find(|entry| undone.contains(&entry.kind)) {
            return Ok(Some(Task::Resolve(self.movement(order, entry))));
        }
        if step.is_compensation() && amount == 0 {
            return Ok(Some(Task::Nothing));
        }
        let movement = Movement {
            key,
            payment_id: order.payment.payment_id.clone(),
            kind,
            amount,
            original: self.original(kind),
        };
        // Money may have been given back by the attempt that was never answered.
        if step.is_compensation() && self.is_doubtful(&movement.key) {
            return Ok(Some(Task::Resolve(movement)));
        }
        Ok(Some(Task::Move(movement)))
    }

    fn movement(&self, order: &Order, entry: &Entry) -> Movement {
        Movement {
            key: entry.key.clone(),
            payment_id: order.payment.payment_id.clone(),
            kind: entry.kind,
            amount: entry.amount,
            original: self.original(entry.kind),
        }
    }

    /// Whether the money that is to be given back arrived from outside: no provider of ours took it.
    pub fn is_from_outside(&self) -> bool {
        let mut moved = self.all_moved();
        moved.any(|entry| entry.kind == MovementKind::Confirm)
    }

    /// The provider's name for what a movement builds on. Where a person vouched for that, the provider may have
    /// told its own name since. The name of a confirmed payment is a text of its caller, which no provider is
    /// ever sent.
    fn original(&self, kind: MovementKind) -> Option<String> {
        let of: &[MovementKind] = match kind {
            MovementKind::Capture | MovementKind::Void => &[MovementKind::Authorize],
            MovementKind::Refund => &[MovementKind::Capture, MovementKind::Charge],
            _ => &[],
        };
        let entry = self.all_moved().find(|entry| of.contains(&entry.kind))?;
        let mut of_key = self.entries.iter().filter(|other| other.key == entry.key);
        let confirmed = of_key.find(|other| other.phase == EntryPhase::Confirmed);
        confirmed.unwrap_or(entry).transaction_id.clone()
    }
}

impl Entry {
    fn moved(&self) -> bool {
        self.phase == EntryPhase::Succeeded
    }
}

/// What the books must show of an order, as far as its own log knows: none while the answer about a
/// movement is missing.
pub fn expected(order: &Order) -> Option<Balance> {
    // What has been undone since is known.
    let is_unsure = |effect: &Effect| {
        let undone = order.compensation_of(*effect);
        effect.step.is_payment()
            && undone.is_none_or(|entry| entry.outcome == CompensationOutcome::Pending)
    };
    if order.in_flight.is_some() || order.unknown.iter().any(is_unsure) {
        return None;
    }
    let is_void = |entry: &Compensation| {
        entry.effect.step == Step::VoidAuthorization && entry.outcome == CompensationOutcome::Done
    };
    Some(Balance {
        authorized: order.payment.authorized,
        captured: order.payment.captured,
        refunded: order.payment.refunded,
        voided: order.compensations.iter().any(is_void),
    })
}
