//! Fields of a line as text, for tests: `Visit` itself can be neither printed nor compared.

use model::Field;

use crate::visit::{Spans, Visit};

/// The fields that were found, in the order of the enum.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fields(pub(crate) Vec<(Field, String)>);

impl Fields {
    pub(crate) fn get(&self, wanted: Field) -> Option<&str> {
        let found = self.0.iter().find(|(field, _)| *field == wanted);
        found.map(|(_, text)| text.as_str())
    }
}

pub(crate) fn fields(line: &[u8], scratch: &[u8], spans: &Spans) -> Fields {
    let visit = Visit::new(line, scratch, spans);
    let text = |field| {
        visit
            .get(field)
            .map(|value| String::from_utf8_lossy(value).into_owned())
    };
    Fields(
        Field::ALL
            .into_iter()
            .filter_map(|field| Some((field, text(field)?)))
            .collect(),
    )
}
