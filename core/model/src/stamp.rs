//! A moment, as the core counts it.

/// Milliseconds since the Unix epoch, UTC. An integer, so that ordering and sums are exact; zones and calendars
/// belong to `report`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Stamp(pub i64);

impl Stamp {
    /// The moment `seconds` after the epoch.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds * 1_000)
    }

    /// Whole seconds since the epoch, rounded towards the past.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This moment moved by `seconds`, which may be negative.
    pub const fn plus_secs(self, seconds: i64) -> Self {
        Self(self.0 + seconds * 1_000)
    }

    /// Seconds from `earlier` to this moment; negative where it is not earlier.
    pub const fn secs_since(self, earlier: Self) -> i64 {
        self.secs() - earlier.secs()
    }
}
