use super::codes;

codes! {
    BAD_DELAY = "E0841", "a delay that a group cannot have",
        "A group has an axonal delay, a dendritic delay, both or none. Each is one number, one for each neuron of its side \
(presynaptic for the axonal, postsynaptic for the dendritic one), or one for each synapse, and has a longest value, a \
finite number of milliseconds.";
    DELAY_NAME_TAKEN = "E0842", "a variable with the name of a delay",
        "The delays of a group are its parameters `delay.axonal` and `delay.dendritic`. A rule with a part `delay` that \
declares `axonal` or `dendritic` itself leaves no room for them: name the part otherwise where it is composed, \
`stdp + delay as other`.";
    DELAY_WITHOUT_SYNAPSE = "E0843", "a delay for each synapse where there is no synapse",
        "A delay for each synapse says when a neuron's value reaches each of its synapses. A reduction of neurons to one \
number for the group goes by no synapse, and the past of a value that has a delay for each synapse already is not \
kept for each synapse once more.\n\n```\npost state rate;\nupdate { dw -= 0.1 * mean[post](rate); }\n```\n\nHere the mean \
is over neurons. Give the group one delay, or one for each neuron.";
}
