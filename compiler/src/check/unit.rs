//! Dimensions and units: time, voltage and current with rational exponents, scaled to ms, mV, pA, nS and pF.

use std::fmt;

use crate::ast::UnitExpr;

/// A fraction in lowest terms with a positive denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ratio {
    numerator: i32,
    denominator: i32,
}

impl Ratio {
    /// 0
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };

    /// A whole number.
    pub const fn whole(numerator: i32) -> Self {
        Self { numerator, denominator: 1 }
    }

    /// `numerator / denominator`, or `None` where that does not fit or the denominator is 0.
    pub fn new(numerator: i64, denominator: i64) -> Option<Self> {
        if denominator == 0 {
            return None;
        }
        let (mut a, mut b) = (numerator.unsigned_abs(), denominator.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let divisor = i64::try_from(a.max(1)).ok()?;
        let sign = denominator.signum();
        Some(Self {
            numerator: i32::try_from(sign * (numerator / divisor)).ok()?,
            denominator: i32::try_from(sign * (denominator / divisor)).ok()?,
        })
    }

    /// The fraction that a decimal number such as `0.5`, `-2` or `0.333…` stands for, with a small denominator.
    pub fn from_f64(value: f64) -> Option<Self> {
        (1..=12).find_map(|denominator| {
            let scaled = value * f64::from(denominator);
            let near = (scaled - scaled.round()).abs() < 1e-9 && scaled.abs() < 1e6;
            if near { Self::new(scaled.round() as i64, i64::from(denominator)) } else { None }
        })
    }

    fn add(self, other: Self) -> Option<Self> {
        let (a, b) = (i64::from(self.numerator), i64::from(self.denominator));
        let (c, d) = (i64::from(other.numerator), i64::from(other.denominator));
        Self::new(a * d + c * b, b * d)
    }

    fn multiply(self, other: Self) -> Option<Self> {
        let numerator = i64::from(self.numerator) * i64::from(other.numerator);
        Self::new(numerator, i64::from(self.denominator) * i64::from(other.denominator))
    }
}

/// Exponents of time, voltage and current.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dimension {
    /// Of time.
    pub time: Ratio,
    /// Of voltage.
    pub voltage: Ratio,
    /// Of current.
    pub current: Ratio,
}

impl Dimension {
    /// A plain number.
    pub const NONE: Self = Self::whole(0, 0, 0);
    /// Time.
    pub const TIME: Self = Self::whole(1, 0, 0);

    const fn whole(time: i32, voltage: i32, current: i32) -> Self {
        Self { time: Ratio::whole(time), voltage: Ratio::whole(voltage), current: Ratio::whole(current) }
    }

    /// Of a product; `None` where an exponent grows out of bounds.
    pub fn multiply(self, other: Self) -> Option<Self> {
        Some(Self {
            time: self.time.add(other.time)?,
            voltage: self.voltage.add(other.voltage)?,
            current: self.current.add(other.current)?,
        })
    }

    /// Of a quotient.
    pub fn divide(self, other: Self) -> Option<Self> {
        self.multiply(other.power(Ratio::whole(-1))?)
    }

    /// Of a power.
    pub fn power(self, exponent: Ratio) -> Option<Self> {
        Some(Self {
            time: self.time.multiply(exponent)?,
            voltage: self.voltage.multiply(exponent)?,
            current: self.current.multiply(exponent)?,
        })
    }

    /// As a property of a value: `has dimension time`, `is dimensionless`.
    pub fn says(self) -> String {
        if self == Self::NONE { "is dimensionless".to_owned() } else { format!("has dimension {self}") }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("current", self.current), ("voltage", self.voltage), ("time", self.time)];
        let word = |name: &str, ratio: Ratio| match (ratio.numerator.abs(), ratio.denominator) {
            (1, 1) => name.to_owned(),
            (n, 1) => format!("{name}^{n}"),
            (n, d) => format!("{name}^({n}/{d})"),
        };
        let list = |sign: i32| -> Vec<String> {
            let chosen = parts.iter().filter(|(_, ratio)| ratio.numerator.signum() == sign);
            chosen.map(|&(name, ratio)| word(name, ratio)).collect()
        };
        let (over, under) = (list(1), list(-1));
        match (over.is_empty(), under.is_empty()) {
            (true, true) => f.write_str("1"),
            (false, true) => f.write_str(&over.join("*")),
            (above, false) => {
                f.write_str(if above { "1" } else { "" })?;
                f.write_str(&over.join("*"))?;
                under.iter().try_for_each(|word| write!(f, "/{word}"))
            }
        }
    }
}

/// A unit: a dimension and a power of ten, which scale exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// What it measures.
    pub dimension: Dimension,
    /// A number in this unit times ten to this is one in base units.
    pub exponent: i32,
}

/// Names and units; `μ` stands for `µ` too.
const UNITS: [(&str, i32, [i32; 3]); 19] = [
    ("s", 3, [1, 0, 0]),
    ("ms", 0, [1, 0, 0]),
    ("us", -3, [1, 0, 0]),
    ("μs", -3, [1, 0, 0]),
    ("Hz", -3, [-1, 0, 0]),
    ("kHz", 0, [-1, 0, 0]),
    ("V", 3, [0, 1, 0]),
    ("mV", 0, [0, 1, 0]),
    ("uV", -3, [0, 1, 0]),
    ("A", 12, [0, 0, 1]),
    ("nA", 3, [0, 0, 1]),
    ("pA", 0, [0, 0, 1]),
    ("S", 9, [0, -1, 1]),
    ("nS", 0, [0, -1, 1]),
    ("F", 12, [1, -1, 1]),
    ("nF", 3, [1, -1, 1]),
    ("pF", 0, [1, -1, 1]),
    ("Ohm", -9, [0, 1, -1]),
    ("MOhm", -3, [0, 1, -1]),
];

/// The names of all units.
pub fn names() -> impl Iterator<Item = &'static str> {
    UNITS.iter().map(|(name, ..)| *name)
}

impl Unit {
    /// No unit.
    pub const NONE: Self = Self { dimension: Dimension::NONE, exponent: 0 };

    /// The unit of a name.
    pub fn named(name: &str) -> Option<Self> {
        UNITS.iter().find(|(known, ..)| *known == name).map(|&(_, exponent, [time, voltage, current])| Self {
            dimension: Dimension::whole(time, voltage, current),
            exponent,
        })
    }

    /// The unit to a power; `None` where it grows out of bounds.
    pub fn power(self, exponent: i32) -> Option<Self> {
        let scaled = self.exponent.checked_mul(exponent).filter(|power| power.abs() <= 300)?;
        Some(Self { dimension: self.dimension.power(Ratio::whole(exponent))?, exponent: scaled })
    }

    fn multiply(self, other: Self) -> Option<Self> {
        let exponent = self.exponent.checked_add(other.exponent).filter(|power| power.abs() <= 300)?;
        Some(Self { dimension: self.dimension.multiply(other.dimension)?, exponent })
    }

    /// A number in this unit, in base units: one rounding wherever the power of ten is exact.
    pub fn to_base(self, value: f64) -> f64 {
        let power = 10f64.powi(self.exponent.abs());
        if self.exponent < 0 { value / power } else { value * power }
    }

    /// What to multiply a number in this unit with.
    pub fn scale(self) -> f64 {
        self.to_base(1.0)
    }
}

/// What is wrong with an annotation.
pub enum UnitError<'a> {
    /// No unit has this name.
    Unknown(&'a crate::ast::Name),
    /// An exponent is too large.
    TooLarge,
}

/// The unit of an annotation without `int`.
pub fn annotated(unit: &UnitExpr) -> Result<Unit, UnitError<'_>> {
    let mut result = Unit::NONE;
    for term in &unit.terms {
        let named = match term.name.text.as_str() {
            "1" => Unit::NONE,
            name => Unit::named(name).ok_or(UnitError::Unknown(&term.name))?,
        };
        let exponent = if term.divide { term.exponent.checked_neg() } else { Some(term.exponent) };
        let factor = exponent.and_then(|exponent| named.power(exponent)).ok_or(UnitError::TooLarge)?;
        result = result.multiply(factor).ok_or(UnitError::TooLarge)?;
    }
    Ok(result)
}
