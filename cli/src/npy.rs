//! One array in numpy's `.npy` format (versions 1 to 3).
//!
//! Numbers of every width and byte order come in, whole numbers, truth values and reals come out. The header is read
//! by a scanner of its own, without recursion; data are read as they come, so a false shape allocates nothing.

use std::io::Read;

use ndarray::{ArrayD, Dimension, IxDyn, ShapeBuilder};

/// No honest header is longer.
const MOST_HEADER: usize = 1 << 16;
/// numpy's own limit.
const MOST_AXES: usize = 64;

/// An array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Array {
    /// Truth values.
    Bool(ArrayD<bool>),
    /// Whole numbers of any width.
    I64(ArrayD<i64>),
    /// Single and half precision.
    F32(ArrayD<f32>),
    /// Double precision.
    F64(ArrayD<f64>),
}

impl Array {
    /// The lengths of its axes.
    pub fn shape(&self) -> &[usize] {
        match self {
            Array::Bool(array) => array.shape(),
            Array::I64(array) => array.shape(),
            Array::F32(array) => array.shape(),
            Array::F64(array) => array.shape(),
        }
    }

    /// As reals; the first whole number that is none exactly is the error.
    pub fn reals(&self) -> Result<ArrayD<f64>, i64> {
        match self {
            Array::Bool(array) => Ok(array.mapv(|value| f64::from(u8::from(value)))),
            Array::F32(array) => Ok(array.mapv(f64::from)),
            Array::F64(array) => Ok(array.clone()),
            Array::I64(array) => {
                // Every whole number up to 2^53 is a real.
                match array.iter().find(|value| value.unsigned_abs() > 1 << 53) {
                    Some(&large) => Err(large),
                    None => Ok(array.mapv(|value| value as f64)),
                }
            }
        }
    }

    /// The same numbers, in row-major order, with other axes; none where there are more or fewer places.
    pub fn reshaped(self, shape: &[usize]) -> Option<Self> {
        fn with<T: Clone>(array: ArrayD<T>, shape: &[usize]) -> Option<ArrayD<T>> {
            array.to_shape(shape).ok().map(|array| array.into_owned())
        }
        match self {
            Array::Bool(array) => with(array, shape).map(Array::Bool),
            Array::I64(array) => with(array, shape).map(Array::I64),
            Array::F32(array) => with(array, shape).map(Array::F32),
            Array::F64(array) => with(array, shape).map(Array::F64),
        }
    }

    /// The flat position of the first NaN.
    pub fn nan(&self) -> Option<usize> {
        match self {
            Array::Bool(_) | Array::I64(_) => None,
            Array::F32(array) => array.iter().position(|value| value.is_nan()),
            Array::F64(array) => array.iter().position(|value| value.is_nan()),
        }
    }
}

/// What a header says.
#[derive(Debug, PartialEq)]
struct Header {
    kind: String,
    fortran: bool,
    shape: Vec<usize>,
}

/// Reads an array; `size` is how many bytes there are at most.
///
/// # Errors
/// In words that follow the array's name.
pub fn read(reader: &mut impl Read, size: u64) -> Result<Array, String> {
    let header = header(reader)?;
    let (swapped, kind) = match header.kind.split_at_checked(1) {
        Some(("<" | "|" | "=", kind)) => (false, kind),
        Some((">", kind)) => (true, kind),
        _ => return Err(refused(&header.kind)),
    };
    let width: usize = match kind {
        "b1" | "i1" | "u1" => 1,
        "i2" | "u2" | "f2" => 2,
        "i4" | "u4" | "f4" => 4,
        "i8" | "u8" | "f8" => 8,
        _ => return Err(refused(&header.kind)),
    };
    let count = header.shape.iter().try_fold(1usize, |count, &axis| count.checked_mul(axis));
    let bytes = count.and_then(|count| count.checked_mul(width)).filter(|&bytes| bytes as u64 <= size);
    let Some(bytes) = bytes else {
        return Err(format!("has shape {:?}, which needs more data than there are", header.shape));
    };
    let data = data(reader, bytes)?;
    decode(kind, swapped, &header, &data)
}

fn refused(kind: &str) -> String {
    format!(
        "has the type `{}`; arrays of bool, whole numbers, float16, float32 and float64 are read",
        kind.escape_debug()
    )
}

/// Exactly so many bytes, and nothing behind them.
fn data(reader: &mut impl Read, bytes: usize) -> Result<Vec<u8>, String> {
    let mut data = Vec::new();
    reader
        .by_ref()
        .take(bytes as u64)
        .read_to_end(&mut data)
        .map_err(|error| format!("cannot be read: {error}"))?;
    if data.len() < bytes {
        return Err(format!("is cut off: {} of {bytes} bytes are there", data.len()));
    }
    // Reading to the end also lets the archive verify its checksum.
    match reader.read(&mut [0]) {
        Ok(0) => Ok(data),
        Ok(_) => Err("has more data than its shape says".to_owned()),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

fn decode(kind: &str, swapped: bool, header: &Header, data: &[u8]) -> Result<Array, String> {
    macro_rules! each {
        ($number:ty, $convert:expr) => {{
            let numbers = data.chunks_exact(size_of::<$number>()).map(|chunk| {
                let mut bytes = [0; size_of::<$number>()];
                bytes.copy_from_slice(chunk);
                if swapped {
                    bytes.reverse();
                }
                $convert(<$number>::from_le_bytes(bytes))
            });
            shaped(header, numbers.collect())
        }};
    }
    match kind {
        "b1" => each!(u8, |value| value != 0).map(Array::Bool),
        "i1" => each!(i8, i64::from).map(Array::I64),
        "u1" => each!(u8, i64::from).map(Array::I64),
        "i2" => each!(i16, i64::from).map(Array::I64),
        "u2" => each!(u16, i64::from).map(Array::I64),
        "i4" => each!(i32, i64::from).map(Array::I64),
        "u4" => each!(u32, i64::from).map(Array::I64),
        "i8" => each!(i64, i64::from).map(Array::I64),
        "u8" => {
            let wide: ArrayD<u64> = each!(u64, u64::from)?;
            match wide.iter().find(|&&value| i64::try_from(value).is_err()) {
                Some(large) => Err(format!("holds {large}; whole numbers below 2^63 are read")),
                None => Ok(Array::I64(wide.mapv(|value| value as i64))),
            }
        }
        "f2" => each!(u16, half).map(Array::F32),
        "f4" => each!(f32, f32::from).map(Array::F32),
        "f8" => each!(f64, f64::from).map(Array::F64),
        _ => Err(refused(kind)),
    }
}

/// A half-precision number.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    sign * match exponent {
        0 => fraction * (2f32).powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + fraction) * (2f32).powi(exponent - 25),
    }
}

fn shaped<T: Clone>(header: &Header, list: Vec<T>) -> Result<ArrayD<T>, String> {
    let shape = IxDyn(&header.shape);
    // Lengths whose product overflows although another one is 0.
    if shape.ndim() > MOST_AXES {
        return Err(format!("has {} axes", shape.ndim()));
    }
    let array = ArrayD::from_shape_vec(shape.set_f(header.fortran), list)
        .map_err(|error| format!("has shape {:?}: {error}", header.shape))?;
    Ok(if header.fortran { array.as_standard_layout().into_owned() } else { array })
}

fn header(reader: &mut impl Read) -> Result<Header, String> {
    let not = |_| "is not in the .npy format".to_owned();
    let mut start = [0; 8];
    reader.read_exact(&mut start).map_err(not)?;
    let [magic @ .., major, _] = start;
    if &magic != b"\x93NUMPY" {
        return Err("is not in the .npy format".to_owned());
    }
    let length = match major {
        1 => {
            let mut length = [0; 2];
            reader.read_exact(&mut length).map_err(not)?;
            usize::from(u16::from_le_bytes(length))
        }
        2 | 3 => {
            let mut length = [0; 4];
            reader.read_exact(&mut length).map_err(not)?;
            u32::from_le_bytes(length) as usize
        }
        _ => return Err(format!("is in version {major} of the .npy format; 1 to 3 are read")),
    };
    if length > MOST_HEADER {
        return Err(format!("has a header of {length} bytes"));
    }
    let mut text = vec![0; length];
    reader.read_exact(&mut text).map_err(not)?;
    let text = String::from_utf8_lossy(&text);
    Scanner { rest: &text }
        .dictionary()
        .ok_or_else(|| "has a header that is not of numpy's form (structured types are not read)".to_owned())
}

/// Takes the parts of a header off the front.
struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    fn dictionary(mut self) -> Option<Header> {
        let (mut kind, mut fortran, mut shape) = (None, None, None);
        self.take("{")?;
        while self.take("}").is_none() {
            let key = self.string()?;
            self.take(":")?;
            match key {
                "descr" => kind = Some(self.string()?.to_owned()),
                "fortran_order" => fortran = Some(self.boolean()?),
                "shape" => shape = Some(self.tuple()?),
                _ => return None,
            }
            if self.take(",").is_none() {
                self.take("}")?;
                break;
            }
        }
        Some(Header { kind: kind?, fortran: fortran?, shape: shape? })
    }

    fn take(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(token)?;
        Some(())
    }

    fn string(&mut self) -> Option<&'a str> {
        let quote = if self.take("'").is_some() { '\'' } else { self.take("\"").map(|()| '"')? };
        let (text, rest) = self.rest.split_once(quote)?;
        self.rest = rest;
        Some(text)
    }

    fn boolean(&mut self) -> Option<bool> {
        if self.take("True").is_some() { Some(true) } else { self.take("False").map(|()| false) }
    }

    fn tuple(&mut self) -> Option<Vec<usize>> {
        let mut list = Vec::new();
        self.take("(")?;
        while self.take(")").is_none() {
            self.rest = self.rest.trim_start();
            let end = self.rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(self.rest.len());
            list.push(self.rest[..end].parse().ok()?);
            self.rest = &self.rest[end..];
            if self.take(",").is_none() {
                self.take(")")?;
                break;
            }
        }
        (list.len() <= MOST_AXES).then_some(list)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.as_bytes());
        file.extend(data);
        file
    }

    fn parse(file: &[u8]) -> Result<Array, String> {
        read(&mut &file[..], file.len() as u64)
    }

    #[test]
    fn headers_of_numpy() {
        let file = npy("{'descr': '<i2', 'fortran_order': False, 'shape': (2, 1), }   \n", &[1, 0, 255, 255]);
        assert_eq!(parse(&file), Ok(Array::I64(array![[1], [-1]].into_dyn())));
        let file = npy("{\"shape\":(),\"fortran_order\":False,\"descr\":\">f8\"}", &2.5f64.to_be_bytes());
        assert_eq!(parse(&file), Ok(Array::F64(ndarray::arr0(2.5).into_dyn())));
        let file = npy("{'descr': '<f2', 'fortran_order': False, 'shape': (3,)}", &[0, 0x3c, 1, 0, 0, 0xfc]);
        let expected = array![1.0, 5.960_464_5e-8, f32::NEG_INFINITY].into_dyn();
        assert_eq!(parse(&file), Ok(Array::F32(expected)));
    }

    #[test]
    fn false_shapes_allocate_nothing() {
        for shape in
            ["(1000000000000,)", "(4294967296, 4294967296, 4294967296)", "(99999999999999999999999,)"]
        {
            let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}");
            assert!(parse(&npy(&header, &[0; 8])).is_err(), "{shape}");
        }
        let zero = "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 18446744073709551615)}";
        assert!(parse(&npy(zero, &[])).is_err());
        let short = "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}";
        assert!(parse(&npy(short, &[0; 7])).unwrap_err().contains("cut off"));
        assert!(parse(&npy(short, &[0; 9])).unwrap_err().contains("more data"));
    }

    #[test]
    fn other_headers_are_refused() {
        let deep = format!("{{'descr': {}", "(".repeat(60_000));
        for header in [
            "",
            "{}",
            "{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (1,)}",
            "{'descr': '<c16', 'fortran_order': False, 'shape': (1,)}",
            "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
            "{'descr': '', 'fortran_order': False, 'shape': (1,)}",
            "{'descr': 'µ8', 'fortran_order': False, 'shape': (1,)}",
            "{'descr': '<f8', 'fortran_order': 0, 'shape': (1,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (1",
            deep.as_str(),
        ] {
            assert!(parse(&npy(header, &[0; 16])).is_err(), "{:.60}", header);
        }
        let large = npy("{'descr': '<u8', 'fortran_order': False, 'shape': (1,)}", &[255; 8]);
        assert!(parse(&large).unwrap_err().contains("2^63"));
        assert!(parse(b"\x93NUMPY\x02\x00\xff\xff\xff\xff").unwrap_err().contains("header of"));
    }

    #[test]
    fn whole_numbers_stay_exact() {
        assert_eq!(
            Array::I64(array![1 << 53].into_dyn()).reals(),
            Ok(array![9_007_199_254_740_992.0].into_dyn())
        );
        assert_eq!(Array::I64(array![(1 << 53) + 1].into_dyn()).reals(), Err((1 << 53) + 1));
        assert_eq!(Array::F32(array![1.0, f32::NAN].into_dyn()).nan(), Some(1));
    }
}
