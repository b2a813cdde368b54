//! Nor by its full path; and so it can be neither printed nor copied.

fn print(visit: &intake::visit::Visit<'_>) -> String {
    format!("{visit:?}")
}

fn copy<'a>(visit: &intake::visit::Visit<'a>) -> intake::visit::Visit<'a> {
    visit.clone()
}

fn error(line: &intake::error_log::ErrorLine<'_>) -> String {
    format!("{line:?}")
}

fn main() {}
