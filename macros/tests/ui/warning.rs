//! What is odd about a rule is a warning at its token.

#![deny(deprecated)]

aplysia_native::plasticity! {
    rule decay {
        param tau = 20 ms;
        param unused = 1;
        plastic w;
        dw/dt = -w / tau;
    }
}

fn main() {}
