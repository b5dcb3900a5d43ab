//! Two plots for `docs/performance.md`: orders per second against how many at once, and memory against open orders.

use crate::report::Report;
use plotters::{
    coord::Shift,
    prelude::{
        ChartBuilder, Color, DrawingArea, IntoDrawingArea, IntoLogRange, LineSeries, Palette,
        Palette99, PathElement, SVGBackend, SeriesLabelPosition, WHITE,
    },
};
use std::error::Error;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/figures.svg");

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

type Line = (String, Vec<(f64, f64)>);

/// Writes them.
///
/// # Errors
/// When the file cannot be written.
pub fn draw(report: &Report) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(FILE, (960, 400)).into_drawing_area();
    area.fill(&WHITE)?;
    let (left, right) = area.split_horizontally(480);
    let mut lines = Vec::new();
    for policy in &report.throughput {
        let points = policy.ours.iter();
        let points = points.map(|(at_once, rate)| (*at_once as f64, rate.per_second));
        lines.push((policy.policy.clone(), points.collect()));
    }
    if let Some(stock) = report.throughput.iter().find(|of| of.policy == "stock") {
        let points = stock.floor.iter();
        let points = points.map(|(at_once, rate)| (*at_once as f64, rate.per_second));
        lines.push(("floor without messages".to_owned(), points.collect()));
    }
    chart(&left, "Orders per second", "orders at once", &lines)?;
    let open = report.many.iter().flat_map(|many| &many.open);
    // Across, the scale is logarithmic.
    let open = open.filter(|memory| memory.orders > 0);
    let open = open
        .map(|memory| (memory.orders as f64, memory.mib))
        .collect();
    let lines = [("MiB of the orders process".to_owned(), open)];
    chart(&right, "Memory", "open orders", &lines)?;
    area.present()?;
    Ok(())
}

fn chart(area: &Area, title: &str, across: &str, lines: &[Line]) -> Result<(), Box<dyn Error>> {
    let all = || lines.iter().flat_map(|(_, points)| points);
    if all().next().is_none() {
        // Nothing was measured, and plotters would look for its scale for ever.
        return Ok(());
    }
    let most = |of: fn(&(f64, f64)) -> f64| all().map(of).fold(1.0_f64, f64::max);
    let least = all()
        .map(|point| point.0)
        .fold(f64::INFINITY, f64::min)
        .max(1.0);
    let right = most(|point| point.0).max(2.0 * least);
    let top = most(|point| point.1) * 1.1;
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d((least..right).log_scale(), 0.0..top)?;
    chart
        .configure_mesh()
        .x_desc(across)
        .max_light_lines(1)
        .draw()?;
    for (number, (name, points)) in lines.iter().enumerate() {
        let style = Palette99::pick(number).stroke_width(2);
        chart
            .draw_series(LineSeries::new(points.iter().copied(), style))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .draw()?;
    Ok(())
}
