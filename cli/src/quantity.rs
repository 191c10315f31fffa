//! Numbers with units on the command line: `1ms`, `10 Hz`, `-70mV`, `0.02`.

use aplysia_compiler::diag::did_you_mean;
use aplysia_compiler::ir::DeclaredUnit;

/// Names of units, what one is in base units (ms, mV, pA, nS, pF), and the dimension as the compiler writes it.
const UNITS: [(&str, f64, &str); 19] = [
    ("s", 1e3, TIME),
    ("ms", 1.0, TIME),
    ("us", 1e-3, TIME),
    ("µs", 1e-3, TIME),
    ("Hz", 1e-3, RATE),
    ("kHz", 1.0, RATE),
    ("V", 1e3, "voltage"),
    ("mV", 1.0, "voltage"),
    ("uV", 1e-3, "voltage"),
    ("A", 1e12, "current"),
    ("nA", 1e3, "current"),
    ("pA", 1.0, "current"),
    ("S", 1e9, "current/voltage"),
    ("nS", 1.0, "current/voltage"),
    ("F", 1e12, "current*time/voltage"),
    ("nF", 1e3, "current*time/voltage"),
    ("pF", 1.0, "current*time/voltage"),
    ("Ohm", 1e-9, "voltage/current"),
    ("MOhm", 1e-3, "voltage/current"),
];

const TIME: &str = "time";
const RATE: &str = "1/time";

/// A number as written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantity {
    number: f64,
    unit: Option<(&'static str, f64, &'static str)>,
}

impl Quantity {
    /// Reads a number with or without a unit.
    ///
    /// # Errors
    /// In words, where it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let plain = text.trim_start_matches(['+', '-']);
        let letters = if matches!(plain, "inf") { "" } else { trailing_letters(text) };
        let digits = text[..text.len() - letters.len()].trim_end();
        let number: f64 = match digits.parse() {
            Ok(number) if letters.is_empty() || !digits.ends_with("inf") => number,
            _ => return Err(format!("`{text}` is not a number; write `0.5`, `20ms` or `10Hz`")),
        };
        if letters.is_empty() {
            return Ok(Self { number, unit: None });
        }
        // The micro sign and the Greek letter are one.
        let name = letters.replace('μ', "µ");
        match UNITS.iter().find(|(known, ..)| *known == name) {
            Some(&unit) => Ok(Self { number, unit: Some(unit) }),
            None => {
                let help = did_you_mean(&name, UNITS.iter().map(|(known, ..)| *known));
                let help = help.map(|help| format!("; {help}")).unwrap_or_default();
                Err(format!("`{letters}` is not a unit{help}"))
            }
        }
    }

    /// The number in the unit that a variable declares. A bare number is in it already.
    ///
    /// # Errors
    /// In words, where the dimensions differ.
    pub fn declared(self, declared: &DeclaredUnit) -> Result<f64, String> {
        let own = if declared.dimension == "1" { "" } else { declared.dimension.as_str() };
        match self.unit {
            None => Ok(self.number),
            Some((_, scale, dimension)) if dimension == own => Ok(self.number * scale / declared.scale),
            Some((name, _, dimension)) if own.is_empty() => {
                Err(format!("it is dimensionless, but `{name}` is a unit of {dimension}"))
            }
            Some((name, _, dimension)) => {
                Err(format!("it has dimension {own}, but `{name}` measures {dimension}"))
            }
        }
    }
}

/// The name of a unit at the end; a number in scientific notation ends in a digit.
fn trailing_letters(text: &str) -> &str {
    let start = text.trim_end_matches(char::is_alphabetic).len();
    &text[start..]
}

/// A length of time in ms.
///
/// # Errors
/// In words.
pub fn time(text: &str) -> Result<f64, String> {
    measured(text, TIME, "`1ms`, `100us` or `0.5s`").and_then(|value| {
        if value > 0.0 && value.is_finite() { Ok(value) } else { Err(format!("`{text}` is not positive")) }
    })
}

/// A length of time in ms, 0 included.
///
/// # Errors
/// In words.
pub fn duration(text: &str) -> Result<f64, String> {
    measured(text, TIME, "`2ms`, `100us` or `0ms`").and_then(|value| {
        if value >= 0.0 && value.is_finite() { Ok(value) } else { Err(format!("`{text}` is negative")) }
    })
}

/// A rate in Hz.
///
/// # Errors
/// In words.
pub fn rate(text: &str) -> Result<f64, String> {
    measured(text, RATE, "`10Hz` or `1kHz`").map(|value| value * 1e3).and_then(|value| {
        if value >= 0.0 && value.is_finite() { Ok(value) } else { Err(format!("`{text}` is negative")) }
    })
}

fn measured(text: &str, dimension: &str, example: &str) -> Result<f64, String> {
    let quantity = Quantity::parse(text)?;
    match quantity.unit {
        Some((_, scale, found)) if found == dimension => Ok(quantity.number * scale),
        Some((name, ..)) => Err(format!("`{name}` is not a unit of {dimension}; write {example}")),
        None => Err(format!("`{text}` needs a unit: write {example}")),
    }
}

/// One number, or several with commas between them, in a variable's declared unit.
///
/// # Errors
/// In words.
pub fn list(text: &str, declared: &DeclaredUnit) -> Result<Vec<f64>, String> {
    text.split(',').map(|one| Quantity::parse(one)?.declared(declared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(scale: f64, dimension: &str) -> DeclaredUnit {
        DeclaredUnit { text: String::new(), scale, dimension: dimension.to_owned() }
    }

    #[test]
    fn times_and_rates() {
        assert_eq!(time("1ms"), Ok(1.0));
        assert_eq!(time(" 0.5 s "), Ok(500.0));
        assert_eq!(time("100µs"), Ok(0.1));
        assert_eq!(time("100μs"), Ok(0.1));
        assert_eq!(time("1e2ms"), Ok(100.0));
        assert_eq!(rate("10Hz"), Ok(10.0));
        assert_eq!(rate("0.25kHz"), Ok(250.0));
        assert_eq!(rate("0 Hz"), Ok(0.0));
        for wrong in ["1", "0ms", "-1ms", "1Hz", "ms", "", "1 m s", "infms", "nanms", "1mss", "1e400ms"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
        assert!(rate("-1Hz").is_err() && rate("3ms").is_err());
        assert_eq!((duration("0ms"), duration("2 ms")), (Ok(0.0), Ok(2.0)));
        assert!(duration("-1ms").is_err() && duration("2").is_err());
        assert!(time("3msec").unwrap_err().contains("not a unit"));
    }

    #[test]
    fn declared_units_are_reached() {
        let quantity = |text: &str| Quantity::parse(text).unwrap();
        assert_eq!(quantity("0.02").declared(&unit(1e3, TIME)), Ok(0.02));
        assert_eq!(quantity("20ms").declared(&unit(1e3, TIME)), Ok(0.02));
        assert_eq!(quantity("5Hz").declared(&unit(1e-3, RATE)), Ok(5.0));
        assert_eq!(quantity("-70mV").declared(&unit(1.0, "voltage")), Ok(-70.0));
        assert_eq!(quantity("-inf").declared(&unit(1.0, "")), Ok(f64::NEG_INFINITY));
        assert!(quantity("20ms").declared(&unit(1.0, "")).unwrap_err().contains("dimensionless"));
        assert!(quantity("20ms").declared(&unit(1.0, "voltage")).unwrap_err().contains("voltage"));
        assert_eq!(list("1, 2,3", &unit(1.0, "1")), Ok(vec![1.0, 2.0, 3.0]));
        assert!(list("1,,3", &unit(1.0, "1")).is_err());
    }
}
