//! Chance from a seed: the same seed gives the same log, line by line, on every machine.

/// Draws. `fastrand` documents its generator (wyrand) and takes a seed; `Cargo.lock` holds its version still.
pub(crate) struct Dice(fastrand::Rng);

impl Dice {
    pub(crate) fn new(name: &str, seed: u64) -> Self {
        // FNV-1a: kinds of one seed must not see the same draws.
        let start = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = name.bytes().fold(start, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(fastrand::Rng::with_seed(mixed))
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.f64()
    }

    /// Evenly on a log scale: a minute is as likely as an hour, and an hour as a day.
    pub(crate) fn log_between(&mut self, low: f64, high: f64) -> f64 {
        self.between(low.ln(), high.ln()).exp()
    }

    pub(crate) fn chance(&mut self, chance: f64) -> bool {
        self.0.f64() < chance
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0.usize(..count)
    }

    pub(crate) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// A wait without memory.
    pub(crate) fn wait(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.0.f64()).ln()
    }

    /// The place of one weight.
    pub(crate) fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let mut left = self.0.f64() * weights.clone().sum::<f64>();
        let mut last = 0;
        for (index, weight) in weights.enumerate() {
            last = index;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        last
    }

    pub(crate) fn shuffle<T>(&mut self, all: &mut [T]) {
        self.0.shuffle(all);
    }
}
