use super::codes;

codes! {
    RESERVED_NAME = "E0201", "a built-in name is declared",
        "The built-in values (`t step pi inf`) and the built-in functions keep their meaning everywhere.\n\
         \n\
         ```\n\
         param step = 2;\n\
         ```\n\
         \n\
         Choose another name.";
    DUPLICATE_NAME = "E0202", "a name is declared twice",
        "A name means one thing in a rule.\n\
         \n\
         ```\n\
         param a = 1;\n\
         state a = 0;\n\
         ```\n\
         \n\
         Rename one of the two.";
    UNKNOWN_NAME = "E0203", "an unknown name",
        "A value has to be declared in the rule, in its file, or be built in.\n\
         \n\
         ```\n\
         update { x += alpha; }   // no alpha is declared\n\
         ```\n\
         \n\
         Correct the name, or declare it.";
    UNKNOWN_FUNCTION = "E0204", "an unknown function",
        "A name before `(` is a function: a built-in one, or one declared with `fn`.\n\
         \n\
         ```\n\
         update { x += exponent(1); }\n\
         ```\n\
         \n\
         Correct the name, or declare the function.";
    ARGUMENT_COUNT = "E0205", "a wrong number of arguments",
        "Each function takes a fixed number of arguments.\n\
         \n\
         ```\n\
         update { x += exp(1, 2); }\n\
         ```\n\
         \n\
         Give as many arguments as the function takes.";
    SHADOWED = "E0206", "a local name shadows another",
        "A `let` or a loop cannot take a name that is declared already.\n\
         \n\
         ```\n\
         param a = 1;\n\
         update { let a = 2; }\n\
         ```\n\
         \n\
         Choose another name for the local.";
    PROPOSAL_NAME = "E0207", "the name of a proposal is declared",
        "A plastic variable `w` declares `dw`, its proposed change; nothing else can be called so.\n\
         \n\
         ```\n\
         plastic w;\n\
         state dw = 0;\n\
         ```\n\
         \n\
         Choose another name.";
    BAD_DECLARATION = "E0208", "a declaration that does not fit together",
        "A declaration has one kind, at most one domain, and only the parts that its kind has.\n\
         \n\
         ```\n\
         post pre state x = 0;\n\
         ```\n\
         \n\
         Remove what does not belong to the kind; the language reference lists the kinds.";
    NOT_A_VALUE = "E0209", "something that is no value is used as one",
        "An option is used in `match` only, and an array stands only behind `=` of its declaration.\n\
         \n\
         ```\n\
         option kind in {a, b} = a;\n\
         update { x += kind; }\n\
         ```\n\
         \n\
         Write `match kind { a => …, b => … }`.";
    ARRAY_INDEX = "E0210", "an index that does not fit",
        "An array needs an index inside its length; what is no array has none.\n\
         \n\
         ```\n\
         state u[4] = 0;\n\
         update { u[4] = 1; }\n\
         ```\n\
         \n\
         Indices go from 0 to the length minus 1.";
    ARRAY_LENGTH = "E0211", "a length that does not fit",
        "An array has a constant length, and as many initial values as elements, or one for all.\n\
         \n\
         ```\n\
         const c[3] = [1, 2];\n\
         ```\n\
         \n\
         Give the missing elements, or correct the length.";
    DECLARATION_LIMIT = "E0212", "too many declarations",
        "The number of declarations of one rule is limited.\n\
         \n\
         ```\n\
         rule r { state a; state b; … }\n\
         ```\n\
         \n\
         Use arrays, or split the rule.";
    NOT_WRITABLE = "E0213", "something that cannot be written",
        "Parameters, inputs, constants, options, locals and built-in values are not written by a rule.\n\
         \n\
         ```\n\
         param a = 1;\n\
         update { a = 2; }\n\
         ```\n\
         \n\
         Declare a state for what changes.";
}
