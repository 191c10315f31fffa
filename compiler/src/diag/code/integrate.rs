use super::codes;

codes! {
    NO_EXACT_STEP = "E0750", "an equation has no exact step",
    "An equation is solved exactly where it is linear in its own variable, or one of a coupled linear system with \
global coefficients. Nothing silently falls back to an approximation: say which one you want.\n\n\
```\nrule bcm {\n    post state theta;\n    dtheta/dt = theta^2 - theta;    // not linear in theta\n    solver euler;\n}\n```\n\n\
`euler`, `rk4` and `exponential_euler` take any right-hand side.";
    COUPLED_COEFFICIENTS = "E0751", "a coupled system has coefficients that are not global",
    "Equations that read each other's variables are solved exactly by a propagator that is computed once, when a \
parameter changes. That needs coefficients made of literals, constants and global parameters only. Make them so, or \
choose a solver: `solver rk4;`.";
    COUPLED_TOO_MANY = "E0752", "a coupled system is too large for an exact step",
    "The propagator of a coupled linear system of n equations has n² numbers; up to 8 equations are solved exactly. \
Choose a solver for larger ones: `solver rk4;`.";
}
