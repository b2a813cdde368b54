//! Every limit of the tally, by name. A limit may depend only on merged content, never on the order of arrival, so
//! that any split of the input gives the same tally.

/// Slot widths in seconds, finest first: one minute, five minutes, one hour, one day. The finest that fits the span
/// in [`SLOTS_MAX`] slots is used.
pub const WIDTHS: [i64; 4] = [60, 300, 3_600, 86_400];

/// Slots over the whole span: one minute up to 6.9 days, five minutes up to 34 days, one hour up to 416 days.
pub const SLOTS_MAX: i64 = 10_000;

/// Requests that a slot of each width keeps one by one; above it, and for good, it keeps counts. A slot is exact
/// only while every finer slot inside it is, so that coarsening early or late gives the same. 16 a minute is
/// 23,000 requests a day, the size at which exact times stop to matter for the judge (`docs/verdicts.md`, 6 A).
pub const EXACT_MAX: [usize; 4] = [16, 64, 128, 0];

/// Slots of loads by crawler over the whole span: one minute up to 34 days, five minutes up to 173. Some 130 bytes each
/// with eight crawlers.
pub const LOAD_SLOTS_MAX: i64 = 50_000;

/// Slots of failures over the whole span: one minute up to 1.4 days, five minutes up to a week, one hour up to 85
/// days, then one day. Wider than those of good requests, so that in each there is room for cells.
pub const FAILURE_SLOTS_MAX: i64 = 2_048;

/// Failures that a slot keeps one by one; above it, and for good, counts by cell and moment, as many at most.
pub const FAILURES_PER_SLOT_MAX: usize = 4_096;

/// What a slot may always keep, however many slots there are.
pub const FAILURES_PER_SLOT_MIN: usize = 32;

/// The same over all slots: where minutes hold more together, each slot may keep less. Some 400 bytes each, with what
/// is shown of them.
pub const FAILURE_ENTRIES_MAX: usize = 1 << 16;

/// Moments of failures over all hours, in each dimension: by client, by the first segment, by the first two, by
/// upstream. Where hours hold more together, each may keep less, by longer moments. 24 bytes each.
pub const MOMENTS_MAX: usize = 1 << 18;

/// Blocks of moments over the whole span: an hour each up to 85 days, then a day.
pub const MOMENT_BLOCKS_MAX: i64 = 2_048;

/// What a block may always keep, however many there are.
pub const MOMENTS_PER_BLOCK_MIN: usize = 128;

/// Signs without a request by minute, host, upstream and finding; above it, and for good, by longer moments, then
/// without host and upstream.
pub const SIGNS_MAX: usize = 1 << 14;

/// Distinct children by depth, hosts first, above which a node of the route trie becomes `{…}` for good.
pub const CHILDREN_MAX: [u32; 5] = [512, 256, 64, 16, 8];

/// Upstream addresses; above it, and for good, upstreams are not told apart.
pub const UPSTREAMS_MAX: usize = 4_096;

/// Failed paths in the ledger, per crawler: those with the smallest fixed hash are kept. robots.txt is outside.
pub const LEDGER_PATHS_MAX: usize = 10_000;

/// URLs of one path in the ledger that differ in the query; above it, and for good, the path is one URL.
pub const LEDGER_QUERIES_MAX: usize = 64;

/// Prefixes, per crawler, of which the first good fetch after a failure is told: those that fail first in time.
pub const LANES_MAX: usize = 4_096;

/// First good fetches after a failure; above it, and for good, only the first in each longer moment.
pub const RETURNS_MAX: usize = 1 << 16;

/// How far, in seconds, stamps may run backwards in one log where fetches are resolved on the way
/// (`docs/verdicts.md`, section 1). What comes later is counted, but out of its place.
pub const LATE_SECONDS: i64 = 120;

/// Longest duration of an abort that is told apart, in tenths of a second: ten minutes.
pub(crate) const ABORT_TENTHS_MAX: u16 = 6_000;
