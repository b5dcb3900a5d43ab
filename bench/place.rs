//! What a caller of PlaceOrder waits, beside who starts a workflow in Temporal directly.

use crate::{
    floor::Floors,
    load::{median, rate},
    shape::SHAPES,
    system::System,
};
use orders_test_support::{unique, watch::next};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// Medians, in milliseconds.
#[derive(Debug, Deserialize, Serialize)]
pub struct Placing {
    /// Of PlaceOrder.
    pub place_order_ms: f64,
    /// Of StartWorkflow.
    pub start_workflow_ms: f64,
    /// The one against the other, the round in the middle.
    pub ratio: f64,
}

/// Calls the one and the other in turn, one at a time, each when what it began has ended.
pub async fn measure(system: &System, floors: &Floors, rounds: usize, calls: usize) -> Placing {
    let stock = SHAPES[0];
    let mut measured = Vec::new();
    for _ in 0..rounds {
        let (mut placing, mut starting) = (Vec::new(), Vec::new());
        for _ in 0..calls {
            let order = stock.placing(&system.sku);
            let id = order.id();
            let began = Instant::now();
            let placed = system.client.place(order).await;
            placing.push(began.elapsed());
            // From the first event on: what was not told yet comes, and then the end.
            let mut watch = system.client.watch(&id, placed.revision).await.unwrap();
            while next(&mut watch).await.unwrap().is_some() {}

            let id = unique("bare");
            let began = Instant::now();
            floors.begin(id.clone(), 0, None).await;
            starting.push(began.elapsed());
            floors.end(&id).await;
        }
        let p50 = |took: &mut Vec<Duration>| rate(took, Duration::from_secs(1)).p50 * 1_000.0;
        measured.push((p50(&mut placing), p50(&mut starting)));
    }
    Placing {
        place_order_ms: median(measured.iter().map(|(placing, _)| *placing)),
        start_workflow_ms: median(measured.iter().map(|(_, starting)| *starting)),
        ratio: median(
            measured
                .iter()
                .map(|(placing, starting)| placing / starting),
        ),
    }
}
