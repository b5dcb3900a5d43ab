//! The table: policy by policy, every way that an order can go.

use super::{Do::*, Failing, Money, Scenario, row::row};
use orders::v1::{
    CloseReason::*,
    CompensationStep::{RefundPayment, ReleaseReservation, VoidAuthorization},
    OrderState::{AwaitingApproval, AwaitingPayment, AwaitingRelease, InTransit},
    ReviewDecision::{Approve, Reject},
};

const DAY: i64 = 24 * 3600;

/// All of it.
pub fn all() -> Vec<Scenario> {
    let policies = [
        standard(),
        pre_order(),
        approval(),
        external_payment(),
        stock(),
        shipping_lane(),
    ];
    policies.into_iter().flatten().collect()
}

fn standard() -> Vec<Scenario> {
    let row = |path| row("standard", path);
    vec![
        row("delivered by itself after 7 days")
            .steps(&[Until(InTransit), Pass(Some(7 * DAY))])
            .completed()
            .takes(7 * DAY),
        row("delivery confirmed early")
            .steps(&[Until(InTransit), ConfirmDelivery])
            .completed(),
        row("above 5,000, approved, delivered after 7 days")
            .dear()
            .steps(&[
                Until(AwaitingApproval),
                Review(Approve),
                Until(InTransit),
                Pass(Some(7 * DAY)),
            ])
            .completed()
            .takes(7 * DAY),
        row("fraud").token("tok-fraud").ends(Fraud),
        row("too little stock").pieces(2).ends(OutOfStock),
        row("card declined")
            .token("tok-declined")
            .ends(PaymentDeclined)
            .undone(&[ReleaseReservation]),
        row("3 payment attempts used up")
            .failing(Failing::Payment)
            .steps(&[UntilFailed, Pass(None)])
            .ends(PaymentFailed)
            .undone(&[ReleaseReservation])
            .takes(3),
        row("rejected by a person")
            .dear()
            .steps(&[Until(AwaitingApproval), Review(Reject)])
            .ends(ApprovalRejected)
            .money(Money::Voided)
            .undone(&[VoidAuthorization, ReleaseReservation]),
        row("nobody reviews it for 24 h")
            .dear()
            .steps(&[Until(AwaitingApproval), Pass(Some(DAY))])
            .ends(ApprovalTimeout)
            .money(Money::Voided)
            .undone(&[VoidAuthorization, ReleaseReservation])
            .takes(DAY),
        row("cancelled while being paid")
            .failing(Failing::Payment)
            .steps(&[UntilFailed, Cancel])
            .ends(CustomerCancelled)
            .undone(&[ReleaseReservation]),
        row("cancelled while AWAITING_APPROVAL")
            .dear()
            .steps(&[Until(AwaitingApproval), Cancel])
            .ends(CustomerCancelled)
            .money(Money::Voided)
            .undone(&[VoidAuthorization, ReleaseReservation]),
        row("cancelled while IN_FULFILLMENT")
            .failing(Failing::Carrier)
            .steps(&[UntilFailed, Cancel])
            .ends(CustomerCancelled)
            .money(Money::Refunded)
            .undone(&[RefundPayment, ReleaseReservation]),
        row("3 dispatch attempts used up")
            .failing(Failing::Carrier)
            .steps(&[UntilFailed, Pass(None)])
            .ends(FulfillmentFailed)
            .money(Money::Refunded)
            .undone(&[RefundPayment, ReleaseReservation])
            .takes(3),
        row("3 reservation attempts used up")
            .failing(Failing::Inventory)
            .steps(&[UntilFailed, Pass(None)])
            .ends(FulfillmentFailed)
            .takes(3),
        row("3 fraud check attempts used up")
            .failing(Failing::Fraud)
            .steps(&[UntilFailed, Pass(None)])
            .ends(FulfillmentFailed)
            .takes(3),
    ]
}

fn pre_order() -> Vec<Scenario> {
    let row = |path| row("pre-order", path);
    vec![
        row("fulfilled, picked up, delivered")
            .steps(&[
                Until(AwaitingRelease),
                StartFulfillment,
                UntilPickupRequested,
                ConfirmPickup,
                ConfirmDelivery,
            ])
            .completed(),
        row("pickup late: a reminder every 24 h")
            .steps(&[
                Until(AwaitingRelease),
                StartFulfillment,
                UntilPickupRequested,
                Pass(Some(DAY)),
                ConfirmPickup,
                ConfirmDelivery,
            ])
            .completed(),
        row("nobody starts it until release + 7 days")
            .steps(&[Until(AwaitingRelease), Pass(Some(97 * DAY))])
            .ends(ReleaseDeadlinePassed)
            .money(Money::Refunded)
            .undone(&[ReleaseReservation, RefundPayment])
            .takes(97 * DAY),
        row("card declined")
            .token("tok-declined")
            .ends(PaymentDeclined),
        row("3 payment attempts used up")
            .failing(Failing::Payment)
            .steps(&[UntilFailed, Pass(None)])
            .ends(PaymentFailed)
            .takes(6),
        row("too little stock")
            .pieces(2)
            .ends(OutOfStock)
            .money(Money::Refunded)
            .undone(&[RefundPayment]),
        row("cancelled while being paid")
            .failing(Failing::Payment)
            .steps(&[UntilFailed, Cancel])
            .ends(CustomerCancelled),
        row("cancelled while AWAITING_RELEASE")
            .steps(&[Until(AwaitingRelease), Cancel])
            .ends(CustomerCancelled)
            .money(Money::Refunded)
            .undone(&[ReleaseReservation, RefundPayment]),
        row("3 pickup request attempts used up")
            .failing(Failing::Carrier)
            .steps(&[
                Until(AwaitingRelease),
                StartFulfillment,
                UntilFailed,
                Pass(None),
            ])
            .ends(FulfillmentFailed)
            .money(Money::Refunded)
            .undone(&[ReleaseReservation, RefundPayment])
            .takes(3),
        row("3 reservation attempts used up")
            .failing(Failing::Inventory)
            .steps(&[UntilFailed, Pass(None)])
            .ends(FulfillmentFailed)
            .money(Money::Refunded)
            .undone(&[RefundPayment])
            .takes(3),
    ]
}

fn approval() -> Vec<Scenario> {
    let row = |path| row("approval", path);
    vec![
        row("delivered by itself after 7 days")
            .steps(&[Until(InTransit), Pass(Some(7 * DAY))])
            .completed()
            .takes(7 * DAY),
        row("delivery confirmed early")
            .steps(&[Until(InTransit), ConfirmDelivery])
            .completed(),
        row("above 5,000, approved, delivered after 7 days")
            .dear()
            .steps(&[
                Until(AwaitingApproval),
                Review(Approve),
                Until(InTransit),
                Pass(Some(7 * DAY)),
            ])
            .completed()
            .takes(7 * DAY),
        row("too little stock").pieces(2).ends(OutOfStock),
        row("card declined")
            .token("tok-declined")
            .ends(PaymentDeclined)
            .undone(&[ReleaseReservation]),
        row("5 payment attempts used up")
            .failing(Failing::Payment)
            .steps(&[UntilFailed, Pass(None)])
            .ends(PaymentFailed)
            .undone(&[ReleaseReservation])
            .takes(15),
        row("rejected by a person")
            .dear()
            .steps(&[Until(AwaitingApproval), Review(Reject)])
            .ends(ApprovalRejected)
            .money(Money::Refunded)
            .undone(&[RefundPayment, ReleaseReservation]),
        row("nobody reviews it for 24 h")
            .dear()
            .steps(&[Until(AwaitingApproval), Pass(Some(DAY))])
            .ends(ApprovalTimeout)
            .money(Money::Refunded)
            .undone(&[RefundPayment, ReleaseReservation])
            .takes(DAY),
        row("cancelled while being paid")
            .failing(Failing::Payment)
            .steps(&[UntilFailed, Cancel])
            .ends(CustomerCancelled)
            .undone(&[ReleaseReservation]),
        row("cancelled while AWAITING_APPROVAL")
            .dear()
            .steps(&[Until(AwaitingApproval), Cancel])
            .ends(CustomerCancelled)
            .money(Money::Refunded)
            .undone(&[RefundPayment, ReleaseReservation]),
        row("cancelled while IN_FULFILLMENT")
            .failing(Failing::Carrier)
            .steps(&[UntilFailed, Cancel])
            .ends(CustomerCancelled)
            .money(Money::Refunded)
            .undone(&[RefundPayment, ReleaseReservation]),
        row("5 dispatch attempts used up")
            .failing(Failing::Carrier)
            .steps(&[UntilFailed, Pass(None)])
            .ends(FulfillmentFailed)
            .money(Money::Refunded)
            .undone(&[RefundPayment, ReleaseReservation])
            .takes(15),
        row("5 reservation attempts used up")
            .failing(Failing::Inventory)
            .steps(&[UntilFailed, Pass(None)])
            .ends(FulfillmentFailed)
            .takes(15),
    ]
}

fn external_payment() -> Vec<Scenario> {
    let row = |path| row("external-payment", path);
    vec![
        row("paid, delivered by itself after 30 s")
            .steps(&[
                Until(AwaitingPayment),
                Pay,
                Until(InTransit),
                Pass(Some(30)),
            ])
            .completed()
            .takes(30),
        row("paid, delivery confirmed early")
            .steps(&[
                Until(AwaitingPayment),
                Pay,
                Until(InTransit),
                ConfirmDelivery,
            ])
            .completed(),
        row("too little stock").pieces(2).ends(OutOfStock),
        row("nobody pays for 24 h")
            .steps(&[Until(AwaitingPayment), Pass(Some(DAY))])
            .ends(PaymentTimeout)
            .undone(&[ReleaseReservation])
            .takes(DAY),
        row("cancelled while being reserved")
            .failing(Failing::Inventory)
            .steps(&[UntilFailed, Cancel])
            .ends(CustomerCancelled),
        row("cancelled while AWAITING_PAYMENT")
            .steps(&[Until(AwaitingPayment), Cancel])
            .ends(CustomerCancelled)
            .undone(&[ReleaseReservation]),
        row("cancelled while IN_FULFILLMENT")
            .failing(Failing::Carrier)
            .steps(&[Until(AwaitingPayment), Pay, UntilFailed, Cancel])
            .ends(CustomerCancelled)
            .money(Money::Refunded)
            .undone(&[RefundPayment, ReleaseReservation]),
        row("3 dispatch attempts used up")
            .failing(Failing::Carrier)
            .steps(&[Until(AwaitingPayment), Pay, UntilFailed, Pass(None)])
            .ends(FulfillmentFailed)
            .money(Money::Refunded)
            .undone(&[RefundPayment, ReleaseReservation])
            .takes(3),
        row("3 reservation attempts used up")
            .failing(Failing::Inventory)
            .steps(&[UntilFailed, Pass(None)])
            .ends(FulfillmentFailed)
            .takes(3),
    ]
}

fn stock() -> Vec<Scenario> {
    let row = |path| row("stock", path);
    vec![
        row("shipped is done").completed(),
        row("fraud").token("tok-fraud").ends(Fraud),
        row("too little stock").pieces(2).ends(OutOfStock),
        row("card declined")
            .token("tok-declined")
            .ends(PaymentDeclined)
            .undone(&[ReleaseReservation]),
        row("cancelled while being paid")
            .failing(Failing::Payment)
            .steps(&[UntilFailed, Cancel])
            .ends(CustomerCancelled)
            .undone(&[ReleaseReservation]),
        row("cancelled while IN_FULFILLMENT")
            .failing(Failing::Carrier)
            .steps(&[UntilFailed, Cancel])
            .ends(CustomerCancelled)
            .money(Money::Refunded)
            .undone(&[RefundPayment, ReleaseReservation]),
    ]
}

fn shipping_lane() -> Vec<Scenario> {
    let row = |path| row("shipping-lane", path);
    vec![
        row("shipped is done").completed(),
        row("card declined")
            .token("tok-declined")
            .ends(PaymentDeclined),
        row("50 payment attempts used up")
            .failing(Failing::Payment)
            .ends(PaymentFailed)
            .takes(5),
        row("cancelled while being paid")
            .failing(Failing::Payment)
            .steps(&[UntilFailed, Cancel])
            .ends(CustomerCancelled),
        row("cancelled while IN_FULFILLMENT")
            .failing(Failing::Carrier)
            .steps(&[UntilFailed, Cancel])
            .ends(CustomerCancelled)
            .money(Money::Refunded)
            .undone(&[RefundPayment]),
        row("50 shipping attempts used up")
            .failing(Failing::Carrier)
            .ends(FulfillmentFailed)
            .money(Money::Refunded)
            .undone(&[RefundPayment])
            .takes(5),
    ]
}
