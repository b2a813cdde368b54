//! Requests of a site under its faults, one after the other. A request's moment is that of its log line.

use std::collections::BinaryHeap;

use super::dice::Dice;
use super::fault::{Fault, Plan};
use super::request::{self, CRAWLERS, Request};
use super::scope::{ROBOTS, Scope};
use super::site::{DAY_S, Noise, Site};

/// A request and what only the simulation knows of it.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Seconds since the first, by the true clock.
    pub(crate) time: f64,
    pub(crate) request: Request,
    pub(crate) agent: &'static str,
    pub(crate) seconds: f64,
    pub(crate) bytes: u32,
}

const AGENTS: [&str; 12] = [
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.6778.69 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; OAI-SearchBot/1.0; +https://openai.com/searchbot",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)",
    "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)",
    "CCBot/2.0 (https://commoncrawl.org/faq/)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Amazonbot/0.1; +https://developer.amazon.com/support/amazonbot) Chrome/119.0.6045.214 Safari/537.36",
    "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
];
/// Browsers, scripts, and agents that nobody has a name for.
const OTHERS: [&str; 8] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "curl/8.5.0",
    "python-requests/2.32.3",
    "-",
    "unheard-of/0.3 (reads things; no page of its own)",
    "Mozilla/5.0",
];
const HOLES: [&str; 8] = [
    "/wp-login.php",
    "/.env",
    "/xmlrpc.php",
    "/admin.php",
    "/backup.zip",
    "/.git/config",
    "/phpinfo.php",
    "/cgi-bin/test",
];

/// Who asks.
#[derive(Clone, Copy, PartialEq)]
enum Client {
    /// Place among the site's crawlers.
    Crawler(usize),
    Person,
    /// A script that asks again and again, whatever is answered.
    Stubborn,
    /// Looks for holes under this agent.
    Scanner(&'static str),
}

/// A request still to come.
struct Coming {
    time: f64,
    client: Client,
    address: String,
    path: String,
    tries: u32,
}

// The heap gives the greatest first, and the earliest is wanted.
impl Ord for Coming {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.time.total_cmp(&self.time)
    }
}
impl PartialOrd for Coming {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Coming {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Coming {}

/// What a crawler remembers of the site.
#[derive(Clone)]
struct Mood {
    /// Share of its usual requests that it still makes: errors slow it down.
    pace: f64,
    /// Since when its `robots.txt` fails.
    robots_fail_since: Option<f64>,
}

struct Traffic<'a> {
    dice: &'a mut Dice,
    site: &'a Site,
    faults: &'a [Fault],
    coming: BinaryHeap<Coming>,
    moods: Vec<Mood>,
    /// Noise of each route for one hour: number of the hour, factors.
    hour: (i64, Vec<f64>),
    minute: (i64, f64),
    /// A route whose next request is likely to fail too, and until when.
    echo: Option<(usize, f64)>,
    sent: Vec<Sent>,
}

/// No route-hour of a healthy site fails more often.
const NOISE_MAX: f64 = 0.004;
/// Share of its usual requests that a crawler makes in the worst of times.
const PACE_MIN: f64 = 0.2;
/// How long Google stops for when `robots.txt` fails.
const ROBOTS_STOP_S: f64 = 43_200.0;

/// All requests of the log, in the order of their lines.
pub(crate) fn send(dice: &mut Dice, site: &Site, faults: &[Fault]) -> Vec<Sent> {
    let mood = Mood {
        pace: 1.0,
        robots_fail_since: None,
    };
    let mut traffic = Traffic {
        moods: vec![mood; site.crawlers.len()],
        coming: BinaryHeap::new(),
        hour: (-1, Vec::new()),
        minute: (-1, 1.0),
        echo: None,
        sent: Vec::new(),
        dice,
        site,
        faults,
    };
    traffic.plan_scanners();
    traffic.run();
    let mut sent = traffic.sent;
    sent.sort_by(|one, two| one.time.total_cmp(&two.time));
    sent
}

impl Traffic<'_> {
    fn plan_scanners(&mut self) {
        for scanner in &self.site.scanners {
            let agent = if scanner.poses { AGENTS[0] } else { OTHERS[7] };
            let address = format!("198.51.100.{}", 1 + self.dice.below(250));
            for _ in 0..scanner.lines {
                self.coming.push(Coming {
                    time: scanner.from + self.dice.between(0.0, scanner.length),
                    client: Client::Scanner(agent),
                    address: address.clone(),
                    path: self.dice.pick(&HOLES).to_owned(),
                    tries: 0,
                });
            }
        }
    }

    fn run(&mut self) {
        let most = self.site.load_max();
        let mut now = 0.0;
        loop {
            now += self.dice.wait(self.site.gap_mean() / most);
            while self.coming.peek().is_some_and(|next| next.time <= now) {
                if let Some(next) = self
                    .coming
                    .pop()
                    .filter(|next| next.time < self.site.length)
                {
                    self.answer(next);
                }
            }
            if now >= self.site.length {
                return;
            }
            if self.dice.chance(self.site.load(now) / most) {
                self.arrive(now);
            }
        }
    }

    /// Somebody comes on his own account.
    fn arrive(&mut self, time: f64) {
        let client = self.client(time);
        let mut path = self.page();
        let mut address = format!("203.0.113.{}", 1 + self.dice.below(250));
        if let Client::Crawler(index) = client {
            let pace = match self.site.heeds_errors {
                true => self.moods[index].pace,
                false => 1.0,
            };
            if !self.dice.chance(pace) || self.stops(index, time) {
                return;
            }
            let place = self.site.crawlers[index].0;
            address = format!("192.0.2.{}", place * 20 + 1 + self.dice.below(20));
            if self.dice.chance(0.03) {
                path = ROBOTS.to_owned();
            }
        }
        self.answer(Coming {
            time,
            client,
            address,
            path,
            tries: 0,
        });
    }

    fn client(&mut self, time: f64) -> Client {
        let surges: Vec<(Option<usize>, f64)> = self.site.peak_load(time).collect();
        let surge = surges.iter().filter(|peak| peak.0.is_some());
        let surge: f64 = surge.map(|peak| peak.1).sum();
        if surge > 0.0 && self.dice.chance(surge / self.site.load(time)) {
            let whose = surges.iter().find_map(|peak| peak.0);
            return Client::Crawler(whose.unwrap_or(0));
        }
        if self.dice.chance(self.site.others) {
            return if self.dice.chance(0.02) {
                Client::Stubborn
            } else {
                Client::Person
            };
        }
        let weights = self.site.crawlers.iter().map(|crawler| crawler.1);
        Client::Crawler(self.dice.weighted(weights))
    }

    /// Google fetches nothing else while `robots.txt` fails; of the others nothing is documented.
    fn stops(&self, crawler: usize, time: f64) -> bool {
        self.site.heeds_errors
            && self.site.crawlers[crawler].0 == 0
            && self.moods[crawler]
                .robots_fail_since
                .is_some_and(|since| time - since < ROBOTS_STOP_S)
    }

    fn page(&mut self) -> String {
        let weights = self.site.routes.iter().map(|route| route.weight);
        let route = &self.site.routes[self.dice.weighted(weights)];
        // A heavy head: the first pages of a route are asked for most.
        let pages = (self.site.pages_per_route as f64).powf(self.dice.between(0.0, 1.0));
        page_of(&route.prefix, pages as usize - 1)
    }

    fn answer(&mut self, coming: Coming) {
        let time = coming.time;
        let lost = self.site.lost.iter();
        if lost.into_iter().any(|gap| gap.0 <= time && time < gap.1) {
            return;
        }
        let crawler = match coming.client {
            Client::Crawler(index) => Some(CRAWLERS[self.site.crawlers[index].0]),
            Client::Scanner(agent) => request::crawler(agent),
            Client::Person | Client::Stubborn => None,
        };
        let mut request = Request {
            at: 0,
            address: coming.address.clone(),
            crawler,
            path: coming.path.clone(),
            status: self.good_status(coming.client),
            ..Request::default()
        };
        let is_cacheable = crawler.is_none() && request.status == 200;
        if self.site.names_upstreams && is_cacheable && self.dice.chance(self.site.cached) {
            request.cached = true;
        } else {
            self.ask_upstreams(time, &mut request);
        }
        let second_node = self.dice.chance(0.5);
        let clock = if second_node { self.site.skew } else { 0.0 };
        request.at = self.site.start + (time + clock).floor() as i64;
        let seconds = self.seconds(time, &request);
        self.remember(&coming, request.failed());
        let agent = self.agent(coming.client);
        let bytes = match request.status {
            304 => 0,
            _ => 150 + self.dice.below(40_000) as u32,
        };
        self.sent.push(Sent {
            time,
            request,
            agent,
            seconds,
            bytes,
        });
    }

    fn good_status(&mut self, client: Client) -> u16 {
        if let Client::Scanner(_) = client {
            return if self.dice.chance(0.9) { 404 } else { 403 };
        }
        match self.dice.below(200) {
            0..=15 => 304,
            16..=18 => 301,
            19..=21 => 404,
            22 if client == Client::Person => 499,
            _ => 200,
        }
    }

    fn agent(&mut self, client: Client) -> &'static str {
        match client {
            Client::Crawler(index) => AGENTS[self.site.crawlers[index].0],
            Client::Scanner(agent) => agent,
            Client::Stubborn => "python-requests/2.32.3",
            Client::Person => self.dice.pick(&OTHERS),
        }
    }

    /// Decides how the request goes, and through which upstreams.
    fn ask_upstreams(&mut self, time: f64, request: &mut Request) {
        let count = self.site.upstreams.len();
        let first = self.dice.below(count);
        let mut status = if self.is_noise(time, request) { 500 } else { 0 };
        for fault in self.faults.iter().filter(|fault| fault.behind.is_empty()) {
            let Some((_, burst)) = fault.burst(time) else {
                continue;
            };
            // An upstream named as the scope is drawn for below, attempt by attempt.
            if !matches!(fault.scope, Scope::Upstream(_))
                && fault.scope.holds(request)
                && self.dice.chance(burst.share)
            {
                status = fault.status;
            }
        }
        let mut attempts = Vec::new();
        let mut asked = first;
        loop {
            let broken = self.upstream_status(time, asked);
            let answered = if status > 0 { status } else { broken };
            attempts.push((self.site.upstreams[asked].clone(), answered > 0));
            asked = (asked + 1) % count;
            let goes_on = self.site.retries && matches!(answered, 502..=504) && asked != first;
            if !goes_on {
                if answered > 0 {
                    request.status = answered;
                }
                break;
            }
        }
        if self.site.names_upstreams {
            request.attempts = attempts;
        }
    }

    /// What an upstream that is out answers with; 0 when it is not.
    fn upstream_status(&mut self, time: f64, upstream: usize) -> u16 {
        for fault in self.faults {
            let Some((index, burst)) = fault.burst(time) else {
                continue;
            };
            let is_it = match &fault.scope {
                Scope::Upstream(name) => *name == self.site.upstreams[upstream],
                _ => fault.upstream(index) == Some(upstream),
            };
            if is_it && self.dice.chance(burst.share) {
                return fault.status;
            }
        }
        0
    }

    /// An isolated failure, as healthy sites have them.
    fn is_noise(&mut self, time: f64, request: &Request) -> bool {
        let is_below = |prefix: &str| request.path.starts_with(&format!("{prefix}/"));
        let routes = &self.site.routes;
        let Some(route) = routes.iter().position(|route| is_below(&route.prefix)) else {
            return false;
        };
        self.turn_hour(time);
        let rate = routes[route].noise * self.hour.1[route] * self.minute.1;
        if let Some((_, until)) = self.echo.filter(|echo| echo.0 == route) {
            self.echo = None;
            if time < until {
                return true;
            }
        }
        let fails = self.dice.chance(rate.min(NOISE_MAX));
        if fails && self.site.noise == Noise::Clumps && self.dice.chance(0.2) {
            self.echo = Some((route, time + 60.0));
        }
        fails
    }

    fn turn_hour(&mut self, time: f64) {
        let hour = (time / 3_600.0) as i64;
        if hour != self.hour.0 {
            // Means of about 1, so that the background stays what the truth says.
            let (low, high) = match self.site.noise {
                Noise::Hourly => (0.4, 1.9),
                Noise::Clumps => (0.08, 3.2),
            };
            let factors = (0..self.site.routes.len()).map(|_| self.dice.log_between(low, high));
            self.hour = (hour, factors.collect());
        }
        let minute = (time / 60.0) as i64;
        if minute != self.minute.0 {
            let factor = match self.site.noise {
                Noise::Hourly => 1.0,
                Noise::Clumps => self.dice.log_between(0.05, 3.6),
            };
            self.minute = (minute, factor);
        }
    }

    fn seconds(&mut self, time: f64, request: &Request) -> f64 {
        let usual = self.dice.log_between(0.01, 0.6);
        match request.status {
            502 | 503 | 429 => return 0.001,
            504 => return 60.0 + self.dice.between(0.0, 0.1),
            _ if request.cached => return 0.0,
            _ => {}
        }
        let slow = self.site.slow.iter();
        let deploys = slow.into_iter().any(|slow| slow.0 <= time && time < slow.1);
        let near = self.site.load(time) / self.site.capacity;
        match (deploys, near > 0.85) {
            (true, _) => usual * 6.0,
            (false, true) => usual * (1.0 + 20.0 * (near - 0.85)),
            (false, false) => usual,
        }
    }

    /// What the client does next: crawlers come back for what failed and slow down, people press reload.
    fn remember(&mut self, coming: &Coming, failed: bool) {
        let again = match coming.client {
            Client::Crawler(index) => self.crawler_wait(index, coming, failed),
            Client::Person if failed && coming.tries < 3 && self.dice.chance(0.3) => {
                Some(self.dice.wait(20.0) + 1.0)
            }
            Client::Stubborn if failed && coming.tries < 30 => Some(self.dice.between(1.0, 5.0)),
            _ => None,
        };
        if let Some(wait) = again {
            self.coming.push(Coming {
                time: coming.time + wait,
                client: coming.client,
                address: coming.address.clone(),
                path: coming.path.clone(),
                tries: coming.tries + 1,
            });
        }
    }

    fn crawler_wait(&mut self, index: usize, coming: &Coming, failed: bool) -> Option<f64> {
        let mood = &mut self.moods[index];
        mood.pace = if failed {
            (mood.pace * 0.85).max(PACE_MIN)
        } else {
            (mood.pace * 1.08).min(1.0)
        };
        if coming.path == ROBOTS {
            let since = mood.robots_fail_since.unwrap_or(coming.time);
            mood.robots_fail_since = failed.then_some(since);
            return failed.then(|| self.dice.wait(2_400.0));
        }
        (failed && coming.tries < 4 && self.dice.chance(0.4)).then(|| {
            let tries = f64::from(coming.tries + 1);
            (self.dice.wait(1_500.0) * tries).min(0.5 * DAY_S)
        })
    }
}

/// The n-th page of a route.
pub(crate) fn page_of(prefix: &str, page: usize) -> String {
    let letter = char::from(b'a' + (page % 26) as u8);
    format!("{prefix}/{letter}-{}", 100 + page)
}

/// Chance that the fault fails this request, as somebody knows who knows all but the draw.
pub(crate) fn share(fault: &Fault, site: &Site, time: f64, request: &Request) -> f64 {
    let Some((index, burst)) = fault.burst(time) else {
        return 0.0;
    };
    let Some(upstream) = fault.upstream(index) else {
        return burst.share;
    };
    if fault.plan == Plan::Restart && site.names_upstreams {
        let name = &site.upstreams[upstream];
        let is_asked = request
            .attempts
            .first()
            .is_some_and(|first| first.0 == *name);
        return if is_asked { burst.share } else { 0.0 };
    }
    burst.share / site.upstreams.len() as f64
}
