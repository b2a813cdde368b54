//! The secret of the run: what makes hashes of personal text useless to anyone who has only the output.

use std::hash::{BuildHasher, Hasher};

use siphasher::sip::SipHasher13;

/// Hashing of tables.
pub(crate) type Table = foldhash::fast::FixedState;

/// A table whose keys strangers choose.
#[expect(
    clippy::disallowed_types,
    reason = "hashed under the secret, and its order is never read"
)]
pub(crate) type Map<K, V> = std::collections::HashMap<K, V, Table>;

/// A key that is made anew for each run, never stored and never printed. It decides no order.
#[derive(Clone)]
pub struct Secret {
    key: [u8; 16],
    table: Table,
}

impl Secret {
    /// The secret with that key: random bytes, from the binary.
    pub fn new(key: [u8; 16]) -> Self {
        let mut hasher = SipHasher13::new_with_key(&key);
        hasher.write(b"table");
        Self {
            key,
            table: Table::with_seed(hasher.finish()),
        }
    }

    /// For tables whose keys strangers choose: no line of a log can make them slow.
    pub(crate) fn table(&self) -> Table {
        self.table.clone()
    }

    /// Keyed hash of a path or a part of one: there are several in every line, so it is a faster one.
    pub(crate) fn hash_path(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.table.build_hasher();
        hasher.write(bytes);
        hasher.finish()
    }

    /// Keyed hash of `bytes`.
    pub(crate) fn hash(&self, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write(bytes);
        hasher.finish()
    }

    /// Keyed hash of several parts; where one ends matters.
    pub(crate) fn hash_parts(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        for part in parts {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        hasher.finish()
    }
}
