//! A cluster's RPC node as a source, and its subscription to logs as an alarm clock.

use crate::IndexError;
use crate::source::{Commitment, Executed, Listed, Source};
use serde_json::{Value, json};
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::rpc_client::{GetConfirmedSignaturesForAddress2Config, RpcClient};
use solana_rpc_client_api::client_error::{Error as ClientError, ErrorKind};
use solana_rpc_client_api::custom_error::{
    JSON_RPC_SERVER_ERROR_BLOCK_CLEANED_UP, JSON_RPC_SERVER_ERROR_BLOCK_NOT_AVAILABLE,
    JSON_RPC_SERVER_ERROR_FILTER_TRANSACTION_NOT_FOUND, JSON_RPC_SERVER_ERROR_LONG_TERM_STORAGE_SLOT_SKIPPED,
    JSON_RPC_SERVER_ERROR_SLOT_SKIPPED,
};
use solana_rpc_client_api::request::{RpcError, RpcRequest};
use solana_signature::Signature;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::thread::sleep;
use std::time::Duration;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Error, Message};

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Transactions that are asked for at once.
const PARALLEL: usize = 8;
/// What a node says that does not have the block of a transaction.
const FORGOTTEN: [i64; 4] = [
    JSON_RPC_SERVER_ERROR_BLOCK_CLEANED_UP,
    JSON_RPC_SERVER_ERROR_BLOCK_NOT_AVAILABLE,
    JSON_RPC_SERVER_ERROR_SLOT_SKIPPED,
    JSON_RPC_SERVER_ERROR_LONG_TERM_STORAGE_SLOT_SKIPPED,
];
/// How long to wait before a lost subscription is asked for again.
const RECONNECT: Duration = Duration::from_secs(5);
/// How often a silent subscription looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(500);

/// An RPC node. All of a follower's questions should go to one node, or to nodes with as long a history: a short one
/// among them looks like the beginning of the chain.
pub struct Node {
    client: RpcClient,
}

impl Node {
    /// The node at `url`.
    pub fn new(url: impl ToString) -> Self {
        let commitment = CommitmentConfig::finalized();
        Self { client: RpcClient::new_with_timeout_and_commitment(url, TIMEOUT, commitment) }
    }

    fn transaction(&self, signature: &Signature) -> Result<Option<Executed>, IndexError> {
        // Of any version: only the logs are read.
        let params = json!([
            signature.to_string(),
            { "encoding": "base64", "commitment": "confirmed", "maxSupportedTransactionVersion": u8::MAX }
        ]);
        match self.client.send::<Value>(RpcRequest::GetTransaction, params) {
            Ok(answer) => Ok(executed(&answer)),
            Err(error) if says(&error, &FORGOTTEN) => Ok(None),
            Err(error) => Err(unanswered(error)),
        }
    }
}

fn unanswered(error: impl ToString) -> IndexError {
    IndexError::Source(error.to_string())
}

/// Whether the node answers with one of these codes: asked again, it says so again.
fn says(error: &ClientError, codes: &[i64]) -> bool {
    matches!(error.kind(), ErrorKind::RpcError(RpcError::RpcResponseError { code, .. }) if codes.contains(code))
}

/// The transaction in an answer, if there is one and it succeeded.
fn executed(answer: &Value) -> Option<Executed> {
    let (slot, meta) = (answer.get("slot")?.as_u64()?, answer.get("meta")?);
    if !meta.get("err")?.is_null() {
        return None;
    }
    let lines = meta.get("logMessages").and_then(Value::as_array);
    let logs = lines.map(|lines| lines.iter().filter_map(|line| line.as_str().map(str::to_string)).collect());
    Some(Executed { slot, logs })
}

impl Source for Node {
    fn genesis(&self) -> Result<String, IndexError> {
        self.client.get_genesis_hash().map(|hash| hash.to_string()).map_err(unanswered)
    }

    fn first_slot(&self) -> Result<u64, IndexError> {
        self.client.get_first_available_block().map_err(unanswered)
    }

    fn finalized_slot(&self) -> Result<u64, IndexError> {
        self.client.get_slot().map_err(unanswered)
    }

    fn page(
        &self,
        commitment: Commitment,
        before: Option<Signature>,
        until: Option<Signature>,
    ) -> Result<Vec<Listed>, IndexError> {
        let commitment = match commitment {
            Commitment::Confirmed => CommitmentConfig::confirmed(),
            Commitment::Finalized => CommitmentConfig::finalized(),
        };
        let list = |until| {
            let (limit, commitment) = (None, Some(commitment));
            let config = GetConfirmedSignaturesForAddress2Config { before, until, limit, commitment };
            self.client.get_signatures_for_address_with_config(&keel::ID, config)
        };
        // Newer nodes refuse bounds that they do not know; older ones pass over the second in silence, and
        // give nothing behind the first. The follower finds out by itself whether the list is whole.
        let page = match list(until) {
            Err(error) if until.is_some() && says(&error, &[JSON_RPC_SERVER_ERROR_FILTER_TRANSACTION_NOT_FOUND]) => {
                list(None)
            }
            answer => answer,
        };
        let page = match page {
            Err(error) if before.is_some() && says(&error, &[JSON_RPC_SERVER_ERROR_FILTER_TRANSACTION_NOT_FOUND]) => {
                Vec::new()
            }
            answer => answer.map_err(unanswered)?,
        };
        page.into_iter()
            .map(|one| {
                Ok(Listed {
                    signature: one.signature.parse().map_err(unanswered)?,
                    slot: one.slot,
                    time: one.block_time,
                    failed: one.err.is_some(),
                    // Where a node does not say, the list that was asked for does.
                    finalized: one.confirmation_status.is_none_or(|status| json!(status) == "finalized"),
                })
            })
            .collect()
    }

    fn transactions(&self, signatures: &[Signature]) -> Result<Vec<Option<Executed>>, IndexError> {
        let share = signatures.len().div_ceil(PARALLEL).max(1);
        std::thread::scope(|scope| {
            let ask = |part: &[Signature]| part.iter().map(|one| self.transaction(one)).collect::<Vec<_>>();
            let asked: Vec<_> = signatures.chunks(share).map(|part| scope.spawn(move || ask(part))).collect();
            let answers = asked.into_iter().map(|part| part.join().map_err(|_| unanswered("a thread panicked")));
            answers.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect()
        })
    }
}

/// Rings whenever a transaction that names the program is confirmed, as far as the subscription at `url` tells, until
/// `stop`. Nothing depends on it: without it the follower looks at fixed times only. Returns at once; the thread ends by
/// itself.
pub fn ring(url: String, bell: SyncSender<()>, stop: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            // The polling goes on meanwhile: there is nobody to tell.
            let _ = listen(&url, &bell, &stop);
            sleep(RECONNECT);
        }
    });
}

fn listen(url: &str, bell: &SyncSender<()>, stop: &AtomicBool) -> Result<(), Box<Error>> {
    let (mut socket, _) = tungstenite::connect(url).map_err(Box::new)?;
    let stream = match socket.get_ref() {
        MaybeTlsStream::Plain(stream) => Some(stream),
        MaybeTlsStream::Rustls(stream) => Some(stream.get_ref()),
        _ => None,
    };
    if let Some(stream) = stream {
        stream.set_read_timeout(Some(LOOK)).map_err(|error| Box::new(error.into()))?;
    }
    let params = json!([{ "mentions": [keel::ID.to_string()] }, { "commitment": "confirmed" }]);
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "logsSubscribe", "params": params });
    socket.send(Message::text(request.to_string())).map_err(Box::new)?;
    while !stop.load(Ordering::Relaxed) {
        match socket.read() {
            // A bell that rings already need not ring twice.
            Ok(Message::Text(_)) => drop(bell.try_send(())),
            Ok(_) => {}
            Err(Error::Io(error))
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(error) => return Err(Box::new(error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::mpsc::TryRecvError;
    use tungstenite::error::{ProtocolError, UrlError};

    #[test]
    fn an_answer_is_a_transaction_that_succeeded() {
        let answer = |err: Value, logs: Value| json!({ "slot": 7, "meta": { "err": err, "logMessages": logs } });
        let logs = Some(vec!["Program log: x".to_string()]);
        assert_eq!(executed(&answer(Value::Null, json!(["Program log: x"]))), Some(Executed { slot: 7, logs }));
        assert_eq!(executed(&answer(Value::Null, Value::Null)), Some(Executed { slot: 7, logs: None }));
        for none in [Value::Null, answer(json!("AccountInUse"), json!([])), json!({ "slot": 7, "meta": null })] {
            assert_eq!(executed(&none), None);
        }
    }

    /// A node that gives these answers, one after another, and what it was asked.
    fn node(answers: Vec<Value>) -> (Node, std::thread::JoinHandle<Vec<Value>>) {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", server.local_addr().unwrap());
        let asked = std::thread::spawn(move || {
            let answer = |answer: Value| {
                let (mut stream, _) = server.accept().unwrap();
                let (mut request, mut part) = (Vec::new(), [0; 4096]);
                let question: Value = loop {
                    let length = stream.read(&mut part).unwrap();
                    request.extend_from_slice(&part[..length]);
                    let text = String::from_utf8_lossy(&request);
                    let body = text.split_once("\r\n\r\n").map(|(_, body)| serde_json::from_str(body));
                    if let Some(Ok(question)) = body {
                        break question;
                    }
                };
                let mut answer = answer;
                answer["jsonrpc"] = "2.0".into();
                answer["id"] = question["id"].clone();
                let body = answer.to_string();
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
                write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
                question
            };
            answers.into_iter().map(answer).collect()
        });
        (Node::new(url), asked)
    }

    fn refusal(code: i64) -> Value {
        json!({ "error": { "code": code, "message": "it says" } })
    }

    #[test]
    fn bounds_that_a_node_does_not_know_are_left_out() {
        let [newer, older] = [1, 2].map(|n| Signature::from([n; 64]));
        let one = |signature: Signature, status: Value| json!({ "signature": signature.to_string(), "slot": 7, "err": null, "confirmationStatus": status });
        let (node, asked) = node(vec![
            refusal(-32_020),
            json!({ "result": [one(newer, json!("confirmed")), one(older, Value::Null)] }),
            refusal(-32_020),
            refusal(-32_005),
        ]);
        let page = node.page(Commitment::Confirmed, None, Some(older)).unwrap();
        let finalized: Vec<_> = page.iter().map(|one| (one.signature, one.finalized)).collect();
        assert_eq!(finalized, [(newer, false), (older, true)]);
        assert_eq!(node.page(Commitment::Finalized, Some(newer), None).unwrap(), []);
        assert!(matches!(node.page(Commitment::Finalized, Some(newer), None), Err(IndexError::Source(_))));
        let asked: Vec<Value> = asked.join().unwrap().into_iter().map(|mut one| one["params"][1].take()).collect();
        assert_eq!((&asked[0]["until"], &asked[1]["until"]), (&json!(older.to_string()), &Value::Null));
        assert_eq!((&asked[1]["commitment"], &asked[2]["commitment"]), (&json!("confirmed"), &json!("finalized")));
    }

    #[test]
    fn a_forgotten_block_is_no_outage() {
        let (node, asked) = node(vec![refusal(-32_009), json!({ "result": null }), refusal(-32_005)]);
        let one = [Signature::default()];
        assert_eq!(node.transactions(&one).unwrap(), [None]);
        assert_eq!(node.transactions(&one).unwrap(), [None]);
        assert!(matches!(node.transactions(&one), Err(IndexError::Source(_))));
        asked.join().unwrap();
    }

    /// Rings for what is told, and returns, to be called again, when the socket is lost.
    #[test]
    fn a_bell_rings_for_what_is_told() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}", server.local_addr().unwrap());
        let told = std::thread::spawn(move || {
            let mut socket = tungstenite::accept(server.accept().unwrap().0).unwrap();
            let request: Value = serde_json::from_str(&socket.read().unwrap().into_text().unwrap()).unwrap();
            // Longer than it waits for one message.
            sleep(LOOK * 2);
            socket.send(Message::text("{}")).unwrap();
            request
        });
        let (bell, rung) = std::sync::mpsc::sync_channel(1);
        let end = *listen(&url, &bell, &AtomicBool::new(false)).unwrap_err();
        assert!(matches!(end, Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)), "{end:?}");
        assert_eq!(rung.try_recv(), Ok(()));
        let request = told.join().unwrap();
        assert_eq!(request["method"], "logsSubscribe");
        assert_eq!(request["params"][0]["mentions"][0], keel::ID.to_string());
    }

    #[test]
    fn a_bell_without_a_socket_is_silent_and_ends() {
        let (bell, rung) = std::sync::mpsc::sync_channel(1);
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let end = *listen(&format!("ws://{nobody}"), &bell, &AtomicBool::new(false)).unwrap_err();
        assert!(matches!(end, Error::Url(UrlError::UnableToConnect(_))), "{end:?}");
        assert_eq!(rung.try_recv(), Err(TryRecvError::Empty));
    }
}
