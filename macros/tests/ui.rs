//! How rustc shows what is wrong with a rule. `TRYBUILD=overwrite` writes the texts anew.

#[test]
fn errors_stand_at_the_tokens_of_the_rule() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}
