//! Chance that can be repeated: the same seed throws the same numbers.

/// SplitMix64: small, and even enough for what a test wants.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The dice of one of the players of a seed: what the others throw does not change it.
    pub fn new(seed: u64, player: u64) -> Dice {
        let mut dice = Dice(seed ^ player.wrapping_mul(0xA076_1D64_78BD_642F));
        dice.throw();
        dice
    }

    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.throw() % (high - low + 1)
    }

    /// True in so many of a hundred cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.between(1, 100) <= percent
    }

    /// A copy of one of several.
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.between(0, from.len() as u64 - 1) as usize].clone()
    }
}
