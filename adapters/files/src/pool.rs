//! Buffers that are used again.

use std::sync::{Arc, Mutex, PoisonError};

/// Spent chunk buffers, shared by all readers and threads of a run. Cloning shares.
#[derive(Clone, Default)]
pub struct BufferPool(Arc<Mutex<Vec<Vec<u8>>>>);

/// Buffers kept for later use. The pool cannot hold more than were under way at once; this bounds what it keeps after
/// a peak. A buffer too many is simply freed.
const KEPT_MAX: usize = 64;

impl BufferPool {
    /// Gives a spent buffer back. Leave its length as it is: that part needs no clearing the next time.
    pub fn recycle(&self, buffer: Vec<u8>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_MAX {
            kept.push(buffer);
        }
    }

    /// A buffer with any content.
    pub(crate) fn take(&self) -> Vec<u8> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.pop().unwrap_or_default()
    }
}
