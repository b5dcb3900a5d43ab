//! Providers that fail too often: the reason, what was asked, what is undone.

use super::{
    case::{Beat, check},
    ledger::Answer::{self, Failed, Lost, Silent},
    story::move_to,
};
use crate::{state::CloseReason, step::Step};
use Step::{
    AuthorizePayment as Authorize, CancelShipment as Recall, CapturePayment as Capture,
    ChargePayment as Charge, DispatchShipment as Dispatch, RefundPayment as Refund,
    ReleaseReservation as Release, RequestPickup as Request, ReserveInventory as Reserve, Screen,
    VoidAuthorization as Void,
};

#[test]
fn the_attempts_are_used_up() {
    use CloseReason::{FulfillmentFailed, PaymentFailed};
    let three: &[Answer] = &[Failed; 3];
    let std = "standard";
    check(
        std,
        &[(Screen, three)],
        vec![],
        FulfillmentFailed,
        &[Screen; 3],
        &[],
    );
    let steps = [Screen, Reserve, Reserve, Reserve];
    check(
        std,
        &[(Reserve, three)],
        vec![],
        FulfillmentFailed,
        &steps,
        &[],
    );
    let steps = [Screen, Reserve, Authorize, Authorize, Authorize, Release];
    check(
        std,
        &[(Authorize, three)],
        vec![],
        PaymentFailed,
        &steps,
        &[Release],
    );
    let steps = [
        Screen, Reserve, Authorize, Capture, Capture, Capture, Void, Release,
    ];
    let usual = || vec![Beat::Usual];
    check(
        std,
        &[(Capture, three)],
        usual(),
        PaymentFailed,
        &steps,
        &[Void, Release],
    );
    let steps = [
        Screen, Reserve, Authorize, Capture, Dispatch, Dispatch, Dispatch, Refund, Release,
    ];
    let undone = [Refund, Release];
    check(
        std,
        &[(Dispatch, three)],
        usual(),
        FulfillmentFailed,
        &steps,
        &undone,
    );

    let pre = "pre-order";
    check(
        pre,
        &[(Charge, three)],
        vec![],
        PaymentFailed,
        &[Charge; 3],
        &[],
    );
    let steps = [Charge, Reserve, Reserve, Reserve, Refund];
    check(
        pre,
        &[(Reserve, three)],
        vec![],
        FulfillmentFailed,
        &steps,
        &[Refund],
    );
    let steps = [Charge, Reserve, Request, Request, Request, Release, Refund];
    let undone = [Release, Refund];
    check(
        pre,
        &[(Request, three)],
        usual(),
        FulfillmentFailed,
        &steps,
        &undone,
    );

    let five: &[Answer] = &[Failed; 5];
    let steps = [Reserve, Charge, Charge, Charge, Charge, Charge, Release];
    check(
        "approval",
        &[(Charge, five)],
        vec![],
        PaymentFailed,
        &steps,
        &[Release],
    );
    let steps = [Reserve, Dispatch, Dispatch, Dispatch, Refund, Release];
    let ext = "external-payment";
    let undone = [Refund, Release];
    check(
        ext,
        &[(Dispatch, three)],
        usual(),
        FulfillmentFailed,
        &steps,
        &undone,
    );
}

/// The last answer was lost: perhaps it happened, and then it is undone by its key.
#[test]
fn the_attempts_are_used_up_by_silence() {
    use CloseReason::{FulfillmentFailed, PaymentFailed};
    for last in [Lost, Silent] {
        let script: &[Answer] = &[Failed, Failed, last];
        let steps = [Screen, Reserve, Reserve, Reserve, Release];
        let undone = [Release];
        let only = |step| [(step, script)];
        check(
            "standard",
            &only(Reserve),
            vec![],
            FulfillmentFailed,
            &steps,
            &undone,
        );
        let steps = [
            Screen, Reserve, Authorize, Authorize, Authorize, Void, Release,
        ];
        let undone = [Void, Release];
        check(
            "standard",
            &only(Authorize),
            vec![],
            PaymentFailed,
            &steps,
            &undone,
        );
        let steps = [
            Screen, Reserve, Authorize, Capture, Capture, Capture, Refund, Void, Release,
        ];
        let undone = [Refund, Void, Release];
        let usual = || vec![Beat::Usual];
        check(
            "standard",
            &only(Capture),
            usual(),
            PaymentFailed,
            &steps,
            &undone,
        );
        check(
            "pre-order",
            &only(Charge),
            vec![],
            PaymentFailed,
            &[Charge, Charge, Charge, Refund],
            &[Refund],
        );
        let steps = [
            Charge, Reserve, Request, Request, Request, Recall, Release, Refund,
        ];
        let undone = [Recall, Release, Refund];
        check(
            "pre-order",
            &only(Request),
            usual(),
            FulfillmentFailed,
            &steps,
            &undone,
        );
    }
}

/// A carrier that cannot be told the new address ends the order, rather than delivering elsewhere.
#[test]
fn a_redirect_that_fails_for_good() {
    let redirect = Step::RedirectShipment;
    let steps = [
        Charge, Reserve, Request, redirect, redirect, redirect, Recall, Release, Refund,
    ];
    let beats = vec![Beat::Usual, Beat::Say(move_to("new"))];
    let reason = CloseReason::FulfillmentFailed;
    let undone = [Recall, Release, Refund];
    check(
        "pre-order",
        &[(redirect, &[Failed; 3])],
        beats,
        reason,
        &steps,
        &undone,
    );
}

/// After the dispatch nothing ends the order but its delivery.
#[test]
fn a_dispatched_order_goes_on() {
    let script: &[(Step, &[Answer])] = &[(Step::CommitReservation, &[Failed; 9])];
    let steps = [
        &[Reserve, Charge, Dispatch][..],
        &[Step::CommitReservation; 10],
    ]
    .concat();
    let beats = vec![Beat::Usual, Beat::Usual];
    check(
        "approval",
        script,
        beats,
        CloseReason::Completed,
        &steps,
        &[],
    );
}
