//! ListPolicies: what PlaceOrder can name, with the effective numbers.

use super::Orders;
use crate::convert;
use orders::v1::ListPoliciesResponse;
use tonic::Response;

impl Orders {
    pub(super) fn all_policies(&self) -> Response<ListPoliciesResponse> {
        let policies = self.policies().iter().map(convert::policy).collect();
        Response::new(ListPoliciesResponse { policies })
    }
}
