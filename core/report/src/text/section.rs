//! Parts of an incident's block, each of whole items, cut from their ends until the block fits its screen.

use super::screen::{Line, Role, labelled};
use crate::clean::clip;

/// One labelled part of a block.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section {
    /// What can be left out, last first.
    pub(crate) items: Vec<Vec<Line>>,
    /// How many items stay in any case.
    pub(crate) keep: usize,
}

impl Section {
    /// Items under one label, each already in lines.
    pub(crate) fn labelled(label: &str, items: Vec<Vec<String>>, keep: usize) -> Self {
        let sizes: Vec<_> = items.iter().map(Vec::len).collect();
        let mut lines = labelled(label, items.into_iter().flatten().collect()).into_iter();
        let items = sizes
            .into_iter()
            .map(|size| lines.by_ref().take(size).collect())
            .collect();
        Self { items, keep }
    }

    fn lines(&self) -> usize {
        self.items.iter().map(Vec::len).sum()
    }

    fn spare(&self) -> usize {
        self.items.len().saturating_sub(self.keep)
    }
}

/// Cuts items, from the section with most to spare first, until all fit into `lines`; then lines of what is left.
pub(crate) fn fit(sections: &mut [Section], lines: usize) {
    while sections.iter().map(Section::lines).sum::<usize>() > lines {
        if !(drop_item(sections) || shorten(sections)) {
            return;
        }
    }
}

/// Takes the last item off the section with most to spare. Of equals the last: what stands lower is worth less.
fn drop_item(sections: &mut [Section]) -> bool {
    let most = sections.iter_mut().max_by_key(|section| section.spare());
    most.filter(|section| section.spare() > 0)
        .is_some_and(|section| section.items.pop().is_some())
}

/// Takes the last line off the last item that has several.
fn shorten(sections: &mut [Section]) -> bool {
    let items = sections
        .iter_mut()
        .rev()
        .flat_map(|section| section.items.iter_mut().rev());
    let Some(item) = items.into_iter().find(|item| item.len() > 1) else {
        return false;
    };
    item.pop();
    if let Some(last) = item.pop() {
        item.push(last.then(Role::Plain, "…"));
    }
    true
}

/// The first `most` of `lines`; the last of them says with `…` that there is more.
pub(crate) fn at_most(mut lines: Vec<String>, most: usize, columns: usize) -> Vec<String> {
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = format!(
                "{}…",
                clip(last, columns.saturating_sub(1)).trim_end_matches('…')
            );
        }
    }
    lines
}
