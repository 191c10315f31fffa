use super::codes;

codes! {
    IMPORT_NOT_FOUND = "E0501", "an imported file does not exist",
        "A `use` names a file that is not there, or a shipped rule that does not exist. The path of a file is relative \
        to the file that imports it.\n\n```\nuse \"rules/no_such_file.rule\";\nuse std::no_such_rule;\n```\n\nCorrect \
        the name; `aplysia list` prints the shipped rules.";
    IMPORT_OUTSIDE = "E0502", "an import leaves the allowed folder",
        "Files may be imported only from inside the folder that the host allows, so that a rule from elsewhere cannot \
        read other files of the machine.\n\n```\nuse \"../../elsewhere/secret.rule\";\n```\n\nMove the file, or start \
        from a folder that holds both.";
    IMPORT_TOO_LARGE = "E0503", "too many or too large imports",
        "One compilation reads at most 256 files and 16 MiB of text.\n\n```\nuse \"a_recorded_weight_matrix.rule\";\n\
        ```\n\nImport fewer files, or give data to the rule as parameters and inputs.";
    IMPORT_UNREADABLE = "E0504", "an import cannot be read",
        "The file exists but could not be read: it may be a folder, lack permissions or not be UTF-8 text.\n\n```\n\
        use \"a_folder\";\n```\n\nThe message holds what the host said.";
    IMPORT_CYCLE = "E0505", "files import each other",
        "A file imports, over any number of steps, itself.\n\n```\n// a.rule\nuse \"b.rule\";\n// b.rule\nuse \
        \"a.rule\";\n```\n\nPut what both need in a third file.";
    RULE_TWICE = "E0506", "a rule's name is used twice",
        "Two rules that one file can see have one name: two rules of the file, a rule and an import, or two imports.\n\n\
        ```\nrule decay { … }\nrule decay { … }\n```\n\nRename one of them. A shipped rule can be used without `use`, as \
        `std::NAME`.";
    UNKNOWN_RULE = "E0507", "no rule of this name",
        "A composition, or the host, names a rule that the file neither declares nor imports.\n\n```\nrule r = sdtp + \
        dale;\n```\n\nCorrect the name or add a `use`.";
    RULE_CYCLE = "E0508", "a rule is composed of itself",
        "A composition contains, over any number of steps, itself.\n\n```\nrule a = b + dale;\nrule b = a;\n```\n\n\
        Remove the part.";
    TOO_MANY_PARTS = "E0509", "a composition is too large",
        "A composition may have, all nested ones counted, 256 parts and be nested 64 deep.";
    PART_TWICE = "E0510", "two parts have one name",
        "Every part of a composition needs a name of its own, because its parameters and states are addressed by it.\n\n\
        ```\nrule layer = hebbian + adam + adam(w = b);\n```\n\nName one of them: `adam(w = b) as adam_b`.";
    UNKNOWN_ARGUMENT = "E0511", "a part has nothing of this name to set",
        "An argument of a part sets a parameter's default, chooses the value of an option, renames a plastic variable, \
        an input or an output, or points an `extern` at a state. States and constants cannot be set.\n\n```\nrule r = \
        stdp(a_pluss = 0.02);\n```";
    AMBIGUOUS_ARGUMENT = "E0512", "several parts have something of this name",
        "An argument of a composition reaches into its parts. Where several have a parameter or an option of one name, \
        say which is meant.\n\n```\nrule both = stdp + istdp;\nrule r = both(lr = 0.1);\n```\n\nWrite `both(istdp.lr = \
        0.1)`.";
    ARGUMENT_TWICE = "E0513", "an argument is given twice",
        "One part gives two values to one name.\n\n```\nrule r = stdp(a_plus = 0.1, a_plus = 0.2);\n```";
    ARGUMENT_FORM = "E0514", "an argument has the wrong form",
        "An option takes one of its values, a rename a new name, an `extern` the address of a state, a parameter a \
        constant expression or the name of a parameter of the composition.\n\n```\nrule r = stdp(w = 2);\n```\n\nWrite \
        `stdp(w = b)` to rename `w`.";
    OPTION_VALUE = "E0515", "an option has no such value",
        "The value is not among those that the option's declaration lists.\n\n```\nrule a { option bound in {none, hard} \
        = none; … }\nrule r = a(bound = soft);\n```";
    COMPOSITION_DECLARATION = "E0516", "a declaration that a composition cannot hold",
        "The braces of a composition may declare parameters, which its parts then share, and constants. All else \
        belongs to a rule with a body.\n\n```\nrule r = { state x; } stdp + dale;\n```\n\nWrite a rule that declares it, \
        and add that rule as a part.";
    SHARED_DISAGREE = "E0517", "two parts disagree about a variable they share",
        "Plastic variables, inputs and outputs of one name are one variable, so kind, domain, unit, length and batch \
        must agree. A domain that a part does not state follows the others.\n\n```\nrule a { pre input v; … }\nrule b { \
        post input v; … }\nrule r = a + b;\n```\n\nRename one: `b(v = u)`.";
    SHARED_VALUES = "E0518", "two parts give different ranges or initial values",
        "Ranges and initial values of a shared variable must be equal or stated by one part only. Two ranges that read \
        parameters are equal only where they read the very same parameters.\n\n```\nrule a { plastic w in 0 .. 1; … }\n\
        rule b { plastic w in 0 .. 2; … }\nrule r = a + b;\n```\n\nDrop the range from one of them, or share the \
        parameters.";
    APPLIED_TWICE = "E0519", "two parts apply one plastic variable",
        "The stage `apply` turns the proposal into the new value; only one rule can do that for one variable.\n\n```\n\
        rule r = hebbian + adam + sgd;\n```\n\nRemove one, or rename the variable that one of them applies.";
    SCHEDULE_TWICE = "E0520", "two parts say when to apply",
        "`apply every …;` and `apply on call …;` hold for the whole composition, so only one may be said.\n\n```\nrule a \
        { apply every 10 steps; … }\nrule b { apply on call learn; … }\nrule r = a + b;\n```";
    BATCH_TWICE = "E0521", "two parts combine the batch differently",
        "`batch sum;` and `batch mean;` hold for the whole composition, so the parts must agree.\n\n```\nrule a { batch \
        sum; … }\nrule b { batch mean; … }\nrule r = a + b;\n```";
    EXTERN_MISSING = "E0522", "no part declares the state of an extern",
        "An `extern` is a state that another rule of the same composition declares. None of them does.\n\n```\nrule \
        crystallize { extern synapse eta; … }\nrule r = crystallize;\n```\n\nCompose it with a rule that declares the \
        state, or point it at one: `crystallize(eta = other.name)`.";
    EXTERN_AMBIGUOUS = "E0523", "several parts declare the state of an extern",
        "More than one part declares a state of the extern's name.\n\n```\nrule r = fuzzy_lr as a + fuzzy_lr as b + \
        crystallize;\n```\n\nSay which is meant: `crystallize(eta = a.eta)`.";
    EXTERN_MISMATCH = "E0524", "an extern does not fit its state",
        "Domain, batch, length, unit and type of an `extern` must be those of the state it stands for.\n\n```\nrule a { \
        post state eta; … }\nrule b { extern synapse eta; … }\nrule r = a + b;\n```";
    PARAMETER_MISMATCH = "E0525", "a shared parameter does not fit a part",
        "A parameter of the composition takes the place of a part's parameter, so domain, length, unit and type must be \
        the same, and ranges equal or stated once.\n\n```\nrule r = { param tau = 20; } stdp(tau_plus = tau);\n```\n\n\
        Here `tau` is dimensionless, but `tau_plus` is a time: write `param tau = 20 ms;`.";
    RENAME_COLLISION = "E0526", "a rename makes two variables one",
        "After the renames of a part, two of its own variables would have one name.\n\n```\nrule a { plastic w; plastic \
        b; … }\nrule r = a(w = b);\n```";
    CREATION_CYCLE = "E0527", "initial values depend on each other",
        "After composing, the initial values of some variables need each other, so that there is no order in which to \
        compute them.\n\n```\nrule a { plastic v; plastic w = v; }\nrule b { plastic w; plastic v = w; }\nrule r = a + \
        b;\n```";
}
