//! Routes as a trie of hosts and path segments, in which a node with too many distinct children becomes `{…}` for
//! good and its subtries merge. The result is a function of the set of routes entered: any split, any order.

use model::{Route, Segment, Shape};
use rustc_hash::FxHashMap;

use crate::limit::CHILDREN_MAX;

/// A node, named by the hashes on the way to it.
pub(crate) type NodeId = u64;

/// Above all hosts.
pub(crate) const ROOT: NodeId = 0x9e37_79b9_7f4a_7c15;
/// Key of the child that stands for all children of a folded node.
const FOLD: u64 = u64::MAX;
/// Routes remembered with their node; forgotten all at once, so it bounds memory and nothing else.
const MEMO_MAX: usize = 1 << 16;

/// One node.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) parent: NodeId,
    /// 0 for the root, 1 for hosts, 2 for first path segments.
    pub(crate) depth: u8,
    pub(crate) shape: Shape,
    /// Text of a literal, where a crawler's fetch or a host name gave it.
    pub(crate) text: Option<Box<str>>,
    key: u64,
    children: Vec<NodeId>,
    pub(crate) folded: bool,
}

/// The trie.
#[derive(Clone, Debug)]
pub(crate) struct Trie {
    nodes: FxHashMap<NodeId, Node>,
    /// Where the nodes went that were folded away.
    moved: FxHashMap<NodeId, NodeId>,
    memo: FxHashMap<u64, (NodeId, bool)>,
}

impl Trie {
    pub(crate) fn new() -> Self {
        let root = Node {
            parent: ROOT,
            depth: 0,
            shape: Shape::Literal,
            text: None,
            key: 0,
            children: Vec::new(),
            folded: false,
        };
        Self {
            nodes: FxHashMap::from_iter([(ROOT, root)]),
            moved: FxHashMap::default(),
            memo: FxHashMap::default(),
        }
    }

    /// Enters a route and gives its node. `path` is the fetch's text of it, where a crawler fetched it.
    pub(crate) fn enter(&mut self, host: &str, route: &Route, path: Option<&str>) -> NodeId {
        // The words of a text that was cut need not be those of the route.
        let path = path.filter(|path| !path.ends_with('…'));
        let whole = whole_hash(host, route);
        if let Some(&(node, texts)) = self.memo.get(&whole)
            && (texts || path.is_none())
        {
            return node;
        }
        let mut texts = path.map(|path| path.strip_prefix('/').unwrap_or(path).split('/'));
        let mut node = self.step(ROOT, host_segment(host), Some(host));
        for segment in segments(route) {
            let text = texts.as_mut().and_then(Iterator::next);
            node = self.step(node, segment, text);
        }
        let node = self.resolve(node);
        if self.memo.len() >= MEMO_MAX {
            self.memo.clear();
        }
        self.memo.insert(whole, (node, path.is_some()));
        node
    }

    /// Enters a host alone: for answers to a crawler that name no route of the site (404 and the like).
    pub(crate) fn enter_host(&mut self, host: &str) -> NodeId {
        self.step(ROOT, host_segment(host), Some(host))
    }

    /// The deepest known node of a route that is not entered: a request by a person during an outage must not
    /// add a scanner's random paths to the routes of the site.
    pub(crate) fn find(&self, host: &str, route: &Route) -> NodeId {
        let mut node = ROOT;
        for segment in std::iter::once(host_segment(host)).chain(segments(route)) {
            let key = self.key_under(node, segment);
            let child = child_id(node, key);
            if !self.nodes.contains_key(&child) {
                break;
            }
            node = child;
        }
        node
    }

    /// The deepest known node under these keys; 0 ends them.
    pub(crate) fn descend(&self, keys: [u64; 3]) -> NodeId {
        let mut node = ROOT;
        for key in keys.into_iter().take_while(|key| *key != 0) {
            let folded = self.nodes.get(&node).is_some_and(|node| node.folded);
            let child = child_id(node, if folded { FOLD } else { key });
            if !self.nodes.contains_key(&child) {
                break;
            }
            node = child;
        }
        node
    }

    /// Where a node is now.
    pub(crate) fn resolve(&self, mut node: NodeId) -> NodeId {
        while let Some(&next) = self.moved.get(&node) {
            node = next;
        }
        node
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(&id).unwrap_or(&self.nodes[&ROOT])
    }

    /// Whether there were too many hosts to tell them apart.
    pub(crate) fn hosts_folded(&self) -> bool {
        self.nodes.get(&ROOT).is_some_and(|root| root.folded)
    }

    /// Every node, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().map(|(id, node)| (*id, node))
    }

    /// Takes in all routes of `other`; gives, for each of its nodes, the node here. What was folded in either is
    /// folded here.
    pub(crate) fn absorb(&mut self, other: &Self) -> FxHashMap<NodeId, NodeId> {
        let mut order: Vec<(NodeId, &Node)> = other.iter().collect();
        order.sort_unstable_by_key(|(id, node)| (node.depth, *id));
        let mut map = FxHashMap::default();
        for (id, node) in order {
            if id == ROOT {
                map.insert(ROOT, ROOT);
                self.inherit_fold(ROOT, node.folded);
                continue;
            }
            let parent = self.resolve(map[&node.parent]);
            let segment = Segment {
                key: node.key,
                shape: node.shape,
            };
            let here = self.place(parent, segment, node.key == FOLD, node.text.as_deref());
            self.inherit_fold(here, node.folded);
            map.insert(id, here);
        }
        // Folds during the loop may have moved earlier targets; the map has no order that could matter.
        #[expect(
            clippy::iter_over_hash_type,
            reason = "each value is replaced on its own"
        )]
        for target in map.values_mut() {
            *target = self.resolve(*target);
        }
        map
    }

    fn inherit_fold(&mut self, id: NodeId, folded: bool) {
        let id = self.resolve(id);
        if folded && self.nodes.get(&id).is_some_and(|node| !node.folded) {
            self.fold(id);
        }
    }

    fn key_under(&self, parent: NodeId, segment: Segment) -> u64 {
        match self.nodes.get(&parent) {
            Some(node) if node.folded => FOLD,
            _ => segment_key(segment),
        }
    }

    fn step(&mut self, parent: NodeId, segment: Segment, text: Option<&str>) -> NodeId {
        let parent = self.resolve(parent);
        let literal = Segment {
            key: segment_key(segment),
            shape: segment.shape,
        };
        self.place(parent, literal, false, text)
    }

    /// The child of `parent` for that key, made where it is new; folds `parent` where that is one too many.
    fn place(
        &mut self,
        parent: NodeId,
        segment: Segment,
        fold: bool,
        text: Option<&str>,
    ) -> NodeId {
        let parent_folded = self.nodes.get(&parent).is_some_and(|node| node.folded);
        let fold = fold || parent_folded;
        let (key, shape) = if fold {
            (FOLD, Shape::Personal)
        } else {
            (segment.key, segment.shape)
        };
        let id = child_id(parent, key);
        if let Some(node) = self.nodes.get_mut(&id) {
            if node.text.is_none() && node.shape == Shape::Literal {
                node.text = text.map(Into::into);
            }
            return id;
        }
        let depth = self.nodes[&parent].depth + 1;
        let text = text.filter(|_| shape == Shape::Literal).map(Into::into);
        self.nodes.insert(
            id,
            Node {
                parent,
                depth,
                shape,
                text,
                key,
                children: Vec::new(),
                folded: false,
            },
        );
        let max = CHILDREN_MAX
            .get(usize::from(depth) - 1)
            .copied()
            .unwrap_or(1);
        let over = match self.nodes.get_mut(&parent) {
            Some(node) => {
                node.children.push(id);
                !node.folded && node.children.len() > max as usize
            }
            None => false,
        };
        if over {
            self.fold(parent);
        }
        self.resolve(id)
    }

    /// Folds `id` for good: its children become one, their subtries merge, and so on down.
    fn fold(&mut self, id: NodeId) {
        self.memo.clear();
        if let Some(node) = self.nodes.get_mut(&id) {
            node.folded = true;
        }
        let mut below: Vec<(NodeId, Node)> = Vec::new();
        let mut frontier = match self.nodes.get_mut(&id) {
            Some(node) => std::mem::take(&mut node.children),
            None => return,
        };
        while let Some(child) = frontier.pop() {
            if let Some(mut node) = self.nodes.remove(&child) {
                frontier.append(&mut node.children);
                below.push((child, node));
            }
        }
        below.sort_unstable_by_key(|(child, node)| (node.depth, *child));
        for (old, node) in below {
            let parent = self.resolve(node.parent);
            let segment = Segment {
                key: node.key,
                shape: node.shape,
            };
            let new = self.place(parent, segment, node.key == FOLD, node.text.as_deref());
            if new != old {
                self.moved.insert(old, new);
            }
            self.inherit_fold(new, node.folded);
        }
    }
}

/// The node of a host, whether or not it is entered: for requests of which nobody knows yet whether the host is one of
/// the site's. Scanners send any.
pub(crate) fn host_id(host: &str) -> NodeId {
    child_id(ROOT, segment_key(host_segment(host)))
}

/// The segments of a route; `/` is one empty word, so that it is not the host itself.
fn segments(route: &Route) -> impl Iterator<Item = Segment> {
    const EMPTY: Segment = Segment {
        key: 17,
        shape: Shape::Literal,
    };
    let root = (route.len == 0).then_some(EMPTY);
    root.into_iter()
        .chain(route.segments[..usize::from(route.len)].iter().copied())
}

/// Hosts are words of the configuration: their text is always known.
pub(crate) fn host_segment(host: &str) -> Segment {
    Segment {
        key: crate::hash(host.as_bytes()),
        shape: Shape::Literal,
    }
}

/// A segment as one number. A literal's keyed hash could by chance be one of the small numbers or the fold's.
pub(crate) fn segment_key(segment: Segment) -> u64 {
    match segment.shape {
        Shape::Literal => segment.key.clamp(16, FOLD - 1),
        shape => shape as u64,
    }
}

fn child_id(parent: NodeId, key: u64) -> NodeId {
    let product =
        u128::from(parent ^ 0xa076_1d64_78bd_642f) * u128::from(key ^ 0xe703_7ed1_a0b4_28db);
    (product as u64) ^ ((product >> 64) as u64)
}

fn whole_hash(host: &str, route: &Route) -> u64 {
    let mut id = child_id(ROOT, crate::hash(host.as_bytes()));
    for segment in segments(route) {
        id = child_id(id, segment_key(segment));
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(words: &[&str]) -> Route {
        let mut route = Route {
            len: words.len() as u8,
            ..Route::default()
        };
        for (segment, word) in route.segments.iter_mut().zip(words) {
            segment.key = crate::hash(word.as_bytes());
        }
        route
    }

    /// The routes of a trie as text, sorted: what must not depend on order.
    fn shown(trie: &Trie) -> Vec<String> {
        let mut all: Vec<String> = trie
            .iter()
            .map(|(mut id, _)| {
                let mut text = String::new();
                while id != ROOT {
                    let node = trie.node(id);
                    let word = node
                        .text
                        .as_deref()
                        .or(node.shape.placeholder())
                        .unwrap_or("?");
                    text = format!("/{word}{text}");
                    id = node.parent;
                }
                text
            })
            .collect();
        all.sort();
        all
    }

    #[test]
    fn a_node_with_too_many_children_folds_and_its_subtries_merge() {
        let mut trie = Trie::new();
        for number in 0..100 {
            let slug = format!("post-{number}");
            trie.enter(
                "h",
                &route(&["blog", &slug, "comments"]),
                Some(&format!("/blog/{slug}/comments")),
            );
        }
        trie.enter("h", &route(&["shop"]), Some("/shop"));
        assert_eq!(
            shown(&trie),
            [
                "",
                "/h",
                "/h/blog",
                "/h/blog/{…}",
                "/h/blog/{…}/comments",
                "/h/shop"
            ]
        );
    }

    #[test]
    fn the_trie_is_the_same_for_any_split_and_order() {
        let mut routes = Vec::new();
        for a in 0..6 {
            for b in 0..(a * 30) {
                for c in 0..3 {
                    routes.push([format!("a{a}"), format!("b{b}"), format!("c{}", c * b)]);
                }
            }
        }
        let fill = |routes: &[[String; 3]]| {
            let mut trie = Trie::new();
            for words in routes {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                trie.enter("h", &route(&words), Some(&format!("/{}", words.join("/"))));
            }
            trie
        };
        let whole = shown(&fill(&routes));
        for cut in [1, 7, 100, 500, routes.len() - 1] {
            let (left, right) = routes.split_at(cut);
            let (left, right) = (fill(left), fill(right));
            let mut one = left.clone();
            one.absorb(&right);
            let mut other = right;
            other.absorb(&left);
            assert_eq!(shown(&one), whole, "cut at {cut}");
            assert_eq!(shown(&other), whole, "cut at {cut}, other order");
        }
    }
}
