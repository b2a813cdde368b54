//! The secret of the run: what makes hashes of personal text useless to anyone who has only the output.

use std::hash::Hasher;

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
}

impl Secret {
    /// The secret with that key: random bytes, from the binary.
    pub const fn new(key: [u8; 16]) -> Self {
        Self { key }
    }

    /// For tables whose keys strangers choose: no line of a log can make them slow. Faster than [`Self::hash`], and
    /// what it gives never leaves the table.
    pub(crate) fn table(&self) -> Table {
        Table::with_seed(self.hash(b"table"))
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
