//! All errors come at once, and the names of the rule are known all the same.

aplysia_native::plasticity! {
    rule wrong {
        param a_plus = 0.01;
        param tau = 20 ms;
        plastic w in 0 .. 1;
        pre state x;
        dx/dt = -x / taus;
        on pre { x += a_plus + tau; }
        on post { dw += x2; }
    }
}

fn main() {
    let params = wrong::Params { a_plus: 0.02, ..Default::default() };
    let group = wrong::Group::dense(2, 2, params);
    let _ = group.w();
}
