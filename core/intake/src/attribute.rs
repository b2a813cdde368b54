//! Why an attempt or a request failed, from its own line and the error lines joined to it.
//!
//! The rules are data (`knowledge::signs`); here is the order of work: the client first, then each attempt by what
//! its own elements of the edge's lists say, then the request by the attempt that decided it. A made-up status of the
//! edge is never taken for the origin's answer.

mod attempt;
mod condition;
mod error_sign;
mod flags;
mod passed_on;
mod rank;

use std::ops::Range;
use std::sync::OnceLock;

use knowledge::SignRule;
use model::{Cause, CauseSet, Confidence, Edge, Field, Finding, Layer, LogKind, SignId};

use self::attempt::{Attempts, Element};
use self::condition::Record;
use self::error_sign::Automaton;
use self::rank::Match;
use crate::error_log::ErrorLine;
use crate::format::telltale;
use crate::literal::finder;
use crate::visit::Visit;

pub(crate) use self::error_sign::{About, ErrorFinding};
pub(crate) use self::flags::is_response_flags;
pub(crate) use self::rank::{combine, combine_errors};

/// Which statuses count as failed. By default 429 and 500 to 599.
pub(crate) struct FailureStatuses([u64; Self::WORDS]);

impl FailureStatuses {
    /// Statuses have three digits.
    const WORDS: usize = 1_000_usize.div_ceil(64);

    /// None at all.
    pub(crate) const fn none() -> Self {
        Self([0; Self::WORDS])
    }

    /// Counts `status` as failed.
    pub(crate) fn insert(&mut self, status: u16) {
        if let Some(word) = self.0.get_mut(usize::from(status / 64)) {
            *word |= 1 << (status % 64);
        }
    }

    /// Whether `status` counts as failed.
    pub(crate) fn contains(&self, status: u16) -> bool {
        self.0
            .get(usize::from(status / 64))
            .is_some_and(|word| word & 1 << (status % 64) != 0)
    }
}

impl Default for FailureStatuses {
    fn default() -> Self {
        let mut statuses = Self::none();
        statuses.insert(429);
        for status in 500..600 {
            statuses.insert(status);
        }
        statuses
    }
}

/// One attempt of the edge on an upstream. Borrows the line, so it stays inside intake.
pub(crate) struct Attempted<'line> {
    /// Address as the edge wrote it, or the group's name; empty where not logged.
    pub(crate) upstream: &'line [u8],
    /// Whether `upstream` is the name of a group, which no connection went to.
    pub(crate) is_group: bool,
    /// Status the edge wrote for it, its own made-up values included.
    pub(crate) status: Option<u16>,
    /// Milliseconds to the end of the attempt.
    pub(crate) millis: Option<u32>,
    /// Why it failed; `None` where it did not.
    pub(crate) finding: Option<Finding>,
}

/// What an access-log line says about how its request ended.
pub(crate) struct Attribution<'line> {
    /// Every attempt, in order; empty where not logged.
    pub(crate) attempts: Vec<Attempted<'line>>,
    /// Why the request failed, or that its client left; `None` for one that did neither.
    pub(crate) finding: Option<Finding>,
    /// The client hung up.
    pub(crate) client_abort: bool,
    /// Proven broken under a status that does not say so.
    pub(crate) hidden: Option<Finding>,
    /// Answered well after an attempt on an upstream failed.
    pub(crate) saved_by_retry: bool,
    /// Index of the attempt that decided `finding` or `hidden`: error lines about it are about the request.
    pub(crate) decided_by: Option<usize>,
}

impl Attribution<'_> {
    /// Nothing to say.
    pub(crate) const fn clean() -> Self {
        Self {
            attempts: Vec::new(),
            finding: None,
            client_abort: false,
            hidden: None,
            saved_by_retry: false,
            decided_by: None,
        }
    }
}

/// Varnish's word for a connection to the backend that was used before, after its FetchError in the signs.
pub(crate) const REUSED: &[u8] = b" reuse";

/// nginx's status of a client that left before the answer; other products took it over.
const CLIENT_CLOSED: u16 = 499;
/// The same of AWS's balancers.
const CLIENT_CLOSED_AWS: u16 = 460;
/// nginx's status of an answer without a status line, which it takes for HTTP/0.9.
const NO_STATUS_LINE: u16 = 9;

/// A cheap look: whether [`Signs::access`] could say anything about this line. Ordinary answers need no more.
pub(crate) fn needs_attribution(
    visit: &Visit<'_>,
    status: u16,
    failures: &FailureStatuses,
) -> bool {
    let is_odd = matches!(
        status,
        0 | NO_STATUS_LINE | CLIENT_CLOSED | CLIENT_CLOSED_AWS
    );
    if is_odd || failures.contains(status) {
        return true;
    }
    let is_ordinary = match visit.get(Field::UpstreamStatus) {
        Some(statuses) => is_one_good_status(statuses),
        // Where no status is logged the addresses still tell of a retry.
        None => visit
            .get(Field::UpstreamAddr)
            .is_none_or(|list| finder!(b", ").find(list).is_none()),
    };
    if !is_ordinary {
        return true;
    }
    visit.get(Field::ConnectionStatus) == Some(b"X")
        || visit.carries_any(&TELLING) && has_telltale(visit)
        || visit
            .get(Field::ProxyStatus)
            .is_some_and(|status| status.first() == Some(&b'5'))
        || condition::body_is_short(visit)
        || broke_off(visit)
}

/// Whether the origin said otherwise than the client was told, was not done, or declared a longer body than was sent.
fn broke_off(visit: &Visit<'_>) -> bool {
    let is_unfinished = visit
        .get(Field::OriginStatus)
        .is_some_and(|status| status == b"0" || status.first() == Some(&b'5'));
    is_unfinished || condition::is_shorter_than_declared(visit)
}

/// The fields that [`has_telltale`] looks at.
const TELLING: [Field; 8] = [
    Field::TerminationState,
    Field::ResponseFlags,
    Field::Retries,
    Field::AttemptCount,
    Field::UpstreamError,
    Field::ErrorCode,
    Field::ResultCode,
    Field::TransformedFrom,
];

/// Whether `$upstream_status` holds one status below 500, or none.
fn is_one_good_status(statuses: &[u8]) -> bool {
    match statuses {
        [] | b"-" => true,
        [first, _, _] => matches!(first, b'1'..=b'4') && statuses != b"429",
        _ => false,
    }
}

/// The sign rules, made ready for matching.
pub(crate) struct Signs {
    rules: &'static [SignRule],
    /// For each edge, in the order of the enum; each made when its first line comes, for a log seldom has two.
    error: Vec<OnceLock<Automaton>>,
    /// Indexes of the access-log rules of each edge, in the order of the enum.
    access: Vec<Vec<u16>>,
}

impl Signs {
    /// Makes `rules` ready; [`SignId`] is the index into them.
    pub(crate) fn new(rules: &'static [SignRule]) -> Self {
        let is_access =
            |rule: &SignRule| rule.log == LogKind::Access && !rule.conditions.is_empty();
        let access_of = |edge| {
            let ours = rules.iter().zip(0_u16..);
            let ours = ours.filter(|(rule, _)| rule.edge == edge && is_access(rule));
            ours.map(|(_, index)| index).collect()
        };
        Self {
            rules,
            error: Edge::ALL.map(|_| OnceLock::new()).into(),
            access: Edge::ALL.map(access_of).into(),
        }
    }

    fn error_signs(&self, edge: Edge) -> Option<&Automaton> {
        let made = self.error.get(edge as usize)?;
        Some(made.get_or_init(|| Automaton::new(self.rules, edge)))
    }

    /// What a line of an error log says; `None` where it shows no cause.
    pub(crate) fn error_line(&self, line: &ErrorLine<'_>) -> Option<ErrorFinding> {
        self.error_signs(line.edge)?.find(self.rules, line)
    }

    /// What an edge says in a field of its access log, in the words of its error log.
    fn stated(&self, edge: Edge, visit: &Visit<'_>) -> Option<Finding> {
        let words = visit.value(Field::UpstreamError)?;
        let opened = visit.value(Field::BackendOpen).unwrap_or_default();
        let reused: &[u8] = if opened.ends_with(REUSED) {
            REUSED
        } else {
            b""
        };
        self.error_signs(edge)?.words(self.rules, [words, reused])
    }

    /// Where texts stand in `words` that signs of `edge` look for.
    pub(crate) fn literals_in(&self, edge: Edge, words: &[u8]) -> Vec<Range<usize>> {
        self.error_signs(edge)
            .map_or(Vec::new(), |signs| signs.literals_in(words))
    }

    /// What an access-log line says. `edge` is the product that wrote it, or the one known from beside it (an error log
    /// or a configuration that was read along).
    pub(crate) fn access<'line>(
        &self,
        edge: Edge,
        visit: &Visit<'line>,
        failures: &FailureStatuses,
    ) -> Attribution<'line> {
        let edge = product(edge, visit);
        let status = status_of(visit.get(Field::Status).unwrap_or_default());
        // Caddy logs 0 for an answer that no handler wrote.
        let is_told = edge != Edge::Caddy || status != Some(0);
        if is_told && is_client_abort(visit, status) {
            return self.client_abort(edge, visit);
        }
        let case = Case {
            signs: self,
            edge,
            visit,
            failures,
            status: status.unwrap_or(0),
        };
        let mut result = match edge {
            Edge::Nginx => case.nginx(),
            Edge::Apache => case.apache(),
            Edge::Unknown => case.unknown(),
            _ => case.by_signs(),
        };
        case.look_behind(&mut result);
        result
    }

    /// What words of the error log say that stand in an access line.
    fn words(&self, edge: Edge, words: &[u8]) -> Option<Finding> {
        self.error_signs(edge)?.find_words(self.rules, words)
    }

    fn client_abort<'line>(&self, edge: Edge, visit: &Visit<'line>) -> Attribution<'line> {
        let attempts = match edge {
            Edge::Nginx => Attempts::of(visit).describe(),
            _ => Vec::new(),
        };
        let stated = Finding {
            cause: Some(Cause::ClientAbort),
            also: CauseSet::default(),
            confidence: Confidence::Certain,
            missing: None,
            wants_error_log: false,
            sign: None,
        };
        // The table's own row, if it has one, so that the evidence names it.
        let found = self
            .best(edge, &Record::of(visit))
            .filter(|finding| finding.cause == Some(Cause::ClientAbort));
        Attribution {
            attempts,
            finding: Some(found.unwrap_or(stated)),
            client_abort: true,
            ..Attribution::clean()
        }
    }

    /// The finding of the access rules of `edge` that hold for `record`.
    fn best(&self, edge: Edge, record: &Record<'_, '_>) -> Option<Finding> {
        let ours = self.access.get(edge as usize).into_iter().flatten();
        let rules = ours.filter_map(|index| {
            let rule = self.rules.get(usize::from(*index))?;
            Some((SignId(*index), rule))
        });
        let held = rules.filter(|(_, rule)| {
            let mut conditions = rule.conditions.iter();
            conditions.all(|condition| record.holds(condition, edge)) && record.allows(rule.cause)
        });
        rank::decide(held.map(|(id, rule)| Match::of(id, rule)))
            .map(|finding| record.asking_only_for_what_is_not_logged(finding))
    }
}

/// The product whose rules hold. A layout of unknown product that carries a field which only one of them has is that
/// one's.
fn product(edge: Edge, visit: &Visit<'_>) -> Edge {
    if edge != Edge::Unknown {
        return edge;
    }
    let of_apache = [Field::ProxyStatus, Field::ConnectionStatus, Field::Handler];
    if let Some(product) = telltale::product(visit) {
        product
    } else if visit.get(Field::Status) == Some(b"009") {
        // Only nginx writes three digits for an answer without a status line.
        Edge::Nginx
    } else if visit.carries_any(&of_apache) {
        Edge::Apache
    } else {
        Edge::Unknown
    }
}

/// A status of three digits; nginx's `009` and `000` included.
fn status_of(text: &[u8]) -> Option<u16> {
    match text {
        [a, b, c] if text.iter().all(u8::is_ascii_digit) => {
            Some(u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0'))
        }
        b"0" | b"-1" => Some(0),
        b"9" => Some(NO_STATUS_LINE),
        _ => None,
    }
}

/// Whether the client hung up: 499 on every edge, 000 (nginx sent nothing at all), httpd's `%X` = `X`. HAProxy's state
/// says it in its own way: without an answer there may also have been a rule.
fn is_client_abort(visit: &Visit<'_>, status: Option<u16>) -> bool {
    if visit.value(Field::TerminationState).is_some() {
        return false;
    }
    // Over HTTP/2 a client that took all of the answer and left at once is logged so, too (measured, httpd 2.4.71).
    let is_cut = || visit.get(Field::ConnectionStatus) == Some(b"X") && !visit.is_http2();
    matches!(status, Some(0 | CLIENT_CLOSED)) || is_cut()
}

/// Whether a client that sees `status` was told that all is well, or that the page is not there: an upstream's failure
/// behind it is hidden. The other 4xx are about the client's own request.
const fn hides_a_failure(status: u16) -> bool {
    matches!(status, 200..=399 | 403 | 404 | 410)
}

/// One access line on its way to an [`Attribution`].
struct Case<'case, 'line> {
    signs: &'case Signs,
    edge: Edge,
    visit: &'case Visit<'line>,
    failures: &'case FailureStatuses,
    status: u16,
}

impl<'line> Case<'_, 'line> {
    fn nginx(&self) -> Attribution<'line> {
        let attempts = Attempts::of(self.visit);
        let mut result = Attribution {
            attempts: attempts.describe(),
            ..Attribution::clean()
        };
        let failed = self.failures.contains(self.status);
        let decider = self.decider(&attempts);
        for (index, attempt) in result.attempts.iter_mut().enumerate() {
            if !self.is_failure(&attempts, index) {
                continue;
            }
            // The client's status is the attempt's where nothing came behind it, and the best guess where the
            // attempt's own is not logged.
            let is_last = index + 1 == attempts.len();
            let by_client =
                failed && decider == Some(index) && (is_last || attempt.status.is_none());
            attempt.finding = Some(self.attempt_finding(&attempts, index, by_client));
        }
        self.conclude(&attempts, decider, &mut result);
        result
    }

    /// The attempt that decided how the request ended: the last of the first group whose last attempt failed. A group
    /// behind it is what an `error_page` or an `X-Accel-Redirect` asked for; it must not hide what led there.
    fn decider(&self, attempts: &Attempts<'_>) -> Option<usize> {
        (0..attempts.len())
            .filter(|index| attempts.ends_group(*index))
            .find(|index| self.is_failure(attempts, *index))
    }

    /// Whether attempt `index` failed: by its status; where that is not logged, by its having no response header, or by
    /// the next server of the group having been tried.
    fn is_failure(&self, attempts: &Attempts<'_>, index: usize) -> bool {
        let is_last = index + 1 == attempts.len();
        let may_fail = !is_last || self.failures.contains(self.status);
        match attempts.element(Field::UpstreamStatus, index) {
            Some(Element::Is(status)) => status_of(status)
                .is_some_and(|status| status >= 500 || self.failures.contains(status)),
            Some(Element::Absent) if may_fail => {
                !attempts.ends_group(index)
                    || attempts.element(Field::UpstreamHeaderTime, index) == Some(Element::Is(b"-"))
            }
            _ => false,
        }
    }

    /// Why attempt `index` failed. The last one is looked at under the client's status first, since that is what the
    /// rules speak of; the status of an error page may differ from the attempt's.
    fn attempt_finding(&self, attempts: &Attempts<'_>, index: usize, by_client: bool) -> Finding {
        let own = Record::of_attempt(self.visit, attempts, index);
        let client = Record::of_attempt_seen_by_client(self.visit, attempts, index);
        by_client
            .then(|| self.signs.best(self.edge, &client))
            .flatten()
            .or_else(|| self.signs.best(self.edge, &own))
            .or_else(|| passed_on::by_nginx(&own))
            .unwrap_or_else(|| own.unknown(self.edge))
    }

    fn conclude(
        &self,
        attempts: &Attempts<'_>,
        decider: Option<usize>,
        result: &mut Attribution<'line>,
    ) {
        let finding_of = |index: Option<usize>| {
            index
                .and_then(|index| result.attempts.get(index))
                .and_then(|attempt| attempt.finding)
        };
        let whole = Record::of_last(self.visit, attempts);
        if self.failures.contains(self.status) {
            let finding = finding_of(decider).or_else(|| self.signs.best(self.edge, &whole));
            let finding = finding.or_else(|| passed_on::by_nginx(&whole));
            result.finding = Some(finding.unwrap_or_else(|| whole.unknown(self.edge)));
            result.decided_by = decider;
            return;
        }
        if self.status == NO_STATUS_LINE || condition::body_is_short(self.visit) {
            let finding = self.signs.best(self.edge, &whole);
            result.hidden = finding
                .or_else(|| (self.status == NO_STATUS_LINE).then(|| whole.unknown(self.edge)));
            result.decided_by = attempts.len().checked_sub(1);
        }
        let any_failed = result
            .attempts
            .iter()
            .any(|attempt| attempt.finding.is_some());
        let last_failed = result
            .attempts
            .last()
            .is_some_and(|attempt| attempt.finding.is_some());
        if last_failed && !served_from_cache(self.visit) {
            if result.hidden.is_none() && hides_a_failure(self.status) {
                result.hidden = finding_of(decider);
                result.decided_by = decider;
            }
        } else {
            result.saved_by_retry = any_failed && result.hidden.is_none();
        }
    }

    fn apache(&self) -> Attribution<'line> {
        let record = Record::of(self.visit);
        let mut result = Attribution::clean();
        let origin = self.visit.value(Field::ProxyStatus).and_then(status_of);
        if self.failures.contains(self.status) {
            let finding = self.signs.best(self.edge, &record);
            let finding = finding.or_else(|| passed_on::by_apache(&record));
            result.finding = Some(finding.unwrap_or_else(|| record.unknown(self.edge)));
        } else if origin.is_some_and(|status| status >= 500) && hides_a_failure(self.status) {
            let masked = Record::of_origin_status(self.visit);
            let finding = self.signs.best(self.edge, &masked);
            result.hidden = finding.or_else(|| passed_on::by_apache(&masked));
        }
        let worker = [Field::UpstreamAddr, Field::UpstreamName]
            .into_iter()
            .find_map(|field| self.visit.value(field));
        if let Some(worker) = worker {
            result.decided_by = Some(0);
            result.attempts.push(Attempted {
                upstream: crate::error_log::upstream_address(worker),
                is_group: false,
                status: origin,
                millis: None,
                finding: result.finding.or(result.hidden),
            });
        }
        result
    }

    /// An error that was passed on may be the application's or of one more gateway before it.
    fn look_behind(&self, result: &mut Attribution<'line>) {
        let record = Record::of(self.visit);
        let look = |finding: Finding| passed_on::by_whom(finding, &record, self.edge);
        result.finding = result.finding.map(look);
        let deciding = result.decided_by;
        if let Some(attempt) = deciding.and_then(|index| result.attempts.get_mut(index)) {
            attempt.finding = attempt.finding.map(look);
        }
    }

    /// A layout of which the product is not known. No rule of a product may be applied; what is missing is said.
    fn unknown(&self) -> Attribution<'line> {
        Attribution {
            finding: self
                .failures
                .contains(self.status)
                .then(|| Record::of(self.visit).unknown(self.edge)),
            ..Attribution::clean()
        }
    }

    /// Every other product: the sign that decides says how the request ended, too.
    fn by_signs(&self) -> Attribution<'line> {
        let record = Record::of(self.visit);
        let found = self.signs.best(self.edge, &record);
        let said = match self.edge {
            Edge::Varnish | Edge::H2o => self.signs.stated(self.edge, self.visit),
            _ => self.said(),
        };
        let found = match said {
            Some(said) => Some(combine(
                found.unwrap_or_else(|| record.unknown(self.edge)),
                &[said],
            )),
            None => found,
        };
        let mut result = Attribution::clean();
        if self.failures.contains(self.status) {
            result.finding = Some(found.unwrap_or_else(|| record.unknown(self.edge)));
        } else if let Some(finding) = found {
            self.under_a_good_status(finding, &mut result);
        }
        result.client_abort = result
            .finding
            .is_some_and(|finding| finding.cause == Some(Cause::ClientAbort));
        if let Some(upstream) = upstream(self.visit) {
            result.decided_by = Some(0);
            result.attempts.push(Attempted {
                upstream: upstream.name,
                is_group: upstream.is_group,
                status: self.visit.value(Field::OriginStatus).and_then(status_of),
                millis: None,
                // A server that answered after another one had failed did well.
                finding: if result.saved_by_retry {
                    None
                } else {
                    result.hidden.or(result.finding)
                },
            });
        }
        result
    }

    /// What Caddy's error says, where the access log carries it.
    fn said(&self) -> Option<Finding> {
        let error = self.visit.value(Field::UpstreamError)?;
        (self.edge == Edge::Caddy)
            .then(|| self.signs.words(self.edge, error))
            .flatten()
    }

    /// Whether the edge turned a failure into a good answer.
    fn turned_good(&self) -> bool {
        if !matches!(self.edge, Edge::Caddy | Edge::Traefik) {
            return false;
        }
        let origin = self.visit.value(Field::OriginStatus).and_then(status_of);
        origin.is_some_and(|status| status >= 500) || origin.is_none() && self.said().is_some()
    }

    /// Whether Envoy failed to get an answer and gave one of its own under a good status: its local replies can be
    /// mapped to any status, and to a gRPC client they are 200. A retry that went well leaves no flag.
    fn is_masked(&self, finding: &Finding) -> bool {
        let flagged = self.visit.value(Field::ResponseFlags).is_some();
        let layer = finding.cause.map(Cause::layer);
        self.edge == Edge::Envoy
            && flagged
            && hides_a_failure(self.status)
            && !matches!(layer, None | Some(Layer::Edge | Layer::Client))
    }

    /// A sign beside a status that tells of no failure: the client left, the body is broken, or a retry saved it.
    fn under_a_good_status(&self, finding: Finding, result: &mut Attribution<'line>) {
        let is_abort = finding.cause == Some(Cause::ClientAbort);
        // No answer was made, and neither the client nor a rule of the edge ended it.
        let is_unanswered = self.status == 0
            && (finding.cause).is_some_and(|cause| !matches!(cause.layer(), Layer::Edge));
        let is_broken = matches!(
            finding.cause,
            Some(Cause::TruncatedBody | Cause::MalformedResponse | Cause::ReadTimeout)
        );
        if is_abort {
            result.finding = Some(finding);
        } else if (is_broken || self.turned_good()) && hides_a_failure(self.status)
            || is_unanswered
            || self.is_masked(&finding)
        {
            result.hidden = Some(finding);
        } else if was_retried(self.visit) {
            result.saved_by_retry = true;
            result.finding = Some(finding);
        }
    }
}

/// Whom the edge asked.
pub(crate) struct Upstream<'line> {
    /// As the edge wrote it.
    pub(crate) name: &'line [u8],
    /// Whether it is the name of a group of which no server was chosen.
    pub(crate) is_group: bool,
}

/// The upstream that a line names; `None` where it names none.
pub(crate) fn upstream<'line>(visit: &Visit<'line>) -> Option<Upstream<'line>> {
    /// HAProxy's mark for a request that was given to no server.
    const NO_SERVER: &[u8] = b"<NOSRV>";
    if let Some(name) = visit.value(Field::UpstreamAddr) {
        return Some(Upstream {
            name,
            is_group: false,
        });
    }
    let group = || visit.value(Field::UpstreamName);
    // Envoy names the cluster where it found no member to ask: that is a group, none of its servers.
    let is_group = visit.get(Field::UpstreamAddr).is_some();
    match visit.value(Field::UpstreamServer) {
        None => group().map(|name| Upstream { name, is_group }),
        Some(name) => match name.strip_suffix(NO_SERVER) {
            None => Some(Upstream {
                name,
                is_group: false,
            }),
            Some(before) => {
                let backend = before.strip_suffix(b"/").filter(|name| !name.is_empty());
                backend.or_else(group).map(|name| Upstream {
                    name,
                    is_group: true,
                })
            }
        },
    }
}

/// Whether a line that would name the upstream names none: the edge answered by itself, or out of its cache.
pub(crate) fn had_no_upstream(visit: &Visit<'_>) -> bool {
    let is_logged = [Field::UpstreamAddr, Field::UpstreamServer]
        .iter()
        .any(|field| visit.get(*field).is_some());
    // What answers within HAProxy stands in angle brackets: `<CACHE>`, `<STATS>` (src/log.c, LOG_FMT_SERVER).
    let is_inner = |name: &[u8]| name.ends_with(b">");
    is_logged && upstream(visit).is_none_or(|named| named.is_group || is_inner(named.name))
}

/// Whether the edge says that it tried more than once.
fn was_retried(visit: &Visit<'_>) -> bool {
    let retries = visit.value(Field::Retries).unwrap_or_default();
    let attempts = visit.value(Field::AttemptCount).unwrap_or_default();
    !matches!(retries, b"" | b"0") || !matches!(attempts, b"" | b"0" | b"1")
}

/// Fields in which an edge says that something went wrong, whatever the status, and what stands there when nothing did.
const TELLTALES: [(Field, &[&[u8]]); 6] = [
    (Field::ResponseFlags, &[b"-", b""]),
    (Field::Retries, &[b"0", b"-", b""]),
    (Field::AttemptCount, &[b"0", b"1", b"-", b""]),
    (Field::UpstreamError, &[b"-", b"", b"Success"]),
    (Field::ErrorCode, &[b"-", b"", b"ERR_NONE/-"]),
    (Field::TransformedFrom, &[b"-", b""]),
];

/// Whether one of them is set. What a cache calls its results says so by its words.
fn has_telltale(visit: &Visit<'_>) -> bool {
    let is_set = |(field, ordinary): &(Field, &[&[u8]])| {
        visit
            .get(*field)
            .is_some_and(|value| !ordinary.contains(&value))
    };
    let says = |result: &[u8], word: &[u8]| memchr::memmem::find(result, word).is_some();
    // Behind a normal end stand only flags of cookies.
    let ended_oddly = |state: &[u8]| !state.starts_with(b"--");
    visit.get(Field::TerminationState).is_some_and(ended_oddly)
        || TELLTALES.iter().any(is_set)
        || visit.get(Field::ResultCode).is_some_and(|result| {
            result.starts_with(b"ERR_")
                || says(result, b"_ABORTED")
                || says(result, b"_TIMEDOUT")
                || says(result, b"_FAIL")
        })
}

/// Whether nginx answered from its cache after the upstream failed (`proxy_cache_use_stale`).
fn served_from_cache(visit: &Visit<'_>) -> bool {
    visit
        .value(Field::CacheStatus)
        .is_some_and(|status| matches!(status, b"STALE" | b"UPDATING" | b"HIT" | b"REVALIDATED"))
}

#[cfg(test)]
mod tests;
