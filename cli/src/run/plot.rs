//! A picture of a run: the histograms of the trainable variables before and after it, as an SVG.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::summary::{Statistics, Weights, number};
use crate::report::{Failure, Outcome};

/// The size of one panel.
const PANEL: (u32, u32) = (720, 320);

/// Writes the picture, a panel a variable.
///
/// # Errors
/// Where there is nothing to show, or the file cannot be written.
pub fn write(path: &Path, weights: &[Weights]) -> Outcome {
    let shown: Vec<(&Weights, &Statistics)> =
        weights.iter().filter_map(|one| one.after.as_ref().map(|after| (one, after))).collect();
    if shown.is_empty() {
        return Err(Failure::file(path, "the rule has no trainable variable with a finite value to plot"));
    }
    let mut svg = String::new();
    let drawn = draw(&mut svg, &shown);
    drawn.map_err(|error| Failure::file(path, error))?;
    std::fs::write(path, svg).map_err(|error| Failure::file(path, error))
}

fn draw(svg: &mut String, shown: &[(&Weights, &Statistics)]) -> Result<(), Box<dyn std::error::Error>> {
    let size = (PANEL.0, PANEL.1 * shown.len() as u32);
    let root = SVGBackend::with_string(svg, size).into_drawing_area();
    root.fill(&WHITE)?;
    for (area, (weights, after)) in root.split_evenly((shown.len(), 1)).iter().zip(shown) {
        panel(area, weights, after)?;
    }
    root.present()?;
    Ok(())
}

/// Before the run as a line, after it as bars.
fn panel(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    weights: &Weights,
    after: &Statistics,
) -> Result<(), Box<dyn std::error::Error>> {
    let both = || weights.before.iter().chain([after]);
    let low = both().map(|one| one.min).fold(f64::INFINITY, f64::min);
    let high = both().map(|one| one.max).fold(f64::NEG_INFINITY, f64::max);
    let margin = if high > low { 0.02 * (high - low) } else { 0.5 };
    let most = both().flat_map(|one| one.classes.iter().copied()).max().unwrap_or(1).max(1);
    let unit = if weights.unit.is_empty() { String::new() } else { format!(" ({})", weights.unit) };
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .caption(
            format!("{}: mean {}, std {}", weights.name, number(after.mean), number(after.std)),
            ("sans-serif", 16),
        )
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(low - margin..high + margin, 0.0..most as f64 * 1.05)?;
    let axis = format!("{}{unit}", weights.name);
    chart.configure_mesh().disable_x_mesh().x_desc(axis).y_desc("values").draw()?;
    let bars = |statistics: &Statistics, style: ShapeStyle| -> Vec<Rectangle<(f64, f64)>> {
        let width = (statistics.max - statistics.min) / statistics.classes.len() as f64;
        let width = if width > 0.0 { width } else { margin / 4.0 };
        let classes = statistics.classes.iter().enumerate().filter(|(_, count)| **count > 0);
        classes
            .map(|(at, &count)| {
                let left = statistics.min + width * at as f64;
                Rectangle::new([(left, 0.0), (left + width, count as f64)], style)
            })
            .collect()
    };
    let legend =
        |style: ShapeStyle| move |(x, y): (i32, i32)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], style);
    let filled: ShapeStyle = RGBColor(70, 110, 180).mix(0.75).filled();
    let outlined: ShapeStyle = BLACK.stroke_width(1);
    chart.draw_series(bars(after, filled))?.label("after").legend(legend(filled));
    if let Some(before) = &weights.before {
        chart.draw_series(bars(before, outlined))?.label("before").legend(legend(outlined));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;
    Ok(())
}
