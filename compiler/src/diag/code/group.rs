use super::codes;

codes! {
    UNKNOWN_GROUP = "E0801", "a group of another engine",
        "A group's handle was used with an engine that did not give it.\n\nEvery handle belongs to the engine whose \
`register` returned it. Keep engines and their handles together.";
    UNKNOWN_IN_GROUP = "E0802", "a name that the group does not have",
        "A state, input, parameter, draw or call was asked for by a name that the group's rule does not declare.\n\n\
Names are the ones of the rule text: `w`, or `stdp.x` with the part that declares it. The message lists the nearest \
name.";
    AMBIGUOUS_IN_GROUP = "E0803", "a name that several parts declare",
        "Parameters and states are private to their part of a composed rule. A short name is enough only where one part \
has it; write the full address, `stdp.tau`, where several do.";
    WRONG_KIND_HERE = "E0804", "an operation that this kind of variable does not have",
        "Parameters are set with `set_param`, inputs with `set_input`, states and plastic variables with `write`; outputs \
are only read.";
    WRONG_SHAPE = "E0805", "an array of the wrong shape",
        "An array given to a group does not have the shape of its variable.\n\nIn a dense group a `pre` value has shape \
`[n_pre]`, a `post` value `[n_post]`, a `synapse` value `[n_pre, n_post]`, a `global` value none; an array `x[N]` \
adds `N` as its last axis, a batch its size as the first axis of batched values. Synapses are `[n]` one-to-one, `[nnz]` in \
a sparse group, `[out, in / groups, kh, kw]` in a convolution and `[out, oh * ow, in / groups * kh * kw]` without sharing, \
where neurons are `[in, h, w]` and `[out, oh, ow]`. A single number fits every shape.";
    NOT_A_NUMBER = "E0806", "a NaN among values given by the host",
        "Parameters, initial values and written states refuse NaN, because it would spread silently through every \
weight that it touches. Step inputs are looked at only after `check_inputs(true)`.";
    OUT_OF_RANGE = "E0807", "a value outside its declared range",
        "`param a = 1 in 0 .. 2;` is checked whenever the parameter is set. Give a value inside the range, or widen the \
range in the rule.";
    MISSING_PARAMETER = "E0808", "a parameter without a value",
        "A parameter that is declared without a default must be given when the group is registered: \
`.param(\"alpha\", 0.2)`.";
    MISSING_INPUT = "E0809", "an input without a value",
        "An `input` without a default must be given before the first step, with `set_input` (it is then held) or as a \
series of a run.";
    EVENT_INDEX = "E0810", "an event of a neuron that does not exist",
        "Event lists hold indices of neurons, counted from 0, each below the number of neurons of its side.";
    EVENT_ORDER = "E0811", "events out of order",
        "Event lists are ascending and name each neuron once in a step; with a batch they are sorted by batch element, then by \
neuron. Sort the list and remove duplicates.";
    NOT_SUPPORTED_HERE = "E0812", "not supported here",
        "The language has this, but this device or topology does not carry it out yet. The message says what and where.";
    WRONG_TYPE = "E0813", "values of the wrong type",
        "An `int` state takes whole numbers only, and a value is read as a type that holds it exactly: f32 groups as f32 \
or f64, f64 groups as f64, `int` states as i64 or f64.";
    CALLED_TOO_OFTEN = "E0814", "a call made too often between two steps",
        "The random numbers of a call depend on the step and on how often the call has run in it, up to 256 times. Step \
the engine in between, or put the repetition into the rule.";
    GROUP_TWICE = "E0815", "a group named twice in one step",
        "A step takes the events of each group once. Merge the two lists.";
    NO_MEMORY = "E0816", "not enough memory",
        "The arrays of the group do not fit into memory, or their size does not fit into an index.";
    BAD_PERIOD = "E0817", "a period that is not a number",
        "The period of an `every` block must be a number; with the present parameters it is a NaN.";
    MISSING_RULE = "E0818", "a group without a rule",
        "Every group follows a rule: `Group::dense(n_pre, n_post).rule(&rule)`.";
    BAD_STEP_LENGTH = "E0819", "a step of no length",
        "`dt` must be a positive, finite number of milliseconds: `.dt(ms(1.0))`.";
    BAD_DEVICE = "E0820", "a device that cannot be used",
        "The device could not be opened: its threads could not be started, or it cannot run the kernels of the rule.";
    FILE_ERROR = "E0821", "a file that cannot be read or written",
        "The operating system refused to read or write a file; its reason is in the message.";
    NOT_A_CHECKPOINT = "E0822", "not a checkpoint",
        "The file does not begin like a checkpoint of this program.";
    CHECKPOINT_VERSION = "E0823", "a checkpoint of another version",
        "The layout of checkpoints changed since the file was written. Use the version that wrote it.";
    CHECKPOINT_DAMAGED = "E0824", "a damaged checkpoint",
        "The file is cut off or its checksum does not fit: it was changed or not written to its end.";
    CHECKPOINT_MISMATCH = "E0825", "a checkpoint of other groups",
        "A checkpoint restores an engine whose groups were registered as when it was saved: the same rules, sizes, \
precision and step length, in the same order.";
    UNKNOWN_SHIPPED_RULE = "E0826", "a shipped rule that does not exist",
        "`Rule::shipped` and `use std::NAME;` know the rules of the library only; `aplysia list` prints them.";
    RECORDING = "E0827", "a recording that does not exist",
        "A recorder's handle belongs to the engine that gave it, and a recording holds the variables that were named.";
    BAD_SYNAPSES = "E0829", "a list of synapses that cannot be used",
        "A sparse group is given in rows (CSR): `indptr` has one entry for each presynaptic neuron and one more, begins \
with 0, never goes down, and ends at the number of synapses; `indices[indptr[i] .. indptr[i + 1]]` are the postsynaptic \
neurons of neuron i, strictly ascending. Lists in any order are given with `Group::from_coo(n_pre, n_post, &rows, \
&columns)`; there each synapse may stand once.";
    BAD_CONVOLUTION = "E0830", "a convolution that cannot be",
        "Sizes, strides, dilations and groups are at least 1, the kernel with its dilation fits into the image with its \
padding, and the groups divide the input and the output channels.";
    BAD_CONNECTIVITY = "E0831", "random connections that cannot be",
        "A probability is a number from 0 to 1, and a neuron has at most as many partners as there are neurons on the other \
side (one less without autapses).";
    BAD_BATCH = "E0832", "a batch that cannot be",
        "A group's batch is how many patterns are presented at once: at least 1.";
    EVENT_ELEMENT = "E0833", "an event without a batch element that exists",
        "The events of a group with a batch are pairs of a batch element, counted from 0, and a neuron: \
`Events::new().pre_batched(&[(0, 3), (2, 17)])`, or `pre.spike.batch` beside `pre.spike.step` and `pre.spike.index` in a \
file.";
    EVENT_STEP = "E0828", "an event after the end of the run",
        "The steps of an event list are counted from 0 within the run, and each is below its number of steps.";
}
