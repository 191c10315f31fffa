use super::codes;

codes! {
    NOT_CONSTANT = "E0601", "something that must be constant is not",
        "Defaults, lengths, indices, loops and block sizes are known at compile time; ranges of plastic variables and periods read global parameters besides.\n\
         \n\
         ```\n\
         param n = 4;\n\
         state u[n] = 0;\n\
         ```\n\
         \n\
         Declare a `const`.";
    RECURSION = "E0602", "a definition that needs itself",
        "Functions are inlined and constants folded, so neither can refer to itself.\n\
         \n\
         ```\n\
         fn f(x) = f(x - 1);\n\
         ```\n\
         \n\
         Write the value out, or unroll with `for`.";
    EXPRESSION_LIMIT = "E0603", "a rule grows too large",
        "The number and the depth of expressions after inlining is limited.\n\
         \n\
         ```\n\
         fn f0(x) = x + x; fn f1(x) = f0(x) + f0(x); …\n\
         ```\n\
         \n\
         Keep intermediate values in a `let` or a state.";
    UNKNOWN_OPTION_VALUE = "E0604", "a value that the option does not have",
        "An option is one of the values that it lists.\n\
         \n\
         ```\n\
         option bound in {none, hard} = soft;\n\
         ```\n\
         \n\
         Use one of the listed values.";
    MATCH_CASES = "E0605", "the cases of a match",
        "A `match` has exactly one case for each value of its option.\n\
         \n\
         ```\n\
         option kind in {a, b} = a;\n\
         update { x += match kind { a => 1 }; }\n\
         ```\n\
         \n\
         Add the missing cases, or remove the doubled ones.";
    MATCH_NOT_OPTION = "E0606", "a match of something that is no option",
        "`match` chooses at compile time, so it needs an option, or an argument that is one.\n\
         \n\
         ```\n\
         param k = 1;\n\
         update { x += match k { a => 1 }; }\n\
         ```\n\
         \n\
         Declare an option, or use `if`.";
    FUNCTION_READS = "E0607", "a function reads what is not its argument",
        "Functions see their arguments, constants and built-in values only.\n\
         \n\
         ```\n\
         param a = 1;\n\
         fn f(x) = x * a;\n\
         ```\n\
         \n\
         Make it an argument.";
    STATEMENT_LIMIT = "E0608", "too many statements",
        "The number of statements, and of turns of loops, is limited.\n\
         \n\
         ```\n\
         for k in 0 .. 1000000 { … }\n\
         ```\n\
         \n\
         Shorten the loop.";
}
