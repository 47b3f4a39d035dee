//! The one hop: requests are read and answers written here, asynchronously; what answers them runs on threads.

use super::body::{Answer, Asked, Never};
use super::call::Call;
use super::peer::{Peer, Requestor};
use super::query::Query;
use super::reply::Reply;
use super::route::{Endpoint, Handler, Router};
use super::turn::Turns;
use super::{Service, error, operations};
use bytes::Bytes;
use corten_api::error::{Error, Result};
use hyper::body::Incoming;
use hyper::header::UPGRADE;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};

/// A service with its routes.
pub struct Server<A: 'static> {
    app: Arc<A>,
    router: Router<A>,
}

/// One client's connection; requests on it come one after the other, or at once with HTTP/2.
struct Connection<A: 'static> {
    server: Arc<Server<A>>,
    peer: Peer,
    who: Mutex<(u64, Arc<Requestor>)>,
}

/// Values of `Sec-Fetch-Site` by which a browser says that another site makes the request (CSRF).
const OTHER_SITES: [&str; 2] = ["cross-site", "same-site"];

impl<A: Service> Server<A> {
    /// Joins a service with the endpoints that lead to it.
    pub fn new(app: Arc<A>, lists: &[&[Endpoint<A>]]) -> Arc<Server<A>> {
        Arc::new(Server { app, router: Router::new(lists) })
    }

    fn connection(self: &Arc<Self>, peer: Peer) -> Arc<Connection<A>> {
        let generation = self.app.generation();
        let who = Arc::new(self.app.identify(&peer));
        Arc::new(Connection { server: self.clone(), peer, who: Mutex::new((generation, who)) })
    }

    /// Speaks HTTP/1.1 with a client until it goes away: all that local clients speak.
    pub async fn serve_http1<S>(self: Arc<Self>, stream: S, peer: Peer)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let connection = self.connection(peer);
        let service = service_fn(move |request| {
            let connection = connection.clone();
            async move { Ok::<_, Never>(connection.answer(request).await) }
        });
        let mut http = hyper::server::conn::http1::Builder::new();
        http.title_case_headers(true);
        // What breaks a connection concerns only its client, which knows.
        let _ = http.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
    }

    /// As [`Server::serve_http1`], with HTTP/2 for clients that want it.
    pub async fn serve_any<S>(self: Arc<Self>, stream: S, peer: Peer)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let connection = self.connection(peer);
        let service = service_fn(move |request| {
            let connection = connection.clone();
            async move { Ok::<_, Never>(connection.answer(request).await) }
        });
        let http = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
        let _ = http.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
    }
}

impl<A: Service> Connection<A> {
    /// Who is there; asked anew when trust has changed since.
    fn requestor(&self) -> Arc<Requestor> {
        let generation = self.server.app.generation();
        let mut who = self.who.lock().unwrap_or_else(PoisonError::into_inner);
        if who.0 != generation {
            *who = (generation, Arc::new(self.server.app.identify(&self.peer)));
        }
        who.1.clone()
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Answer> {
        self.server.app.stirred();
        let mut more = HeaderMap::new();
        self.server.app.headers(request.headers(), &mut more);
        let mut answer = if request.method() == Method::OPTIONS {
            Response::new(Answer::Whole(Bytes::new()))
        } else {
            match self.dispatch(request).await {
                Ok(reply) => reply.respond().await,
                Err(failed) => self.server.app.refusal(&failed),
            }
        };
        answer.headers_mut().extend(more);
        self.server.app.stirred();
        answer
    }

    async fn dispatch(&self, mut request: Request<Incoming>) -> Result<Reply> {
        let app = &self.server.app;
        let upgrade = request.headers().contains_key(UPGRADE).then(|| hyper::upgrade::on(&mut request));
        let (head, body) = request.into_parts();
        // Also where nobody wants it: what is left of a body would end the connection.
        let asked = Asked::ahead(body).await;
        let asked = asked.map_err(|error| Error::invalid(format!("Failed to read the body: {error}")))?;
        let found = self.server.router.find(head.uri.path()).ok_or_else(error::no_such_path)?;
        let verb = found.endpoint.verb(&head.method);
        let call = Call {
            app: app.clone(),
            path: head.uri.path().to_string(),
            query: Query::parse(head.uri.query()),
            method: head.method,
            headers: head.headers,
            requestor: self.requestor(),
            instance_type: found.instance_type,
            parts: found.parts,
            body: Mutex::new(asked),
            upgrade: Mutex::new(upgrade),
        };
        let Some(verb) = verb else {
            // What is refused to everyone is first refused to strangers.
            app.admit(&call, super::route::May::Trusted)?;
            return Err(match call.method {
                Method::GET | Method::HEAD | Method::PUT | Method::POST | Method::DELETE | Method::PATCH => {
                    error::not_implemented()
                }
                other => Error::not_found(format!("Method \"{other}\" not found")),
            });
        };
        app.admit(&call, verb.may)?;
        // This server is the only member, and that is its name.
        if verb.on_member && !matches!(call.query.get("target"), "" | "none") {
            return Err(Error::not_found("Cluster member not found"));
        }
        if OTHER_SITES.contains(&call.header("sec-fetch-site")) {
            return Err(Error::forbidden("Forbidden Sec-Fetch-Site header value"));
        }
        if verb.quick {
            return run(verb.handler, &call, app.changes());
        }
        let server = self.server.clone();
        let hop = tokio::task::spawn_blocking(move || run(verb.handler, &call, server.app.changes()));
        hop.await.unwrap_or_else(|_| Err(Error::unavailable("LXD is shutting down")))
    }
}

/// Runs a handler; a panic ends this call only.
fn run<A>(handler: Handler<A>, call: &Call<A>, changes: &Turns) -> Result<Reply> {
    // Who changes something looks at it first: nobody else may change it in between, or one of both would be lost. A
    // client whose body is still coming holds nobody up.
    let is_change = matches!(call.method, Method::PUT | Method::PATCH) && call.is_whole();
    let _turn = is_change.then(|| changes.take(&call.path));
    std::panic::catch_unwind(AssertUnwindSafe(|| handler(call))).unwrap_or_else(|panic| {
        let failed = operations::panicked(&*panic);
        tracing::error!(path = %call.path, method = %call.method, "{failed}");
        Err(failed)
    })
}
