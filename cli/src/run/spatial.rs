//! The shape of a convolution from what the command line and the arrays of a run show of it.
//!
//! What is not shown is tried: every pair of sides that a known product has. Where several shapes are left, square kernels
//! and then square images are preferred; where that does not decide, the shapes are listed for the user to choose.

use aplysia_compiler::diag::code;
use aplysia_compiler::topology::{Convolution, ConvolutionError};

use super::axes::{Axis, Sizes};
use crate::report::{Failure, Outcome};

/// What the command line says, down and right.
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    /// Between outputs.
    pub stride: [usize; 2],
    /// Around the image.
    pub padding: [usize; 2],
    /// Between taps.
    pub dilation: [usize; 2],
    /// Of channels.
    pub groups: usize,
}

/// So many lengths of a kernel that make the same outputs are tried.
const MOST_RESTS: usize = 4096;

const HELP: &str = "give `--in-shape C,H,W`, `--out-channels N` and `--kernel H,W`";

/// The shape that fits everything that is known.
///
/// # Errors
/// Where none fits, or several do.
pub fn shape(sizes: &Sizes, steps: &Steps) -> Outcome<Convolution> {
    let unknown = |what: &str| {
        let text = format!("the input does not show the {what} of the convolution");
        Err(Failure::data(code::WRONG_SHAPE, text).help(HELP))
    };
    let inputs = inputs(sizes, steps);
    if inputs.is_empty() {
        return unknown("number of input channels");
    }
    let mut found: Vec<Convolution> = Vec::new();
    let mut refused: Option<ConvolutionError> = None;
    let (mut pictured, mut asked, mut others) = (false, false, false);
    for inputs in inputs {
        let area = sizes.get(Axis::Pre).and_then(|pre| share(pre, inputs));
        for input in sides(sizes, [Axis::InHeight, Axis::InWidth], area) {
            pictured = true;
            for kernel in kernels(sizes, steps, inputs, input) {
                let Some(outputs) = outputs(sizes, steps, input, kernel) else { continue };
                asked = true;
                let shape = Convolution::new(inputs, input, outputs, kernel)
                    .and_then(|shape| shape.with(steps.stride, steps.padding, steps.dilation, steps.groups));
                match shape {
                    Ok(shape) if agrees(&shape, sizes) && !found.contains(&shape) => found.push(shape),
                    Ok(_) => others = true,
                    Err(error) => refused = Some(error),
                }
            }
        }
    }
    if !pictured {
        return unknown("height and width of the input");
    }
    if let ([], Some(error), false) = (found.as_slice(), refused, others) {
        return Err(Failure::data(code::BAD_CONVOLUTION, error.to_string()).help(HELP));
    }
    if !asked {
        return unknown("size of the kernel, or the number of output channels");
    }
    prefer(&mut found, |shape| square(shape.kernel_size()));
    prefer(&mut found, |shape| square(shape.input_size()));
    match found[..] {
        [shape] => Ok(shape),
        [] => {
            let text = "no convolution has the sizes that the input shows with this stride, padding, dilation and groups";
            Err(Failure::data(code::WRONG_SHAPE, text).help(HELP))
        }
        [first, second, ..] => {
            let text =
                format!("the input fits several convolutions: {} or {}", words(&first), words(&second));
            Err(Failure::data(code::WRONG_SHAPE, text).help(HELP))
        }
    }
}

/// `2 × 8 × 8 to 3 × 6 × 6, kernel 3 × 3`
pub fn words(shape: &Convolution) -> String {
    let pair = |[down, right]: [usize; 2]| format!("{down} × {right}");
    let (input, output) = (pair(shape.input_size()), pair(shape.output_size()));
    let mut text = format!(
        "{} × {input} to {} × {output}, kernel {}",
        shape.inputs(),
        shape.outputs(),
        pair(shape.kernel_size())
    );
    let parts = [
        ("stride", shape.stride(), [1, 1]),
        ("padding", shape.padding(), [0, 0]),
        ("dilation", shape.dilation(), [1, 1]),
    ];
    for (name, value, usual) in parts {
        if value != usual {
            text.push_str(&format!(", {name} {}", pair(value)));
        }
    }
    if shape.groups() > 1 {
        text.push_str(&format!(", {} groups", shape.groups()));
    }
    text
}

/// The quotient, where it is whole.
fn share(product: usize, factor: usize) -> Option<usize> {
    (factor > 0 && product.is_multiple_of(factor)).then(|| product / factor)
}

fn square([down, right]: [usize; 2]) -> bool {
    down == right
}

/// Keeps what is preferred, where anything is.
fn prefer(found: &mut Vec<Convolution>, preferred: impl Fn(&Convolution) -> bool) {
    if found.iter().any(&preferred) {
        found.retain(preferred);
    }
}

/// How many input channels there may be.
fn inputs(sizes: &Sizes, steps: &Steps) -> Vec<usize> {
    let of_group = sizes.get(Axis::GroupChannels).and_then(|channels| channels.checked_mul(steps.groups));
    let of_kernel = || {
        let area = sizes.get(Axis::KernelHeight)?.checked_mul(sizes.get(Axis::KernelWidth)?)?;
        share(sizes.get(Axis::Kernel)?, area)?.checked_mul(steps.groups)
    };
    let of_image = || {
        let area = sizes.get(Axis::InHeight)?.checked_mul(sizes.get(Axis::InWidth)?)?;
        share(sizes.get(Axis::Pre)?, area)
    };
    if let Some(inputs) = sizes.get(Axis::InChannels).or(of_group).or_else(of_kernel).or_else(of_image) {
        return vec![inputs];
    }
    let (Some(kernel), Some(pre)) = (sizes.get(Axis::Kernel), sizes.get(Axis::Pre)) else {
        return Vec::new();
    };
    let channels = factors(kernel).into_iter().filter_map(|[channels, _]| channels.checked_mul(steps.groups));
    channels.filter(|&channels| share(pre, channels).is_some()).collect()
}

/// The pairs of sides that fit the known ones and the known product.
fn sides(sizes: &Sizes, axes: [Axis; 2], product: Option<usize>) -> Vec<[usize; 2]> {
    match (axes.map(|axis| sizes.get(axis)), product) {
        ([Some(down), Some(right)], _) => vec![[down, right]],
        ([Some(side), None], Some(product)) => {
            share(product, side).map(|right| [side, right]).into_iter().collect()
        }
        ([None, Some(side)], Some(product)) => {
            share(product, side).map(|down| [down, side]).into_iter().collect()
        }
        ([None, None], Some(product)) => factors(product),
        (_, None) => Vec::new(),
    }
}

/// All pairs with a product; none of more than an index counts.
fn factors(product: usize) -> Vec<[usize; 2]> {
    if i32::try_from(product).is_err() {
        return Vec::new();
    }
    let small: Vec<usize> = (1..)
        .take_while(|side| side * side <= product)
        .filter(|&side| product.is_multiple_of(side))
        .collect();
    let mut pairs: Vec<[usize; 2]> = small.iter().map(|&side| [side, product / side]).collect();
    pairs.extend(small.iter().rev().map(|&side| [product / side, side]));
    pairs.dedup();
    pairs
}

/// The kernels that may have been meant, on an input image.
fn kernels(sizes: &Sizes, steps: &Steps, inputs: usize, input: [usize; 2]) -> Vec<[usize; 2]> {
    let axes = [Axis::KernelHeight, Axis::KernelWidth];
    let area = sizes.get(Axis::Kernel).and_then(|kernel| share(kernel, share(inputs, steps.groups)?));
    let known = sides(sizes, axes, area);
    if !known.is_empty() {
        return known;
    }
    let positions =
        sizes.get(Axis::Positions).or_else(|| share(sizes.get(Axis::Post)?, sizes.get(Axis::OutChannels)?));
    let mut kernels = Vec::new();
    for output in sides(sizes, [Axis::OutHeight, Axis::OutWidth], positions) {
        let [down, right] = [0, 1].map(|axis| taps(steps, axis, input[axis], output[axis]));
        kernels.extend(down.iter().flat_map(|&down| right.iter().map(move |&right| [down, right])));
    }
    kernels
}

/// How long a kernel is, along an axis, that makes so many outputs of an image.
fn taps(steps: &Steps, axis: usize, image: usize, outputs: usize) -> Vec<usize> {
    let (stride, dilation) = (steps.stride[axis], steps.dilation[axis]);
    let padded = steps.padding[axis].saturating_mul(2).saturating_add(image);
    let Some(covered) = outputs.checked_sub(1).and_then(|gaps| gaps.checked_mul(stride)) else {
        return Vec::new();
    };
    // padded - span = covered + rest, where rest is less than the stride.
    let rests = 0..stride.min(MOST_RESTS);
    let span = |rest: usize| padded.checked_sub(covered)?.checked_sub(rest)?.checked_sub(1);
    rests.filter_map(span).filter_map(|reach| share(reach, dilation)).map(|taps| taps + 1).collect()
}

/// How many output channels there are with an image and a kernel.
fn outputs(sizes: &Sizes, steps: &Steps, input: [usize; 2], kernel: [usize; 2]) -> Option<usize> {
    if let Some(outputs) = sizes.get(Axis::OutChannels) {
        return Some(outputs);
    }
    // One channel of each tells how many positions there are.
    let one = Convolution::new(1, input, 1, kernel).ok()?;
    let one = one.with(steps.stride, steps.padding, steps.dilation, 1).ok()?;
    share(sizes.get(Axis::Post)?, one.positions())
}

fn agrees(shape: &Convolution, sizes: &Sizes) -> bool {
    let [in_height, in_width] = shape.input_size();
    let [out_height, out_width] = shape.output_size();
    let [kernel_height, kernel_width] = shape.kernel_size();
    let all = [
        (Axis::Pre, shape.pre()),
        (Axis::Post, shape.post()),
        (Axis::InChannels, shape.inputs()),
        (Axis::InHeight, in_height),
        (Axis::InWidth, in_width),
        (Axis::OutChannels, shape.outputs()),
        (Axis::OutHeight, out_height),
        (Axis::OutWidth, out_width),
        (Axis::GroupChannels, shape.inputs_per_group()),
        (Axis::KernelHeight, kernel_height),
        (Axis::KernelWidth, kernel_width),
        (Axis::Positions, shape.positions()),
        (Axis::Kernel, shape.kernel()),
    ];
    all.into_iter().all(|(axis, count)| sizes.fits(axis, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Steps = Steps { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 };

    fn sizes(list: &[(Axis, usize)]) -> Sizes {
        let mut sizes = Sizes::default();
        for &(axis, count) in list {
            sizes.learn(axis, count, "the test").unwrap();
        }
        sizes
    }

    fn found(list: &[(Axis, usize)], steps: &Steps) -> String {
        match shape(&sizes(list), steps) {
            Ok(shape) => words(&shape),
            Err(failure) => format!("{failure:?}"),
        }
    }

    const KERNEL: [(Axis, usize); 4] =
        [(Axis::OutChannels, 3), (Axis::GroupChannels, 2), (Axis::KernelHeight, 3), (Axis::KernelWidth, 3)];

    #[test]
    fn images_show_their_shape() {
        let image = [(Axis::InChannels, 2), (Axis::InHeight, 8), (Axis::InWidth, 7)];
        assert_eq!(found(&[&KERNEL[..], &image].concat(), &PLAIN), "2 × 8 × 7 to 3 × 6 × 5, kernel 3 × 3");
    }

    #[test]
    fn flat_neurons_show_their_shape_by_the_outputs() {
        let flat = [(Axis::Pre, 112), (Axis::Post, 90)];
        let steps = Steps { stride: [2, 1], padding: [1, 0], ..PLAIN };
        // 56 pixels: 8 × 7 gives 4 × 5 positions, 14 × 4 gives 7 × 2, 7 × 8 gives 4 × 6, 4 × 14 gives 2 × 12.
        assert!(found(&[&KERNEL[..], &flat].concat(), &steps).contains("no convolution"));
        let flat = [(Axis::Pre, 112), (Axis::Post, 60)];
        let shape = found(&[&KERNEL[..], &flat].concat(), &steps);
        assert_eq!(shape, "2 × 8 × 7 to 3 × 4 × 5, kernel 3 × 3, stride 2 × 1, padding 1 × 0");
    }

    #[test]
    fn squares_are_preferred() {
        let flat = [(Axis::Pre, 128), (Axis::Post, 108)];
        assert_eq!(found(&[&KERNEL[..], &flat].concat(), &PLAIN), "2 × 8 × 8 to 3 × 6 × 6, kernel 3 × 3");
        let local = [
            (Axis::OutChannels, 2),
            (Axis::Positions, 9),
            (Axis::Kernel, 18),
            (Axis::InChannels, 2),
            (Axis::InHeight, 5),
            (Axis::InWidth, 5),
        ];
        assert_eq!(found(&local, &PLAIN), "2 × 5 × 5 to 2 × 3 × 3, kernel 3 × 3");
        let flat = [
            (Axis::OutChannels, 2),
            (Axis::Positions, 9),
            (Axis::Kernel, 18),
            (Axis::Pre, 60),
            (Axis::Post, 18),
        ];
        let steps = Steps { stride: [2, 2], padding: [1, 1], ..PLAIN };
        let shape = found(&flat, &steps);
        assert!(shape.contains("several convolutions: 2 × 5 × 6 to 2 × 3 × 3, kernel 3 × 3"), "{shape}");
        let shape = found(&[&flat[..], &[(Axis::InWidth, 6)]].concat(), &steps);
        assert!(shape.starts_with("2 × 5 × 6 to 2 × 3 × 3, kernel 3 × 3"), "{shape}");
    }

    #[test]
    fn kernels_are_found_by_what_they_make() {
        let sizes = [
            (Axis::InChannels, 4),
            (Axis::InHeight, 9),
            (Axis::InWidth, 9),
            (Axis::OutChannels, 2),
            (Axis::OutHeight, 5),
            (Axis::OutWidth, 3),
        ];
        let steps = Steps { groups: 2, ..PLAIN };
        assert_eq!(found(&sizes, &steps), "4 × 9 × 9 to 2 × 5 × 3, kernel 5 × 7, 2 groups");
    }

    #[test]
    fn what_is_missing_is_said() {
        assert!(found(&[(Axis::Pre, 128)], &PLAIN).contains("number of input channels"));
        assert!(found(&[(Axis::InChannels, 2)], &PLAIN).contains("height and width"));
        let image = [(Axis::InChannels, 2), (Axis::Pre, 128)];
        assert!(found(&image, &PLAIN).contains("size of the kernel"));
        let large = [&KERNEL[..], &[(Axis::InHeight, 2), (Axis::InWidth, 8)]].concat();
        assert!(found(&large, &PLAIN).contains("does not fit"), "{}", found(&large, &PLAIN));
        let several = [
            (Axis::InChannels, 1),
            (Axis::Pre, 6),
            (Axis::KernelHeight, 1),
            (Axis::KernelWidth, 1),
            (Axis::OutChannels, 1),
        ];
        assert!(found(&several, &PLAIN).contains("several convolutions"), "{}", found(&several, &PLAIN));
    }
}
