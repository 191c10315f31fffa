//! The images: from the file, and split into a part to learn from and a part held out.

use std::path::Path;

use super::random::Random;

/// Pixels of an image of 8 × 8, row by row.
pub const PIXELS: usize = 64;
/// The digits 0 to 9.
pub const CLASSES: usize = 10;
/// The largest value of a pixel in the file.
const WHITE: f32 = 16.0;

/// Grey values from 0 to 1.
pub type Image = [f32; PIXELS];

/// Images and what they show.
pub struct Digits {
    /// The images.
    pub images: Vec<Image>,
    /// The digit that each shows.
    pub labels: Vec<usize>,
}

impl Digits {
    /// Reads records of 64 pixels and a label.
    ///
    /// # Errors
    /// If the file cannot be read or holds anything else.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        let bytes = std::fs::read(path)?;
        let (records, rest) = bytes.as_chunks::<{ PIXELS + 1 }>();
        let whole = rest.is_empty() && !records.is_empty();
        if !whole || records.iter().any(|record| usize::from(record[PIXELS]) >= CLASSES) {
            return Err(std::io::Error::other(format!("{} holds no digits of 8 × 8 pixels", path.display())));
        }
        let image = |record: &[u8; PIXELS + 1]| std::array::from_fn(|pixel| f32::from(record[pixel]) / WHITE);
        Ok(Self {
            images: records.iter().map(image).collect(),
            labels: records.iter().map(|record| usize::from(record[PIXELS])).collect(),
        })
    }
}

/// Numbers of images.
pub struct Split {
    /// Four fifths, to learn and to label from.
    pub training: Vec<usize>,
    /// One fifth, to be judged by.
    pub held_out: Vec<usize>,
}

impl Split {
    /// A random split.
    pub fn new(count: usize, random: &mut Random) -> Self {
        let mut training: Vec<usize> = (0..count).collect();
        random.shuffle(&mut training);
        let held_out = training.split_off(count - count / 5);
        Self { training, held_out }
    }
}

/// The image with a Euclidean length of 1, so that no digit is strong because it has much ink.
pub fn normalised(image: &Image) -> Image {
    let length = image.iter().map(|value| value * value).sum::<f32>().sqrt();
    image.map(|value| if length > 0.0 { value / length } else { 0.0 })
}
