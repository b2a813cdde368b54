//! `probe`: the edge and the origins behind it, asked and compared.

use std::fs;

use knowledge::CrawlerMatcher;
use model::CrawlerId;
use model::probe::VerdictKind;
use probe::{Error, Plan};
use report::{Probed, TextOptions};

use crate::cli::{AnswerFormat, ProbeArgs};
use crate::exit::{Failure, NOT_GOOD};
use crate::output;

/// Runs it; gives the exit status.
pub(crate) fn run(args: &ProbeArgs) -> anyhow::Result<u8> {
    let plan = plan(args)?;
    let outcomes = probe::probe(&plan).map_err(|error| match error {
        Error::NoAuthority => {
            let file = args.ca.as_deref().unwrap_or_else(|| "".as_ref());
            Failure::arguments(format!("--ca {}: {error}", file.display()))
        }
        Error::TooMany { .. } | Error::Roots(_) => Failure::arguments(error.to_string()),
        error => anyhow::Error::new(error),
    })?;
    let verdict = diagnosis::probe::judge(&outcomes);
    let probed = Probed {
        url: &args.url,
        sent_as: args.sent_as,
        outcomes: &outcomes,
        verdict: &verdict,
    };
    let options = TextOptions {
        color: output::has_color(args.color),
        ..TextOptions::default()
    };
    output::write(&match args.format {
        AnswerFormat::Text => report::probe_text(&probed, &options),
        AnswerFormat::Json => report::probe_json(&probed),
    })?;
    Ok(match verdict.kind() {
        VerdictKind::AllGood => 0,
        VerdictKind::BothFail
        | VerdictKind::EdgeFailsOriginGood
        | VerdictKind::EdgeFails
        | VerdictKind::DiffersByAddress
        | VerdictKind::ResolvesElsewhere
        | VerdictKind::OriginFailsEdgeGood
        | VerdictKind::AnswersDiffer => NOT_GOOD,
    })
}

fn plan(args: &ProbeArgs) -> anyhow::Result<Plan> {
    let url = args.target().map_err(|reason| {
        Failure::arguments(format!("{}: {reason}", report::printable(&args.url)))
    })?;
    let mut plan = Plan::new(url);
    if !args.edge.is_empty() {
        plan.edges.clone_from(&args.edge);
    }
    plan.origins.clone_from(&args.origin);
    for path in &args.path {
        if !plan.paths.contains(path) {
            plan.paths.push(path.clone());
        }
    }
    if let Some(crawler) = args.sent_as {
        plan.agent = agent(crawler, &plan.agent).ok_or_else(|| {
            Failure::arguments(format!(
                "--as {}: nothing that it alone sends is known",
                knowledge::crawler(crawler).id
            ))
        })?;
    }
    plan.timeout = args.timeout;
    plan.header_buffer = args.header_buffer;
    plan.keep_alive = args.keep_alive;
    plan.proxy_line = args.proxy_protocol;
    plan.checks_origins = !args.no_verify_origin;
    if let Some(path) = &args.ca {
        let name = path.display();
        let pem = fs::read(path).map_err(|error| {
            Failure::arguments(format!("--ca {name}: {}", files::reason(&error)))
        })?;
        plan.authorities = Some(pem);
    }
    Ok(plan)
}

/// An agent that every rule for the crawler meets, and that still says who it is, but where the crawler's is its token
/// and nothing else.
fn agent(crawler: CrawlerId, own: &str) -> Option<String> {
    let matcher = CrawlerMatcher::new();
    let known = knowledge::crawler(crawler);
    let mut agents = known.tokens.iter().map(|token| match known.exact {
        true => (*token).to_owned(),
        false => format!("Mozilla/5.0 (compatible; {token}; {own})"),
    });
    agents.find(|agent| matcher.find(agent.as_bytes()) == Some(crawler))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_named_is_taken_for_it() {
        let own = "webmasterid-probe/0.1.0";
        for known in knowledge::crawlers() {
            let crawler = knowledge::crawler_named(known.id).unwrap();
            let agent = agent(crawler, own);
            let says_who = agent
                .as_ref()
                .is_some_and(|it| it.contains(own) || known.exact);
            assert!(says_who, "{}: {agent:?}", known.id);
        }
    }
}
