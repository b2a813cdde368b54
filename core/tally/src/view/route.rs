//! Hosts, prefixes and routes by name, and the node of the view for each of the trie's.

use model::Shape;
use rustc_hash::FxHashMap;

use super::{NodeView, PrefixView};
use crate::trie::{NodeId, ROOT, Trie};

/// Stands for hosts that no crawler asked for and that never answered well, and for all hosts once there are too many.
pub(crate) const UNKNOWN_HOST: &str = "{…}";

/// The route of a host alone: what is known to be on it, but not where.
const HOST_ALONE: &str = "/*";

/// Stands for a word whose text never came with a crawler's fetch.
const UNKNOWN: &str = "";

type Routes = (
    Vec<String>,
    Vec<PrefixView>,
    Vec<NodeView>,
    FxHashMap<NodeId, u32>,
);

/// Hosts, prefixes and nodes by name, and the node of the view for each of the trie's.
pub(super) fn routes(trie: &Trie) -> Routes {
    let named: Vec<(NodeId, NamedNode)> = trie
        .iter()
        .filter_map(|(id, _)| Some((id, NamedNode::of(trie, id)?)))
        .collect();
    let mut hosts: Vec<String> = named.iter().map(|(_, node)| node.host.clone()).collect();
    hosts.push(UNKNOWN_HOST.to_owned());
    hosts.sort();
    hosts.dedup();
    let index = |host: &str| {
        hosts
            .binary_search_by(|other| other.as_str().cmp(host))
            .unwrap_or(0) as u32
    };
    let mut paths: Vec<(u32, String)> = named
        .iter()
        .flat_map(|(_, node)| {
            node.prefixes()
                .into_iter()
                .flatten()
                .map(|path| (index(&node.host), path))
        })
        .collect();
    paths.sort();
    paths.dedup();
    let prefix = |host: u32, path: &str| {
        let found = paths.binary_search_by(|(h, p)| (*h, p.as_str()).cmp(&(host, path)));
        found.ok().map(|index| index as u32)
    };
    let prefixes = paths
        .iter()
        .map(|(host, path)| PrefixView {
            host: *host,
            path: path.clone(),
            parent: path
                .rfind('/')
                .filter(|at| *at > 0)
                .and_then(|at| prefix(*host, &path[..at])),
        })
        .collect();
    let view = |node: &NamedNode| {
        let host = index(&node.host);
        NodeView {
            host,
            route: node.route(),
            is_path: node.is_path(),
            is_alone: node.words.is_empty(),
            prefixes: node
                .prefixes()
                .map(|path| path.and_then(|path| prefix(host, &path))),
        }
    };
    let alone = |host: &str, words| NamedNode {
        host: host.to_owned(),
        words,
    };
    let nowhere = alone(UNKNOWN_HOST, Vec::new());
    let roots = hosts
        .iter()
        .map(|host| alone(host, vec![(Some(String::new()), UNKNOWN)]));
    let mut nodes: Vec<NodeView> = named.iter().map(|(_, node)| view(node)).collect();
    nodes.push(view(&nowhere));
    nodes.extend(roots.map(|root| view(&root)));
    nodes.sort();
    nodes.dedup();
    let map = named
        .iter()
        .map(|(id, node)| (*id, nodes.binary_search(&view(node)).unwrap_or(0) as u32))
        .collect();
    (hosts, prefixes, nodes, map)
}

/// A node with its words.
struct NamedNode {
    host: String,
    /// Text of a literal, or `None` with the placeholder.
    words: Vec<(Option<String>, &'static str)>,
}

impl NamedNode {
    fn of(trie: &Trie, mut id: NodeId) -> Option<Self> {
        let mut words = Vec::new();
        while id != ROOT {
            let node = trie.node(id);
            let placeholder = node.shape.placeholder().unwrap_or(UNKNOWN);
            let text = node
                .text
                .as_deref()
                .filter(|_| node.shape == Shape::Literal);
            words.push((text.map(str::to_owned), placeholder));
            id = node.parent;
        }
        let (host, placeholder) = words.pop()?;
        words.reverse();
        Some(Self {
            host: host.unwrap_or_else(|| placeholder.to_owned()),
            words,
        })
    }

    fn route(&self) -> String {
        // The host itself: what is known to be on it, but not where.
        if self.words.is_empty() {
            return HOST_ALONE.to_owned();
        }
        let mut route = String::new();
        for (text, placeholder) in &self.words {
            match text {
                Some(text) => route.extend(["/", text]),
                // A word that no crawler fetched has no text, and what comes below it says no more.
                None if *placeholder == UNKNOWN => {
                    route.push_str("/*");
                    break;
                }
                None => route.extend(["/", placeholder]),
            }
        }
        route
    }

    fn is_path(&self) -> bool {
        (1..model::Route::DEPTH).contains(&self.words.len())
            && self.words.iter().all(|(text, _)| text.is_some())
    }

    /// The prefixes of one and two literal segments; not the empty word of a path that ends in a slash.
    fn prefixes(&self) -> [Option<String>; 2] {
        let word = |index: usize| {
            let text = self.words.get(index)?.0.as_deref()?;
            (!text.is_empty()).then_some(text)
        };
        let one = word(0).map(|word| format!("/{word}"));
        let two = one
            .as_ref()
            .and_then(|one| word(1).map(|word| format!("{one}/{word}")));
        [one, two]
    }
}
