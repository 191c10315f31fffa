//! The shape of a two-dimensional convolution.
//!
//! Neurons are `[channel, y, x]`, row-major. A kernel index k is (input channel of the group, kernel row, kernel column),
//! row-major; a position p is (output row, output column), row-major. Output (o, p) reads, through k, the input at
//! (y, x) = (stride · row + dilation · kernel row - padding, …); outside of the image that value is 0 and no spike.

use core::fmt;

/// A checked shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Convolution {
    inputs: usize,
    input: [usize; 2],
    outputs: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
}

/// One use of a synapse: where the presynaptic value comes from, `None` in the padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The presynaptic neuron.
    pub pre: Option<usize>,
    /// The postsynaptic neuron.
    pub post: usize,
}

/// Why a shape is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConvolutionError {
    /// A size that has to be at least 1 is 0.
    Zero {
        /// Which.
        what: &'static str,
    },
    /// The groups do not divide the channels.
    Groups {
        /// How many groups.
        groups: usize,
        /// Input channels.
        inputs: usize,
        /// Output channels.
        outputs: usize,
    },
    /// The kernel is larger than the padded image.
    Kernel {
        /// `height` or `width`.
        axis: &'static str,
        /// What the kernel spans, dilation included.
        span: usize,
        /// The image with its padding.
        image: usize,
    },
    /// A size does not fit.
    TooLarge,
}

impl fmt::Display for ConvolutionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero { what } => write!(f, "the {what} of a convolution is at least 1"),
            Self::Groups { groups, inputs, outputs } => {
                write!(f, "{groups} groups do not divide {inputs} input and {outputs} output channels")
            }
            Self::Kernel { axis, span, image } => write!(
                f,
                "a kernel that spans {span} does not fit into a padded image of {image} along the {axis}"
            ),
            Self::TooLarge => f.write_str(
                "a convolution of this size has more than 2^31 - 1 neurons on a side, or more synapses than fit",
            ),
        }
    }
}

impl core::error::Error for ConvolutionError {}

impl Convolution {
    /// `inputs` channels of height and width `input`, `outputs` channels, kernels of height and width `kernel`; stride 1,
    /// no padding, dilation 1, one group.
    ///
    /// # Errors
    /// If a size is 0, or the kernel does not fit.
    pub fn new(
        inputs: usize,
        input: [usize; 2],
        outputs: usize,
        kernel: [usize; 2],
    ) -> Result<Self, ConvolutionError> {
        let shape = Self {
            inputs,
            input,
            outputs,
            kernel,
            stride: [1, 1],
            padding: [0, 0],
            dilation: [1, 1],
            groups: 1,
        };
        shape.checked()
    }

    /// The same with these steps between outputs, zeros around the image, steps between the kernel's taps, and groups of
    /// channels.
    ///
    /// # Errors
    /// As `new`, and if the groups do not divide the channels.
    pub fn with(
        self,
        stride: [usize; 2],
        padding: [usize; 2],
        dilation: [usize; 2],
        groups: usize,
    ) -> Result<Self, ConvolutionError> {
        Self { stride, padding, dilation, groups, ..self }.checked()
    }

    fn checked(self) -> Result<Self, ConvolutionError> {
        let sizes = [
            ("number of input channels", self.inputs),
            ("height of the input", self.input[0]),
            ("width of the input", self.input[1]),
            ("number of output channels", self.outputs),
            ("height of the kernel", self.kernel[0]),
            ("width of the kernel", self.kernel[1]),
            ("vertical stride", self.stride[0]),
            ("horizontal stride", self.stride[1]),
            ("vertical dilation", self.dilation[0]),
            ("horizontal dilation", self.dilation[1]),
            ("number of groups", self.groups),
        ];
        if let Some((what, _)) = sizes.into_iter().find(|(_, size)| *size == 0) {
            return Err(ConvolutionError::Zero { what });
        }
        let Self { inputs, outputs, groups, .. } = self;
        if !inputs.is_multiple_of(groups) || !outputs.is_multiple_of(groups) {
            return Err(ConvolutionError::Groups { groups, inputs, outputs });
        }
        // Whatever is multiplied further on stays below this.
        let limit = |size: usize| {
            if i32::try_from(size).is_ok() { Ok(size) } else { Err(ConvolutionError::TooLarge) }
        };
        for (_, size) in sizes {
            limit(size)?;
        }
        for axis in 0..2 {
            limit(self.padding[axis])?;
            let image = limit(self.input[axis] + 2 * self.padding[axis])?;
            let span = limit(self.dilation[axis].saturating_mul(self.kernel[axis] - 1).saturating_add(1))?;
            if span > image {
                let axis = ["height", "width"][axis];
                return Err(ConvolutionError::Kernel { axis, span, image });
            }
        }
        let product = |sizes: &[usize]| limit(sizes.iter().fold(1, |a: usize, b| a.saturating_mul(*b)));
        product(&[inputs, self.input[0], self.input[1]])?;
        let [height, width] = self.output_size();
        product(&[outputs, height, width])?;
        product(&[inputs, self.kernel[0], self.kernel[1]])?;
        Ok(self)
    }

    /// Input channels.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Height and width of the input.
    pub fn input_size(&self) -> [usize; 2] {
        self.input
    }

    /// Output channels.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Height and width of a kernel.
    pub fn kernel_size(&self) -> [usize; 2] {
        self.kernel
    }

    /// Steps between outputs.
    pub fn stride(&self) -> [usize; 2] {
        self.stride
    }

    /// Zeros around the image.
    pub fn padding(&self) -> [usize; 2] {
        self.padding
    }

    /// Steps between the taps of a kernel.
    pub fn dilation(&self) -> [usize; 2] {
        self.dilation
    }

    /// Groups of channels.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Input channels that an output channel sees.
    pub fn inputs_per_group(&self) -> usize {
        self.inputs / self.groups
    }

    /// Output channels that an input channel reaches.
    pub fn outputs_per_group(&self) -> usize {
        self.outputs / self.groups
    }

    /// Height and width of the output.
    pub fn output_size(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            let span = self.dilation[axis] * (self.kernel[axis] - 1) + 1;
            (self.input[axis] + 2 * self.padding[axis] - span) / self.stride[axis] + 1
        })
    }

    /// Positions of an output channel.
    pub fn positions(&self) -> usize {
        let [height, width] = self.output_size();
        height * width
    }

    /// Positions of an input channel.
    pub fn input_positions(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Synapses of one kernel: input channels of the group · height · width.
    pub fn kernel(&self) -> usize {
        self.inputs_per_group() * self.kernel[0] * self.kernel[1]
    }

    /// Presynaptic neurons.
    pub fn pre(&self) -> usize {
        self.inputs * self.input_positions()
    }

    /// Postsynaptic neurons.
    pub fn post(&self) -> usize {
        self.outputs * self.positions()
    }

    /// The first input channel that an output channel sees.
    pub fn first_input(&self, output: usize) -> usize {
        output / self.outputs_per_group() * self.inputs_per_group()
    }

    /// Input channel (within the group), kernel row and kernel column of a kernel index.
    pub fn tap(&self, kernel: usize) -> [usize; 3] {
        let area = self.kernel[0] * self.kernel[1];
        [kernel / area, kernel % area / self.kernel[1], kernel % self.kernel[1]]
    }

    /// What the kernel index `kernel` of output channel `output` connects at a position.
    pub fn pair(&self, output: usize, kernel: usize, position: usize) -> Pair {
        let [channel, row, column] = self.tap(kernel);
        let width = self.output_size()[1];
        let at = |axis: usize, out: usize, tap: usize| {
            let image = out * self.stride[axis] + tap * self.dilation[axis];
            image.checked_sub(self.padding[axis]).filter(|&image| image < self.input[axis])
        };
        let (y, x) = (at(0, position / width, row), at(1, position % width, column));
        let pre = y
            .zip(x)
            .map(|(y, x)| ((self.first_input(output) + channel) * self.input[0] + y) * self.input[1] + x);
        Pair { pre, post: output * self.positions() + position }
    }
}
