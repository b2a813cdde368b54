//! A line as logged cannot even be named outside intake.

use intake::Visit;

fn main() {
    let _: Option<Visit<'_>> = None;
}
