//! The edge of the server: what it takes, from whom, and how much of it.

mod connections;
mod deadlines;
mod gzip;
mod health;
mod load;
mod refused_by_tonic;
mod service_config;
mod web;
