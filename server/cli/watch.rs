//! `orders watch`: what happens, as it happens.

use super::{
    Run,
    connection::Connection,
    events::what,
    failure::Failure,
    filter::FilterOptions,
    json,
    options::{ClientOptions, Format},
    print, time,
};
use clap::Args;
use orders::v1::{OrderEvent, WatchOrderRequest, WatchOrdersRequest, WatchOrdersResponse};
use orders_domain::visible;
use prost::{Message, Name};
use std::ops::ControlFlow;
use tonic::{Response, Status, Streaming};

/// Arguments of `orders watch`. A connection that breaks is made again, and nothing is missed;
/// --timeout says how long the server may be away. As JSON, each event is one document on one line.
#[derive(Args, Debug)]
pub struct Watch {
    /// The order, to follow one until it is closed; without it, all that the filters let pass.
    #[arg(value_name = "ORDER_ID", conflicts_with_all = ["customer", "policy", "state", "filter"])]
    order_id: Option<String>,

    /// Where to begin: after this revision of the order, or after this position of an earlier
    /// watch (as in its JSON). Without it, with the first event of the one order, or now.
    #[arg(long, value_name = "REVISION|POSITION")]
    after: Option<String>,

    /// End when everything that was recorded until now is printed. As JSON, the last line has only
    /// the position for the next --after, so that a job which polls misses nothing. Not with an
    /// ORDER_ID: `orders events ORDER_ID` prints what has happened to one order until now.
    #[arg(long, conflicts_with = "order_id")]
    until_now: bool,

    #[command(flatten)]
    which: FilterOptions,

    #[command(flatten)]
    client: ClientOptions,
}

/// Whether to go on; broken off when nobody reads any more.
type Printed = Result<ControlFlow<()>, Failure>;

impl Run for Watch {
    fn format(&self) -> Format {
        self.client.output
    }

    async fn run(self) -> Result<(), Failure> {
        let connection = Connection::new(&self.client)?;
        match &self.order_id {
            Some(order_id) => self.one(order_id, connection).await,
            None => self.many(connection).await,
        }
    }
}

impl Watch {
    async fn one(&self, order_id: &str, mut connection: Connection) -> Result<(), Failure> {
        let after = self.after.as_deref().unwrap_or("0");
        let after_revision = after
            .parse()
            .map_err(|_| Failure::usage(format!("--after {after}: give a revision, as 7")))?;
        let mut request = WatchOrderRequest {
            order_id: order_id.to_owned(),
            after_revision,
        };
        loop {
            connection.renew();
            let opened = connection.open(&request, async |request| {
                connection.orders().watch_order(request).await
            });
            let stream = opened.await?.into_inner();
            let broken = follow(stream, |answer| {
                if answer.heartbeat {
                    return Ok(ControlFlow::Continue(()));
                }
                let printed = self.print(&answer, answer.event.as_ref(), false)?;
                let revision = answer.event.as_ref().map(|event| event.revision);
                request.after_revision = revision.unwrap_or(request.after_revision);
                Ok(printed)
            });
            match broken.await? {
                Some(status) => wait(&connection, &status).await?,
                None => return Ok(()),
            }
        }
    }

    async fn many(&self, mut connection: Connection) -> Result<(), Failure> {
        if let Some(after) = self.after.as_deref().filter(|after| after.starts_with('{')) {
            return Err(Failure::usage(format!(
                "--after {after}: give the position alone, which is the text behind \"position\" in \
                 that line"
            )));
        }
        let mut request = WatchOrdersRequest {
            filter: self.which.filter(),
            after: self.after.clone().unwrap_or_default(),
            until_now: self.until_now,
        };
        loop {
            connection.renew();
            let opened = connection.open(&request, async |request| {
                connection.orders().watch_orders(request).await
            });
            let opened: Response<Streaming<WatchOrdersResponse>> = opened.await?;
            // Where it began: it can be gone on from there even when it breaks before any event.
            let began = opened.metadata().get("orders-position");
            if let Some(began) = began.and_then(|began| began.to_str().ok()) {
                request.after = began.to_owned();
            }
            let broken = follow(opened.into_inner(), |answer| {
                if answer.heartbeat {
                    request.after = answer.position;
                    return Ok(ControlFlow::Continue(()));
                }
                let printed = self.print(&answer, answer.event.as_ref(), true)?;
                request.after = answer.position;
                Ok(printed)
            });
            match broken.await? {
                Some(status) => wait(&connection, &status).await?,
                None => return Ok(()),
            }
        }
    }

    fn print<M: Message + Name>(
        &self,
        answer: &M,
        event: Option<&OrderEvent>,
        with_order: bool,
    ) -> Printed {
        let line = match (self.client.output, event) {
            (Format::Json, _) => json::write_line(answer)?,
            (Format::Text, Some(event)) => visible::escaped(&text(event, with_order)),
            (Format::Text, None) => return Ok(ControlFlow::Continue(())),
        };
        Ok(match print::next_line(&line)? {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        })
    }
}

/// Prints what comes. Gives the status with which the stream broke; none when it ended.
async fn follow<A>(
    mut stream: Streaming<A>,
    mut print: impl FnMut(A) -> Printed,
) -> Result<Option<Status>, Failure> {
    loop {
        match stream.message().await {
            Ok(Some(answer)) => {
                if print(answer)?.is_break() {
                    return Ok(None);
                }
            }
            Ok(None) => return Ok(None),
            Err(status) => return Ok(Some(status)),
        }
    }
}

/// Waits before a stream is opened again, or fails when that would not help.
async fn wait(connection: &Connection, status: &Status) -> Result<(), Failure> {
    match connection.pause_before_reopening(status) {
        Some(pause) => {
            tokio::time::sleep(pause).await;
            Ok(())
        }
        None => Err(Failure::status(status)),
    }
}

/// One event on one line, in columns that fit most.
fn text(event: &OrderEvent, with_order: bool) -> String {
    let time = event.time.as_ref();
    let time = time.map_or_else(String::new, time::local_with_millis);
    let (revision, actor, what) = (event.revision, &event.actor, what(event));
    let line = format!("{revision:>4}  {time}  {actor:<10}  {what}");
    match with_order {
        true => format!("{:<36}  {line}", event.order_id),
        false => line,
    }
}
