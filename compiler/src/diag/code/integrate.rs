use super::codes;

codes! {
    NO_EXACT_STEP = "E0750", "an equation has no exact step",
        "An equation is solved exactly where it is linear in its own variable, or one of a coupled linear system with \
         global coefficients whose members are all solved exactly. Nothing silently falls back to an approximation.\n\
         \n\
         ```\n\
         post state theta;\n\
         dtheta/dt = (theta^2 - theta) / 10 ms;\n\
         ```\n\
         \n\
         Say which approximation you want: `solver euler;`, `solver rk4;` or `solver exponential_euler;` take any \
         right-hand side.";
    COUPLED_COEFFICIENTS = "E0751", "a coupled system has coefficients that are not global",
        "Equations that read each other's variables are solved exactly by a propagator that is computed once, when a \
         parameter changes. That needs coefficients made of literals, constants and global parameters only.\n\
         \n\
         ```\n\
         post param tau: ms;\n\
         post state a;\n\
         post state b;\n\
         da/dt = -a / tau;\n\
         db/dt = (a - b) / tau;\n\
         ```\n\
         \n\
         Make the coefficients global, or choose a solver: `solver rk4;`.";
    COUPLED_TOO_MANY = "E0752", "a coupled system is too large for an exact step",
        "The propagator of a coupled linear system of n equations has n² numbers; up to 8 equations are solved exactly.\n\
         \n\
         ```\n\
         state x[9];\n\
         for k in 0 .. 8 { dx[k]/dt = (x[k + 1] - x[k]) / 10 ms; }\n\
         dx[8]/dt = -x[8] / 10 ms;\n\
         ```\n\
         \n\
         Choose a solver: `solver rk4;`.";
}
