//! The service as its users meet it: a real server, a real Temporal, a real database, through the
//! wire. One binary, so that tests share what is slow to start; each test brings its own ids.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on should stop, with the line that says where"
)]

mod harness;

mod approval;
mod attack;
mod backup;
mod budget;
mod cli;
mod clients;
mod connect;
mod crash;
mod defects;
mod demo;
mod edge;
mod external_payment;
mod healing;
mod idempotency;
mod invalid;
mod inventory;
mod listing;
mod notifications;
mod operator;
mod outages;
mod outside_payment;
mod payment_tokens;
mod pickup;
mod postgres;
mod pre_order;
mod private;
mod processes;
mod readme;
mod reads;
mod replay;
mod replenishment;
mod restart;
mod scenarios;
mod schema;
mod search;
mod serving;
mod shipping_lane;
mod shutdown;
mod signals;
mod soak;
mod standard;
mod status_codes;
mod time;
mod torture;
mod validation;
mod verify;
mod watch;
