//! What goes wrong with an order: effects that fail, and money whose movement is unknown, refused or in doubt.

use super::{Fault, Order, Vouched};
use crate::{
    command::PaymentOutcome, effect::Effect, state::VouchState, step::CompensationOutcome,
};
use jiff::Timestamp;

impl Order {
    /// The failure of an effect that is being tried again.
    pub fn fault_of(&self, effect: Effect) -> Option<&Fault> {
        self.faults.iter().find(|fault| fault.effect == effect)
    }

    /// The same, to be changed.
    pub(crate) fn fault_mut(&mut self, effect: Effect) -> Option<&mut Fault> {
        self.faults.iter_mut().find(|fault| fault.effect == effect)
    }

    /// The faults that ask for an operator, longest first: effects that failed as often as the policy tolerates, and
    /// money that the provider refuses to give back.
    pub fn faults_for_operators(&self) -> impl Iterator<Item = &Fault> {
        let attention_after = self.policy.attention_after;
        let faults = self.faults.iter();
        faults.filter(move |fault| fault.refused || fault.attempts >= attention_after)
    }

    /// The first of the faults that ask for an operator.
    pub fn attention(&self) -> Option<&Fault> {
        self.faults_for_operators().next()
    }

    /// The effects that give money back and that no provider will carry out: a person has to give it back.
    pub fn refused_payments(&self) -> Vec<Effect> {
        let refused = self.faults.iter().filter(|fault| fault.refused);
        let refused = refused.map(|fault| fault.effect);
        refused.filter(|effect| effect.step.is_payment()).collect()
    }

    /// Whether an effect gives money back that no provider will give back.
    pub fn is_refused(&self, effect: Effect) -> bool {
        self.refused_payments().contains(&effect)
    }

    /// The payment effects that ResolvePayment takes: those of unknown outcome, and those that were refused.
    pub fn payments_to_resolve(&self) -> Vec<Effect> {
        let mut effects = self.unknown_payments();
        for refused in self.refused_payments() {
            if !effects.contains(&refused) {
                effects.push(refused);
            }
        }
        effects
    }

    /// What a person vouched for and no provider has confirmed; also of a closed order.
    pub fn doubtful(&self) -> impl Iterator<Item = &Vouched> {
        self.vouched.iter().filter(|vouched| vouched.is_doubtful())
    }

    /// What of it the provider can be asked: what became of a movement. Not of one that is tried again under the same
    /// key: the question would close the key, and the answer to the next attempt tells as much.
    pub fn to_verify(&self) -> impl Iterator<Item = &Vouched> {
        let is_undone = self.ending.is_some();
        self.doubtful().filter(move |vouched| {
            let stays = vouched.outcome == PaymentOutcome::Succeeded;
            stays || is_undone && !vouched.effect.step.is_compensation()
        })
    }

    /// Whether money of the order was taken only by a person's word: the provider was not heard, or says the contrary.
    /// The transaction is then a text of that person.
    pub fn has_unconfirmed_payment(&self) -> bool {
        self.doubtful().any(|vouched| {
            let step = vouched.effect.step;
            let is_forward = step.is_payment() && !step.is_compensation();
            is_forward && vouched.outcome == PaymentOutcome::Succeeded
        })
    }

    /// Since when the provider is to be asked about what a person vouched for; none when nothing is to be asked.
    pub fn vouch_time(&self) -> Option<Timestamp> {
        let mut asked = self.to_verify();
        let first = asked.find(|vouched| vouched.state == VouchState::Unconfirmed);
        first.map(|vouched| vouched.time)
    }

    /// The payment effects whose outcome is unknown: what an operator may resolve.
    pub fn unknown_payments(&self) -> Vec<Effect> {
        let undoing = self.faults.iter().filter(|fault| fault.unknown);
        let undoing = undoing.map(|fault| fault.effect);
        let undoing = undoing.filter(|effect| effect.step.is_compensation());
        // What has been undone since is known.
        let is_open = |effect: &Effect| {
            let undone = self.compensation_of(*effect);
            undone.is_none_or(|entry| entry.outcome == CompensationOutcome::Pending)
        };
        let forward = self.unknown.iter().copied().filter(is_open);
        let all = forward.chain(undoing);
        all.filter(|effect| effect.step.is_payment()).collect()
    }
}
