//! Facts that follow from the log by definition, counted again without the program.

use std::collections::BTreeMap;

use super::request::Request;
use super::scope::{ROBOTS, Scope};
use super::truth::{CrawlerFact, Facts, RobotsFact};

const STOPPED_S: f64 = 43_200.0;
const CACHED_S: f64 = 30.0 * 86_400.0;

/// Of the whole log; `requests` in order.
pub(crate) fn facts<'a>(requests: impl Iterator<Item = &'a Request>, log_end: f64) -> Facts {
    let mut last_failed: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    let mut robots: BTreeMap<&str, (Option<f64>, Option<f64>)> = BTreeMap::new();
    for request in requests {
        let Some(crawler) = request.crawler else {
            continue;
        };
        let failed = request.failed();
        last_failed.insert((crawler, &request.path), failed);
        if request.path == ROBOTS {
            let (since, last_ok) = robots.entry(crawler).or_default();
            if failed {
                since.get_or_insert(request.at as f64);
            } else {
                (*since, *last_ok) = (None, Some(request.at as f64));
            }
        }
    }
    let open = last_failed.into_iter().filter(|(_, failed)| *failed);
    let failing = robots.into_iter();
    Facts {
        open_urls: open
            .map(|((crawler, path), _)| (crawler.to_owned(), path.to_owned()))
            .collect(),
        robots: failing
            .filter_map(|(crawler, (since, last_ok))| {
                Some(RobotsFact {
                    crawler: crawler.to_owned(),
                    failing_since: since?,
                    last_ok,
                    phase: phase(log_end - since?).to_owned(),
                })
            })
            .collect(),
    }
}

fn phase(age: f64) -> &'static str {
    if age < STOPPED_S {
        "stopped"
    } else if age <= CACHED_S {
        "cached"
    } else {
        "expired"
    }
}

/// Of one incident: what each crawler lost in scope and interval, and its first good fetch after.
pub(crate) fn crawlers<'a>(
    requests: impl Iterator<Item = &'a Request>,
    scope: &Scope,
    (from, until): (f64, f64),
) -> BTreeMap<String, CrawlerFact> {
    let mut all: BTreeMap<String, CrawlerFact> = BTreeMap::new();
    // What an upstream fails, another serves: its crawlers have recovered anywhere.
    let is_upstream = matches!(scope, Scope::Upstream(_));
    for request in requests.filter(|request| request.at as f64 >= from) {
        let Some(crawler) = request.crawler else {
            continue;
        };
        let holds = scope.holds(request);
        if request.failed() {
            if holds && request.at as f64 <= until {
                let fact = all.entry(crawler.to_owned()).or_insert(CrawlerFact {
                    failed: 0,
                    first_ok: None,
                });
                fact.failed += 1;
                fact.first_ok = None;
            }
        } else if let Some(fact) = all.get_mut(crawler)
            && (holds || is_upstream)
        {
            fact.first_ok.get_or_insert(request.at as f64);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(at: i64, path: &str, status: u16) -> Request {
        Request {
            at,
            path: path.to_owned(),
            status,
            crawler: Some("GPTBot"),
            ..Request::default()
        }
    }

    #[test]
    fn only_the_last_answer_leaves_a_url_open() {
        let all = [
            fetch(1, "/a", 502),
            fetch(2, "/b", 502),
            fetch(3, "/a", 200),
        ];
        let facts = facts(all.iter(), 10.0);
        assert_eq!(facts.open_urls, [("GPTBot".to_owned(), "/b".to_owned())]);
        assert!(facts.robots.is_empty());
    }

    #[test]
    fn robots_fail_since_the_first_failure_after_the_last_good_answer() {
        let robots = |at, status| fetch(at, ROBOTS, status);
        let all = [
            robots(1, 500),
            robots(2, 200),
            robots(3, 500),
            robots(4, 503),
        ];
        let told = facts(all.iter(), 3.0 + STOPPED_S);
        let fact = RobotsFact {
            crawler: "GPTBot".to_owned(),
            failing_since: 3.0,
            last_ok: Some(2.0),
            phase: "cached".to_owned(),
        };
        assert_eq!(told.robots, [fact]);
        assert_eq!(facts(all.iter(), 100.0).robots[0].phase, "stopped");
        assert!(facts(all[..2].iter(), 100.0).robots.is_empty());
    }

    #[test]
    fn a_crawler_is_back_with_its_first_good_fetch_in_scope_after_its_last_failure() {
        let scope = Scope::Routes(vec!["/a".to_owned()]);
        let all = [
            fetch(1, "/a/x", 502),
            fetch(2, "/a/x", 200),
            fetch(3, "/a/y", 502),
            fetch(4, "/b/x", 200),
            fetch(5, "/a/x", 304),
            fetch(6, "/a/x", 200),
            fetch(9, "/a/x", 502),
        ];
        let told = |scope: &Scope| crawlers(all.iter(), scope, (0.0, 8.0))["GPTBot"];
        let fact = |failed, first_ok| CrawlerFact {
            failed,
            first_ok: Some(first_ok),
        };
        assert_eq!(told(&scope), fact(2, 5.0));
        assert_eq!(told(&Scope::Site), fact(2, 4.0));
    }
}
