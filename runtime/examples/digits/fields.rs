//! The receptive fields as a picture: each neuron's weights as an image of 8 × 8, in a square of neurons.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use ndarray::ArrayView2;

/// Pixels of an image along one side.
const SIDE: usize = 8;
/// Points of the picture for a weight along one side.
const ZOOM: usize = 4;
/// Points between two fields.
const GAP: usize = 2;

/// Writes the weights, `[pixels, neurons]`, as a grey PNG; each field's largest weight is white.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, weights: ArrayView2<'_, f32>) -> Result<(), Box<dyn std::error::Error>> {
    let neurons = weights.ncols();
    let columns = (1..=neurons).find(|columns| columns * columns >= neurons).unwrap_or(1);
    let rows = neurons.div_ceil(columns);
    let field = SIDE * ZOOM + GAP;
    let (width, height) = (columns * field + GAP, rows * field + GAP);
    let mut points = vec![0u8; width * height];
    for (neuron, column) in weights.columns().into_iter().enumerate() {
        let largest = column.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let (left, top) = (GAP + neuron % columns * field, GAP + neuron / columns * field);
        for y in 0..SIDE * ZOOM {
            for x in 0..SIDE * ZOOM {
                let weight = column[y / ZOOM * SIDE + x / ZOOM];
                points[(top + y) * width + left + x] = (255.0 * weight / largest) as u8;
            }
        }
    }
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), width as u32, height as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&points)?;
    writer.finish()?;
    Ok(())
}
