//! Two-dimensional convolutions, with shared kernels or without sharing.

use aplysia_compiler::topology::{Convolution, Topology};

use crate::error::Result;
use crate::group::Group;

/// A number for each of the two axes of an image, down and right. One number stands for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair(pub [usize; 2]);

impl From<usize> for Pair {
    fn from(both: usize) -> Self {
        Self([both, both])
    }
}

impl From<[usize; 2]> for Pair {
    fn from(pair: [usize; 2]) -> Self {
        Self(pair)
    }
}

impl From<(usize, usize)> for Pair {
    fn from((down, right): (usize, usize)) -> Self {
        Self([down, right])
    }
}

/// The shape of a convolution: which input positions an output position sees.
///
/// Output (o, y, x) sees the inputs (c, stride · y + dilation · row - padding, stride · x + dilation · column - padding)
/// of the input channels c of its group; outside of the image there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2d {
    input: [usize; 3],
    outputs: usize,
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: usize,
}

impl Conv2d {
    /// An input of channels, height and width, so many output channels, and kernels of a height and a width.
    pub fn new(input: [usize; 3], outputs: usize, kernel: impl Into<Pair>) -> Self {
        let kernel = kernel.into();
        Self { input, outputs, kernel, stride: 1.into(), padding: 0.into(), dilation: 1.into(), groups: 1 }
    }

    /// How far apart neighbouring outputs look; 1 where nothing is said.
    #[must_use]
    pub fn stride(self, stride: impl Into<Pair>) -> Self {
        Self { stride: stride.into(), ..self }
    }

    /// How far outputs look beyond each edge of the image; 0 where nothing is said.
    #[must_use]
    pub fn padding(self, padding: impl Into<Pair>) -> Self {
        Self { padding: padding.into(), ..self }
    }

    /// How far apart neighbouring taps of a kernel look; 1 where nothing is said.
    #[must_use]
    pub fn dilation(self, dilation: impl Into<Pair>) -> Self {
        Self { dilation: dilation.into(), ..self }
    }

    /// Into how many groups the channels are cut, each output seeing the inputs of its own; 1 where nothing is said.
    #[must_use]
    pub fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    fn checked(self) -> Result<Convolution> {
        let [channels, height, width] = self.input;
        let shape = Convolution::new(channels, [height, width], self.outputs, self.kernel.0)?;
        Ok(shape.with(self.stride.0, self.padding.0, self.dilation.0, self.groups)?)
    }
}

impl Group {
    /// A convolution: one kernel for each output channel, shared by all positions. Weights are
    /// `[out, in / groups, kernel height, kernel width]`, neurons `[channels, height, width]`, channels `[channels]`.
    ///
    /// ```
    /// use aplysia::{Conv2d, Group};
    /// let group = Group::conv2d(Conv2d::new([3, 32, 32], 16, 5).stride(2).padding(2))?;
    /// assert_eq!(group.topology().synapse_shape(), [16, 3, 5, 5]);
    /// # Ok::<(), aplysia::Error>(())
    /// ```
    ///
    /// # Errors
    /// If a size is 0, the kernel does not fit into the padded image, or the groups do not divide the channels.
    pub fn conv2d(shape: Conv2d) -> Result<Self> {
        Ok(Self::on(Topology::Conv2d(shape.checked()?)))
    }

    /// A convolution without sharing: each output neuron has a kernel of its own. Weights are
    /// `[out, positions, in / groups · kernel height · kernel width]`.
    ///
    /// # Errors
    /// As [`Group::conv2d`].
    pub fn local2d(shape: Conv2d) -> Result<Self> {
        Ok(Self::on(Topology::Local2d(shape.checked()?)))
    }
}

#[cfg(test)]
mod tests {
    use aplysia_compiler::topology::ConvolutionError;

    use super::*;
    use crate::error::Error;

    #[test]
    fn shapes_are_as_everybody_computes_them() {
        let shape = Conv2d::new([4, 10, 12], 6, (3, 5)).stride([2, 1]).padding(1).dilation((2, 1)).groups(2);
        let conv2d = Group::conv2d(shape).unwrap();
        // (10 + 2 - 5) / 2 + 1 and (12 + 2 - 5) / 1 + 1
        let post = conv2d.topology().neuron_shape(aplysia_compiler::kernel::Side::Post);
        assert_eq!(post, [6, 4, 10]);
        assert_eq!(conv2d.topology().synapse_shape(), [6, 2, 3, 5]);
        assert_eq!(Group::local2d(shape).unwrap().topology().synapse_shape(), [6, 40, 30]);
    }

    #[test]
    fn impossible_shapes_are_refused() {
        let error = Group::conv2d(Conv2d::new([1, 4, 4], 1, 5)).unwrap_err();
        assert!(matches!(error, Error::BadConvolution(ConvolutionError::Kernel { .. })), "{error}");
        let error = Group::local2d(Conv2d::new([3, 4, 4], 2, 1).groups(2)).unwrap_err();
        assert!(error.to_string().contains("2 groups do not divide 3 input"), "{error}");
        assert!(Group::conv2d(Conv2d::new([1, 4, 4], 1, 1).stride(0)).is_err());
    }
}
