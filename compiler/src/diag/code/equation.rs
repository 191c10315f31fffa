use super::codes;

codes! {
    EQUATION_TARGET = "E0701", "an equation of something that has none",
        "States and plastic variables have equations; `int` states, parameters, inputs, outputs and externs have not.\n\
         \n\
         ```\n\
         param a = 1;\n\
         da/dt = -a / 10 ms;\n\
         ```\n\
         \n\
         Declare a state.";
    EQUATION_TWICE = "E0702", "two equations of one variable",
        "A variable has one equation in a rule.\n\
         \n\
         ```\n\
         dx/dt = -x / tau;\n\
         dx/dt = 1 / tau;\n\
         ```\n\
         \n\
         Add the right-hand sides.";
    EQUATION_DRAW = "E0703", "a draw in an equation",
        "Equations are deterministic; noise is a statement that scales with the root of the step.\n\
         \n\
         ```\n\
         dx/dt = normal(0, 1) / tau;\n\
         ```\n\
         \n\
         Write `update { x += sigma * sqrt(dt) * normal(0, 1); }`.";
    UNKNOWN_SOLVER = "E0704", "an unknown solver",
        "Solvers are `euler`, `rk4` and `exponential_euler`; without one, linear equations are solved exactly.\n\
         \n\
         ```\n\
         solver heun;\n\
         ```\n\
         \n\
         Use one of the three.";
}
