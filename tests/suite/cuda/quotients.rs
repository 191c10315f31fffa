//! The prelude's quotient, which takes a way of its own where the dividend is zero, against division.

use std::process::Command;

use aplysia_compiler::back::cuda;
use libtest_mimic::{Failed, Trial};

use super::shim::compiler;

/// Pairs of extreme numbers, and every divisor whose bits are a run of ones with a few ends, under both zeros.
const PROGRAM: &str = r#"
template <typename T, typename Bits>
static int differ(const T *numbers, int count)
{
    int wrong = 0;
    const auto check = [&](T a, T b) {
        const T expected = a / b, found = quotient(a, b);
        const bool same = expected != expected ? found != found : std::memcmp(&expected, &found, sizeof(T)) == 0;
        if (!same && ++wrong < 9) std::printf("%a / %a is %a, not %a\n", double(a), double(b), double(expected), double(found));
    };
    for (int i = 0; i < count; ++i)
        for (int j = 0; j < count; ++j) {
            check(numbers[i], numbers[j]);
            check(-numbers[i], numbers[j]);
            check(numbers[i], -numbers[j]);
        }
    for (Bits exponent = 0; exponent < 4096; ++exponent)
        for (Bits end = 0; end < 64; ++end) {
            const Bits bits = (exponent << (8 * sizeof(T) - 12)) ^ (end * 0x2545f4914f6cdd1dull >> (end % 52));
            T b;
            std::memcpy(&b, &bits, sizeof(T));
            check(T(0), b);
            check(-T(0), b);
            check(T(1), b);
        }
    return wrong;
}

int main()
{
    const float singles[] = {0.0f, 0x1p-149f, 0x1.fffffcp-127f, 0x1p-126f, 0x1p-22f, 0.1f, 1.0f, 3.0f, 0x1p22f, 0x1p126f,
        0x1.fffffep127f, HUGE_VALF, NAN};
    const double doubles[] = {0.0, 0x1p-1074, 0x1.ffffffffffffep-1023, 0x1p-1022, 0x1p-52, 0.1, 1.0, 3.0, 0x1p52, 0x1p1022,
        0x1.fffffffffffffp1023, HUGE_VAL, NAN};
    const int wrong = differ<float, unsigned int>(singles, 13) + differ<double, unsigned long long>(doubles, 13);
    return wrong == 0 ? 0 : 1;
}
"#;

/// The trial.
pub fn trials() -> Vec<Trial> {
    let trial = Trial::test("cuda::a_quotient_is_a_division", quotients);
    vec![trial.with_ignored_flag(compiler().is_none())]
}

fn quotients() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("shim.hpp"), include_str!("../../cuda/shim.hpp"))?;
    let source = format!("#define SHIM_LIBRARY\n#include \"shim.hpp\"\n{}\n{PROGRAM}", cuda::PRELUDE);
    std::fs::write(folder.path().join("quotients.cpp"), source)?;
    let program = folder.path().join("quotients");
    let built = Command::new(compiler().ok_or("there is no C++ compiler")?)
        .args(["-std=c++20", "-O1", "-ffp-contract=off", "-w", "-o"])
        .arg(&program)
        .arg(folder.path().join("quotients.cpp"))
        .output()?;
    if !built.status.success() {
        return Err(String::from_utf8_lossy(&built.stderr).into_owned().into());
    }
    let ran = Command::new(&program).output()?;
    if ran.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&ran.stdout).into_owned().into()) }
}
