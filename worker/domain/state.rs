//! The four state axes of an order, and why an order closed.

use crate::named;

named! {
    /// Where the order as a whole stands.
    OrderState {
        /// Accepted; being screened, reserved and paid.
        Placed = "PLACED",
        /// Waits for ConfirmPayment.
        AwaitingPayment = "AWAITING_PAYMENT",
        /// Waits for ReviewOrder.
        AwaitingApproval = "AWAITING_APPROVAL",
        /// Waits for StartFulfillment.
        AwaitingRelease = "AWAITING_RELEASE",
        /// Being captured, packed and handed over.
        InFulfillment = "IN_FULFILLMENT",
        /// The carrier has the parcel.
        InTransit = "IN_TRANSIT",
        /// Closed: delivered and paid.
        Completed = "COMPLETED",
        /// Being undone, newest step first.
        Cancelling = "CANCELLING",
        /// Closed: undone on request or by a deadline.
        Cancelled = "CANCELLED",
        /// Closed: refused for a business reason.
        Rejected = "REJECTED",
    }
}

impl OrderState {
    /// Whether the order has closed: the state stays. Something may be due all the same.
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Rejected)
    }
}

named! {
    /// Where the money stands; follows from what happened.
    PaymentState {
        /// Nothing asked for yet.
        None = "NONE",
        /// Asked for, no answer yet.
        Pending = "PENDING",
        /// The provider holds the amount for us.
        Authorized = "AUTHORIZED",
        /// The amount was taken.
        Captured = "CAPTURED",
        /// The authorization was given back.
        Voided = "VOIDED",
        /// A refund is being made.
        Refunding = "REFUNDING",
        /// The amount was given back.
        Refunded = "REFUNDED",
        /// The provider refused.
        Declined = "DECLINED",
        /// The provider's answer was lost; asked again with the same key.
        Indeterminate = "INDETERMINATE",
    }
}

named! {
    /// Where the stock for the order stands; follows from what happened.
    ReservationState {
        /// Nothing reserved.
        None = "NONE",
        /// Held for this order.
        Reserved = "RESERVED",
        /// Left the warehouse.
        Committed = "COMMITTED",
        /// Given back.
        Released = "RELEASED",
        /// There was not enough.
        Unavailable = "UNAVAILABLE",
    }
}

named! {
    /// Where the parcel stands; follows from what happened.
    ShipmentState {
        /// No shipment yet.
        None = "NONE",
        /// The carrier was asked to fetch it.
        Requested = "REQUESTED",
        /// The carrier has fetched it.
        PickedUp = "PICKED_UP",
        /// On its way.
        InTransit = "IN_TRANSIT",
        /// Arrived.
        Delivered = "DELIVERED",
        /// The pickup was called off.
        Cancelled = "CANCELLED",
    }
}

named! {
    /// What the provider says of a payment that a person vouched for.
    VouchState {
        /// Nothing yet: it could not be asked. It is asked again.
        Unconfirmed = "UNCONFIRMED",
        /// The same.
        Confirmed = "CONFIRMED",
        /// The contrary.
        Contradicted = "CONTRADICTED",
        /// It had refused, and the money was given back by other means: there is nothing to ask.
        ByHand = "BY_HAND",
    }
}

named! {
    /// Why an order closed.
    CloseReason {
        /// Delivered and paid.
        Completed = "COMPLETED",
        /// The fraud check refused it.
        Fraud = "FRAUD",
        /// The payment provider refused it.
        PaymentDeclined = "PAYMENT_DECLINED",
        /// The payment provider could not be reached often enough.
        PaymentFailed = "PAYMENT_FAILED",
        /// There was not enough stock.
        OutOfStock = "OUT_OF_STOCK",
        /// A reviewer rejected it.
        ApprovalRejected = "APPROVAL_REJECTED",
        /// Nobody reviewed it in time.
        ApprovalTimeout = "APPROVAL_TIMEOUT",
        /// Cancelled by command.
        CustomerCancelled = "CUSTOMER_CANCELLED",
        /// ConfirmPayment did not come in time.
        PaymentTimeout = "PAYMENT_TIMEOUT",
        /// StartFulfillment did not come in time.
        ReleaseDeadlinePassed = "RELEASE_DEADLINE_PASSED",
        /// A step other than the payment failed too often.
        FulfillmentFailed = "FULFILLMENT_FAILED",
    }
}

impl CloseReason {
    /// Returns the closed state that goes with the reason: COMPLETED where the order was fulfilled, REJECTED
    /// where it was refused before anything was shipped, and CANCELLED otherwise.
    pub fn closed_state(self) -> OrderState {
        match self {
            Self::Completed => OrderState::Completed,
            Self::Fraud
            | Self::PaymentDeclined
            | Self::PaymentFailed
            | Self::OutOfStock
            | Self::ApprovalRejected
            | Self::ApprovalTimeout => OrderState::Rejected,
            Self::CustomerCancelled
            | Self::PaymentTimeout
            | Self::ReleaseDeadlinePassed
            | Self::FulfillmentFailed => OrderState::Cancelled,
        }
    }
}

named! {
    /// What an order waits for until a fixed time.
    DeadlineKind {
        /// ConfirmPayment; afterwards the order is cancelled.
        Payment = "PAYMENT",
        /// ReviewOrder; afterwards the order is rejected.
        Approval = "APPROVAL",
        /// StartFulfillment; afterwards the order is cancelled and refunded.
        Release = "RELEASE",
        /// ConfirmPickup; afterwards a reminder is sent and the wait begins anew.
        PickupReminder = "PICKUP_REMINDER",
        /// ConfirmDelivery; afterwards the order counts as delivered.
        Delivery = "DELIVERY",
    }
}

named! {
    /// A reviewer's decision.
    ReviewDecision {
        /// Go on.
        Approve = "APPROVE",
        /// Undo and reject.
        Reject = "REJECT",
    }
}
