//! `orders stock`: the stock, and what was ordered from the supplier.

mod adjust;
mod get;
mod list;
mod set;
mod supplier_orders;

use super::{Run, failure::Failure, lines::Lines, lines::Side, options::Format};
use clap::{Args, Subcommand};
use orders::v1::StockItem;

/// Arguments of `orders stock`.
#[derive(Args, Debug)]
pub struct Stock {
    #[command(subcommand)]
    command: StockCommand,
}

/// Hands each command to its file.
macro_rules! stock_commands {
    ($($(#[$meta:meta])+ $name:ident($arguments:path),)+) => {
        /// The commands on the stock.
        #[derive(Debug, Subcommand)]
        enum StockCommand {
            $($(#[$meta])+ $name($arguments),)+
        }

        impl Run for Stock {
            fn format(&self) -> Format {
                match &self.command {
                    $(StockCommand::$name(arguments) => arguments.format(),)+
                }
            }

            async fn run(self) -> Result<(), Failure> {
                match self.command {
                    $(StockCommand::$name(arguments) => arguments.run().await,)+
                }
            }
        }
    };
}

stock_commands! {
    /// Show the stock of one sku.
    Get(get::Get),
    /// List the stock of all skus.
    List(list::List),
    /// Set the stock of one sku to a count, and make it known when it is new.
    Set(set::Set),
    /// Add pieces to the stock of one sku, or take some away.
    Adjust(adjust::Adjust),
    /// List what was ordered from the supplier, the newest first.
    SupplierOrders(supplier_orders::SupplierOrders),
}

/// A table of stock.
fn table<'a>(lines: &mut Lines, items: impl IntoIterator<Item = &'a StockItem>) {
    let head = [
        ("SKU", Side::Left),
        ("ON HAND", Side::Right),
        ("RESERVED", Side::Right),
        ("AVAILABLE", Side::Right),
        ("REORDER POINT", Side::Right),
        ("REORDER LEVEL", Side::Right),
        ("REVISION", Side::Right),
    ];
    let rows = items.into_iter().map(|item| {
        let numbers = [
            item.on_hand(),
            item.reserved,
            item.available,
            item.reorder_point(),
            item.reorder_level(),
            item.revision,
        ];
        let numbers = numbers.iter().map(i64::to_string);
        std::iter::once(item.sku.clone()).chain(numbers).collect()
    });
    lines.table(&head, &rows.collect::<Vec<Vec<String>>>());
}
