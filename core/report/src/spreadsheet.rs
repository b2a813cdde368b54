//! CSV that is safe to open in a spreadsheet: a cell that a spreadsheet would run as a formula begins with `'`.

use crate::clean::clean;

/// One record with its line end.
pub(crate) fn record(cells: &[String]) -> String {
    let mut writer = csv::WriterBuilder::new().from_writer(vec![]);
    let cells = cells.iter().map(|text| cell(text));
    // Writing into memory cannot fail, and every record is a first one, so no length can differ.
    let _ = writer.write_record(cells.collect::<Vec<String>>());
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// `=`, `+`, `-`, `@`, tab and carriage return begin a formula in one spreadsheet or another; blanks before them
/// do not help. A lone `-` or a number is none.
fn cell(text: &str) -> String {
    let starts = text
        .trim_start_matches(' ')
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let is_number = text.parse::<i64>().is_ok();
    let clean = clean(text);
    if starts && !is_number {
        format!("'{clean}")
    } else {
        clean.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::record;

    fn line(cell: &str) -> String {
        record(&[cell.to_owned(), "x".to_owned()])
    }

    #[test]
    fn formulas_become_text() {
        assert_eq!(line("=1+1"), "'=1+1,x\n");
        assert_eq!(line("@SUM(A1)"), "'@SUM(A1),x\n");
        assert_eq!(line("\t=1"), "'\\x09=1,x\n");
        assert_eq!(line(" =1"), "' =1,x\n");
        assert_eq!(
            line("=HYPERLINK(\"a\",\"b\")"),
            "\"'=HYPERLINK(\"\"a\"\",\"\"b\"\")\",x\n"
        );
    }

    #[test]
    fn plain_cells_stay_plain() {
        assert_eq!(line("/a,b"), "\"/a,b\",x\n");
        assert_eq!(line("-5"), "-5,x\n");
        assert_eq!(line("a\nb"), "a\\x0ab,x\n");
    }
}
