//! Tests of the README, the demo, the clients in other languages and the budgets.

mod budget;
mod clients;
mod demo;
mod readme;
