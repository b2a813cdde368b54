//! Single statements with a source, by id (`ROB-07`).

/// One statement.
#[derive(Clone, Copy, Debug)]
pub struct FactEntry {
    /// Its id.
    pub id: &'static str,
    /// What it says, in our words.
    pub says: &'static str,
    /// Primary source.
    pub source: &'static str,
    /// When the source was read; `None` prints "Data not yet verified".
    pub checked: Option<&'static str>,
}

/// Every statement.
pub fn facts() -> &'static [FactEntry] {
    &[]
}

/// The statement of that id.
pub fn fact(id: &str) -> Option<&'static FactEntry> {
    facts().iter().find(|fact| fact.id == id)
}
