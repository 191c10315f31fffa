//! Codes of the text itself: characters, brackets, words, and what stands where.

use super::codes;

codes! {
    SOURCE_TOO_LARGE = "E0101", "text too large", r##"A rule text may hold at most 1 MiB. The limit keeps the time and memory of a compilation bounded, whoever
wrote the text.

```rule
// more than 1 MiB of text
```

Split the text into several files and import them with `use "other.rule";`. Data, such as weights or spike times,
do not belong into a rule: give them to the group as inputs or initial values.
"##;
    UNKNOWN_CHARACTER = "E0102", "unknown character", r##"The text contains a character that is part of no name, number or operator. Signs of printed mathematics,
superscripts and subscripts are common examples.

```rule
rule r {
    plastic w;
    update { dw += 2 × w²; }
}
```

Write what the language has for it:

```rule
rule r {
    plastic w;
    update { dw += 2 * w^2; }
}
```

Greek letters are letters, so `τ` and `θ` may be used in names.
"##;
    UNTERMINATED_COMMENT = "E0103", "comment without an end", r##"A comment that begins with `/*` reaches to its own `*/`. Comments nest: each `/*` within needs a `*/` of its own.

```rule
/* a note
rule r { }
```

Close the comment:

```rule
/* a note */
rule r { }
```
"##;
    UNTERMINATED_STRING = "E0104", "string without an end", r##"A string begins and ends with `"` on one line.

```rule
use "rules/stdp.rule;
```

Close it:

```rule
use "rules/stdp.rule";
```
"##;
    MALFORMED_NUMBER = "E0105", "malformed number", r##"A number has at least one digit on each side of its point, so that the same text is a number for Rust's macros too.

```rule
rule r {
    param a = .5;
    param b = 5.;
}
```

Write the digits:

```rule
rule r {
    param a = 0.5;
    param b = 5.0;
}
```
"##;
    UNMATCHED_BRACKET = "E0106", "unmatched bracket", r##"Every `(`, `[` and `{` needs its `)`, `]` or `}`, properly nested. The rest of the text is not looked at, because
nobody can know where the block was meant to end.

```rule
rule r {
    update { x += (1; }
}
```

Close what is open:

```rule
rule r {
    state x;
    update { x += (1); }
}
```
"##;
    NESTED_TOO_DEEP = "E0107", "nested too deep", r##"Brackets of all kinds and conditions (`if if a { b } else { c } { d }` is two deep where `a` stands), and comments within
comments, may be nested at most 64 deep. The limit keeps the compiler safe from texts that are made to exhaust its stack.

```rule
const k = ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))
    ))))))))))))))))))))))))))));
```

Give inner parts names with `let`, `const` or `fn`.
"##;
    CHAIN_TOO_LONG = "E0108", "chain too long", r##"At most 256 operators may follow each other in one expression without brackets, and at most 64 branches in one
chain of `else if`.

```rule
// 1 + 1 + 1 + … with more than 256 operators
```

Split the expression with `let`, or use an array and `for`.
"##;
    EXPRESSION_TOO_DEEP = "E0109", "expression too deep", r##"The tree of one expression may be at most 384 operations deep, brackets, calls and operator chains counted together.

```rule
// 1 + 1 + … (1 + 1 + … (…)) with long chains inside each other
```

Give inner parts names with `let`.
"##;
    MISSING_SEMICOLON = "E0110", "missing semicolon", r##"Every declaration, equation and simple statement ends with `;`.

```rule
rule r {
    param a = 1
    param b = 2;
}
```

Add it:

```rule
rule r {
    param a = 1;
    param b = 2;
}
```
"##;
    EXPECTED_EXPRESSION = "E0111", "expression expected", r##"A value is missing where the grammar needs one: behind `=` or an operator, or between brackets.

```rule
rule r {
    param a = ;
}
```

Give the value:

```rule
rule r {
    param a = 1;
}
```
"##;
    UNKNOWN_UNIT = "E0112", "unknown unit", r##"A word directly behind a number is its unit, and a word behind `:` in a declaration is the unit of the name. The units
are `s ms us µs Hz kHz V mV uV A nA pA S nS F nF pF Ohm MOhm`; a declaration also takes `int` and products such as
`1/ms` and `mV^2`.

```rule
rule r {
    param tau = 20 msec;
}
```

Use one of the units. A product of a number and a name needs `*`:

```rule
rule r {
    param tau = 20 ms;
}
```
"##;
    RESERVED_WORD = "E0113", "reserved word", r##"The words of the grammar and the keywords of Rust cannot be names, because the same text may stand in a `.rule` file and
in `plasticity! { … }`.

```rule
rule r {
    param type = 1;
}
```

Choose another name:

```rule
rule r {
    param kind = 1;
}
```
"##;
    COMPARISON_CHAIN = "E0114", "chained comparison", r##"A comparison gives 0 or 1, so `a < b < c` would compare 0 or 1 with `c`. It is refused.

```rule
rule r {
    plastic w;
    update { if 0 < w < 1 { dw += 1; } }
}
```

Compare twice:

```rule
rule r {
    plastic w;
    update { if 0 < w && w < 1 { dw += 1; } }
}
```
"##;
    WRONG_OPERATOR = "E0115", "operator of another language", r##"An operator of Python, C or another language stands where the rule language has another one:

| instead of | write |
| --- | --- |
| `a ** b` | `a ^ b` |
| `a and b`, `a & b` | `a && b` |
| `a or b`, `a \| b` | `a \|\| b` |
| `not a` | `!a` |
| `x := a` | `x = a` |
| `x++`, `x--` | `x += 1`, `x -= 1` |
| `if x = 0` | `if x == 0` |
| `c ? a : b`, `a if c else b` | `if c { a } else { b }` |

```rule
rule r {
    plastic w;
    update { dw += w ** 2; }
}
```

Here:

```rule
rule r {
    plastic w;
    update { dw += w ^ 2; }
}
```
"##;
    STATEMENT_OUTSIDE_BLOCK = "E0116", "statement outside a block", r##"Statements change values, and a rule has to say when: they stand in a block such as `on pre { … }`, `update { … }` or
`constrain { … }`. Directly in a rule stand declarations, equations and blocks.

```rule
rule r {
    pre state x;
    x += 1;
}
```

Put the statement into the block in whose stage it belongs:

```rule
rule r {
    pre state x;
    on pre { x += 1; }
}
```
"##;
    MISPLACED_ITEM = "E0117", "item in the wrong place", r##"Something stands where only other things may: a declaration, an equation or a block with a head inside a block of
statements, a declaration other than `const` outside a rule, or a rule or an import inside a rule.

```rule
rule r {
    update {
        state x;
        dx/dt = -x;
    }
}
```

Move it to its level:

```rule
rule r {
    state x;
    dx/dt = -x;
}
```
"##;
    UNEXPECTED_ITEM = "E0118", "unknown item", r##"The text goes on with a word with which nothing begins at this place. In a rule stand declarations (`param`, `state`,
`plastic`, …), equations (`dx/dt = …;`) and blocks (`on pre { … }`, `update { … }`, …).

```rule
rule r {
    on_pre { }
}
```

Write the word that was meant:

```rule
rule r {
    on pre { }
}
```
"##;
    STRAY_DOCUMENTATION = "E0119", "documentation of nothing", r##"A `///` comment documents the rule, function, declaration, equation or block that follows it. It cannot stand before a
statement or an import, nor at the end of a block.

```rule
rule r {
    state n;
    update {
        /// count
        n += 1;
    }
}
```

Use an ordinary comment:

```rule
rule r {
    state n;
    update {
        // count
        n += 1;
    }
}
```
"##;
    UNEXPECTED_TOKEN = "E0120", "unexpected token", r##"The text goes on with something that cannot stand at this place. The message says what was expected instead.

```rule
rule r {
    state x;
    update if x > 0 { x = 0; }
}
```

Here a block needs its braces:

```rule
rule r {
    state x;
    update { if x > 0 { x = 0; } }
}
```
"##;
    PRIME_DERIVATIVE = "E0121", "derivative with a prime", r##"A derivative is written `dx/dt`, not `x'`.

```rule
rule r {
    state x;
    x' = -x;
}
```

Write the equation as a fraction:

```rule
rule r {
    param tau = 10 ms;
    state x;
    dx/dt = -x / tau;
}
```
"##;
    NUMBER_TOO_LARGE = "E0122", "number too large", r##"A number does not fit into 64-bit floating point, or the exponent of a unit is larger than 64.

```rule
const k = 1e999;
```

Write a smaller number. Infinity is called `inf`.
"##;
    TOO_MANY_MISTAKES = "E0123", "too many mistakes", r##"After 100 mistakes in one text the rest is not shown. Mend the first ones and check again.

```rule
// a text with more than 100 mistakes
```
"##;
    TOO_COMPLEX = "E0124", "text too complex", r##"The parser has given up on the text: it would take more steps, or more stack, than the compiler allows itself.

```rule
// a text that is made to be slow to parse
```

Split the text into several files.
"##;
}
