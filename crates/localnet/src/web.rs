//! Serves the web app, what it has to know of the chain, the chain's history, a faucet and price scenarios: to this machine
//! only.

use crate::BadInput;
use crate::chain::Chain;
use crate::inbox::{self, Desk, Inbox, Refusal, Request as Wish};
use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderValue, ORIGIN};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use keel_indexer::api::Api;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

/// A request to the faucet is an address and a few words of JSON.
const LONGEST_REQUEST: usize = 256;
const JSON: &str = "application/json";
/// The page that every path of the app shows.
const INDEX: &str = "/index.html";

/// The files of the built app, all of them in memory: nothing else can be asked for.
#[derive(Debug)]
pub struct Files(BTreeMap<String, Bytes>);

impl Files {
    /// Reads what `npm run build` wrote.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(one) = folders.pop() {
            let entries = std::fs::read_dir(&one)
                .map_err(|error| BadInput::error(format!("--app {}: {error}", folder.display())))?;
            for entry in entries {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = path.strip_prefix(folder)?.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
                let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
                files.insert(format!("/{name}"), bytes.into());
            }
        }
        if !files.contains_key(INDEX) {
            return Err(BadInput::error(format!(
                "--app {}: there is no index.html; build the app with `cargo xtask app build`",
                folder.display()
            )));
        }
        Ok(Self(files))
    }

    /// The file for a path. A path without a file is one of the app's own pages, unless it looks like a file's.
    fn get(&self, path: &str) -> Option<(&'static str, Bytes)> {
        let found = self.0.get_key_value(path);
        let page = || self.0.get_key_value(INDEX).filter(|_| !path.contains('.'));
        found.or_else(page).map(|(name, bytes)| (content_type(name), bytes.clone()))
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        Some("json") => JSON,
        _ => "application/octet-stream",
    }
}

/// What is served.
struct Site {
    files: Files,
    index: Api,
    config: Bytes,
    policy: HeaderValue,
    /// The names by which a browser may ask for this server. A page of another name that resolves to this machine may not.
    hosts: [String; 2],
    desk: Desk,
}

/// Serves the app on a port that was taken before. What it asks for comes into the inbox.
pub fn open(
    chain: &Chain,
    listener: TcpListener,
    files: Files,
    index: Api,
    config: &serde_json::Value,
    urls: [&str; 2],
) -> Result<Inbox> {
    let port = listener.local_addr()?.port();
    let (desk, inbox) = inbox::open();
    let site = Arc::new(Site {
        files,
        index,
        config: serde_json::to_vec(config)?.into(),
        policy: policy(urls)?,
        hosts: ["127.0.0.1", "localhost"].map(|name| format!("{name}:{port}")),
        desk,
    });
    listener.set_nonblocking(true)?;
    let _entered = chain.runtime().enter();
    let listener = tokio::net::TcpListener::from_std(listener)?;
    chain.runtime().spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let site = site.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let site = site.clone();
                    async move { Ok::<_, std::convert::Infallible>(site.answer(request).await) }
                });
                // A browser that hangs up is no failure of ours.
                let _ =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    Ok(inbox)
}

/// Only what comes from here may run, and only the chain may be talked to. WebAssembly is the previews.
fn policy([rpc, ws]: [&str; 2]) -> Result<HeaderValue> {
    let text = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
         connect-src 'self' {rpc} {ws}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&text).context("the addresses of the chain do not fit a header")
}

type Answer = Response<Full<Bytes>>;

impl Site {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let is_ours = |name: &str| self.hosts.iter().any(|host| host == name);
        if !host.is_some_and(is_ours) {
            return self.failure(StatusCode::FORBIDDEN, "ask for this server by 127.0.0.1 or localhost");
        }
        let origin = request.headers().get(ORIGIN).and_then(|origin| origin.to_str().ok());
        // Another page in the same browser could ask without being able to read the answer.
        let is_foreign = origin.is_some_and(|origin| !origin.strip_prefix("http://").is_some_and(is_ours));
        if request.method() != Method::GET && is_foreign {
            return self.failure(StatusCode::FORBIDDEN, "this is for the app on this server only");
        }
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/config.json") => self.reply(StatusCode::OK, JSON, self.config.clone()),
            (&Method::GET, "/scenarios") => self.reply(StatusCode::OK, JSON, self.desk.status()),
            (&Method::GET, path) if path.starts_with("/api/") => {
                let (index, path, query) =
                    (self.index.clone(), path.to_string(), request.uri().query().map(str::to_string));
                // The database is read where nobody waits for it.
                let answer = tokio::task::spawn_blocking(move || index.answer(&path, query.as_deref())).await;
                match answer.map(|answer| (StatusCode::from_u16(answer.status), answer.body)) {
                    Ok((Ok(status), body)) => self.reply(status, JSON, body.into()),
                    _ => self.failure(StatusCode::INTERNAL_SERVER_ERROR, "the index has failed"),
                }
            }
            (&Method::GET, path) => match self.files.get(path) {
                Some((kind, bytes)) => self.reply(StatusCode::OK, kind, bytes),
                None => self.failure(StatusCode::NOT_FOUND, "there is no such file"),
            },
            (&Method::POST, "/faucet") => self.give(request.into_body()).await,
            (&Method::DELETE, "/scenarios") => self.ask(Wish::Stop).await,
            (&Method::POST, path) if let Some(name) = path.strip_prefix("/scenarios/") => {
                self.ask(Wish::Play(name.into())).await
            }
            _ => self.failure(StatusCode::METHOD_NOT_ALLOWED, "only GET, POST to /faucet and /scenarios/NAME"),
        }
    }

    async fn give(&self, body: Incoming) -> Answer {
        let body = Limited::new(body, LONGEST_REQUEST).collect().await.map(|body| body.to_bytes());
        match body.ok().and_then(|body| recipient(&body)) {
            Some(to) => self.ask(Wish::Give(to)).await,
            None => self.failure(StatusCode::BAD_REQUEST, r#"say to whom: {"address": "..."}"#),
        }
    }

    async fn ask(&self, wish: Wish) -> Answer {
        match self.desk.ask(wish).await {
            Ok(()) => self.reply(StatusCode::OK, JSON, Bytes::from_static(br#"{"done":true}"#)),
            Err(refusal) => {
                let status = match refusal {
                    Refusal::Unknown(_) => StatusCode::NOT_FOUND,
                    Refusal::Busy(_) => StatusCode::CONFLICT,
                    Refusal::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
                    Refusal::Unanswered => StatusCode::SERVICE_UNAVAILABLE,
                };
                self.failure(status, &refusal.to_string())
            }
        }
    }

    fn failure(&self, status: StatusCode, reason: &str) -> Answer {
        let text = serde_json::json!({ "error": reason }).to_string();
        self.reply(status, JSON, text.into())
    }

    fn reply(&self, status: StatusCode, kind: &'static str, body: Bytes) -> Answer {
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        // The next chain on this port is another one.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
        headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
        response
    }
}

/// The address in a request to the faucet.
fn recipient(body: &[u8]) -> Option<Pubkey> {
    let request: serde_json::Value = serde_json::from_slice(body).ok()?;
    Pubkey::from_str(request.get("address")?.as_str()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        let files = [("/index.html", "page"), ("/assets/app.js", "code"), ("/assets/risk.wasm", "wasm")];
        Files(files.map(|(name, text)| (name.to_string(), Bytes::from_static(text.as_bytes()))).into())
    }

    #[test]
    fn pages_of_the_app_are_its_index() {
        let page = Some(("text/html; charset=utf-8", Bytes::from_static(b"page")));
        for path in ["/", "/vault", "/index.html"] {
            assert_eq!(files().get(path), page, "{path}");
        }
        assert_eq!(files().get("/assets/risk.wasm").unwrap().0, "application/wasm");
    }

    #[test]
    fn nothing_else_is_served() {
        for path in ["/assets/none.js", "/../Cargo.toml", "/favicon.ico"] {
            assert_eq!(files().get(path), None, "{path}");
        }
    }

    #[test]
    fn a_folder_without_the_app_is_named() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("app");
        for exists in [false, true] {
            let error = Files::read(&folder).unwrap_err();
            assert!(error.is::<BadInput>() && error.to_string().contains("--app"), "{error}");
            if !exists {
                std::fs::create_dir(&folder).unwrap();
            }
        }
    }

    #[test]
    fn only_addresses_are_given_to() {
        let address = Pubkey::new_from_array([7; 32]);
        assert_eq!(recipient(format!(r#"{{"address":"{address}"}}"#).as_bytes()), Some(address));
        for body in ["", "{}", r#"{"address":"me"}"#, r#"{"address":7}"#] {
            assert_eq!(recipient(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn the_policy_names_the_chain_alone() {
        let policy = policy(["http://127.0.0.1:1", "ws://127.0.0.1:2"]).unwrap();
        let text = policy.to_str().unwrap();
        assert!(text.contains("connect-src 'self' http://127.0.0.1:1 ws://127.0.0.1:2;"), "{text}");
        assert!(!text.contains("unsafe-inline") && !text.contains("'unsafe-eval'"), "{text}");
    }
}
