use super::codes;

codes! {
    DIMENSION_MISMATCH = "E0401", "a dimension mismatch",
        "What is added, compared, assigned or chosen between has one dimension.\n\
         \n\
         ```\n\
         param tau = 20 ms; param a = 1;\n\
         update { x += tau + a; }\n\
         ```\n\
         \n\
         Give the declaration its unit, or divide by a quantity of the same dimension.";
    NOT_DIMENSIONLESS = "E0402", "a quantity where a plain number is needed",
        "Exponentials, logarithms, exponents and factors of `*=` are plain numbers.\n\
         \n\
         ```\n\
         param tau = 20 ms;\n\
         update { x += exp(tau); }\n\
         ```\n\
         \n\
         Divide by a quantity of the same dimension: `exp(-dt / tau)`.";
    DIMENSION_POWER = "E0404", "a power whose dimension is not known",
        "A quantity with a dimension can only be raised to a constant.\n\
         \n\
         ```\n\
         param tau = 20 ms; param k = 2;\n\
         update { x += tau^k; }\n\
         ```\n\
         \n\
         Divide the base by a quantity of the same dimension.";
    DIMENSION_TOO_LARGE = "E0405", "exponents of a dimension grow too large",
        "Dimensions have small rational exponents.\n\
         \n\
         ```\n\
         x = (1 ms)^1000000000;\n\
         ```\n\
         \n\
         Check the exponents.";
}
