//! Indexes the embedded chain, for the web app's history.

use crate::BadInput;
use crate::chain::{Chain, Times};
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use keel_client::transport::Rpc;
use keel_indexer::IndexError;
use keel_indexer::api::Api;
use keel_indexer::follow::Follower;
use keel_indexer::rpc::{Node, ring};
use keel_indexer::run::{Periods, run};
use keel_indexer::sample::Sampler;
use keel_indexer::source::{Commitment, Executed, Listed, Source};
use keel_indexer::store::{Identity, Store};
use solana_commitment_config::CommitmentConfig;
use solana_signature::Signature;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Short, as a scenario is played fast; the rest leaves the chain time for transactions.
const PERIODS: Periods =
    Periods { poll: Duration::from_secs(1), rest: Duration::from_millis(500), sample: Duration::from_secs(2) };

/// The chain's node, with the times of the chain's clock.
struct Timed {
    node: Node,
    times: Times,
}

impl Source for Timed {
    fn genesis(&self) -> Result<String, IndexError> {
        self.node.genesis()
    }

    fn first_slot(&self) -> Result<u64, IndexError> {
        self.node.first_slot()
    }

    fn finalized_slot(&self) -> Result<u64, IndexError> {
        self.node.finalized_slot()
    }

    fn page(
        &self,
        commitment: Commitment,
        before: Option<Signature>,
        until: Option<Signature>,
    ) -> Result<Vec<Listed>, IndexError> {
        let mut page = self.node.page(commitment, before, until)?;
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        for listed in &mut page {
            listed.time = times.range(..=listed.slot).next_back().map(|(_, time)| *time);
        }
        Ok(page)
    }

    fn transactions(&self, signatures: &[Signature]) -> Result<Vec<Option<Executed>>, IndexError> {
        self.node.transactions(signatures)
    }
}

/// Follows the chain into a file in `folder` until the process ends, and answers from it.
///
/// Every start is another chain, so the file of the one before is removed: the one that was served at this port, as
/// another may be running.
pub fn open(chain: &Chain, market: Pubkey, folder: &Path, port: u16) -> Result<Api> {
    let name = format!("index-{port}.sqlite");
    let path = folder.join(&name);
    for end in ["", "-wal", "-shm"] {
        let old = folder.join(format!("{name}{end}"));
        if let Err(error) = std::fs::remove_file(&old)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(BadInput::error(format!("{}, of an earlier chain, cannot be removed: {error}", old.display())));
        }
    }
    let source = Timed { node: Node::new(chain.rpc_url()), times: chain.times() };
    let store = Store::open(&path, &Identity { genesis: source.genesis()?, market }, || source.first_slot())?;
    let sampler = Sampler::new(Box::new(Rpc::new(chain.rpc_url(), CommitmentConfig::processed())), market);
    let (bell, rung) = sync_channel(1);
    let stop = Arc::new(AtomicBool::new(false));
    ring(chain.ws_url().to_string(), bell, stop.clone());
    std::thread::spawn(move || {
        let report = |problem: &str| eprintln!("index: {problem}");
        if let Err(error) = run(Follower::new(source, store), sampler, PERIODS, &rung, &stop, report) {
            eprintln!("index: {error}; the history ends here");
        }
    });
    Ok(Api::new(path))
}
