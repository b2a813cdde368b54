//! Outside programs that want what only intake may see. None compiles, and each fails for the reason kept beside it.
//! `TRYBUILD=overwrite cargo test -p intake --test wall` rewrites the reasons; a person reads the difference.

#[test]
fn outside_of_intake_there_is_no_personal_data() {
    trybuild::TestCases::new().compile_fail("tests/wall/*.rs");
}
