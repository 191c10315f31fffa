use super::codes;

codes! {
    RESERVED_NAME = "E0201", "a reserved name is declared", "x";
    DUPLICATE_NAME = "E0202", "a name is declared twice", "x";
}
