//! How a line of the table is written.

use super::{Do, End, Failing, Money, Scenario};
use orders::v1::{CloseReason, CompensationStep};

/// An order of one piece for 20 dollars, to which nothing is done.
pub fn row(policy: &'static str, path: &'static str) -> Scenario {
    Scenario {
        policy,
        path,
        failing: Failing::Nobody,
        steps: Vec::new(),
        end: End {
            reason: CloseReason::Unspecified,
            money: Money::Untouched,
            undone: Vec::new(),
            seconds: None,
        },
        token: "tok-good",
        price: 20,
        pieces: 1,
    }
}

impl Scenario {
    /// Where that provider fails.
    pub fn failing(mut self, provider: Failing) -> Self {
        self.failing = provider;
        self
    }

    /// Paid with this token.
    pub fn token(mut self, token: &'static str) -> Self {
        self.token = token;
        self
    }

    /// Above the 5,000 from which a person decides.
    pub fn dear(mut self) -> Self {
        self.price = 5_001;
        self
    }

    /// So many pieces; one is there.
    pub fn pieces(mut self, pieces: i64) -> Self {
        self.pieces = pieces;
        self
    }

    /// What is done.
    pub fn steps(mut self, steps: &[Do]) -> Self {
        self.steps = steps.to_vec();
        self
    }

    /// Ends well, and paid.
    pub fn completed(self) -> Self {
        self.ends(CloseReason::Completed).money(Money::Captured)
    }

    /// Why it closes.
    pub fn ends(mut self, reason: CloseReason) -> Self {
        self.end.reason = reason;
        self
    }

    /// What becomes of the money.
    pub fn money(mut self, money: Money) -> Self {
        self.end.money = money;
        self
    }

    /// What is undone, in this order.
    pub fn undone(mut self, steps: &[CompensationStep]) -> Self {
        self.end.undone = steps.to_vec();
        self
    }

    /// Seconds from placing to closing.
    pub fn takes(mut self, seconds: i64) -> Self {
        self.end.seconds = Some(seconds);
        self
    }
}
