//! How often healthy requests fail, per scope, learned from the quiet part of the log.

/// No healthy route fails more than this in any hour (`docs/verdicts.md`, section 1). Without the cap a fault that
/// is there from the first line would become the baseline.
pub(crate) const BASELINE_MAX: f64 = 0.004;

/// Below this no log is long enough to know.
const BASELINE_MIN: f64 = 0.000_02;

/// Beta(0.8, 800): one in a thousand, and worth 800 requests (`docs/verdicts.md`, section 7).
const SITE_FAILED: f64 = 0.8;
const SITE_REQUESTS: f64 = 800.0;

/// Requests that the site's rate is worth against a narrower scope's own. A route with 60 fetches has no rate.
const SHRINK: f64 = 2_000.0;

/// Failures added to the count of a site: two quiet weeks must not make the third failure an incident.
const MARGIN: f64 = 0.5;

/// Rate of the whole site from its quiet part.
pub(crate) fn site(failed: f64, requests: f64) -> f64 {
    ((failed + SITE_FAILED + MARGIN) / (requests + SITE_REQUESTS)).clamp(BASELINE_MIN, BASELINE_MAX)
}

/// Rate of a narrower scope, shrunk towards the site's.
pub(crate) fn narrow(failed: f64, requests: f64, site: f64) -> f64 {
    ((failed + SHRINK * site) / (requests + SHRINK)).clamp(BASELINE_MIN, BASELINE_MAX)
}
