//! A name that the rule does not have does not compile.

aplysia_native::plasticity! {
    rule decay { param tau = 20 ms; plastic w; dw/dt = -w / tau; }
}

fn main() {
    let _ = decay::Params { taus: 10.0 };
}
