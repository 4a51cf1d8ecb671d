//! Serves the answers by HTTP, for an indexer that runs by itself. To the outside a proxy has to stand before it: it
//! limits how often one may ask, and encrypts.

use crate::api::Api;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Connections at once; others wait.
const CONNECTIONS: usize = 256;
/// How long a request may take to be sent.
const SLOW: Duration = Duration::from_secs(10);

/// How long to wait when no connection can be taken.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers whoever connects, for ever, unless the listener cannot be used at all.
pub async fn serve(listener: TcpListener, api: Api) -> std::io::Result<Infallible> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // It is never closed.
        let place = places.clone().acquire_owned().await;
        let Ok((stream, _)) = listener.accept().await else {
            // Too many open files, or somebody hung up at once: both pass.
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let api = api.clone();
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(move |request| answer(api.clone(), request));
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(SLOW);
            // Whoever hangs up is no failure of ours.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(api: Api, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() != Method::GET {
        let mut response = reply(StatusCode::METHOD_NOT_ALLOWED, r#"{"error":"only GET"}"#.into());
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        return Ok(response);
    }
    // The database is read where nobody waits for it.
    let answer = tokio::task::spawn_blocking(move || api.answer(request.uri().path(), request.uri().query())).await;
    Ok(match answer.map(|answer| (StatusCode::from_u16(answer.status), answer.body)) {
        Ok((Ok(status), body)) => reply(status, body),
        _ => reply(StatusCode::INTERNAL_SERVER_ERROR, r#"{"error":"the index has failed"}"#.into()),
    })
}

fn reply(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // What the chain says is everybody's.
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}
