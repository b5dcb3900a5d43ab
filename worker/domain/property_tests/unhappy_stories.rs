//! Refused by a provider, by a person, or by time: the reason, what was asked, what is undone.

use super::{
    case::{Beat, check},
    ledger::Answer::{self, Failed, Refused, Silent},
    story::review,
};
use crate::{
    state::{CloseReason, OrderState, ReviewDecision},
    step::Step,
};
use Step::{
    AuthorizePayment as Authorize, CapturePayment as Capture, ChargePayment as Charge,
    RefundPayment as Refund, ReleaseReservation as Release, ReserveInventory as Reserve, Screen,
    VoidAuthorization as Void,
};

#[test]
fn refused_by_a_provider() {
    use CloseReason::{Fraud, OutOfStock, PaymentDeclined};
    let no: &[Answer] = &[Refused];
    let std = "standard";
    check(std, &[(Screen, no)], vec![], Fraud, &[Screen], &[]);
    check(
        std,
        &[(Reserve, no)],
        vec![],
        OutOfStock,
        &[Screen, Reserve],
        &[],
    );
    let steps = [Screen, Reserve, Authorize, Release];
    check(
        std,
        &[(Authorize, no)],
        vec![],
        PaymentDeclined,
        &steps,
        &[Release],
    );
    let steps = [Screen, Reserve, Authorize, Capture, Void, Release];
    let undone = [Void, Release];
    check(
        std,
        &[(Capture, no)],
        vec![Beat::Usual],
        PaymentDeclined,
        &steps,
        &undone,
    );

    let pre = "pre-order";
    check(
        pre,
        &[(Charge, no)],
        vec![],
        PaymentDeclined,
        &[Charge],
        &[],
    );
    let steps = [Charge, Reserve, Refund];
    check(pre, &[(Reserve, no)], vec![], OutOfStock, &steps, &[Refund]);

    check(
        "approval",
        &[(Reserve, no)],
        vec![],
        OutOfStock,
        &[Reserve],
        &[],
    );
    let steps = [Reserve, Charge, Release];
    check(
        "approval",
        &[(Charge, no)],
        vec![],
        PaymentDeclined,
        &steps,
        &[Release],
    );
    let ext = "external-payment";
    check(ext, &[(Reserve, no)], vec![], OutOfStock, &[Reserve], &[]);
}

/// 004: a declined card and missing stock are never tried again, not even with lost answers
/// before.
#[test]
fn a_refusal_is_final() {
    let script: &[(Step, &[Answer])] = &[(Authorize, &[Silent, Refused])];
    let steps = [Screen, Reserve, Authorize, Authorize, Release];
    let reason = CloseReason::PaymentDeclined;
    check("standard", script, vec![], reason, &steps, &[Release]);
    let script: &[(Step, &[Answer])] = &[(Reserve, &[Silent, Failed, Refused])];
    let steps = [Screen, Reserve, Reserve, Reserve];
    let reason = CloseReason::OutOfStock;
    check("standard", script, vec![], reason, &steps, &[]);
}

#[test]
fn rejected_by_a_person_or_by_time() {
    let reject = || Beat::Say(review(ReviewDecision::Reject));
    let ways = [
        (reject as fn() -> Beat, CloseReason::ApprovalRejected),
        (|| Beat::Pass, CloseReason::ApprovalTimeout),
    ];
    for (beat, reason) in ways {
        let steps = [Screen, Reserve, Authorize, Void, Release];
        check(
            "standard",
            &[],
            vec![beat()],
            reason,
            &steps,
            &[Void, Release],
        );
        let steps = [Reserve, Charge, Refund, Release];
        check(
            "approval",
            &[],
            vec![beat()],
            reason,
            &steps,
            &[Refund, Release],
        );
    }
}

#[test]
fn the_time_is_over() {
    let steps = [Charge, Reserve, Release, Refund];
    let reason = CloseReason::ReleaseDeadlinePassed;
    check(
        "pre-order",
        &[],
        vec![Beat::Pass],
        reason,
        &steps,
        &[Release, Refund],
    );
    let reason = CloseReason::PaymentTimeout;
    let steps = [Reserve, Release];
    check(
        "external-payment",
        &[],
        vec![Beat::Pass],
        reason,
        &steps,
        &[Release],
    );
}

/// Each reason to close has exactly one closed state.
#[test]
fn each_reason_has_its_state() {
    use CloseReason::{
        ApprovalRejected, ApprovalTimeout, Completed, CustomerCancelled, Fraud, FulfillmentFailed,
        OutOfStock, PaymentDeclined, PaymentFailed, PaymentTimeout, ReleaseDeadlinePassed,
    };
    let states: [(OrderState, &[CloseReason]); 3] = [
        (OrderState::Completed, &[Completed]),
        (
            OrderState::Rejected,
            &[
                Fraud,
                PaymentDeclined,
                PaymentFailed,
                OutOfStock,
                ApprovalRejected,
                ApprovalTimeout,
            ],
        ),
        (
            OrderState::Cancelled,
            &[
                CustomerCancelled,
                PaymentTimeout,
                ReleaseDeadlinePassed,
                FulfillmentFailed,
            ],
        ),
    ];
    let mut count = 0;
    for (state, reasons) in states {
        for reason in reasons {
            assert_eq!(reason.closed_state(), state, "{reason}");
            count += 1;
        }
    }
    assert_eq!(count, CloseReason::ALL.len());
}
