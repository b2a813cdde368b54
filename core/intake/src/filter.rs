//! Which good requests the error log speaks of: they wait for it, all others need not.

use std::collections::BTreeSet;

use model::{Edge, Route, Stamp};
use rustc_hash::FxHashSet;

use crate::entry;
use crate::error_log::Part;
use crate::held::{Held, HeldError};
use crate::scan::Keys;

/// Minutes after which the minute of a stamp repeats under any zone: zones are multiples of 15 minutes.
const MINUTES: i64 = 15;
/// How many minutes an answer may take from the request's stamp to the error.
const MINUTES_BACK: i64 = 3;

/// Keys of error-log entries. Read-only once made.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    lines: FxHashSet<u64>,
    serials: FxHashSet<u64>,
    /// Entries that name only a client (httpd), with the minute of the quarter of an hour.
    clients: FxHashSet<(u64, i64)>,
    /// Entries that name only a path, or its begin.
    named: FxHashSet<u64>,
    /// Whether entries tell of failures by status and moment alone (Traefik): any failure may be meant.
    by_moment: bool,
    /// Entries that name no client, by the path that they name and the minute of the quarter of an hour.
    paths: FxHashSet<(u64, i64)>,
    /// What else decides how an error log is joined: what its entries say was asked for, and their clients.
    others: FxHashSet<u64>,
    /// Whether entries tell of servers, without a request.
    servers: bool,
    /// Whether entries are tied to a request by their moment only: then whatever failed waits for them.
    moments: bool,
    /// First segments of the paths whose answers such entries say to be broken off.
    heads: FxHashSet<u64>,
    /// Products whose error logs were read: their silence tells, too.
    logs: BTreeSet<Edge>,
}

impl Filter {
    /// The keys of all error-log entries in `held`.
    pub fn of(held: &Held) -> Self {
        let moments = held.errors.iter().filter(|error| error.is_about_moment());
        let broken = moments.filter(|error| error.after_headers);
        let mut filter = Self {
            servers: held.errors.iter().any(HeldError::is_about_server),
            moments: held.errors.iter().any(HeldError::is_about_moment),
            heads: broken
                .filter_map(|error| Some(error.route?.segments.first()?.key))
                .collect(),
            logs: held.logs.clone(),
            ..Self::default()
        };
        for error in &held.errors {
            filter.others.extend(error.client);
            filter.others.extend(error.asked);
        }
        for error in entry::failing_lines(&held.errors) {
            if error.client.is_none() {
                filter.named.extend(
                    error
                        .path
                        .filter(|_| !error.is_timed || error.part != Part::Whole),
                );
                filter.named.extend(error.head);
            }
            filter.serials.extend(error.serial);
            filter.lines.extend(error.line);
            if error.edge == Edge::Traefik {
                filter.by_moment |= error.status.is_some();
            }
            if let (None, Some(path)) = (error.client, error.path) {
                let minute = error.civil.secs().div_euclid(60);
                for near in -MINUTES_BACK..=MINUTES_BACK {
                    let minute = (minute + near).rem_euclid(MINUTES);
                    filter.paths.insert((path, minute));
                }
            }
            if let (Edge::Apache, Some(client)) = (error.edge, error.client) {
                let minute = error.civil.secs().div_euclid(60);
                for back in 0..=MINUTES_BACK {
                    filter
                        .clients
                        .insert((client, (minute - back).rem_euclid(MINUTES)));
                }
            }
        }
        filter
    }

    /// Whether an error log of `edge` was read.
    pub(crate) fn has_log_of(&self, edge: Edge) -> bool {
        self.logs.contains(&edge)
    }

    /// Whether entries tell of servers, without a request: then whatever its own line leaves open waits for them.
    pub(crate) const fn tells_of_servers(&self) -> bool {
        self.servers
    }

    /// Whether entries name the moment only: then whatever failed waits for them.
    pub(crate) const fn tells_of_moments(&self) -> bool {
        self.moments
    }

    /// Whether there was any entry about a request that it names.
    pub fn is_empty(&self) -> bool {
        !self.has_keys() && self.heads.is_empty()
    }

    /// Whether entries name something of a request: a client, a connection, a path.
    pub(crate) fn has_keys(&self) -> bool {
        !(self.lines.is_empty()
            && self.serials.is_empty()
            && self.clients.is_empty()
            && self.paths.is_empty()
            && self.named.is_empty()
            && !self.by_moment)
    }

    /// Whether the answer to a request for this path may be one that was broken off.
    pub(crate) fn hits_path(&self, route: &Route) -> bool {
        let head = route.segments.first().filter(|_| route.len > 0);
        !self.heads.is_empty() && head.is_some_and(|head| self.heads.contains(&head.key))
    }

    /// Whether a request may be one that an entry is about, whatever its outcome.
    pub(crate) fn concerns(&self, at: Stamp, keys: &Keys) -> bool {
        self.moments
            || !self.is_empty()
                && (self.by_moment
                    || self.others.contains(&keys.client)
                    || self.others.contains(&keys.asked)
                    || self.hits(at, keys))
    }

    pub(crate) fn hits(&self, at: Stamp, keys: &Keys) -> bool {
        let minute = at.secs().div_euclid(60).rem_euclid(MINUTES);
        self.lines.contains(&keys.line)
            || keys
                .serial
                .is_some_and(|serial| self.serials.contains(&serial))
            || (!self.named.is_empty()
                && (self.named.contains(&keys.url)
                    || keys.head.is_some_and(|head| self.named.contains(&head))))
            || (!self.clients.is_empty() && self.clients.contains(&(keys.client, minute)))
            || (!self.paths.is_empty() && self.paths.contains(&(keys.url, minute)))
    }
}
