//! What Temporal's own UI and CLI can filter orders by: the state, the customer, the policy, and not
//! more, since each change of one is an event in the history.
//!
//! Only a workflow that was started with the state goes on to show it: where Temporal does not know the
//! attributes, or the state is not wanted there, an order runs without.

use super::fold::KeepsOrder;
use orders_domain::order::Order;
use temporalio_common::search_attributes::{SearchAttributeKey, SearchAttributes};
use temporalio_sdk::WorkflowContext;

const STATE: SearchAttributeKey<String> = SearchAttributeKey::keyword("OrderState");
const CUSTOMER: SearchAttributeKey<String> = SearchAttributeKey::keyword("CustomerId");
const POLICY: SearchAttributeKey<String> = SearchAttributeKey::keyword("OrderPolicy");

/// The names of the attributes, all of type Keyword.
pub const NAMES: [&str; 3] = ["OrderState", "CustomerId", "OrderPolicy"];

/// The attributes of an order; with where it stands, or without, for good.
pub fn attributes(order: &Order, with_state: bool) -> SearchAttributes {
    let state = with_state.then(|| STATE.try_value_set(order.state.to_string()));
    let values = [
        CUSTOMER.try_value_set(order.customer_id.clone()),
        POLICY.try_value_set(order.policy.name.clone()),
    ];
    // A string can always be written.
    SearchAttributes::new(state.into_iter().chain(values).flatten())
}

/// Shows where the order stands, when that has changed since it was shown.
pub(super) fn show_state<W: KeepsOrder>(ctx: &WorkflowContext<W>) {
    let Some(shown) = ctx.search_attributes().get(&STATE) else {
        return;
    };
    let Some(state) = ctx.state(|workflow| workflow.order().map(|order| order.state)) else {
        return;
    };
    if shown != state.as_str()
        && let Ok(update) = STATE.try_value_set(state.to_string())
    {
        ctx.upsert_search_attributes([update]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_keys() {
        assert_eq!(NAMES, [STATE.name(), CUSTOMER.name(), POLICY.name()]);
    }
}
