//! A rule file that is not there.

aplysia_native::plasticity!(file = 3);

fn main() {}
