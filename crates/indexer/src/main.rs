//! Follows a market into a file, and answers from it.

use clap::Parser;
use keel_client::transport::Rpc;
use keel_indexer::IndexError;
use keel_indexer::api::Api;
use keel_indexer::follow::Follower;
use keel_indexer::rpc::{Node, ring};
use keel_indexer::run::{Periods, run};
use keel_indexer::sample::Sampler;
use keel_indexer::serve::serve;
use keel_indexer::source::Source;
use keel_indexer::store::{Identity, Store};
use solana_commitment_config::CommitmentConfig;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// Follow the events of the program, and the numbers of a market, into a database
///
/// It can be killed at any moment: started again, it goes on where it was.
#[derive(Parser)]
#[command(name = "keel-indexer", version)]
struct Cli {
    /// The node to ask
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8899")]
    rpc: String,
    /// Its subscriptions, to look at once when something happens [default: look every few seconds]
    #[arg(long, value_name = "URL")]
    ws: Option<String>,
    /// The market whose reserves are sampled
    #[arg(long, value_name = "ADDRESS")]
    market: anchor_lang::prelude::Pubkey,
    /// The database; it is begun if there is none
    #[arg(long, value_name = "FILE", default_value = "keel-index.sqlite")]
    store: PathBuf,
    /// Where to answer questions by HTTP, as 127.0.0.1:8970 [default: nowhere]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Seconds between two looks without a subscription
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = seconds)]
    poll: f64,
    /// Seconds between two samples of the reserves
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = seconds)]
    sample: f64,
}

fn seconds(text: &str) -> Result<f64, String> {
    let inside = |seconds: &f64| (0.05..=86_400.0).contains(seconds);
    text.parse().ok().filter(inside).ok_or_else(|| "not a number of seconds from 0.05 to 86400".into())
}

impl Cli {
    fn follow(self) -> Result<(), IndexError> {
        let cannot = |address: &String| {
            let address = address.clone();
            move |error| IndexError::Listen(address, error)
        };
        // A taken port is told before anything is begun.
        let listener = self.listen.as_ref().map(|at| TcpListener::bind(at).map_err(cannot(at))).transpose()?;
        let node = Node::new(&self.rpc);
        let identity = Identity { genesis: node.genesis()?, market: self.market };
        let store = Store::open(&self.store, &identity, || node.first_slot())?;
        if let (Some(listener), Some(at)) = (listener, &self.listen) {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            let (runtime, api, cannot) = (runtime.map_err(cannot(at))?, Api::new(self.store.clone()), cannot(at));
            std::thread::spawn(move || {
                let Err(error) = runtime.block_on(serve(listener, api));
                eprintln!("keel-indexer: {}", cannot(error));
                std::process::exit(1);
            });
        }
        let sampler = Sampler::new(Box::new(Rpc::new(&self.rpc, CommitmentConfig::finalized())), self.market);
        let (bell, rung) = sync_channel(1);
        let stop = Arc::new(AtomicBool::new(false));
        if let Some(url) = self.ws {
            ring(url, bell.clone(), stop.clone());
        }
        let [poll, sample] = [self.poll, self.sample].map(Duration::from_secs_f64);
        let periods = Periods { poll, rest: poll.min(Periods::default().rest), sample };
        run(Follower::new(node, store), sampler, periods, &rung, &stop, |problem| eprintln!("keel-indexer: {problem}"))
    }
}

fn main() -> ExitCode {
    match Cli::parse().follow() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("keel-indexer: {error}");
            ExitCode::FAILURE
        }
    }
}
