use super::codes;

codes! {
    UNUSED = "W0101", "something is never used",
        "A parameter, option or state that nothing uses is probably a slip.\n\
         \n\
         ```\n\
         param a = 1;   // and no a anywhere\n\
         ```\n\
         \n\
         Remove it, or use it.";
    NEVER_READ = "W0102", "a state is written and never read",
        "Nothing in the rule depends on the state.\n\
         \n\
         ```\n\
         state n = 0;\n\
         update { n = 1; }\n\
         ```\n\
         \n\
         Remove it, unless the host is to read it.";
    STEP_TOO_LONG = "W0103", "a time constant is shorter than the step",
        "A trace that decays within one step is hardly ever meant.\n\
         \n\
         ```\n\
         param tau = 0.1 ms;   // with a step of 1 ms\n\
         dx/dt = -x / tau;\n\
         ```\n\
         \n\
         Shorten the step, or lengthen the time constant.";
    TRACE_GROWS = "W0104", "a trace can only grow",
        "Spikes add to the state, and nothing lets it decay or resets it.\n\
         \n\
         ```\n\
         pre state x = 0;\n\
         on pre { x += 1; }\n\
         ```\n\
         \n\
         Give it an equation, or reset it.";
    NEVER_CHANGED = "W0105", "a rule reads a weight and never changes it",
        "The rule reads a plastic variable and neither proposes nor writes a change.\n\
         \n\
         ```\n\
         plastic w; post state y = 0;\n\
         update { y = mean[pre](w); }\n\
         ```\n\
         \n\
         Add to `dw`.";
    DOMAIN_TOO_LARGE = "W0106", "a state has more values than it needs",
        "The state has a value for each synapse, and all of them, or all those of a neuron, are the same.\n\
         \n\
         ```\n\
         synapse state n = 0;\n\
         update { n += 1; }\n\
         ```\n\
         \n\
         Declare it `state n`, `pre state n` or `post state n`: it is kept once, or once for each neuron, and takes no memory\n\
         for each synapse. Leave it where the host gives each synapse a value of its own.";
}
