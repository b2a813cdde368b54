//! A site before anything breaks: its size, routes, crawlers, upstreams, the cycle of its load, and the oddities of its
//! log that harm nobody.

use super::dice::Dice;
use super::request::CRAWLERS;

pub(crate) const DAY_S: f64 = 86_400.0;

/// How much traffic a site has, and how many days of it a log holds.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    pub(crate) per_day: u32,
    pub(crate) days: u32,
}

pub(crate) static XS: Size = size("XS", 50, 21);
pub(crate) static S: Size = size("S", 500, 10);
pub(crate) static M: Size = size("M", 5_000, 4);
pub(crate) static L: Size = size("L", 30_000, 2);
/// Some requests a second; a day of it, so that a log stays under a few hundred thousand lines.
pub(crate) static XL: Size = size("XL", 200_000, 1);

const fn size(name: &'static str, per_day: u32, days: u32) -> Size {
    Size {
        name,
        per_day,
        days,
    }
}

pub(crate) struct Route {
    pub(crate) prefix: String,
    pub(crate) weight: f64,
    /// Chance of an isolated failure, on average.
    pub(crate) noise: f64,
}

/// More load than the day brings: a rise and fall around its middle.
pub(crate) struct Peak {
    pub(crate) middle: f64,
    pub(crate) half: f64,
    /// At the middle, in times of the mean load.
    pub(crate) height: f64,
    /// A crawler's own surge, else everybody's.
    pub(crate) crawler: Option<usize>,
}

/// Somebody who looks for holes: many 404, sometimes under a crawler's name.
pub(crate) struct Scanner {
    pub(crate) from: f64,
    pub(crate) length: f64,
    pub(crate) lines: usize,
    pub(crate) poses: bool,
}

/// How isolated failures gather without being a fault.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Noise {
    /// Their rate differs from hour to hour.
    Hourly,
    /// And from minute to minute, and one may bring another on the same route.
    Clumps,
}

pub(crate) struct Site {
    pub(crate) size: &'static Size,
    /// Epoch seconds of the first moment, a midnight in UTC.
    pub(crate) start: i64,
    pub(crate) length: f64,
    /// Minutes east of UTC, and a change of it during the log.
    pub(crate) zone: i32,
    pub(crate) zone_change: Option<(f64, i32)>,
    pub(crate) routes: Vec<Route>,
    pub(crate) pages_per_route: usize,
    /// Place in `CRAWLERS` and weight.
    pub(crate) crawlers: Vec<(usize, f64)>,
    /// Share of requests by clients that are no crawlers.
    pub(crate) others: f64,
    pub(crate) upstreams: Vec<String>,
    /// The log has the upstream fields.
    pub(crate) names_upstreams: bool,
    /// The next upstream is asked when one fails.
    pub(crate) retries: bool,
    /// Share of good answers out of the edge's cache.
    pub(crate) cached: f64,
    pub(crate) noise: Noise,
    day_swing: f64,
    day_phase: f64,
    weekend: f64,
    pub(crate) peaks: Vec<Peak>,
    /// What the site can bear, in times of the mean load.
    pub(crate) capacity: f64,
    /// Crawlers slow down when they get errors, and Google's stops when it gets no `robots.txt`.
    pub(crate) heeds_errors: bool,
    /// Stretches whose lines are lost.
    pub(crate) lost: Vec<(f64, f64)>,
    /// By how much the clock of the second node differs.
    pub(crate) skew: f64,
    /// Deploys that only make answers slow.
    pub(crate) slow: Vec<(f64, f64)>,
    pub(crate) scanners: Vec<Scanner>,
    /// Lines that are no requests.
    pub(crate) broken_lines: usize,
}

const WORDS: [&str; 24] = [
    "shop", "docs", "news", "blog", "forum", "media", "events", "account", "help", "store", "team",
    "guides", "recipes", "jobs", "prices", "wiki", "reviews", "topics", "photos", "maps", "books",
    "lessons", "garden", "tools",
];
const BELOW: [&str; 6] = ["item", "list", "archive", "tag", "by-date", "print"];
const ZONES: [i32; 5] = [0, 60, 120, -300, 330];

impl Site {
    pub(crate) fn draw(dice: &mut Dice, size: &'static Size) -> Self {
        let length = f64::from(size.days) * DAY_S;
        let mut site = Self {
            size,
            start: 1_767_225_600 + 86_400 * dice.below(150) as i64,
            length,
            zone: dice.pick(&ZONES),
            zone_change: None,
            routes: routes(dice),
            pages_per_route: 15 + dice.below(60),
            crawlers: crawlers(dice),
            others: if dice.chance(0.6) {
                dice.between(0.25, 0.75)
            } else {
                0.0
            },
            upstreams: upstreams(dice),
            names_upstreams: dice.chance(0.5),
            retries: false,
            cached: if dice.chance(0.3) {
                dice.between(0.05, 0.3)
            } else {
                0.0
            },
            noise: Noise::Hourly,
            day_swing: dice.between(0.2, 0.6),
            day_phase: dice.between(0.0, DAY_S),
            weekend: dice.between(0.6, 1.0),
            peaks: Vec::new(),
            capacity: f64::INFINITY,
            heeds_errors: true,
            lost: Vec::new(),
            skew: 0.0,
            slow: Vec::new(),
            scanners: Vec::new(),
            broken_lines: dice.below(6),
        };
        if size.per_day < 100 {
            // So few requests are crawlers' only: the edge of what can be seen at all.
            site.others = 0.0;
        }
        site.add_oddities(dice);
        site
    }

    /// Each happens to some sites only, so that a miss can be told from its absence.
    fn add_oddities(&mut self, dice: &mut Dice) {
        let length = self.length;
        if dice.chance(0.25) {
            let until_next = if dice.chance(0.5) { 60 } else { -60 };
            self.zone_change = Some((dice.between(0.2, 0.8) * length, self.zone + until_next));
        }
        if dice.chance(0.25) {
            // Lines between two files of a rotation.
            let from = dice.between(0.1, 0.9) * length;
            self.lost.push((from, from + dice.between(20.0, 240.0)));
        }
        if dice.chance(0.2) {
            self.skew = dice.between(-90.0, 90.0);
        }
        if dice.chance(0.4) {
            for _ in 0..1 + dice.below(3) {
                let from = dice.between(0.05, 0.95) * length;
                self.slow.push((from, from + dice.between(30.0, 180.0)));
            }
        }
        if dice.chance(0.35) {
            for _ in 0..1 + dice.below(2) {
                self.add_scanner(dice);
            }
        }
    }

    pub(crate) fn add_scanner(&mut self, dice: &mut Dice) {
        let most = (f64::from(self.size.per_day) * 0.2).clamp(15.0, 600.0);
        self.scanners.push(Scanner {
            from: dice.between(0.05, 0.9) * self.length,
            length: dice.log_between(120.0, 3_600.0),
            lines: dice.between(0.3 * most, most) as usize,
            poses: dice.chance(0.5),
        });
    }

    /// Load at a moment, in times of the mean.
    pub(crate) fn load(&self, at: f64) -> f64 {
        let turn = (at - self.day_phase) / DAY_S * std::f64::consts::TAU;
        // The epoch's first day was a Thursday.
        let weekday = (self.start / 86_400 + (at / DAY_S) as i64 + 3) % 7;
        let week = if weekday >= 5 { self.weekend } else { 1.0 };
        let own = (1.0 + self.day_swing * turn.sin()) * week;
        own + self.peak_load(at).map(|peak| peak.1).sum::<f64>()
    }

    /// Crawler, if it is one's own surge, and height of each peak at a moment.
    pub(crate) fn peak_load(&self, at: f64) -> impl Iterator<Item = (Option<usize>, f64)> {
        self.peaks.iter().map(move |peak| {
            let off = (at - peak.middle) / peak.half;
            (peak.crawler, peak.height * (1.0 - off * off).max(0.0))
        })
    }

    pub(crate) fn load_max(&self) -> f64 {
        let peaks: f64 = self.peaks.iter().map(|peak| peak.height).sum();
        1.0 + self.day_swing + peaks
    }

    /// Chance that a request fails because there are too many.
    pub(crate) fn overload_share(&self, at: f64) -> f64 {
        let load = self.load(at);
        let over = (load - self.capacity) / load;
        if over > 0.02 {
            (0.9 * over).min(0.55)
        } else {
            0.0
        }
    }

    /// Isolated failures per request, over the whole site.
    pub(crate) fn background(&self) -> f64 {
        let weights: f64 = self.routes.iter().map(|route| route.weight).sum();
        let noise = self.routes.iter().map(|route| route.weight * route.noise);
        noise.sum::<f64>() / weights
    }

    /// Seconds between requests of the mean load.
    pub(crate) fn gap_mean(&self) -> f64 {
        DAY_S / f64::from(self.size.per_day)
    }
}

fn routes(dice: &mut Dice) -> Vec<Route> {
    let mut words = WORDS;
    dice.shuffle(&mut words);
    // Measured sites lie between 0.01 % and 0.15 %; no route comes to 0.4 % in any hour.
    let mean = dice.log_between(0.000_1, 0.001_2);
    let mut all = Vec::new();
    for (index, word) in words.iter().enumerate().take(4 + dice.below(6)) {
        let weight = 1.0 / (1.0 + 0.5 * index as f64);
        let noise = (mean * dice.log_between(0.4, 2.0)).min(0.001_5);
        let mut add = |prefix: String, part: f64| {
            let weight = weight * part;
            all.push(Route {
                prefix,
                weight,
                noise,
            });
        };
        if dice.chance(0.35) {
            let mut below = BELOW;
            dice.shuffle(&mut below);
            add(format!("/{word}/{}", below[0]), 0.6);
            add(format!("/{word}/{}", below[1]), 0.4);
        } else {
            add(format!("/{word}"), 1.0);
        }
    }
    all
}

fn crawlers(dice: &mut Dice) -> Vec<(usize, f64)> {
    let mut places: Vec<usize> = (0..CRAWLERS.len()).collect();
    dice.shuffle(&mut places);
    places.truncate(3 + dice.below(6));
    // Almost every site is visited by Google.
    if dice.chance(0.9) && !places.contains(&0) {
        places[0] = 0;
    }
    let weights = places.into_iter().enumerate();
    weights
        .map(|(rank, place)| (place, 1.0 / (1.0 + 0.7 * rank as f64)))
        .collect()
}

fn upstreams(dice: &mut Dice) -> Vec<String> {
    let count = if dice.chance(0.5) {
        1
    } else {
        2 + dice.below(4)
    };
    let net = dice.below(200);
    let port = dice.pick(&[3_000, 8_000, 8_080, 9_000]);
    (0..count)
        .map(|index| format!("10.20.{net}.{}:{port}", 10 + index))
        .collect()
}
