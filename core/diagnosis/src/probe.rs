//! What a probe comes to: outcomes of edge and origins to one judgement. Takes what was seen, asks nobody.
//!
//! Each path is judged alone and paths that come to the same are told together: an edge that fails for one path and an
//! origin that fails for another are two findings, not one in which everything fails.

use std::collections::{BTreeMap, BTreeSet};

use model::Cause;
use model::probe::{Answer, Difference, Outcome, Part, Role, Side, Verdict, VerdictKind};

/// Things to do that are told; what is behind them is in the knowledge base.
const ADVICE_MAX: usize = 5;

/// The judgement.
pub fn judge(outcomes: &[Outcome]) -> Verdict {
    let mut paths: Vec<&str> = Vec::new();
    for outcome in outcomes {
        if !paths.contains(&outcome.path.as_str()) {
            paths.push(&outcome.path);
        }
    }
    let mut parts: Vec<Part> = Vec::new();
    let mut differences = Vec::new();
    for path in paths {
        let of_path: Vec<&Outcome> = outcomes
            .iter()
            .filter(|outcome| outcome.path == path && outcome.is_asked())
            .collect();
        differences.extend(differences_of(path, &of_path));
        let part = part(path, &of_path, &differences);
        let is_alike = |other: &&mut Part| {
            (other.kind, &other.edge, &other.origin, &other.elsewhere)
                == (part.kind, &part.edge, &part.origin, &part.elsewhere)
        };
        match parts.iter_mut().find(is_alike) {
            Some(other) => other.paths.push(path.to_owned()),
            None => parts.push(part),
        }
    }
    parts.sort_by_key(|part| part.kind);
    let advice = advice(&parts);
    Verdict {
        parts,
        differences,
        advice,
    }
}

fn part(path: &str, outcomes: &[&Outcome], differences: &[Difference]) -> Part {
    let of = |role: Role| {
        let outcomes = outcomes.iter().copied();
        outcomes.filter(move |outcome| outcome.target.role == role)
    };
    let edge = side(&of(Role::Edge).collect::<Vec<_>>());
    let origin = side(&of(Role::Origin).collect::<Vec<_>>());
    let elsewhere: Vec<(String, String)> = outcomes
        .iter()
        .filter(|outcome| outcome.target.elsewhere)
        .map(|outcome| {
            (
                outcome.target.name.clone(),
                outcome.target.place().to_owned(),
            )
        })
        .collect();
    let differs = differences
        .iter()
        .any(|difference| difference.path == path && is_found_by_one(difference));
    let fails = |side: &Side| matches!(side, Side::Fails { .. });
    let kind = if !elsewhere.is_empty() && !fails(&origin) {
        VerdictKind::ResolvesElsewhere
    } else {
        match (&edge, &origin) {
            (Side::Differs { .. }, _) | (_, Side::Differs { .. }) => VerdictKind::DiffersByAddress,
            (Side::Fails { .. }, Side::Fails { .. }) => VerdictKind::BothFail,
            (Side::Fails { .. }, Side::Good) => VerdictKind::EdgeFailsOriginGood,
            (Side::Fails { .. }, Side::Absent) => VerdictKind::EdgeFails,
            (Side::Good | Side::Absent, Side::Fails { .. }) => VerdictKind::OriginFailsEdgeGood,
            (Side::Good | Side::Absent, Side::Good | Side::Absent) if differs => {
                VerdictKind::AnswersDiffer
            }
            (Side::Good | Side::Absent, Side::Good | Side::Absent) => VerdictKind::AllGood,
        }
    };
    Part {
        kind,
        paths: vec![path.to_owned()],
        edge,
        origin,
        elsewhere,
    }
}

fn side(outcomes: &[&Outcome]) -> Side {
    let failing: Vec<&&Outcome> = outcomes
        .iter()
        .filter(|outcome| outcome.failure.is_some())
        .collect();
    let causes: BTreeSet<Cause> = failing
        .iter()
        .filter_map(|outcome| outcome.failure.as_ref()?.cause)
        .collect();
    let causes: Vec<Cause> = causes.into_iter().collect();
    if outcomes.is_empty() {
        Side::Absent
    } else if failing.is_empty() {
        Side::Good
    } else if failing.len() == outcomes.len() {
        Side::Fails { causes }
    } else {
        Side::Differs {
            failing: failing
                .iter()
                .map(|outcome| outcome.target.place().to_owned())
                .collect(),
            asked: outcomes.len(),
            causes,
        }
    }
}

/// Each good origin's answer against the first good one of the edge.
fn differences_of(path: &str, outcomes: &[&Outcome]) -> Vec<Difference> {
    let good = |role: Role| {
        let outcomes = outcomes.iter().filter(move |outcome| {
            outcome.target.role == role && (outcome.failure.is_none() && !outcome.target.elsewhere)
        });
        outcomes.filter_map(|outcome| Some((outcome.target.place(), outcome.answer.as_ref()?)))
    };
    let Some((_, edge)) = good(Role::Edge).next() else {
        return Vec::new();
    };
    good(Role::Origin)
        .filter_map(|(place, origin)| difference(path, place, edge, origin))
        .collect()
}

fn difference(path: &str, place: &str, edge: &Answer, origin: &Answer) -> Option<Difference> {
    let mut what = Vec::new();
    let mut put = |name, edge: Option<String>, origin: Option<String>| {
        if edge != origin {
            let shown = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
            what.push((name, shown(edge), shown(origin)));
        }
    };
    put(
        "status",
        Some(edge.status.to_string()),
        Some(origin.status.to_string()),
    );
    put("server", edge.server.clone(), origin.server.clone());
    put("type", media_type(edge), media_type(origin));
    if edge.is_whole && origin.is_whole {
        let length = |answer: &Answer| Some(answer.body_bytes.to_string());
        put("length", length(edge), length(origin));
    }
    let type_differs = media_type(edge) != media_type(origin);
    (!what.is_empty()).then(|| Difference {
        path: path.to_owned(),
        origin: place.to_owned(),
        // An edge puts its own name into Server, compresses, redirects and refuses: alone these say nothing.
        is_other_application: (is_found(edge) && is_missing(origin))
            || (is_missing(edge) && is_found(origin))
            || (type_differs && is_found(edge) && is_found(origin)),
        what,
    })
}

/// One side gives the page, the other says that there is none, or refuses.
fn is_found_by_one(difference: &Difference) -> bool {
    let status = difference.what.iter().find(|(name, ..)| *name == "status");
    status.is_some_and(|(_, edge, origin)| {
        let pair = [edge, origin].map(|status| status.as_bytes().first().copied());
        matches!(pair, [Some(b'2'), Some(b'4')] | [Some(b'4'), Some(b'2')])
    })
}

fn is_found(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}

fn is_missing(answer: &Answer) -> bool {
    matches!(answer.status, 404 | 410)
}

/// Without its parameters.
fn media_type(answer: &Answer) -> Option<String> {
    let value = answer.content_type.as_deref()?;
    let media = value.split(';').next().unwrap_or_default().trim();
    Some(media.to_ascii_lowercase())
}

/// First what the kind says about where to look, then what the cause says, then the same for the next part.
fn advice(parts: &[Part]) -> Vec<&'static str> {
    let mut advice: Vec<&'static str> = Vec::new();
    let mut put = |text: &'static str| {
        if !advice.contains(&text) {
            advice.push(text);
        }
    };
    for part in parts {
        for text in steps(part.kind) {
            put(text);
        }
        // Where the origin fails, its cause is nearer to the fault than what the edge makes of it.
        let causes: BTreeMap<bool, &[Cause]> =
            [(false, causes(&part.origin)), (true, causes(&part.edge))].into();
        let nearest = causes.values().find_map(|causes| causes.first());
        for text in nearest.map_or(&[][..], |cause| knowledge::cause(*cause).advice) {
            put(text);
        }
    }
    advice.truncate(ADVICE_MAX);
    advice
}

fn causes(side: &Side) -> &[Cause] {
    match side {
        Side::Absent | Side::Good => &[],
        Side::Fails { causes } | Side::Differs { causes, .. } => causes,
    }
}

/// Where to look first.
const fn steps(kind: VerdictKind) -> &'static [&'static str] {
    match kind {
        VerdictKind::BothFail => {
            &["Repair the origin first: the edge can be no better than what is behind it."]
        }
        VerdictKind::EdgeFailsOriginGood => &[
            "Run the same probe on the edge's own host: good there too means the edge's configuration, failing there means \
             the network between.",
            "Compare the origin that was asked with the one that the edge is configured for: address, port, scheme, name.",
            "Read the edge's error log of this minute: `webmasterid diagnose` names the line.",
        ],
        VerdictKind::EdgeFails => &[
            "Ask the origin directly with --origin ADDRESS, to learn on which side of the edge the fault is.",
        ],
        VerdictKind::DiffersByAddress => {
            &["Take the address that fails out of the pool or out of DNS until it works."]
        }
        VerdictKind::ResolvesElsewhere => &[
            "Let the edge resolve the name at run time, or reload it: many resolve a name once, when they start.",
            "Correct the address, or the record, whichever is out of date.",
        ],
        VerdictKind::OriginFailsEdgeGood => &[
            "The edge may still answer out of its cache or from another server: crawlers get errors as soon as that ends.",
        ],
        VerdictKind::AnswersDiffer => &[
            "Check that the origin that was asked serves this host: another application or a default site may stand there.",
            "A refusal (401, 403) may be meant for this machine: edges and origins let in by address and by agent.",
        ],
        VerdictKind::AllGood => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Stamp;
    use model::probe::{Failure, Phase, Target};

    fn outcome(role: Role, place: &str, path: &str, fails: Option<Cause>) -> Outcome {
        Outcome {
            target: Target {
                role,
                name: place.to_owned(),
                address: Some(place.to_owned()),
                tls: false,
                elsewhere: false,
            },
            path: path.to_owned(),
            at: Stamp(0),
            steps: Vec::new(),
            failure: fails.map(|cause| Failure {
                phase: Phase::Connect,
                cause: Some(cause),
                detail: String::new(),
            }),
            answer: Some(Answer {
                status: 200,
                is_whole: true,
                ..Answer::default()
            }),
            tls_version: None,
            keep_alive: None,
            notes: Vec::new(),
        }
    }

    /// `e` and `o` are an address of edge and origin that are good, in capitals they fail; `x` is an address given beside
    /// a name that leads elsewhere.
    fn all(ends: &str, path: &str) -> Vec<Outcome> {
        let one = |(index, end): (usize, char)| {
            let role = match end.to_ascii_lowercase() {
                'e' => Role::Edge,
                _ => Role::Origin,
            };
            let fails = end.is_ascii_uppercase().then_some(Cause::ConnectionRefused);
            let mut outcome = outcome(role, &format!("192.0.2.{index}:80"), path, fails);
            outcome.target.elsewhere = end.eq_ignore_ascii_case(&'x');
            outcome
        };
        ends.chars().enumerate().map(one).collect()
    }

    #[test]
    fn every_combination_has_its_verdict() {
        use VerdictKind as Kind;
        for (ends, expected) in [
            ("e", Kind::AllGood),
            ("ee", Kind::AllGood),
            ("eo", Kind::AllGood),
            ("eeooo", Kind::AllGood),
            ("o", Kind::AllGood),
            ("", Kind::AllGood),
            ("E", Kind::EdgeFails),
            ("EE", Kind::EdgeFails),
            ("Eo", Kind::EdgeFailsOriginGood),
            ("EEoo", Kind::EdgeFailsOriginGood),
            ("EO", Kind::BothFail),
            ("EEOO", Kind::BothFail),
            ("eO", Kind::OriginFailsEdgeGood),
            ("eOO", Kind::OriginFailsEdgeGood),
            ("O", Kind::OriginFailsEdgeGood),
            ("eE", Kind::DiffersByAddress),
            ("eEo", Kind::DiffersByAddress),
            ("eoO", Kind::DiffersByAddress),
            ("EoO", Kind::DiffersByAddress),
            ("eox", Kind::ResolvesElsewhere),
            ("eoX", Kind::ResolvesElsewhere),
            ("EoX", Kind::ResolvesElsewhere),
            ("EX", Kind::BothFail),
        ] {
            assert_eq!(judge(&all(ends, "/")).kind(), expected, "{ends}");
        }
    }

    #[test]
    fn the_address_that_fails_is_named() {
        let verdict = judge(&all("eoOo", "/"));
        assert_eq!(
            verdict.parts[0].origin,
            Side::Differs {
                failing: vec!["192.0.2.2:80".to_owned()],
                asked: 3,
                causes: vec![Cause::ConnectionRefused],
            }
        );
    }

    #[test]
    fn paths_are_judged_apart_and_told_together() {
        let outcomes = [
            all("Eo", "/a"),
            all("eO", "/b"),
            all("eo", "/c"),
            all("Eo", "/d"),
        ];
        let verdict = judge(&outcomes.concat());
        let parts: Vec<(VerdictKind, String)> = verdict
            .parts
            .iter()
            .map(|part| (part.kind, part.paths.join(" ")))
            .collect();
        assert_eq!(
            parts,
            [
                (VerdictKind::EdgeFailsOriginGood, "/a /d".to_owned()),
                (VerdictKind::OriginFailsEdgeGood, "/b".to_owned()),
                (VerdictKind::AllGood, "/c".to_owned()),
            ]
        );
    }

    #[test]
    fn answers_are_compared() {
        let two = |status: u16, edge: &str, origin: &str| {
            let mut outcomes = all("eo", "/");
            for (outcome, kind) in outcomes.iter_mut().zip([edge, origin]) {
                outcome.answer.as_mut().unwrap().content_type = Some(kind.to_owned());
            }
            outcomes[1].answer.as_mut().unwrap().status = status;
            let verdict = judge(&outcomes);
            let difference = verdict.differences.first();
            let other = difference.is_some_and(|it| it.is_other_application);
            (verdict.kind(), difference.is_some(), other)
        };
        let html = "text/html; charset=utf-8";
        for (status, edge, origin, expected) in [
            (200, html, html, (VerdictKind::AllGood, false, false)),
            (200, html, "TEXT/HTML", (VerdictKind::AllGood, false, false)),
            (
                200,
                html,
                "application/json",
                (VerdictKind::AllGood, true, true),
            ),
            (404, html, html, (VerdictKind::AnswersDiffer, true, true)),
            (301, html, html, (VerdictKind::AllGood, true, false)),
            (403, html, html, (VerdictKind::AnswersDiffer, true, false)),
        ] {
            assert_eq!(two(status, edge, origin), expected, "{status} {origin}");
        }
    }

    #[test]
    fn advice_begins_with_where_to_look_and_follows_the_cause() {
        let verdict = judge(&all("EO", "/"));
        assert!(verdict.advice[0].starts_with("Repair the origin first"));
        let of_cause = knowledge::cause(Cause::ConnectionRefused).advice;
        assert!(verdict.advice.contains(&of_cause[0]));
        assert!(judge(&all("eo", "/")).advice.is_empty());
        for kind in VerdictKind::ALL {
            assert_eq!(steps(kind).is_empty(), kind == VerdictKind::AllGood);
        }
    }

    #[test]
    fn what_was_not_asked_does_not_count() {
        let mut outcomes = all("ee", "/");
        outcomes[1].notes.push(model::probe::Note::NoIpv6Here);
        outcomes[1].answer = None;
        assert_eq!(judge(&outcomes).kind(), VerdictKind::AllGood);
    }
}
