use super::codes;

codes! {
    NARROWER_VALUE = "E0301", "a value lives narrower than its target",
        "A statement runs once per element of its target's domain, so its value must be known there.\n\
         \n\
         ```\n\
         global state n = 0;\n\
         update { n += pre.spike; }\n\
         ```\n\
         \n\
         Reduce the value: `n += sum[pre](pre.spike);`.";
    NARROWER_CONDITION = "E0302", "a condition lives narrower than the target",
        "An `if` around a statement may not live narrower than the target of the statement.\n\
         \n\
         ```\n\
         global state n = 0;\n\
         on pre { n += 1; }\n\
         ```\n\
         \n\
         Move the condition into a reduction: `update { n += count[pre](pre.spike); }`.";
    REDUCTION = "E0303", "a reduction that does not exist",
        "A reduction takes one axis away, which its value must have.\n\
         \n\
         ```\n\
         post state y = 0; global state n = 0;\n\
         update { n = sum[pre](y); }\n\
         ```\n\
         \n\
         Reduce over an axis that the value has: `sum[post](y)`.";
    STAGE_READ = "E0304", "something is read where it cannot be",
        "The proposal is read in `modulate` and `apply` only, outputs in `on pre`, `on post` and `update` only.\n\
         \n\
         ```\n\
         plastic w; synapse state c = 0;\n\
         update { c += dw; }\n\
         ```\n\
         \n\
         Move the statement to a stage that may read it.";
    STAGE_WRITE = "E0305", "something is written where it cannot be",
        "Each stage may write some kinds of variables only.\n\
         \n\
         ```\n\
         plastic w;\n\
         update { w += 1; }\n\
         ```\n\
         \n\
         Propose a change, `dw += 1;`, or write in another stage.";
    PROPOSAL_ADDS = "E0306", "a proposal is overwritten",
        "During the proposals `dw` can only be added to, since the proposals of all rules add up.\n\
         \n\
         ```\n\
         plastic w;\n\
         update { dw = 1; }\n\
         ```\n\
         \n\
         Use `+=` or `-=`, or rewrite the sum in `modulate`.";
    STAGE_SPIKE = "E0307", "a spike where there is none",
        "`modulate` and `apply` may use spikes only inside a reduction; constraints, creation, calls and schedules have none.\n\
         \n\
         ```\n\
         plastic w;\n\
         constrain { w *= pre.spike; }\n\
         ```\n\
         \n\
         Keep what the spike means in a state.";
    STAGE_DRAW = "E0308", "a draw where none is allowed",
        "Only statements of `on pre`, `on post`, `update`, `modulate`, `apply`, `on create`, `on call` and `every`, and initial values, draw.\n\
         \n\
         ```\n\
         plastic w;\n\
         constrain { w = normal(0, 1); }\n\
         ```\n\
         \n\
         Draw elsewhere and keep the value in a state.";
    DRAW_DOMAIN = "E0309", "a draw without a domain",
        "A draw has one value per element of its statement's target. A `let` has no target, and an `if` may have several.\n\
         \n\
         ```\n\
         update { let z = normal(0, 1); }\n\
         ```\n\
         \n\
         Name the domain: `normal[synapse](0, 1)`.";
    DRAW_PARAMETER = "E0310", "a parameter of a draw lives narrower than the draw",
        "The parameters of a draw must be known where it is drawn.\n\
         \n\
         ```\n\
         plastic w; post state y = 0;\n\
         update { y += normal[global](y, 1); }\n\
         ```\n\
         \n\
         Reduce the parameter, or draw for each of its elements.";
    BATCHED_VALUE = "E0311", "a batched value meets a shared target",
        "What is shared by the batch can be changed by a batched value only by `+=` and `-=` of a proposal or a state, in `on pre`, `on post` and `update`.\n\
         \n\
         ```\n\
         post state y = 0; synapse state c = 0;\n\
         update { c = y; }\n\
         ```\n\
         \n\
         Reduce with `mean[batch](…)`, or declare the target `batched`.";
    PAST = "E0312", "a past that cannot be kept",
        "`past` keeps pre and post values for as long as the delay's declared range says.\n\
         \n\
         ```\n\
         param d = 5 ms; post state y = 0;\n\
         update { y += past(pre.spike, d); }\n\
         ```\n\
         \n\
         Declare the delay in a constant range: `param d in 0 ms .. 20 ms = 5 ms;`.";
    INTEGER_STATE = "E0313", "a real number for an int state",
        "A state declared `: int` counts exactly, and a real number would be rounded.\n\
         \n\
         ```\n\
         global state n: int;\n\
         update { n += 0.5; }\n\
         ```\n\
         \n\
         Use whole literals and counts, or drop `: int`.";
    INITIAL_READS = "E0314", "an initial value reads what is not there yet",
        "Initial values are computed in the order written, and read parameters, constants and what stands before them.\n\
         \n\
         ```\n\
         state a = b; state b = 1;\n\
         ```\n\
         \n\
         Change the order.";
    SETTING = "E0315", "a setting that does not fit",
        "A rule says `solver`, `batch` and `apply` at most once each; `batch` is `sum` or `mean`.\n\
         \n\
         ```\n\
         batch sum; batch mean;\n\
         ```\n\
         \n\
         Keep one.";
    EMPTY_RANGE = "E0316", "a range that holds nothing, or not its default",
        "The lower end of a range is at most the upper end, and a default lies within it.\n\
         \n\
         ```\n\
         param a in 0 .. 1 = 2;\n\
         ```\n\
         \n\
         Correct the range or the default.";
}
