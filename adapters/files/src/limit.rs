//! How much is read, held and believed.

/// What [`crate::head`] shows of a source, and what a fingerprint covers, in inflated bytes.
pub const HEAD_BYTES: usize = 64 * 1024;

/// Bytes asked of the system at a time. 64 KiB, this and 1 MiB differ by less than the noise of the measurement; this
/// one asks seldom and still lies in the second-level cache when its line ends are counted.
pub(crate) const READ_BYTES: usize = 256 * 1024;

/// The limits of reading. They are arguments, so that tests can be small; the program uses the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The grid: a chunk ends at the first line end at or after each multiple of this many inflated bytes. 2 MiB is
    /// some 10,000 lines: large against the cost of handing it over, small against the memory of many threads.
    pub chunk_bytes: u64,
    /// A longer line is replaced by an empty one. nginx cuts an error line at 2 KiB and takes 32 KiB of request headers
    /// by default, a JSON line repeats several of them: 1 MiB is no log line.
    pub line_bytes_max: usize,
    /// Files taken from all arguments together. A day of ten thousand nodes fits; `/` does not.
    pub files_max: usize,
    /// Inflated bytes per compressed byte that are believed, above [`Self::inflated_free_bytes`]. Measured: an ordinary
    /// access log packs 8 times; a log of nothing but one health check packs 36 times with gzip at one line a second,
    /// and at fourteen a second 167 times with gzip, 676 with `zstd -19`. Deflate ends at 1,032 by construction, where a
    /// gzip bomb of zeros or line ends lies; zstd reaches tens of thousands. Memory is bounded at any ratio: this
    /// limit is about time.
    pub inflated_ratio_max: u64,
    /// Inflated bytes up to which the ratio is not looked at: inflating one gigabyte takes about a second.
    pub inflated_free_bytes: u64,
    /// Inflated bytes of one compressed file, whatever its ratio: a terabyte is half an hour of inflating.
    pub inflated_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            chunk_bytes: 2 << 20,
            line_bytes_max: 1 << 20,
            files_max: 100_000,
            inflated_ratio_max: 1_000,
            inflated_free_bytes: 1 << 30,
            inflated_bytes_max: 1 << 40,
        }
    }
}

impl Limits {
    /// Whether `inflated` bytes from `packed` ones are more than any log packs to.
    pub(crate) fn is_bomb(&self, inflated: u64, packed: u64) -> bool {
        inflated > self.inflated_bytes_max
            || (inflated > self.inflated_free_bytes
                && inflated > packed.saturating_mul(self.inflated_ratio_max))
    }
}
