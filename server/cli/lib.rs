//! The command line client: what people and scripts use who do not want to write gRPC calls.
//!
//! It only calls the API, as any other client does: of the rest of the service it knows the generated
//! API and the pure rules for money and texts. Standard output holds the answer and nothing
//! else; what went wrong goes to standard error, and the exit code says of which family it is.
//!
//! # Layout
//!
//! A command is a file here and a line in [`ClientCommand`].
//!
//! | file | what it holds |
//! |---|---|
//! | `place`, `get`, `list`, `cancel`, ... | one command each |
//! | `options`, `command`, `filter`, `address`, `payment_method`, `wait` | options that commands share |
//! | `connection`, `tls`, `pages` | calling: time limits, sending again, TLS, pages |
//! | `failure`, `exit` | what went wrong, and the exit code of it |
//! | `print`, `json`, `lines` | how an answer is printed |
//! | `amount`, `time`, `words`, `order_sheet` | values as people read and write them |

mod address;
mod amount;
mod attention;
mod cancel;
mod command;
mod compensations;
mod completions;
mod confirm_delivery;
mod confirm_payment;
mod confirm_pickup;
mod connection;
mod deadline;
mod events;
mod exit;
mod explain;
mod failure;
mod filter;
mod get;
mod json;
mod lines;
mod list;
mod operator;
mod options;
mod order_sheet;
mod pages;
mod payment_method;
mod place;
mod policies;
mod print;
mod resolve_payment;
mod retry;
mod review;
mod start_fulfillment;
mod status;
mod stock;
mod time;
mod tls;
mod update_address;
mod wait;
mod watch;
mod words;

pub use completions::Completions;
pub use exit::Exit;

use clap::Subcommand;
use failure::Failure;
use options::Format;

/// What every command can do.
trait Run {
    /// How it prints its answer, and what went wrong.
    fn format(&self) -> Format;
    /// Does it, and prints the answer.
    async fn run(self) -> Result<(), Failure>;
}

/// Makes the enum, and hands each command to its file.
macro_rules! client_commands {
    ($($(#[$meta:meta])+ $name:ident($arguments:path),)+) => {
        /// The commands of the client.
        #[allow(
            clippy::large_enum_variant,
            reason = "there is one, made from the command line"
        )]
        #[derive(Debug, Subcommand)]
        pub enum ClientCommand {
            $($(#[$meta])+ $name($arguments),)+
        }

        /// Runs a command of the client and prints what it says.
        pub async fn run(command: ClientCommand) -> Exit {
            match command {
                $(ClientCommand::$name(arguments) => finish(arguments).await,)+
            }
        }
    };
}

client_commands! {
    /// Place an order.
    Place(place::Place),
    /// Show an order, or wait until it is in a state.
    Get(get::Get),
    /// Print the state of an order in one word.
    Status(status::Status),
    /// Print what an order waits for, until when, and the time that is left.
    Deadline(deadline::Deadline),
    /// Print what has been or is being undone.
    Compensations(compensations::Compensations),
    /// List orders, the newest first.
    List(list::List),
    /// Print what happened to an order, the oldest first.
    Events(events::Events),
    /// Follow an order until it is closed, or all orders that pass a filter.
    Watch(watch::Watch),
    /// Print the policies by which orders can be placed, with the numbers in effect.
    Policies(policies::Policies),
    /// Say that the payment of an order was made.
    ConfirmPayment(confirm_payment::ConfirmPayment),
    /// Approve or reject an order.
    Review(review::Review),
    /// End the hold of an order.
    StartFulfillment(start_fulfillment::StartFulfillment),
    /// Say that the carrier has the parcel.
    ConfirmPickup(confirm_pickup::ConfirmPickup),
    /// Say that the customer has the parcel.
    ConfirmDelivery(confirm_delivery::ConfirmDelivery),
    /// Send the parcel to another address, which replaces the old one as a whole; possible until the
    /// parcel is dispatched.
    UpdateAddress(update_address::UpdateAddress),
    /// Undo everything and close the order, or show what that would undo.
    Cancel(cancel::Cancel),
    /// List the orders that need a person, and why.
    Attention(attention::Attention),
    /// Say what an order waits for, and what would let it go on.
    Explain(explain::Explain),
    /// Try at once what an order would try later, and bring back a workflow that is gone.
    Retry(retry::Retry),
    /// Say what became of a payment whose answer was lost.
    ResolvePayment(resolve_payment::ResolvePayment),
    /// Show and set the stock.
    Stock(stock::Stock),
}

async fn finish(arguments: impl Run) -> Exit {
    let format = arguments.format();
    match arguments.run().await {
        Ok(()) => Exit::Done,
        Err(failure) => {
            eprintln!("{}", failure.in_format(format));
            failure.exit()
        }
    }
}
