//! Names that the tally refers to by number.

use rustc_hash::FxHashMap;

/// Stands for "none", and for all names once there are too many.
pub(crate) const NONE: u32 = u32::MAX;

/// A table of names. Above its limit, and for good, it holds none.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    names: Vec<Box<str>>,
    numbers: FxHashMap<Box<str>, u32>,
    max: usize,
    /// Whether the limit was passed.
    pub(crate) folded: bool,
}

impl Names {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            names: Vec::new(),
            numbers: FxHashMap::default(),
            max,
            folded: false,
        }
    }

    /// The number of `name`.
    pub(crate) fn number(&mut self, name: &str) -> u32 {
        if self.folded || name.is_empty() {
            return NONE;
        }
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        if self.names.len() >= self.max {
            self.folded = true;
            return NONE;
        }
        let number = self.names.len() as u32;
        self.names.push(name.into());
        self.numbers.insert(name.into(), number);
        number
    }

    /// The name with that number; empty for none.
    pub(crate) fn name(&self, number: u32) -> &str {
        if self.folded {
            return "";
        }
        self.names.get(number as usize).map_or("", |name| name)
    }

    /// Takes in all names of `other`; gives the number here for each of its numbers.
    pub(crate) fn absorb(&mut self, other: &Self) -> Vec<u32> {
        self.folded |= other.folded;
        other.names.iter().map(|name| self.number(name)).collect()
    }
}

/// `number` of another table, here.
pub(crate) fn renumber(map: &[u32], number: u32) -> u32 {
    map.get(number as usize).copied().unwrap_or(NONE)
}
