//! The same content in two files, such as a log and its packed copy.

use std::collections::BTreeMap;

use blake3::Hash;

use crate::chunk::chunks;
use crate::decoder::Compression;
use crate::found::Found;
use crate::limit::{HEAD_BYTES, Limits};

/// Hash of the inflated head.
///
/// BLAKE3, because a collision loses a whole log and strangers write most of what a log holds: with a hash that is
/// only fast, a stranger can make two. It hashes 64 KiB per file, and whole files only where two heads are equal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    hash: Hash,
    /// Bytes under the hash. Fewer than a head holds: this is all of the content.
    length: usize,
}

impl Fingerprint {
    pub(crate) fn of(head: &[u8]) -> Self {
        Self {
            hash: blake3::hash(head),
            length: head.len(),
        }
    }
}

/// The sources taken so far, by fingerprint.
pub(crate) struct Duplicates<'limits> {
    limits: &'limits Limits,
    /// Positions in the list of sources, with the hash of the whole content once it was needed.
    by_head: BTreeMap<[u8; blake3::OUT_LEN], Vec<(usize, Option<Hash>)>>,
}

impl<'limits> Duplicates<'limits> {
    pub(crate) fn new(limits: &'limits Limits) -> Self {
        Self {
            limits,
            by_head: BTreeMap::new(),
        }
    }

    /// The name of a source in `taken` that has the content of `found`; notes `found` as the next of `taken` if there
    /// is none. Empty files are alike without being copies.
    pub(crate) fn first<'taken>(
        &mut self,
        taken: &'taken [Found],
        found: &Found,
        fingerprint: Fingerprint,
    ) -> Option<&'taken str> {
        if fingerprint.length == 0 {
            return None;
        }
        let alike = self
            .by_head
            .entry(*fingerprint.hash.as_bytes())
            .or_default();
        let mut whole = None;
        for (index, other_whole) in alike.iter_mut() {
            let Some(other) = taken.get(*index) else {
                continue;
            };
            if fingerprint.length < HEAD_BYTES {
                return Some(&other.name);
            }
            if !may_be_equal(found, other) {
                continue;
            }
            let mine = *whole.get_or_insert_with(|| hash_whole(found, self.limits));
            if *other_whole.get_or_insert_with(|| hash_whole(other, self.limits)) == mine {
                return Some(&other.name);
            }
        }
        alike.push((taken.len(), whole));
        None
    }
}

/// Cheap tests first: a live log and an older copy of it have equal heads and differ in size. A stream cannot be read
/// twice, so one that is longer than its head is never compared.
fn may_be_equal(a: &Found, b: &Found) -> bool {
    let both_plain = a.compression == Compression::Plain && b.compression == Compression::Plain;
    !a.is_stream() && !b.is_stream() && (!both_plain || a.size == b.size)
}

/// Hash of all that reading would give.
fn hash_whole(found: &Found, limits: &Limits) -> Hash {
    let mut hasher = blake3::Hasher::new();
    let mut reader = chunks(found, limits);
    while let Some(Ok(chunk)) = reader.next() {
        hasher.update(&chunk.bytes);
        reader.recycle(chunk.bytes);
    }
    hasher.finalize()
}
