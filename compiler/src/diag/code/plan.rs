use super::codes;

codes! {
    NOT_ON_TOPOLOGY = "E0901", "not supported on this kind of group",
"The rule is right, but uses something that this version does not carry out on the group's topology. The message
names it. `aplysia explain` shows what would run.

```rule
rule late {
    plastic w;
    on pre after 2 ms { dw += 0.1; }
}
```

Delays are checked, but not yet carried out: write `on pre { … }` instead.";
    NO_CLOSED_FORM = "E0902", "no closed form",
"The plan `closed_form` was asked for: rows of synapses are left alone until their presynaptic neuron spikes, and then take
all that they have missed in one step. That needs a rule whose synapses, while that neuron is silent, change by global
factors and by terms that are products of a decaying presynaptic trace and a postsynaptic value; with bounds, only by terms of one
sign. The message says what stands in the way.

```rule
rule soft {
    plastic w in 0 .. 1;
    pre state x;
    dx/dt = -x / 20 ms;
    on pre { x += 1; }
    on post { dw += 0.01 * (1 - w) * x; }
}
```

Here the factor of `w` depends on `x`. Leave the plan to the compiler, which has others that are equal to the bit.";
}
