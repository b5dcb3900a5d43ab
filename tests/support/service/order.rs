//! Orders to place.

use crate::unique;
use orders::{
    google::r#type::Money,
    v1::{Address, LineItem, PaymentMethod, PaymentMethodType, PlaceOrderRequest},
};
use std::time::{Duration, SystemTime};

/// A sku that only this test uses.
pub fn sku() -> String {
    unique("sku")
}

/// An order to be placed, good in every field.
#[derive(Clone, Debug)]
pub struct Placing(pub PlaceOrderRequest);

impl Placing {
    /// Under a policy, one piece of `sku` for 19.99 dollars.
    pub fn new(policy: &str, sku: &str) -> Placing {
        Placing(PlaceOrderRequest {
            request_id: unique("place"),
            order_id: unique("order"),
            customer_id: "customer-1".to_owned(),
            policy: policy.to_owned(),
            line_items: vec![LineItem {
                sku: sku.to_owned(),
                name: "Thing".to_owned(),
                quantity: 1,
                unit_price: Some(dollars(19, 990_000_000)),
            }],
            shipping_address: Some(address("1 Main St")),
            payment_method: Some(PaymentMethod {
                r#type: PaymentMethodType::CreditCard.into(),
                token: "tok-good".to_owned(),
                last4: "4242".to_owned(),
            }),
            ..PlaceOrderRequest::default()
        })
    }

    /// A pre-order that is released in `days`.
    pub fn pre_order(sku: &str, days: u64) -> Placing {
        let mut placing = Placing::new("pre-order", sku);
        let release = SystemTime::now() + Duration::from_secs(days * 24 * 3600);
        placing.0.release_time = Some(release.into());
        placing
    }

    /// At this price for one piece.
    pub fn price(mut self, units: i64, nanos: i32) -> Placing {
        self.0.line_items[0].unit_price = Some(dollars(units, nanos));
        self
    }

    /// This many pieces.
    pub fn quantity(mut self, quantity: i64) -> Placing {
        self.0.line_items[0].quantity = quantity;
        self
    }

    /// Paid with this token.
    pub fn token(mut self, token: &str) -> Placing {
        if let Some(method) = &mut self.0.payment_method {
            method.token = token.to_owned();
        }
        self
    }

    /// Paid from outside.
    pub fn outside(mut self) -> Placing {
        self.0.payment_method = None;
        self
    }

    /// With this policy.
    pub fn policy(mut self, policy: &str) -> Placing {
        self.0.policy = policy.to_owned();
        self
    }

    /// The order's id.
    pub fn id(&self) -> String {
        self.0.order_id.clone()
    }
}

impl From<Placing> for PlaceOrderRequest {
    fn from(placing: Placing) -> Self {
        placing.0
    }
}

/// An amount of dollars.
pub fn dollars(units: i64, nanos: i32) -> Money {
    Money {
        currency_code: "USD".to_owned(),
        units,
        nanos,
    }
}

/// An address.
pub fn address(line1: &str) -> Address {
    Address {
        line1: line1.to_owned(),
        city: "San Francisco".to_owned(),
        region: "CA".to_owned(),
        postal_code: "94105".to_owned(),
        country_code: "US".to_owned(),
        ..Address::default()
    }
}
