//! What values, buffers and scalars are called in the CUDA text.

pub(super) use crate::back::names::Names;
use crate::kernel::Kernel;

/// Words that mean something in C++ or in the prelude.
const RESERVED: &str = "alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl \
     concept const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype default \
     delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int long \
     mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register \
     reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch template \
     this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t \
     while xor xor_eq u8 u32 u64 i64 int32 V r v Sum Min Max Pairs Share share_strips share_slots before lesser \
     to_i32 to_i64 load_run store_run halve halve_warp pair_warp scalars share unit slot slots strip strips lane \
     rank width column main threadIdx blockIdx blockDim gridDim warpSize floorf floor rintf rint sqrtf sqrt fabsf \
     fabs fmaf fma NULL INFINITY NAN linux unix scalar_of blocks leads";

/// The names of a kernel.
pub(super) fn names(kernel: &Kernel) -> Names {
    Names::new(kernel, &[RESERVED], identifier)
}

/// A C++ identifier that looks like `name`.
pub(super) fn identifier(name: &str) -> String {
    let name = name.strip_prefix('%').map_or_else(|| name.to_owned(), |number| format!("v{number}"));
    let mut text: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if !text.starts_with(|first: char| first.is_ascii_alphabetic()) {
        text.insert(0, 'x');
    }
    text
}
