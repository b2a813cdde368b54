//! Seeded sites with planted faults, in every kind of situation the judge must tell apart.

use super::rows::Row;

/// A small generator of random numbers (splitmix64), so that a seed names a scenario for good.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly from 0 to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Evenly on a log scale.
    pub(crate) fn log_between(&mut self, low: f64, high: f64) -> f64 {
        (self.between(low.ln(), high.ln())).exp()
    }

    pub(crate) fn chance(&mut self, chance: f64) -> bool {
        self.unit() < chance
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.unit() * count as f64) as usize
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut at = self.unit() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            at -= weight;
            if at < 0.0 {
                return index;
            }
        }
        weights.len() - 1
    }
}

/// What a fault touches.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Touches {
    Site,
    Routes(Vec<String>),
    Url(String),
    Upstream(usize),
    Crawler(u16),
    AllCrawlers,
    Robots,
}

/// A planted fault.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) touches: Touches,
    /// First second, last second, chance of failing.
    pub(crate) bursts: Vec<(f64, f64, f64)>,
    pub(crate) verdict: &'static str,
    pub(crate) ongoing: bool,
    /// What the log can name: the site, where the fault is in an upstream that is not logged.
    pub(crate) seen_as: Touches,
}

/// A site's log with its truth.
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) family: &'static str,
    pub(crate) size: &'static str,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) rows: Vec<Row>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) background: f64,
}

/// Situations, each with its own plan of faults.
pub(crate) const FAMILIES: [&str; 25] = [
    "clean",
    "clean_hard",
    "clean_clumps",
    "blip",
    "short",
    "outage",
    "ongoing",
    "route",
    "group",
    "url",
    "rolling",
    "daily",
    "hourly",
    "upstream_named",
    "upstream_unnamed",
    "robots",
    "crawler",
    "all_crawlers",
    "flapping",
    "low",
    "overload",
    "gap",
    "several",
    "escalation",
    "partial",
];

/// Site sizes: requests a day and days of log.
pub(crate) const SIZES: [(&str, f64, f64); 5] = [
    ("XS", 60.0, 14.0),
    ("S", 500.0, 8.0),
    ("S2", 1_500.0, 6.0),
    ("M", 5_000.0, 3.0),
    ("L", 60_000.0, 1.5),
];

const START: i64 = 1_770_000_000;

struct Site {
    routes: Vec<(String, f64)>,
    crawlers: Vec<f64>,
    others: f64,
    upstreams: usize,
    named: bool,
    retries: bool,
    urls: usize,
    per_day: f64,
    length: f64,
    noise: Vec<f64>,
    clumpy: bool,
    /// Peaks of load: middle, half width, factor.
    peaks: Vec<(f64, f64, f64)>,
    capacity: f64,
    gap: Option<(f64, f64)>,
}

/// Builds one scenario.
pub(crate) fn scenario(family: &'static str, size: usize, seed: u64) -> Scenario {
    let mut dice = Dice(seed.wrapping_mul(0x51_7c_c1_b7).wrapping_add(size as u64));
    for byte in family.bytes() {
        dice.0 = dice.next() ^ u64::from(byte);
    }
    let (size_name, per_day, days) = SIZES[size];
    let mut site = site(&mut dice, family, per_day, days);
    let faults = plan(&mut dice, family, &mut site);
    let rows = draw(&mut dice, &site, &faults);
    let background = site.noise.iter().sum::<f64>() / site.noise.len() as f64;
    Scenario {
        name: format!("{family}-{size_name}-{seed}"),
        family,
        size: size_name,
        start: START,
        end: START + site.length as i64,
        rows,
        faults,
        background,
    }
}

fn site(dice: &mut Dice, family: &str, per_day: f64, days: f64) -> Site {
    let words = [
        "shop", "docs", "news", "blog", "forum", "media", "events", "account", "help", "store",
    ];
    let mut routes = Vec::new();
    let count = 4 + dice.below(6);
    for (index, word) in words.iter().enumerate().take(count) {
        let weight = 1.0 / (1.0 + index as f64 * 0.5);
        if dice.chance(0.3) {
            routes.push((format!("/{word}/item"), weight * 0.7));
            routes.push((format!("/{word}/list"), weight * 0.3));
        } else {
            routes.push((format!("/{word}"), weight));
        }
    }
    let mean = if family == "clean_hard" {
        0.0015
    } else {
        dice.log_between(0.0001, 0.0015)
    };
    let noise = routes
        .iter()
        .map(|_| (mean * dice.log_between(0.4, 2.5)).min(0.003))
        .collect();
    let upstream_family = matches!(
        family,
        "rolling" | "upstream_named" | "upstream_unnamed" | "partial"
    );
    Site {
        crawlers: (0..4 + dice.below(5))
            .map(|index| 1.0 / (1.0 + index as f64))
            .collect(),
        others: if family == "all_crawlers" || dice.chance(0.5) {
            dice.between(0.3, 0.7)
        } else {
            0.0
        },
        upstreams: if upstream_family || dice.chance(0.3) {
            2 + dice.below(4)
        } else {
            1
        },
        named: family != "upstream_unnamed" && (upstream_family || dice.chance(0.5)),
        retries: family == "upstream_named" && dice.chance(0.4),
        urls: 15 + dice.below(40),
        per_day,
        length: days * 86_400.0,
        noise,
        clumpy: family == "clean_clumps",
        peaks: Vec::new(),
        capacity: f64::INFINITY,
        gap: None,
        routes,
    }
}

fn plan(dice: &mut Dice, family: &str, site: &mut Site) -> Vec<Fault> {
    let length = site.length;
    let at = dice.between(0.3, 0.7) * length;
    let strong = if dice.chance(0.7) {
        1.0
    } else {
        dice.between(0.85, 0.98)
    };
    let outage = dice.log_between(1_200.0, 0.2 * length);
    let route = site.routes[dice.below(site.routes.len().min(5))].0.clone();
    match family {
        "blip" => (0..1 + dice.below(3))
            .map(|index| {
                let at = (0.15 + 0.3 * index as f64 + dice.between(0.0, 0.1)) * length;
                run(Touches::Site, at, dice.log_between(60.0, 590.0), strong)
            })
            .collect(),
        "short" => vec![run(
            Touches::Site,
            at,
            dice.log_between(300.0, 1_500.0),
            strong,
        )],
        "outage" => vec![run(Touches::Site, at, outage, strong)],
        "ongoing" => vec![ongoing(Touches::Site, length - outage, length, strong)],
        "route" => {
            let long = dice.log_between(1_800.0, 0.4 * length);
            vec![if dice.chance(0.4) {
                ongoing(Touches::Routes(vec![route]), length - long, length, strong)
            } else {
                run(
                    Touches::Routes(vec![route]),
                    at.min(length - long - 60.0),
                    long,
                    strong,
                )
            }]
        }
        "group" => {
            let mut names: Vec<String> = site.routes.iter().map(|route| route.0.clone()).collect();
            let count = 2 + dice.below(2);
            let from = dice.below(names.len() - count + 1);
            names = names[from..from + count].to_vec();
            vec![run(
                Touches::Routes(collapse(names, site)),
                at,
                dice.log_between(3_600.0, 0.25 * length),
                strong,
            )]
        }
        "url" => {
            let url = format!("{route}/{}", dice.below(2));
            vec![ongoing(Touches::Url(url), at, length, 1.0)]
        }
        "rolling" => {
            let mut at = at;
            let mut bursts = Vec::new();
            for upstream in 0..site.upstreams {
                let out = dice.between(90.0, 480.0);
                bursts.push((upstream, (at, at + out, 1.0)));
                at += out + dice.between(5.0, 90.0);
            }
            let all: Vec<(f64, f64, f64)> = bursts.iter().map(|burst| burst.1).collect();
            bursts
                .into_iter()
                .enumerate()
                .map(|(index, (upstream, burst))| Fault {
                    touches: Touches::Upstream(upstream),
                    bursts: if index == 0 { all.clone() } else { vec![burst] },
                    verdict: if index == 0 { "restart" } else { "" },
                    ongoing: false,
                    seen_as: Touches::Site,
                })
                .collect()
        }
        "daily" | "hourly" => {
            let period = if family == "daily" {
                86_400.0
            } else {
                [14_400.0, 21_600.0, 28_800.0][dice.below(3)]
            };
            let phase = dice.between(0.1, 0.8) * period;
            let minutes = dice.log_between(120.0, 900.0);
            let mut bursts = Vec::new();
            let mut cycle = 0.0;
            while cycle * period + phase + 1_800.0 < length {
                if !dice.chance(0.1) {
                    let at = cycle * period + phase + dice.between(-300.0, 300.0);
                    bursts.push((at, at + minutes * dice.between(0.6, 1.4), strong));
                }
                cycle += 1.0;
            }
            let verdict = if bursts.len() >= 3 { "recurring" } else { "" };
            vec![Fault {
                touches: Touches::Site,
                bursts,
                verdict,
                ongoing: false,
                seen_as: Touches::Site,
            }]
        }
        "upstream_named" | "upstream_unnamed" => {
            let upstream = dice.below(site.upstreams);
            let mut fault = ongoing(Touches::Upstream(upstream), at, length, strong);
            if !site.named {
                fault.seen_as = Touches::Site;
                fault.verdict = if site.upstreams == 2 {
                    "either"
                } else {
                    "intermittent"
                };
            }
            vec![fault]
        }
        "robots" => vec![ongoing(Touches::Robots, at, length, 1.0)],
        "crawler" => vec![run(
            Touches::Crawler(dice.below(3) as u16),
            at,
            dice.log_between(3_600.0, 0.25 * length),
            strong,
        )],
        "all_crawlers" => vec![run(
            Touches::AllCrawlers,
            at,
            dice.log_between(3_600.0, 0.25 * length),
            strong,
        )],
        "flapping" => {
            let (down, up) = (dice.between(120.0, 600.0), dice.between(200.0, 1_400.0));
            let end = at + dice.log_between(7_200.0, 0.2 * length);
            let mut bursts = Vec::new();
            let mut from = at;
            while from < end {
                let out = down * dice.between(0.6, 1.4);
                bursts.push((from, from + out, 1.0));
                from += out + up * dice.between(0.6, 1.3);
            }
            let verdict = if down / (down + up) < 0.4 {
                "intermittent"
            } else {
                "either"
            };
            vec![Fault {
                touches: Touches::Site,
                bursts,
                verdict,
                ongoing: false,
                seen_as: Touches::Site,
            }]
        }
        "low" => {
            let share = dice.log_between(0.008, 0.15);
            vec![run(
                Touches::Site,
                0.3 * length,
                dice.between(0.3, 0.7) * length,
                share,
            )]
        }
        "overload" => {
            site.capacity = 1.6;
            for day in 0..(length / 86_400.0) as usize {
                if day % 3 != 2 {
                    let middle = (day as f64 + dice.between(0.35, 0.65)) * 86_400.0;
                    site.peaks.push((
                        middle,
                        dice.between(3_600.0, 9_000.0),
                        dice.between(2.5, 4.0),
                    ));
                }
            }
            let mut bursts = Vec::new();
            let mut at = 0.0;
            while at < length {
                let share = overload_share(site, at + 150.0);
                if share > 0.0 {
                    bursts.push((at, at + 300.0, share));
                }
                at += 300.0;
            }
            vec![Fault {
                touches: Touches::Site,
                bursts,
                verdict: "overload",
                ongoing: false,
                seen_as: Touches::Site,
            }]
        }
        "gap" => {
            let from = at - 0.5 * outage;
            site.gap = Some((from + 0.3 * outage, from + 0.7 * outage));
            vec![run(Touches::Site, from, outage.max(7_200.0), strong)]
        }
        "several" => vec![
            run(
                Touches::Routes(vec![route]),
                0.2 * length,
                0.15 * length,
                strong,
            ),
            run(
                Touches::Site,
                0.5 * length,
                dice.log_between(60.0, 590.0),
                1.0,
            ),
            run(
                Touches::Site,
                0.7 * length,
                0.12 * length,
                dice.between(0.1, 0.35),
            ),
        ],
        "partial" => {
            let mut fault = run(
                Touches::Site,
                at,
                dice.log_between(300.0, 3_600.0),
                dice.between(0.3, 0.7),
            );
            if fault.verdict != "blip" {
                fault.verdict = "either";
            }
            vec![fault]
        }
        "escalation" => {
            let weak = dice.between(0.1, 0.3);
            let mut fault = run(Touches::Site, at, outage * 0.5, 1.0);
            fault.bursts.insert(0, (at - outage, at, weak));
            fault.verdict = "either";
            vec![fault]
        }
        _ => Vec::new(),
    }
}

/// `/shop/item` and `/shop/list` together are `/shop`.
fn collapse(names: Vec<String>, site: &Site) -> Vec<String> {
    let mut short: Vec<String> = Vec::new();
    for name in &names {
        let parent = match name.rsplit_once('/') {
            Some((parent, _)) if !parent.is_empty() => parent.to_owned(),
            _ => name.clone(),
        };
        let whole = site
            .routes
            .iter()
            .filter(|route| route.0.starts_with(&format!("{parent}/")))
            .all(|route| names.contains(&route.0));
        let kept = if whole { parent } else { name.clone() };
        if !short.contains(&kept) {
            short.push(kept);
        }
    }
    short
}

fn run(touches: Touches, at: f64, length: f64, share: f64) -> Fault {
    let verdict = if length <= 600.0 {
        "blip"
    } else if share >= 0.5 {
        "persistent"
    } else {
        "intermittent"
    };
    Fault {
        seen_as: touches.clone(),
        touches,
        bursts: vec![(at, at + length, share)],
        verdict,
        ongoing: false,
    }
}

fn ongoing(touches: Touches, at: f64, end: f64, share: f64) -> Fault {
    Fault {
        ongoing: true,
        ..run(touches, at, end - at, share)
    }
}

fn rate(site: &Site, at: f64) -> f64 {
    let day = 1.0 + 0.5 * (at / 86_400.0 * std::f64::consts::TAU).sin();
    let peak: f64 = site
        .peaks
        .iter()
        .map(|(middle, half, factor)| factor * (1.0 - ((at - middle) / half).powi(2)).max(0.0))
        .sum();
    day + peak
}

fn overload_share(site: &Site, at: f64) -> f64 {
    let over = (rate(site, at) - site.capacity) / rate(site, at);
    if over > 0.02 {
        (0.9 * over).min(0.55)
    } else {
        0.0
    }
}

fn draw(dice: &mut Dice, site: &Site, faults: &[Fault]) -> Vec<Row> {
    let weights: Vec<f64> = site.routes.iter().map(|route| route.1).collect();
    let most = 1.5 + site.peaks.iter().map(|peak| peak.2).fold(0.0, f64::max);
    let mut rows = Vec::new();
    let mut again: Vec<(f64, Row)> = Vec::new();
    let mut at = 0.0;
    let mut hour = (usize::MAX, 1.0);
    loop {
        at += dice.exponential(86_400.0 / site.per_day / most);
        if at >= site.length {
            break;
        }
        again.sort_by(|a, b| b.0.total_cmp(&a.0));
        while again.last().is_some_and(|next| next.0 <= at) {
            if let Some((when, row)) = again.pop() {
                fetch(dice, site, faults, when, row, 1.0, &mut rows, &mut again);
            }
        }
        if !dice.chance(rate(site, at) / most) {
            continue;
        }
        let now = (at / 3_600.0) as usize;
        if now != hour.0 {
            hour = (
                now,
                if site.clumpy {
                    dice.log_between(0.1, 4.0)
                } else {
                    dice.log_between(0.5, 1.6)
                },
            );
        }
        let mut row = Row::default();
        if !dice.chance(site.others) {
            row.crawler = Some(dice.weighted(&site.crawlers) as u16);
        }
        let route = dice.weighted(&weights);
        let url = ((site.urls as f64).powf(dice.unit()) - 1.0) as usize;
        row.path = format!("{}/{url}", site.routes[route].0);
        if row.crawler.is_some() && dice.chance(0.03) {
            row.path = "/robots.txt".to_owned();
        }
        fetch(dice, site, faults, at, row, hour.1, &mut rows, &mut again);
    }
    rows.sort_by_key(|row| row.at);
    rows
}

#[expect(
    clippy::too_many_arguments,
    reason = "one draw needs the whole state of the simulation"
)]
fn fetch(
    dice: &mut Dice,
    site: &Site,
    faults: &[Fault],
    at: f64,
    mut row: Row,
    hour: f64,
    rows: &mut Vec<Row>,
    again: &mut Vec<(f64, Row)>,
) {
    if site.gap.is_some_and(|gap| gap.0 <= at && at <= gap.1) {
        return;
    }
    let route = site
        .routes
        .iter()
        .position(|route| row.path.starts_with(&format!("{}/", route.0)));
    let noise = route.map_or(site.noise[0], |index| site.noise[index]);
    row.at = START + at as i64;
    row.attempts.clear();
    row.failed = dice.chance((noise * hour).min(0.004));
    let first = dice.below(site.upstreams);
    let mut upstream = first;
    loop {
        let mut attempt = row.failed;
        for fault in faults {
            for (from, to, share) in &fault.bursts {
                if *from <= at
                    && at < *to
                    && touches(&fault.touches, &row, upstream)
                    && is_own(fault, faults, *from, *to)
                {
                    attempt |= dice.chance(*share);
                }
            }
        }
        if site.named {
            row.attempts
                .push((format!("10.0.0.{upstream}:80"), attempt));
        }
        let next = (upstream + 1) % site.upstreams;
        row.failed = attempt;
        if !attempt || !site.retries || next == first {
            break;
        }
        upstream = next;
        row.failed = false;
    }
    if row.failed {
        let (chance, wait) = if row.crawler.is_some() {
            (0.4, 1_200.0)
        } else {
            (0.3, 25.0)
        };
        if dice.chance(chance) {
            let wait = dice.exponential(wait);
            let mut next = row.clone();
            next.repeat = row.crawler.is_none() && wait < 60.0;
            again.push((at + wait, next));
        }
    }
    if !row.failed {
        row.repeat = false;
    }
    rows.push(row);
}

/// A rolling restart lists all its bursts in its first fault for the truth; each upstream fails in its own only.
fn is_own(fault: &Fault, faults: &[Fault], from: f64, to: f64) -> bool {
    fault.verdict != "restart"
        || !faults.iter().skip(1).any(|other| {
            other
                .bursts
                .iter()
                .any(|burst| burst.0 == from && burst.1 == to)
        })
}

/// Whether a request is in a scope.
pub(crate) fn touches(scope: &Touches, row: &Row, upstream: usize) -> bool {
    match scope {
        Touches::Site => true,
        Touches::Routes(routes) => routes
            .iter()
            .any(|route| row.path.starts_with(&format!("{route}/"))),
        Touches::Url(url) => row.path == *url,
        Touches::Upstream(index) => *index == upstream,
        Touches::Crawler(crawler) => row.crawler == Some(*crawler),
        Touches::AllCrawlers => row.crawler.is_some(),
        Touches::Robots => row.path == "/robots.txt",
    }
}
