//! The measure: k-means++ (Arthur & Vassilvitskii 2007), Lloyd's iterations to the end, the best of several restarts.

use super::data::{Image, PIXELS};
use super::random::Random;

/// The centres with the least squared distance to the images, of `restarts` attempts.
pub fn centres(images: &[Image], count: usize, restarts: usize, random: &mut Random) -> Vec<Image> {
    let attempts = (0..restarts).map(|_| iterate(images, seeds(images, count, random)));
    attempts.min_by(|a, b| a.0.total_cmp(&b.0)).map_or_else(Vec::new, |(_, centres)| centres)
}

/// The number of the nearest centre, and the squared distance to it.
pub fn nearest(image: &Image, centres: &[Image]) -> (usize, f32) {
    let mut best = (0, f32::INFINITY);
    for (number, centre) in centres.iter().enumerate() {
        let found = distance(image, centre);
        if found < best.1 {
            best = (number, found);
        }
    }
    best
}

/// Centres to begin with: images, each drawn with a probability that grows with its squared distance to those before.
fn seeds(images: &[Image], count: usize, random: &mut Random) -> Vec<Image> {
    let mut centres = vec![images[random.below(images.len())]];
    let mut distances: Vec<f32> = images.iter().map(|image| distance(image, &centres[0])).collect();
    while centres.len() < count {
        let mut left = random.uniform() * distances.iter().sum::<f32>();
        let drawn = distances.iter().position(|distance| {
            left -= distance;
            left < 0.0
        });
        let centre = images[drawn.unwrap_or(images.len() - 1)];
        for (known, image) in distances.iter_mut().zip(images) {
            *known = known.min(distance(image, &centre));
        }
        centres.push(centre);
    }
    centres
}

/// Moves the centres to their images' means until no image changes its centre.
fn iterate(images: &[Image], mut centres: Vec<Image>) -> (f32, Vec<Image>) {
    let mut owners = vec![usize::MAX; images.len()];
    loop {
        let mut changed = false;
        let mut total = 0.0;
        for (image, owner) in images.iter().zip(&mut owners) {
            let (number, distance) = nearest(image, &centres);
            total += distance;
            changed |= *owner != number;
            *owner = number;
        }
        if !changed {
            return (total, centres);
        }
        let mut sums = vec![([0.0f32; PIXELS], 0.0f32); centres.len()];
        for (image, owner) in images.iter().zip(&owners) {
            let (sum, members) = &mut sums[*owner];
            sum.iter_mut().zip(image).for_each(|(sum, value)| *sum += value);
            *members += 1.0;
        }
        for (centre, (sum, members)) in centres.iter_mut().zip(sums) {
            // A centre without images stays where it is.
            if members > 0.0 {
                *centre = sum.map(|sum| sum / members);
            }
        }
    }
}

fn distance(a: &Image, b: &Image) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}
