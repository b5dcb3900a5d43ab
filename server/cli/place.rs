//! `orders place`: places an order, from options or from a file.

use super::{
    Run,
    address::AddressOptions,
    amount,
    command::{before, order_line, short},
    connection::Connection,
    failure::Failure,
    json,
    options::{ChangeOptions, ClientOptions, Format},
    payment_method::{self, Kind},
    print, time,
    wait::{WaitOptions, order_of},
};
use clap::Args;
use orders::v1::{LineItem, PlaceOrderRequest};
use std::{
    io::Read,
    path::{Path, PathBuf},
    str::FromStr,
};

/// Arguments of `orders place`.
#[derive(Args, Debug)]
pub struct Place {
    #[command(flatten)]
    order: OrderOptions,

    /// Take the order from a JSON file (`-`: standard input), a PlaceOrderRequest of the API:
    /// {"customer_id": "ada", "policy": "standard", "line_items": [{"sku": "console", ...}], ...}.
    /// No option that describes an order may be given then. A request id of the file is taken
    /// unless --request-id gives another one, and so is its actor.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["OrderOptions", "AddressOptions", "PaymentOptions"]
    )]
    file: Option<PathBuf>,

    #[command(flatten)]
    wait: WaitOptions,

    #[command(flatten)]
    address: AddressOptions,

    #[command(flatten)]
    payment: PaymentOptions,

    #[command(flatten)]
    change: ChangeOptions,
    #[command(flatten)]
    client: ClientOptions,
}

/// What is ordered, by whom and how.
#[derive(Args, Clone, Debug)]
struct OrderOptions {
    /// Whose order it is.
    #[arg(long, value_name = "ID", required_unless_present = "file")]
    customer: Option<String>,

    /// The policy by which it is processed; `orders policies` lists them.
    #[arg(long, value_name = "NAME", required_unless_present = "file")]
    policy: Option<String>,

    /// What is ordered, and for how much a piece: `console:2:499.99`, or with a name
    /// `console:2:499.99:Console`. May be given more than once.
    #[arg(
        long = "item",
        value_name = "SKU:QUANTITY:PRICE[:NAME]",
        required_unless_present = "file"
    )]
    items: Vec<Item>,

    /// The currency of all prices.
    #[arg(long, value_name = "CODE", default_value = "USD")]
    currency: String,

    /// The id of the new order [default: a UUIDv7].
    #[arg(long, value_name = "ID")]
    order_id: Option<String>,

    /// The release of a pre-order: 2034-11-20T00:00:00Z, 2034-11-20 or "in 30 days".
    #[arg(long, value_name = "TIME")]
    release_time: Option<String>,
}

/// With what it is paid.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Payment")]
struct PaymentOptions {
    /// The payment provider's token of the method; never a card number.
    #[arg(long)]
    token: Option<String>,

    /// Kind of the method.
    #[arg(long, value_name = "TYPE", value_enum)]
    payment_type: Option<Kind>,

    /// The last four digits of the method.
    #[arg(long, value_name = "DIGITS")]
    last4: Option<String>,

    /// Identifies the payment over all orders [default: made from the order's id].
    #[arg(long, value_name = "ID")]
    payment_id: Option<String>,
}

/// An item as it is written, its price not yet in a currency.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    sku: String,
    quantity: i64,
    price: String,
    name: String,
}

impl FromStr for Item {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(4, ':');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let (sku, quantity, price, name) = (next(), next(), next(), next());
        let form = "give it as SKU:QUANTITY:PRICE, as console:2:499.99";
        if sku.is_empty() || price.is_empty() {
            return Err(form.to_owned());
        }
        let quantity = quantity
            .parse()
            .map_err(|_| format!("its quantity is not a whole number: {form}"))?;
        Ok(Self {
            sku,
            quantity,
            price,
            name,
        })
    }
}

impl Run for Place {
    fn format(&self) -> Format {
        self.client.output
    }

    async fn run(self) -> Result<(), Failure> {
        let Self {
            order,
            address,
            payment,
            file,
            wait,
            change,
            client,
        } = self;
        let mut request = match file {
            Some(file) => from_file(&file)?,
            None => from_options(order, address, payment)?,
        };
        if change.request_id.is_some() || request.request_id.is_empty() {
            request.request_id = change.request_id();
        }
        if change.names_actor() || request.actor.is_empty() {
            request.actor = change.actor();
        }
        let connection = Connection::new(&client)?;
        let answer = connection
            .call(&request, async |request| {
                connection.orders().place_order(request).await
            })
            .await
            .map_err(|failure| failure.of_request(&request.request_id))?;
        if !wait.is_asked() {
            return print::answer(client.output, &answer.message, |lines| {
                lines.line(order_line(&answer));
            });
        }
        let placed = answer.message.order.unwrap_or_default();
        let (seen, missed) = wait.get(&connection, &placed.order_id).await?;
        let order = order_of(&seen)?;
        print::answer(client.output, &seen, |lines| {
            lines.line(format!("{}{}", short(order), before(answer.replayed)));
        })?;
        missed.map_or(Ok(()), Err)
    }
}

fn from_file(file: &Path) -> Result<PlaceOrderRequest, Failure> {
    let whence = file.display().to_string();
    let read = match whence.as_str() {
        "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        _ => std::fs::read_to_string(file),
    };
    let wrong = |error| Failure::usage(format!("--file {whence} cannot be read: {error}"));
    json::read(&format!("--file {whence}"), &read.map_err(wrong)?)
}

fn from_options(
    order: OrderOptions,
    address: AddressOptions,
    payment: PaymentOptions,
) -> Result<PlaceOrderRequest, Failure> {
    let OrderOptions {
        customer,
        policy,
        items,
        currency,
        order_id,
        release_time,
    } = order;
    let PaymentOptions {
        token,
        payment_type,
        last4,
        payment_id,
    } = payment;
    let release_time = release_time.map(|text| time::parse("--release-time", &text));
    let line_items = items.into_iter().map(|item| {
        Ok(LineItem {
            unit_price: Some(amount::parse("--item: the price", &item.price, &currency)?),
            sku: item.sku,
            name: item.name,
            quantity: item.quantity,
        })
    });
    Ok(PlaceOrderRequest {
        request_id: String::new(),
        actor: String::new(),
        order_id: order_id.unwrap_or_default(),
        customer_id: customer.unwrap_or_default(),
        policy: policy.unwrap_or_default(),
        line_items: line_items.collect::<Result<_, Failure>>()?,
        shipping_address: address.address(),
        payment_method: payment_method::method(payment_type, token, last4),
        payment_id: payment_id.unwrap_or_default(),
        release_time: release_time.transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_read_in_their_parts() {
        let item: Item = "console:2:499.99:Console: the new one".parse().unwrap();
        assert_eq!((&*item.sku, item.quantity), ("console", 2));
        assert_eq!(item.price, "499.99");
        assert_eq!(item.name, "Console: the new one");
        assert_eq!("a:1:0".parse::<Item>().unwrap().name, "");
        for wrong in ["", "console", "console:2", "console:two:1", ":1:1", "a:1:"] {
            assert!(wrong.parse::<Item>().is_err(), "{wrong}");
        }
    }
}
