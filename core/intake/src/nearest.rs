//! Requests by the time at which an error entry about them should stand, and the walk from one entry to the nearest
//! of them, then the next: in an outage thousands of entries fit thousands of requests by their keys, so pairs are
//! not listed but found one by one.

/// The requests of one key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timeline {
    /// Time in milliseconds and number of each request, sorted once all are there.
    items: Vec<(i64, u32)>,
    /// Longest duration among them.
    reach: i64,
}

impl Timeline {
    /// Adds a request that may have taken `duration` milliseconds.
    pub(crate) fn push(&mut self, at: i64, number: usize, duration: i64) {
        // Most keys have one.
        if self.items.is_empty() {
            self.items.reserve_exact(1);
        }
        // More requests than 32 bits count do not fit in memory.
        self.items
            .push((at, u32::try_from(number).unwrap_or(u32::MAX)));
        self.reach = self.reach.max(duration);
    }

    /// To be called once, before any walk.
    pub(crate) fn sort(&mut self) {
        self.items.sort_unstable();
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Numbers of all requests.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = usize> {
        self.items.iter().map(|(_, number)| *number as usize)
    }

    /// Numbers of the requests in `from..=to`.
    pub(crate) fn between(&self, from: i64, to: i64) -> impl Iterator<Item = usize> {
        let start = self.items.partition_point(|(at, _)| *at < from);
        let rest = self.items.get(start..).unwrap_or_default();
        rest.iter()
            .take_while(move |(at, _)| *at <= to)
            .map(|(_, number)| *number as usize)
    }

    /// Longest duration among the requests.
    pub(crate) const fn reach(&self) -> i64 {
        self.reach
    }

    /// All requests by their distance from `at`, the smaller number first where two are equally far.
    pub(crate) fn from(&self, at: i64) -> Nearest<'_> {
        let right = self.items.partition_point(|(time, _)| *time < at);
        Nearest {
            items: &self.items,
            at,
            right,
            left: Left::ending(&self.items, right),
        }
    }
}

/// A walk along a timeline to both sides.
pub(crate) struct Nearest<'a> {
    items: &'a [(i64, u32)],
    at: i64,
    /// Next one at or after the start.
    right: usize,
    left: Left,
}

/// The requests of one moment before the start: a moment's are met in the order of their numbers.
struct Left {
    start: usize,
    next: usize,
    end: usize,
}

impl Left {
    /// The last moment before index `end`.
    fn ending(items: &[(i64, u32)], end: usize) -> Self {
        let start = match end.checked_sub(1).and_then(|last| items.get(last)) {
            Some((moment, _)) => items[..end].partition_point(|(time, _)| time < moment),
            None => 0,
        };
        Self {
            start,
            next: start,
            end,
        }
    }
}

impl Iterator for Nearest<'_> {
    /// Distance in milliseconds, and number.
    type Item = (i64, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let distance = |index: usize| {
            let (time, number) = self.items.get(index)?;
            Some(((time - self.at).abs(), *number as usize))
        };
        let left = (self.left.next < self.left.end)
            .then(|| distance(self.left.next))
            .flatten();
        let right = distance(self.right);
        let goes_left = match (left, right) {
            (Some(left), Some(right)) => left < right,
            (left, _) => left.is_some(),
        };
        if !goes_left {
            self.right += usize::from(right.is_some());
            return right;
        }
        self.left.next += 1;
        if self.left.next == self.left.end {
            self.left = Left::ending(self.items, self.left.start);
        }
        left
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_walk_is_the_sorted_list(times in prop::collection::vec(-9_i64..9, 0..40), at in -12_i64..12) {
            let mut timeline = Timeline::default();
            for (number, time) in times.iter().enumerate() {
                timeline.push(*time, number, 0);
            }
            timeline.sort();
            let mut sorted: Vec<(i64, usize)> = times
                .iter()
                .enumerate()
                .map(|(number, time)| ((time - at).abs(), number))
                .collect();
            sorted.sort_unstable();
            prop_assert_eq!(timeline.from(at).collect::<Vec<_>>(), sorted);
            let mut between: Vec<usize> = timeline.between(at - 2, at + 2).collect();
            between.sort_unstable();
            let near = (0..times.len()).filter(|number| (times[*number] - at).abs() <= 2);
            prop_assert_eq!(between, near.collect::<Vec<_>>());
        }
    }
}
