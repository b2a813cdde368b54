//! The secret of the run: what makes hashes of personal text useless to anyone who has only the output.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

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
