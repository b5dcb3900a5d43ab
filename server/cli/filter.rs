//! Options that say which orders.

use super::words::state_parser;
use clap::Args;
use orders::v1::OrderState;

/// Which orders. All filters have to be met.
#[derive(Args, Clone, Debug)]
pub struct FilterOptions {
    /// Only orders of this customer.
    #[arg(long, value_name = "ID")]
    customer: Option<String>,

    /// Only orders by this policy.
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,

    /// Only orders in this state.
    #[arg(long, value_parser = state_parser(), ignore_case = true)]
    state: Option<OrderState>,

    /// Only orders that this filter of the API lets pass:
    /// `place_time >= "2026-01-01T00:00:00Z"`.
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
}

impl FilterOptions {
    /// The filter of the API for all filters here.
    pub fn filter(&self) -> String {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let customer = self.customer.as_deref();
        let policy = self.policy.as_deref();
        let terms = [
            customer.map(|id| format!("customer_id = \"{}\"", quoted(id))),
            policy.map(|name| format!("policy = \"{}\"", quoted(name))),
            self.state
                .map(|state| format!("state = {}", state.as_str_name())),
            self.filter
                .clone()
                .filter(|filter| !filter.trim().is_empty()),
        ];
        let terms: Vec<String> = terms.into_iter().flatten().collect();
        terms.join(" AND ")
    }
}
