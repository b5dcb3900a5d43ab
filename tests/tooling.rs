//! Tests of the documents, the demo, the clients in other languages and the budgets.

mod budget;
mod clients;
mod demo;
mod documents;
