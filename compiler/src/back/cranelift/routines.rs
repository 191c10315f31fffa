//! Precompiled code that kernels call where Cranelift's own is slower: its vectors have 128 bits.
//!
//! The host gives the addresses; without one the kernel's own code does the work, to the same bits.

use cranelift_codegen::ir::{AbiParam, InstBuilder, Signature, StackSlotData, StackSlotKind, Value, types};

use super::function::Lower;
use crate::kernel::{Fetch, Fill, Filling, MathFn, Precision, Random, TileProduct, Type};

/// Makes a tile of a product, as [`TileProduct`] says: `left`, `right`, `into`, and its numbers in the order of its fields:
/// the strides, the origin, the size, the depth, the tile's stride and its start.
pub type TileRoutine = unsafe extern "C" fn(*const u8, *const u8, *mut u8, *const [i64; 9]);

/// Fills a strip of so many elements with random words or numbers made of them. The numbers are the fields of a
/// [`Random`] in their order; the column is that of the first element.
pub type DrawRoutine = unsafe extern "C" fn(*mut u8, i64, *const [i64; 7]);

/// Replaces so many elements by a function of them.
pub type FunctionRoutine = unsafe extern "C" fn(*mut u8, i64);

/// Asks for so many bytes, which are read soon.
pub type FetchRoutine = unsafe extern "C" fn(*const u8, i64);

/// What fills strips.
#[derive(Clone, Copy, Debug)]
pub struct FillRoutines {
    /// Random words.
    pub words: DrawRoutine,
    /// Standard normal numbers in f32.
    pub normals_f32: DrawRoutine,
    /// Standard normal numbers in f64.
    pub normals_f64: DrawRoutine,
    /// A function of one argument.
    pub function: fn(MathFn, Precision) -> FunctionRoutine,
}

/// What is there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Routines {
    /// Strips of draws and functions. Without them a kernel with a fill is refused.
    pub fill: Option<FillRoutines>,
    /// Fetches. Without it they do nothing.
    pub fetch: Option<FetchRoutine>,
    /// A tile of f32.
    pub tile_f32: Option<TileRoutine>,
    /// A tile of f64.
    pub tile_f64: Option<TileRoutine>,
}

impl Routines {
    /// Whether there is code for fills.
    pub(super) fn fills(&self) -> bool {
        self.fill.is_some()
    }

    /// The routine for tiles of a type.
    fn tile(&self, ty: Type) -> Option<TileRoutine> {
        match ty {
            Type::F32 => self.tile_f32,
            Type::F64 => self.tile_f64,
            Type::I32 | Type::I64 | Type::Bool => None,
        }
    }
}

impl Lower<'_, '_> {
    /// Calls the routine for a tile, if there is one.
    pub fn tile_by_routine(&mut self, tile: &TileProduct) -> bool {
        let Some(routine) = self.routines.tile(self.kernel.buffers[tile.into].ty) else { return false };
        let numbers = tile.strides.iter().chain(&tile.origin).chain(&tile.size).chain([
            &tile.depth,
            &tile.tile_stride,
            &tile.tile_start,
        ]);
        let numbers: Vec<Value> = numbers.map(|&value| self.scalar(value)).collect();
        let list = self.list_of(&numbers);
        let [left, right, into] =
            [tile.left, tile.right, tile.into].map(|buffer| self.pointers[buffer.index()]);
        self.call_routine(routine as usize, &[left, right, into, list]);
        true
    }

    /// Calls the routine for a fill.
    pub fn fill(&mut self, fill: &Fill) {
        let Some(routines) = self.routines.fill else { crate::ice!("a fill without a routine for it") };
        let ty = self.kernel.buffers[fill.into].ty;
        let size = ty.size() as i64;
        let (start, count) = (self.scalar(fill.start), self.scalar(fill.count));
        let place = self.place_in(self.pointers[fill.into.index()], start, size, 0);
        match &fill.with {
            Filling::Words(random) => self.call_draw(routines.words, place.base, count, random),
            Filling::Normals(random) => {
                let routine = if ty == Type::F64 { routines.normals_f64 } else { routines.normals_f32 };
                self.call_draw(routine, place.base, count, random);
            }
            Filling::Function(function) => {
                let precision = if ty == Type::F64 { Precision::F64 } else { Precision::F32 };
                let routine = (routines.function)(*function, precision);
                self.call_routine(routine as usize, &[place.base, count]);
            }
        }
    }

    /// Calls the routine for a fetch, if there is one.
    pub fn fetch(&mut self, fetch: &Fetch) {
        let Some(routine) = self.routines.fetch else { return };
        let size = self.kernel.buffers[fetch.buffer].ty.size() as i64;
        let (start, count) = (self.scalar(fetch.start), self.scalar(fetch.count));
        let place = self.place_in(self.pointers[fetch.buffer.index()], start, size, 0);
        let bytes = self.b.ins().imul_imm_s(count, size);
        self.call_routine(routine as usize, &[place.base, bytes]);
    }

    fn call_draw(&mut self, routine: DrawRoutine, into: Value, count: Value, random: &Random) {
        let site = self.b.ins().iconst(types::I64, i64::from(random.site));
        let [attempt, run] = [random.attempt, random.run].map(|word| {
            let word = self.scalar(word);
            self.b.ins().uextend(types::I64, word)
        });
        let [step, seed, row, column] =
            [random.step, random.seed, random.row, random.column].map(|value| self.scalar(value));
        let list = self.list_of(&[site, attempt, run, step, seed, row, column]);
        self.call_routine(routine as usize, &[into, count, list]);
    }

    /// Numbers of 64 bits side by side on the stack.
    fn list_of(&mut self, numbers: &[Value]) -> Value {
        let room = StackSlotData::new(StackSlotKind::ExplicitSlot, 8 * numbers.len() as u32, 3);
        let room = self.b.create_sized_stack_slot(room);
        for (place, &number) in numbers.iter().enumerate() {
            self.b.ins().stack_store(types::I64, number, room, 8 * place as i32);
        }
        self.b.ins().stack_addr(self.config.pointer_type(), room, 0)
    }

    /// Calls code of the host with pointers and numbers of 64 bits.
    fn call_routine(&mut self, address: usize, arguments: &[Value]) {
        let mut signature = Signature::new(self.config.default_call_conv);
        for &argument in arguments {
            signature.params.push(AbiParam::new(self.b.func.dfg.value_type(argument)));
        }
        let signature = self.b.import_signature(signature);
        let callee = self.b.ins().iconst(self.config.pointer_type(), address as i64);
        self.b.ins().call_indirect(signature, callee, arguments);
    }
}
