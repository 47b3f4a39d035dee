//! Endpoints are data: path, verbs, and who may use them; the router is a tree made of them.

use super::call::Call;
use super::reply::Reply;
use corten_api::error::Result;
use corten_api::url::unescape;
use hyper::Method;
use std::collections::HashMap;

/// A handler: plain, blocking code.
pub type Handler<A> = fn(&Call<A>) -> Result<Reply>;

/// What a client must be allowed to, before a handler runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// Anyone, also without a certificate; the handler then shows or allows less.
    Anyone,
    /// Any trusted client.
    Trusted,
    /// A trusted client that may look into the call's project.
    View,
    /// A trusted client that may run things in the call's project.
    Operate,
    /// A trusted client that may change things in the call's project.
    Edit,
    /// A trusted client without restrictions.
    Admin,
}

/// One verb of an endpoint.
pub struct Verb<A: 'static> {
    /// What runs.
    pub handler: Handler<A>,
    /// Who may run it.
    pub may: May,
    /// Whether it never waits, so that it may run on the socket's own thread. Such a handler gets no body.
    pub quick: bool,
    /// Whether it looks at, or changes, what one member of a cluster has: `?target=` then says which one is meant.
    pub on_member: bool,
}

impl<A> Clone for Verb<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Verb<A> {}

/// How a path is also known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alias {
    /// By this path only.
    None,
    /// `/1.0/instances…` also answers as `/1.0/containers…` and `/1.0/virtual-machines…`, restricted to that type.
    InstanceTypes,
}

/// A path and what can be done with it.
///
/// `{name}` in the path stands for one segment, percent-decoded; a last `{name*}` for all that is left, slashes included.
pub struct Endpoint<A: 'static> {
    /// The path with its parameters.
    pub path: &'static str,
    /// Other names of the path.
    pub alias: Alias,
    /// In the order of [`VERBS`].
    pub verbs: [Option<Verb<A>>; 6],
}

impl<A> Clone for Endpoint<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Endpoint<A> {}

/// The methods that endpoints know.
pub const VERBS: [Method; 6] = [Method::GET, Method::PUT, Method::PATCH, Method::POST, Method::DELETE, Method::HEAD];

impl<A> Endpoint<A> {
    /// An endpoint without verbs.
    pub const fn at(path: &'static str) -> Self {
        Endpoint { path, alias: Alias::None, verbs: [None; 6] }
    }

    /// Lets the path also answer under the names of the instance types.
    #[must_use]
    pub const fn typed(mut self) -> Self {
        self.alias = Alias::InstanceTypes;
        self
    }

    const fn with(mut self, index: usize, handler: Handler<A>, may: May, quick: bool) -> Self {
        self.verbs[index] = Some(Verb { handler, may, quick, on_member: false });
        self
    }

    /// Answers GET.
    #[must_use]
    pub const fn get(self, handler: Handler<A>, may: May) -> Self {
        self.with(0, handler, may, false)
    }

    /// Answers GET by a handler that never waits (no disk, no database, no lock held for long), on the socket's thread.
    #[must_use]
    pub const fn get_quick(self, handler: Handler<A>, may: May) -> Self {
        self.with(0, handler, may, true)
    }

    /// Answers PUT.
    #[must_use]
    pub const fn put(self, handler: Handler<A>, may: May) -> Self {
        self.with(1, handler, may, false)
    }

    /// Answers PATCH.
    #[must_use]
    pub const fn patch(self, handler: Handler<A>, may: May) -> Self {
        self.with(2, handler, may, false)
    }

    /// Answers POST.
    #[must_use]
    pub const fn post(self, handler: Handler<A>, may: May) -> Self {
        self.with(3, handler, may, false)
    }

    /// Answers DELETE.
    #[must_use]
    pub const fn delete(self, handler: Handler<A>, may: May) -> Self {
        self.with(4, handler, may, false)
    }

    /// Answers HEAD, which few endpoints of LXD's do.
    #[must_use]
    pub const fn head(self, handler: Handler<A>, may: May) -> Self {
        self.with(5, handler, may, false)
    }

    /// Says of the verbs named so far that they are about the member that `?target=` names.
    #[must_use]
    pub const fn on_member(mut self) -> Self {
        let mut index = 0;
        while index < VERBS.len() {
            if let Some(verb) = &mut self.verbs[index] {
                verb.on_member = true;
            }
            index += 1;
        }
        self
    }

    /// The verb for a method, if the endpoint has it.
    pub fn verb(&self, method: &Method) -> Option<Verb<A>> {
        VERBS.iter().position(|verb| verb == method).and_then(|index| self.verbs[index])
    }
}

/// One level of the tree: what may follow here.
struct Node<A: 'static> {
    literal: HashMap<&'static str, usize>,
    parameter: Option<(&'static str, usize)>,
    rest: Option<(&'static str, usize)>,
    endpoint: Option<(Endpoint<A>, Option<&'static str>)>,
}

impl<A> Default for Node<A> {
    fn default() -> Self {
        Node { literal: HashMap::new(), parameter: None, rest: None, endpoint: None }
    }
}

/// Finds the endpoint of a path.
pub struct Router<A: 'static> {
    nodes: Vec<Node<A>>,
}

/// What a path leads to.
pub struct Found<A: 'static> {
    /// The endpoint.
    pub endpoint: Endpoint<A>,
    /// The path's parameters, percent-decoded.
    pub parts: Vec<(&'static str, String)>,
    /// `container` or `virtual-machine` where the path says so.
    pub instance_type: Option<&'static str>,
}

impl<A> Router<A> {
    /// A router for all these endpoints.
    ///
    /// # Panics
    /// When two endpoints have the same path: a defect of the table.
    pub fn new(lists: &[&[Endpoint<A>]]) -> Self {
        let mut router = Router { nodes: vec![Node::default()] };
        for endpoint in lists.iter().copied().flatten() {
            router.add(endpoint.path, *endpoint, None);
            if endpoint.alias == Alias::InstanceTypes {
                for (name, kind) in [("containers", "container"), ("virtual-machines", "virtual-machine")] {
                    let path = endpoint.path.replacen("instances", name, 1);
                    router.add(Box::leak(path.into_boxed_str()), *endpoint, Some(kind));
                }
            }
        }
        router
    }

    fn add(&mut self, path: &'static str, endpoint: Endpoint<A>, kind: Option<&'static str>) {
        let mut at = 0;
        for segment in path[1..].split('/') {
            let next = self.nodes.len();
            let node = &mut self.nodes[at];
            at = match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => match name.strip_suffix('*') {
                    Some(name) => node.rest.get_or_insert((name, next)).1,
                    None => node.parameter.get_or_insert((name, next)).1,
                },
                None => *node.literal.entry(segment).or_insert(next),
            };
            if at == next {
                self.nodes.push(Node::default());
            }
        }
        let node = &mut self.nodes[at];
        assert!(node.endpoint.is_none(), "two endpoints are at {path}");
        node.endpoint = Some((endpoint, kind));
    }

    /// Looks a raw (still percent-encoded) path up; `None` when nothing is there, or its encoding is broken.
    pub fn find(&self, path: &str) -> Option<Found<A>> {
        let mut parts = Vec::new();
        let mut node = &self.nodes[0];
        let mut left = path.strip_prefix('/')?;
        loop {
            let (segment, more) = match left.split_once('/') {
                Some((segment, more)) => (segment, Some(more)),
                None => (left, None),
            };
            // The parameter's names differ between endpoints of one place only by mistake; the first one holds.
            if let Some(next) = node.literal.get(segment) {
                node = &self.nodes[*next];
            } else if let Some((name, next)) = node.rest.filter(|_| !left.is_empty()) {
                parts.push((name, unescape(left)?));
                node = &self.nodes[next];
                break;
            } else if let Some((name, next)) = node.parameter.filter(|_| !segment.is_empty()) {
                parts.push((name, unescape(segment)?));
                node = &self.nodes[next];
            } else {
                return None;
            }
            match more {
                Some(more) => left = more,
                None => break,
            }
        }
        let (endpoint, instance_type) = node.endpoint?;
        Some(Found { endpoint, parts, instance_type })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    fn none(_: &Call<Nothing>) -> Result<Reply> {
        Ok(Reply::empty())
    }

    const LIST: &[Endpoint<Nothing>] = &[
        Endpoint::at("/").get(none, May::Anyone),
        Endpoint::at("/1.0").get_quick(none, May::Anyone),
        Endpoint::at("/1.0/instances").typed().get(none, May::View).post(none, May::Edit),
        Endpoint::at("/1.0/instances/{name}").typed().get(none, May::View),
        Endpoint::at("/1.0/instances/{name}/logs/{file}").typed().get(none, May::View),
        Endpoint::at("/1.0/images/{fingerprint}").get(none, May::View),
        Endpoint::at("/1.0/images/aliases").get(none, May::View),
        Endpoint::at("/1.0/images/aliases/{name*}").get(none, May::View),
    ];

    #[test]
    fn paths_lead_to_endpoints_and_parts() {
        let router = Router::new(&[LIST]);
        type Wanted = Option<(&'static str, &'static [&'static str])>;
        let cases: &[(&str, Wanted)] = &[
            ("/", Some(("/", &[]))),
            ("/1.0", Some(("/1.0", &[]))),
            ("/1.0/", None),
            ("/1.0/instances", Some(("/1.0/instances", &[]))),
            ("/1.0/instances/", None),
            ("/1.0/containers", Some(("/1.0/instances", &[]))),
            ("/1.0/instances/c1", Some(("/1.0/instances/{name}", &["c1"]))),
            ("/1.0/instances/c%201/logs/a%2Fb", Some(("/1.0/instances/{name}/logs/{file}", &["c 1", "a/b"]))),
            ("/1.0/instances/c1/", None),
            ("/1.0/instances/c1/nothing", None),
            ("/1.0/instances/%zz", None),
            ("/1.0/images/aliases", Some(("/1.0/images/aliases", &[]))),
            ("/1.0/images/aliases/a/b", Some(("/1.0/images/aliases/{name*}", &["a/b"]))),
            ("/1.0/images/abc", Some(("/1.0/images/{fingerprint}", &["abc"]))),
            ("//1.0", None),
            ("", None),
        ];
        for (path, wanted) in cases {
            let found = router.find(path);
            let seen = found.as_ref().map(|found| {
                (found.endpoint.path, found.parts.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>())
            });
            assert_eq!(seen, wanted.map(|(path, parts)| (path, parts.to_vec())), "{path}");
        }
        assert_eq!(router.find("/1.0/virtual-machines/v1").and_then(|f| f.instance_type), Some("virtual-machine"));
        assert!(router.find("/1.0/instances").is_some_and(|found| found.endpoint.verb(&Method::DELETE).is_none()));
    }
}
