//! Line items.

use super::{
    money::{money, money_in},
    violations::Violations,
};
use orders::v1;
use orders_domain::order::LineItem;

/// What the field `line_items` holds.
pub(super) struct LineItems {
    /// Those that have a quantity and a price.
    pub(super) items: Vec<LineItem>,
    /// Whether those are all, in one currency, so that the total means something.
    pub(super) has_total: bool,
}

/// The line items of an order.
pub(super) fn parse_line_items(violations: &mut Violations, asked: &[v1::LineItem]) -> LineItems {
    let mut parsed = LineItems {
        items: Vec::new(),
        has_total: false,
    };
    // Too many are not looked at one by one.
    if violations.has("line_items") {
        return parsed;
    }
    let count = asked.len();
    for (index, item) in asked.iter().enumerate() {
        let item = violations.inside_item("line_items", index, |violations| {
            parse_line_item(violations, item)
        });
        parsed.items.extend(item);
    }
    let mixed = mixed_currencies(violations, asked);
    parsed.has_total = count > 0 && parsed.items.len() == count && !mixed;
    parsed
}

/// The line item, if its price and quantity are right.
fn parse_line_item(violations: &mut Violations, item: &v1::LineItem) -> Option<LineItem> {
    let v1::LineItem {
        sku,
        name,
        quantity,
        unit_price,
    } = item;
    let unit_price = money_in(violations, "unit_price", unit_price.as_ref())?;
    let price_fits = unit_price.minor >= 0;
    if !price_fits {
        violations.push("unit_price", "must not be negative");
    }
    let quantity_fits = !violations.has("quantity");
    (quantity_fits && price_fits).then(|| LineItem {
        sku: sku.clone(),
        name: name.clone(),
        quantity: *quantity,
        unit_price,
    })
}

/// Notes every line item in another currency than the first. Those without a known currency were
/// noted before.
fn mixed_currencies(violations: &mut Violations, asked: &[v1::LineItem]) -> bool {
    let mut first: Option<(usize, &str)> = None;
    let mut mixed = false;
    for (index, item) in asked.iter().enumerate() {
        let path = format!("line_items[{index}].unit_price.currency_code");
        let Some(price) = &item.unit_price else {
            continue;
        };
        if violations.names(&path) {
            continue;
        }
        let code = price.currency_code.as_str();
        let (first_index, first_code) = *first.get_or_insert((index, code));
        if code != first_code {
            mixed = true;
            let description = format!(
                "is {code}, but line_items[{first_index}] is in {first_code}: an order has one currency"
            );
            violations.push(&path, description);
        }
    }
    mixed
}

/// A line item as a message.
pub(super) fn line_item(item: &LineItem) -> v1::LineItem {
    let LineItem {
        sku,
        name,
        quantity,
        unit_price,
    } = item;
    v1::LineItem {
        sku: sku.clone(),
        name: name.clone(),
        quantity: *quantity,
        unit_price: Some(money(unit_price)),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{place_order::samples, violations::Verdict},
        *,
    };

    /// The violated fields of a line item that was right until `change`.
    fn wrong(change: impl FnOnce(&mut v1::LineItem)) -> Vec<String> {
        let mut asked = samples::line_item("sku-1", 2, 19_99);
        change(&mut asked);
        wrong_items(&[asked])
    }

    fn wrong_items(asked: &[v1::LineItem]) -> Vec<String> {
        let request = v1::PlaceOrderRequest {
            line_items: asked.to_vec(),
            ..samples::place_order()
        };
        let mut violations = Violations::in_request(&request);
        let parsed = parse_line_items(&mut violations, asked);
        match violations.into_result(Some(parsed)) {
            Ok(parsed) => {
                assert!(parsed.has_total);
                let back: Vec<_> = parsed.items.iter().map(line_item).collect();
                assert_eq!(back, asked);
                Vec::new()
            }
            Err(found) => found.into_iter().map(|v| v.field).collect(),
        }
    }

    #[test]
    fn every_field_has_its_limit() {
        let none: [&str; 0] = [];
        assert_eq!(wrong(|_| ()), none);
        assert_eq!(wrong(|i| i.sku = "ä".repeat(64)), none);
        assert_eq!(wrong(|i| i.sku = "x".repeat(65)), ["line_items[0].sku"]);
        assert_eq!(wrong(|i| i.sku.clear()), ["line_items[0].sku"]);
        assert_eq!(wrong(|i| i.sku = "sku 1".to_owned()), none);
        assert_eq!(wrong(|i| i.sku = "sku ".to_owned()), ["line_items[0].sku"]);
        assert_eq!(wrong(|i| i.name = "ä".repeat(200)), none);
        assert_eq!(wrong(|i| i.name = "x".repeat(201)), ["line_items[0].name"]);
        for quantity in [1, 1_000_000] {
            assert_eq!(wrong(|i| i.quantity = quantity), none);
        }
        for quantity in [0, -1, 1_000_001, i64::MIN, i64::MAX] {
            assert_eq!(wrong(|i| i.quantity = quantity), ["line_items[0].quantity"]);
        }
        assert_eq!(wrong(|i| i.unit_price = None), ["line_items[0].unit_price"]);
        assert_eq!(wrong(|i| i.unit_price = Some(samples::usd(0))), none);
        assert_eq!(
            wrong(|i| i.unit_price = Some(samples::usd(-1))),
            ["line_items[0].unit_price"]
        );
    }

    #[test]
    fn an_order_has_1_to_200_line_items() {
        let items = |count| vec![samples::line_item("sku-1", 1, 100); count];
        assert_eq!(wrong_items(&items(200)), [""; 0]);
        assert_eq!(wrong_items(&items(201)), ["line_items"]);
        assert_eq!(wrong_items(&[]), ["line_items"]);
        let bad = vec![v1::LineItem::default(); 10_000];
        assert_eq!(wrong_items(&bad), ["line_items"]);
        let bad = vec![v1::LineItem::default(); 200];
        assert_eq!(wrong_items(&bad).len(), 3 * 200);
    }

    #[test]
    fn every_item_in_another_currency_than_the_first_is_named() {
        let mut items = vec![samples::line_item("sku-1", 1, 100); 5];
        for (index, code) in [(0, "???"), (2, "EUR"), (4, "JPY")] {
            if let Some(price) = &mut items[index].unit_price {
                price.currency_code = code.to_owned();
            }
        }
        let expected = [
            "line_items[0].unit_price.currency_code",
            "line_items[2].unit_price.currency_code",
            "line_items[4].unit_price.currency_code",
        ];
        assert_eq!(wrong_items(&items), expected);
    }
}
