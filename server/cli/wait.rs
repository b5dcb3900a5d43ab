//! Waiting until an order is in a state, within the time limit.

use super::{
    command::short, connection::Connection, exit::Exit, failure::Failure, words::state_parser,
};
use backon::{BackoffBuilder, ExponentialBuilder};
use clap::Args;
use orders::v1::{GetOrderRequest, GetOrderResponse, Order, OrderState};
use std::time::Duration;

/// The longest pause between two reads, without its jitter.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The pauses between two reads of the order.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(50))
    .with_max_delay(LONGEST_PAUSE)
    .with_jitter()
    .without_max_times();

/// Options of commands that can wait.
#[derive(Args, Clone, Debug)]
pub struct WaitOptions {
    /// Wait until the order is in one of these states, as long as --timeout says. The exit code
    /// is 7 when it closes in another state or the time is up.
    #[arg(
        long = "wait",
        value_name = "STATE",
        value_delimiter = ',',
        value_parser = state_parser(),
        ignore_case = true
    )]
    states: Vec<OrderState>,
}

/// Reads an order.
pub async fn get(connection: &Connection, order_id: &str) -> Result<GetOrderResponse, Failure> {
    let request = GetOrderRequest {
        order_id: order_id.to_owned(),
        ..GetOrderRequest::default()
    };
    let answer = connection.call(&request, async |request| {
        connection.orders().get_order(request).await
    });
    Ok(answer.await?.message)
}

/// The order of an answer.
pub fn order_of(answer: &GetOrderResponse) -> Result<&Order, Failure> {
    let missing = || Failure::unexpected("the answer has no order");
    answer.order.as_ref().ok_or_else(missing)
}

impl WaitOptions {
    /// Whether there is anything to wait for.
    pub fn is_asked(&self) -> bool {
        !self.states.is_empty()
    }

    /// The order as it is, or, when that was asked for, as soon as it is in a state that is waited
    /// for. Else the last that was seen of it, with the failure that says so.
    pub async fn get(
        &self,
        connection: &Connection,
        order_id: &str,
    ) -> Result<(GetOrderResponse, Option<Failure>), Failure> {
        let mut seen = get(connection, order_id).await?;
        let mut pauses = PAUSES.build();
        loop {
            let pause = pauses.next().unwrap_or(LONGEST_PAUSE);
            let order = order_of(&seen)?;
            if !self.is_asked() || self.states.contains(&order.state()) {
                return Ok((seen, None));
            }
            if order.close_time.is_some() {
                let missed = format!("{}: closed in another state", short(order));
                return Ok((seen, Some(Failure::not_reached(missed, true))));
            }
            let late = format!("{}: still, when the time was up", short(order));
            if connection.remaining() <= pause {
                return Ok((seen, Some(Failure::not_reached(late, false))));
            }
            tokio::time::sleep(pause).await;
            seen = match get(connection, order_id).await {
                Ok(newer) => newer,
                // The time was up during the call.
                Err(failure) if failure.exit() == Exit::SendAgain => {
                    return Ok((seen, Some(Failure::not_reached(late, false))));
                }
                Err(failure) => return Err(failure),
            };
        }
    }
}
