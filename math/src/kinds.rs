//! What there is: functions, distributions, precisions.

/// Our own functions, one formula for all back ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MathFn {
    /// e^x
    Exp,
    /// Natural logarithm.
    Ln,
    /// Logarithm to base 2.
    Log2,
    /// ln(1 + x)
    Log1p,
    /// e^x - 1
    Expm1,
    /// Sine of radians.
    Sin,
    /// Cosine of radians.
    Cos,
    /// Hyperbolic tangent.
    Tanh,
    /// 1 / (1 + e^-x)
    Sigmoid,
    /// x^y
    Pow,
}

impl MathFn {
    /// The functions of one argument.
    pub const UNARY: [MathFn; 9] = [
        MathFn::Exp,
        MathFn::Ln,
        MathFn::Log2,
        MathFn::Log1p,
        MathFn::Expm1,
        MathFn::Sin,
        MathFn::Cos,
        MathFn::Tanh,
        MathFn::Sigmoid,
    ];
}

/// Distributions and their parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Distribution {
    /// lo, hi
    Uniform,
    /// mean, standard deviation
    Normal,
    /// mean and standard deviation of the logarithm
    LogNormal,
    /// probability; the value is `Bool`
    Bernoulli,
    /// rate
    Exponential,
    /// shape, rate
    Gamma,
    /// a, b
    Beta,
}

/// f32 or f64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// 64 bits.
    F64,
}
