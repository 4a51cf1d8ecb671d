//! The follower, the store and its answers, on chains that are played.

mod answers;
mod paths;
mod random;
mod sim;

use crate::IndexError;
use crate::api::Api;
use crate::follow::Follower;
use crate::store::{Identity, Store};
use anchor_lang::prelude::Pubkey;
use serde_json::Value;
use sim::Sim;
use std::path::PathBuf;
use tempfile::TempDir;

const MARKET: Pubkey = Pubkey::new_from_array([1; 32]);
const RESERVE: Pubkey = Pubkey::new_from_array([2; 32]);

/// A file for a store, removed in the end.
struct Scratch(TempDir);

impl Scratch {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("store.sqlite")
    }

    fn open(&self) -> Result<Store, IndexError> {
        Store::open(&self.file(), &identity(), || Ok(0))
    }

    fn follow(&self, chain: &Sim) -> Follower<Sim> {
        Follower::new(chain.clone(), self.open().unwrap())
    }

    /// The answer to a question that is right.
    fn ask(&self, path: &str, query: &str) -> Value {
        let answer = Api::new(self.file()).answer(path, Some(query));
        assert_eq!(answer.status, 200, "{path}?{query}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// What an account's events say, oldest first, read in pages of `limit`.
    fn events(&self, account: &Pubkey, limit: usize) -> Vec<Event> {
        let (mut events, mut before) = (Vec::new(), String::new());
        loop {
            let page = self.ask(&format!("/api/vaults/{account}/events"), &format!("limit={limit}{before}"));
            let found = page["events"].as_array().unwrap();
            assert!(found.len() <= limit);
            events.extend(found.iter().map(Event::read));
            let Some(next) = page["next"].as_str() else { break };
            before = format!("&before={next}");
        }
        events.reverse();
        events
    }

    /// The signatures of which something is not known.
    fn gaps(&self) -> Vec<(String, String)> {
        let status = self.ask("/api/status", "");
        let gap = |gap: &Value| (gap["kind"].as_str().unwrap().into(), gap["signature"].as_str().unwrap_or("").into());
        status["gaps"].as_array().unwrap().iter().map(gap).collect()
    }
}

fn identity() -> Identity {
    Identity { genesis: "beginning".into(), market: MARKET }
}

/// What makes an event of the played chain what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Event {
    signature: String,
    slot: u64,
    index: u64,
    amount: String,
    is_final: bool,
}

impl Event {
    fn read(json: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_string();
        Self {
            signature: text(&json["signature"]),
            slot: text(&json["slot"]).parse().unwrap(),
            index: json["index"].as_u64().unwrap(),
            amount: text(&json["data"]["amount"]),
            is_final: json["final"].as_bool().unwrap(),
        }
    }
}
