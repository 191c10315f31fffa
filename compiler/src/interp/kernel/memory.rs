//! The memory of a launch: arrays of their own, or views of bytes that somebody else holds.

use crate::kernel::Type;

/// An array that a kernel can be run on. An element is its bits, zero-extended; a `Bool` is 0 or 1.
pub trait Cells {
    /// The type of the elements.
    fn ty(&self) -> Type;
    /// How many elements there are.
    fn length(&self) -> usize;
    /// An element, if it is there.
    fn load(&self, index: usize) -> Option<u64>;
    /// Changes an element, if it is there.
    fn store(&mut self, index: usize, bits: u64) -> Option<()>;
}

/// An array of its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Array {
    /// Elements of `F32`.
    F32(Vec<f32>),
    /// Elements of `F64`.
    F64(Vec<f64>),
    /// Elements of `I32`.
    I32(Vec<i32>),
    /// Elements of `I64`.
    I64(Vec<i64>),
    /// Elements of `Bool`, 0 or 1.
    Bool(Vec<u8>),
}

impl Array {
    /// An array of zeros.
    pub fn zeros(ty: Type, length: usize) -> Self {
        match ty {
            Type::F32 => Array::F32(vec![0.0; length]),
            Type::F64 => Array::F64(vec![0.0; length]),
            Type::I32 => Array::I32(vec![0; length]),
            Type::I64 => Array::I64(vec![0; length]),
            Type::Bool => Array::Bool(vec![0; length]),
        }
    }
}

impl Cells for Array {
    fn ty(&self) -> Type {
        match self {
            Array::F32(_) => Type::F32,
            Array::F64(_) => Type::F64,
            Array::I32(_) => Type::I32,
            Array::I64(_) => Type::I64,
            Array::Bool(_) => Type::Bool,
        }
    }

    fn length(&self) -> usize {
        match self {
            Array::F32(cells) => cells.len(),
            Array::F64(cells) => cells.len(),
            Array::I32(cells) => cells.len(),
            Array::I64(cells) => cells.len(),
            Array::Bool(cells) => cells.len(),
        }
    }

    fn load(&self, index: usize) -> Option<u64> {
        match self {
            Array::F32(cells) => cells.get(index).map(|cell| u64::from(cell.to_bits())),
            Array::F64(cells) => cells.get(index).map(|cell| cell.to_bits()),
            Array::I32(cells) => cells.get(index).map(|&cell| u64::from(cell as u32)),
            Array::I64(cells) => cells.get(index).map(|&cell| cell as u64),
            Array::Bool(cells) => cells.get(index).map(|&cell| u64::from(cell != 0)),
        }
    }

    fn store(&mut self, index: usize, bits: u64) -> Option<()> {
        match self {
            Array::F32(cells) => *cells.get_mut(index)? = f32::from_bits(bits as u32),
            Array::F64(cells) => *cells.get_mut(index)? = f64::from_bits(bits),
            Array::I32(cells) => *cells.get_mut(index)? = bits as i32,
            Array::I64(cells) => *cells.get_mut(index)? = bits as i64,
            Array::Bool(cells) => *cells.get_mut(index)? = u8::from(bits != 0),
        }
        Some(())
    }
}

/// A view of bytes, little-endian; bytes after the last whole element are not seen.
#[derive(Debug)]
pub struct View<'a> {
    ty: Type,
    bytes: &'a mut [u8],
}

impl<'a> View<'a> {
    /// The elements of type `ty` in `bytes`.
    pub fn new(ty: Type, bytes: &'a mut [u8]) -> Self {
        Self { ty, bytes }
    }

    /// The bytes of an element.
    fn place(&self, index: usize) -> Option<std::ops::Range<usize>> {
        let start = index.checked_mul(self.ty.size())?;
        let end = start.checked_add(self.ty.size())?;
        (end <= self.bytes.len()).then_some(start..end)
    }
}

impl Cells for View<'_> {
    fn ty(&self) -> Type {
        self.ty
    }

    fn length(&self) -> usize {
        self.bytes.len() / self.ty.size()
    }

    fn load(&self, index: usize) -> Option<u64> {
        let mut bits = [0; 8];
        bits[..self.ty.size()].copy_from_slice(&self.bytes[self.place(index)?]);
        let bits = u64::from_le_bytes(bits);
        Some(if self.ty == Type::Bool { u64::from(bits != 0) } else { bits })
    }

    fn store(&mut self, index: usize, bits: u64) -> Option<()> {
        let place = self.place(index)?;
        let bits = if self.ty == Type::Bool { u64::from(bits != 0) } else { bits };
        self.bytes[place].copy_from_slice(&bits.to_le_bytes()[..self.ty.size()]);
        Some(())
    }
}
