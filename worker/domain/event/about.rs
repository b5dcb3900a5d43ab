//! What a change is about.

use super::Change;
use crate::effect::Effect;

impl Change {
    /// Whether it is about money, or is the end of the order: then the books must agree.
    pub fn is_about_money(&self) -> bool {
        match self {
            Self::Compensated { effect, .. } => effect.step.is_payment(),
            Self::PaymentConfirmed { .. }
            | Self::PaymentResolved { .. }
            | Self::PaymentVerified { .. }
            | Self::PaymentAuthorized { .. }
            | Self::PaymentCaptured { .. }
            | Self::PaymentDeclined { .. }
            | Self::Closed { .. } => true,
            _ => false,
        }
    }

    /// Whether it may still be recorded after the order has closed: refusals, money from outside, what the
    /// provider says later of money for which a person vouched, and what is undone because of it.
    pub fn may_follow_close(&self) -> bool {
        matches!(
            self,
            Self::CommandRefused { .. }
                | Self::RetryRequested { .. }
                | Self::AttemptFailed { .. }
                | Self::Compensated { .. }
                | Self::PaymentConfirmed { .. }
                | Self::PaymentRefused { .. }
                | Self::PaymentDisputed { .. }
                | Self::PaymentResolved { .. }
                | Self::PaymentVerified { .. }
        )
    }

    /// The effect whose outcome this is. An effect has one outcome; attempts, intents and what is said of it
    /// later are none.
    pub fn outcome_of(&self) -> Option<Effect> {
        match self {
            Self::Screened { effect }
            | Self::FraudDetected { effect, .. }
            | Self::InventoryReserved { effect, .. }
            | Self::OutOfStock { effect, .. }
            | Self::PaymentAuthorized { effect, .. }
            | Self::PaymentCaptured { effect, .. }
            | Self::PaymentDeclined { effect, .. }
            | Self::PackagePrepared { effect, .. }
            | Self::PickupRequested { effect, .. }
            | Self::Shipped { effect, .. }
            | Self::ReservationCommitted { effect }
            | Self::ShipmentRedirected { effect }
            | Self::Compensated { effect, .. } => Some(*effect),
            _ => None,
        }
    }

    /// Whether it records that a command was refused. Such a request is not remembered as done.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::CommandRefused { .. } | Self::PaymentRefused { .. }
        )
    }

    /// The stable type name, as in JSON and SQL.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Placed { .. } => "PLACED",
            Self::Screened { .. } => "SCREENED",
            Self::FraudDetected { .. } => "FRAUD_DETECTED",
            Self::InventoryReserved { .. } => "INVENTORY_RESERVED",
            Self::OutOfStock { .. } => "OUT_OF_STOCK",
            Self::PaymentRequested { .. } => "PAYMENT_REQUESTED",
            Self::PaymentConfirmed { .. } => "PAYMENT_CONFIRMED",
            Self::PaymentRefused { .. } => "PAYMENT_REFUSED",
            Self::PaymentDisputed { .. } => "PAYMENT_DISPUTED",
            Self::PaymentInitiated { .. } => "PAYMENT_INITIATED",
            Self::PaymentAuthorized { .. } => "PAYMENT_AUTHORIZED",
            Self::PaymentCaptured { .. } => "PAYMENT_CAPTURED",
            Self::PaymentDeclined { .. } => "PAYMENT_DECLINED",
            Self::AttemptFailed { .. } => "ATTEMPT_FAILED",
            Self::ApprovalRequested { .. } => "APPROVAL_REQUESTED",
            Self::Reviewed { .. } => "REVIEWED",
            Self::Held { .. } => "HELD",
            Self::FulfillmentStarted => "FULFILLMENT_STARTED",
            Self::PackagePrepared { .. } => "PACKAGE_PREPARED",
            Self::PickupRequested { .. } => "PICKUP_REQUESTED",
            Self::PickupReminded => "PICKUP_REMINDED",
            Self::PickedUp { .. } => "PICKED_UP",
            Self::Shipped { .. } => "SHIPPED",
            Self::ReservationCommitted { .. } => "RESERVATION_COMMITTED",
            Self::ShippingAddressUpdated { .. } => "SHIPPING_ADDRESS_UPDATED",
            Self::ShipmentRedirected { .. } => "SHIPMENT_REDIRECTED",
            Self::Delivered => "DELIVERED",
            Self::CancelRequested { .. } => "CANCEL_REQUESTED",
            Self::DeadlinePassed { .. } => "DEADLINE_PASSED",
            Self::Compensated { .. } => "COMPENSATED",
            Self::CommandRefused { .. } => "COMMAND_REFUSED",
            Self::RetryRequested { .. } => "RETRY_REQUESTED",
            Self::PaymentResolved { .. } => "PAYMENT_RESOLVED",
            Self::PaymentVerified { .. } => "PAYMENT_VERIFIED",
            Self::Closed { .. } => "CLOSED",
        }
    }
}
