//! The axes of a run's arrays, and what is known of their lengths.
//!
//! Every array of the input teaches how many neurons, steps, batch elements … there are; the first that says otherwise is
//! an error with both names.

use std::collections::BTreeMap;

use aplysia_compiler::diag::code;
use aplysia_compiler::ir::{Domain, Shape};
use aplysia_compiler::plan::Topology as Kind;

use crate::report::{Failure, Outcome};

/// An axis of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Axis {
    /// Steps of the run.
    Steps,
    /// Elements of the batch.
    Batch,
    /// Presynaptic neurons, all in one axis.
    Pre,
    /// Postsynaptic neurons, all in one axis.
    Post,
    /// Listed synapses.
    Synapses,
    /// Input channels.
    InChannels,
    /// Rows of the input image.
    InHeight,
    /// Columns of the input image.
    InWidth,
    /// Output channels.
    OutChannels,
    /// Rows of an output channel.
    OutHeight,
    /// Columns of an output channel.
    OutWidth,
    /// Input channels that an output channel sees.
    GroupChannels,
    /// Rows of a kernel.
    KernelHeight,
    /// Columns of a kernel.
    KernelWidth,
    /// Positions of an output channel.
    Positions,
    /// Elements of a kernel.
    Kernel,
    /// The elements of an array of the rule.
    Length(usize),
}

impl Axis {
    /// As it stands in a shape.
    pub fn word(self) -> String {
        let word = match self {
            Axis::Steps => "steps",
            Axis::Batch => "batch",
            Axis::Pre => "pre",
            Axis::Post => "post",
            Axis::Synapses => "nnz",
            Axis::InChannels => "in",
            Axis::InHeight => "h",
            Axis::InWidth => "w",
            Axis::OutChannels => "out",
            Axis::OutHeight => "oh",
            Axis::OutWidth => "ow",
            Axis::GroupChannels => "in/groups",
            Axis::KernelHeight => "kh",
            Axis::KernelWidth => "kw",
            Axis::Positions => "oh*ow",
            Axis::Kernel => "in/groups*kh*kw",
            Axis::Length(length) => return length.to_string(),
        };
        word.to_owned()
    }

    /// What its length counts.
    fn counts(self) -> &'static str {
        match self {
            Axis::Steps => "steps",
            Axis::Batch => "batch elements",
            Axis::Pre => "presynaptic neurons",
            Axis::Post => "postsynaptic neurons",
            Axis::Synapses => "synapses",
            Axis::InChannels => "input channels",
            Axis::InHeight => "rows in the input image",
            Axis::InWidth => "columns in the input image",
            Axis::OutChannels => "output channels",
            Axis::OutHeight => "rows in the output image",
            Axis::OutWidth => "columns in the output image",
            Axis::GroupChannels => "input channels in a group",
            Axis::KernelHeight => "rows in a kernel",
            Axis::KernelWidth => "columns in a kernel",
            Axis::Positions => "output positions",
            Axis::Kernel => "elements in a kernel",
            Axis::Length(_) => "elements",
        }
    }
}

/// How many there are of each, and where that was found.
#[derive(Clone, Debug, Default)]
pub struct Sizes(BTreeMap<Axis, (usize, String)>);

impl Sizes {
    /// How many there are, where known.
    pub fn get(&self, axis: Axis) -> Option<usize> {
        match axis {
            Axis::Length(length) => Some(length),
            axis => self.0.get(&axis).map(|(count, _)| *count),
        }
    }

    /// How many there are, and where that was found.
    pub fn found(&self, axis: Axis) -> Option<(usize, &str)> {
        self.0.get(&axis).map(|(count, from)| (*count, from.as_str()))
    }

    /// Whether a length contradicts nothing that is known.
    pub fn fits(&self, axis: Axis, count: usize) -> bool {
        self.get(axis).is_none_or(|known| known == count)
    }

    /// Takes note of a length.
    ///
    /// # Errors
    /// Where it contradicts what is known.
    pub fn learn(&mut self, axis: Axis, count: usize, from: &str) -> Outcome {
        if let Axis::Length(length) = axis {
            if length == count {
                return Ok(());
            }
            let text = format!("the last axis of {from} has {count} elements, but its variable has {length}");
            return Err(Failure::data(code::WRONG_SHAPE, text));
        }
        match self.0.get(&axis) {
            Some((other, source)) if *other != count => {
                let text = format!("{from} has {count} {}, but {source} has {other}", axis.counts());
                Err(Failure::data(code::WRONG_SHAPE, text))
            }
            Some(_) => Ok(()),
            None => {
                self.0.insert(axis, (count, from.to_owned()));
                Ok(())
            }
        }
    }
}

/// One way of reading the axes of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// From the outermost.
    pub axes: Vec<Axis>,
    /// Whether the first are steps.
    pub steps: bool,
}

impl Layout {
    /// `[steps, pre]`, or `a single number`.
    pub fn words(&self) -> String {
        if self.axes.is_empty() {
            return "a single number".to_owned();
        }
        format!("[{}]", self.axes.iter().map(|axis| axis.word()).collect::<Vec<String>>().join(", "))
    }
}

/// The ways of reading an array of one value for each element of a shape, the likeliest first. `series` says whether it
/// may have an axis of steps, `batch` how large the batch is, where known.
pub fn layouts(
    kind: Kind,
    shape: Shape,
    length: Option<u32>,
    series: bool,
    batch: Option<usize>,
) -> Vec<Layout> {
    let leadings: &[&[Axis]] = match (series, shape.batched, batch) {
        (true, false, _) => &[&[Axis::Steps], &[]],
        (true, true, None | Some(1)) => &[&[Axis::Steps], &[], &[Axis::Steps, Axis::Batch], &[Axis::Batch]],
        (true, true, Some(_)) => &[&[Axis::Steps, Axis::Batch], &[Axis::Batch]],
        (false, false, _) => &[&[]],
        (false, true, None | Some(1)) => &[&[], &[Axis::Batch]],
        (false, true, Some(_)) => &[&[Axis::Batch]],
    };
    let mut all = Vec::new();
    for leading in leadings {
        for elements in elements(kind, shape.domain) {
            let mut axes = [leading, *elements].concat();
            axes.extend(length.map(|length| Axis::Length(length as usize)));
            all.push(Layout { axes, steps: leading.first() == Some(&Axis::Steps) });
        }
    }
    all
}

/// The axes of one value for each element of a domain; on an image the neurons may be in one axis.
fn elements(kind: Kind, domain: Domain) -> &'static [&'static [Axis]] {
    let spatial = kind.is_spatial();
    match domain {
        Domain::Global => &[&[]],
        Domain::PreChannel if spatial => &[&[Axis::InChannels]],
        Domain::PostChannel if spatial => &[&[Axis::OutChannels]],
        Domain::Pre if spatial => &[&[Axis::InChannels, Axis::InHeight, Axis::InWidth], &[Axis::Pre]],
        Domain::Post if spatial => &[&[Axis::OutChannels, Axis::OutHeight, Axis::OutWidth], &[Axis::Post]],
        Domain::Pre | Domain::PreChannel => &[&[Axis::Pre]],
        Domain::Post | Domain::PostChannel => &[&[Axis::Post]],
        Domain::Synapse => match kind {
            Kind::Dense => &[&[Axis::Pre, Axis::Post]],
            Kind::OneToOne => &[&[Axis::Pre]],
            Kind::Sparse => &[&[Axis::Synapses]],
            Kind::Conv2d => {
                &[&[Axis::OutChannels, Axis::GroupChannels, Axis::KernelHeight, Axis::KernelWidth]]
            }
            Kind::Local2d => &[&[Axis::OutChannels, Axis::Positions, Axis::Kernel]],
        },
    }
}

/// The layout of an array: of those with as many axes, the first that contradicts nothing; none where no layout has as many
/// axes. With `sure` only where there is no choice.
pub fn choose<'a>(layouts: &'a [Layout], shape: &[usize], sizes: &Sizes, sure: bool) -> Option<&'a Layout> {
    let alike: Vec<&Layout> = layouts.iter().filter(|layout| layout.axes.len() == shape.len()).collect();
    if sure && alike.len() > 1 {
        return None;
    }
    let fits = |layout: &Layout| layout.axes.iter().zip(shape).all(|(&axis, &count)| sizes.fits(axis, count));
    alike.iter().find(|layout| fits(layout)).or(alike.first()).copied()
}

/// The layouts in words, the shortest names first.
pub fn words(layouts: &[Layout]) -> String {
    let mut words: Vec<String> = Vec::new();
    for layout in layouts {
        let word = layout.words();
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(domain: Domain, batched: bool) -> Shape {
        Shape { batched, ..Shape::of(domain) }
    }

    fn chosen(kind: Kind, of: Shape, batch: Option<usize>, found: &[usize], sizes: &Sizes) -> String {
        let layouts = layouts(kind, of, None, true, batch);
        choose(&layouts, found, sizes, false).map_or("none".to_owned(), Layout::words)
    }

    #[test]
    fn sizes_must_agree() {
        let mut sizes = Sizes::default();
        sizes.learn(Axis::Pre, 3, "`--pre`").unwrap();
        sizes.learn(Axis::Pre, 3, "`init.w`").unwrap();
        let text = format!("{:?}", sizes.learn(Axis::Pre, 4, "`pre.spike`").unwrap_err());
        assert!(text.contains("`pre.spike` has 4 presynaptic neurons, but `--pre` has 3"), "{text}");
        assert!(sizes.learn(Axis::Length(2), 3, "`g`").is_err());
    }

    #[test]
    fn axes_are_read_by_their_number_and_by_what_is_known() {
        let mut sizes = Sizes::default();
        let pre = shape(Domain::Pre, true);
        assert_eq!(chosen(Kind::Dense, pre, None, &[7], &sizes), "[pre]");
        assert_eq!(chosen(Kind::Dense, pre, None, &[9, 7], &sizes), "[steps, pre]");
        assert_eq!(chosen(Kind::Dense, pre, None, &[9, 2, 7], &sizes), "[steps, batch, pre]");
        assert_eq!(chosen(Kind::Dense, pre, Some(9), &[9, 7], &sizes), "[batch, pre]");
        assert_eq!(chosen(Kind::Dense, pre, Some(9), &[7], &sizes), "none");
        assert_eq!(chosen(Kind::Conv2d, pre, None, &[2, 8, 8], &sizes), "[in, h, w]");
        assert_eq!(chosen(Kind::Conv2d, pre, None, &[9, 128], &sizes), "[steps, pre]");
        assert_eq!(chosen(Kind::Conv2d, pre, Some(3), &[9, 3, 2, 8, 8], &sizes), "[steps, batch, in, h, w]");
        sizes.learn(Axis::InChannels, 2, "x").unwrap();
        assert_eq!(chosen(Kind::Conv2d, pre, None, &[9, 1, 128], &sizes), "[steps, batch, pre]");
        let synapse = shape(Domain::Synapse, false);
        assert_eq!(
            chosen(Kind::Local2d, synapse, Some(3), &[2, 9, 18], &sizes),
            "[out, oh*ow, in/groups*kh*kw]"
        );
        assert_eq!(chosen(Kind::Sparse, synapse, None, &[17], &sizes), "[nnz]");
        assert_eq!(chosen(Kind::OneToOne, synapse, None, &[9, 17], &sizes), "[steps, pre]");
    }
}
