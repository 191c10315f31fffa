//! Changes of a float that may be nothing.
//!
//! `if d != 0 { w + d } else { w }` keeps a -0 that `w + 0` would lose. In that form LLVM makes one masked store of the selection
//! and the store of `w` behind it, which processors with AVX2 alone carry out slowly. Since -0 is what leaves every float as it
//! is, `w + if d != 0 { d } else { -0 }` gives the same bits, and a plain store.

use crate::kernel::*;

/// What a selection of that kind changes, and by what.
pub(super) fn change(kernel: &Kernel, value: ValueId) -> Option<(ValueId, ValueId)> {
    let Op::Select(condition, sum, kept) = kernel.values[value].op else { return None };
    let Op::Compare(Compare::NotEqual, by, zero) = kernel.values[condition].op else { return None };
    let Op::Binary(Binary::Add, a, b) = kernel.values[sum].op else { return None };
    let is_zero = match kernel.values[zero].op {
        // Of either sign.
        Op::Constant(Constant::F32(bits)) => bits << 1 == 0,
        Op::Constant(Constant::F64(bits)) => bits << 1 == 0,
        _ => false,
    };
    let same = (a, b) == (kept, by) || (a, b) == (by, kept);
    (is_zero && same).then_some((kept, by))
}
