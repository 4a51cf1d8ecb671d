//! The indexer as a process beside the embedded chain, on which transactions go on while it is killed and started again.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use keel::AmountSpec;
use keel_client::address;
use keel_client::instruction::{self, Actor};
use keel_indexer::api::Api;
use keel_localnet::chain::Chain;
use keel_localnet::market::{Publisher, World, keypair};
use keel_localnet::scenario::Scenario;
use serde_json::Value;
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SEED: u64 = 1;
/// How long the indexer may take.
const PATIENCE: Duration = Duration::from_secs(20);

fn compiled(variable: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(path) => path.into(),
        None => panic!("{variable} does not name a compiled program; `cargo xtask test` builds it and sets {variable}"),
    }
}

/// A deposit: signature, number in the transaction, amount.
type Deposit = (String, u64, String);

/// Who sends.
struct Stage {
    chain: Chain,
    world: World,
    user: Keypair,
    vault: Pubkey,
    began: i64,
    now: i64,
    sent: Vec<Deposit>,
}

impl Stage {
    fn new() -> Result<Self> {
        let gap = Path::new(env!("CARGO_MANIFEST_DIR")).join("../localnet/tests/gap.toml");
        let scenario = Scenario::load(Some(&gap))?;
        let now = scenario.start_time;
        let chain = Chain::start(keypair(SEED, "payer", 0))?;
        chain.deploy(keel::ID, &compiled("KEEL_SO"), "KEEL_SO")?;
        chain.set_time(now)?;
        let world = World::set_up(&chain, &scenario, &mut Publisher::new(&scenario), SEED, now, || {})?;
        let user = keypair(SEED, "user", 0);
        let owner = user.pubkey();
        chain.fund(&owner, 100_000_000_000)?;
        let mut instructions = vec![instruction::open_vault(owner, owner, world.market, 0)];
        instructions.extend(world.give(&owner, &owner, world.named("SOL")?, 50_000_000_000)?);
        chain.must("opening a vault", &instructions, &[&user], &[])?;
        let vault = address::vault(&world.market, &owner, 0);
        Ok(Self { chain, world, user, vault, began: now, now, sent: Vec::new() })
    }

    /// Deposits once or twice in one transaction, each time another amount.
    fn deposit(&mut self, times: u64) -> Result<()> {
        let snapshot = self.world.snapshot(&self.chain)?;
        let reserve = self.world.named("SOL")?.reserve;
        let actor = Actor::new(&snapshot.book, self.user.pubkey(), self.vault, reserve)?;
        let amounts: Vec<u64> = (0..times).map(|n| 1_000_000 + self.sent.len() as u64 + n).collect();
        let deposit = |amount: &u64| Ok(instruction::deposit(&snapshot.book, &actor, AmountSpec::Exact(*amount))?);
        let instructions = amounts.iter().map(deposit).collect::<Result<Vec<_>>>()?;
        let signature = self.chain.must("a deposit", &instructions, &[&self.user], &[])?;
        for (number, amount) in (0..).zip(amounts) {
            self.sent.push((signature.to_string(), number, amount.to_string()));
        }
        Ok(())
    }

    fn pass(&mut self, seconds: i64) -> Result<()> {
        self.now += seconds;
        self.chain.set_time(self.now)
    }
}

/// The indexer and its file.
struct Indexer {
    folder: TempDir,
    listen: Option<String>,
    child: Option<Child>,
}

impl Indexer {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), listen: None, child: None }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("index.sqlite")
    }

    fn start(&mut self, stage: &Stage, ws: &str, seconds: &str) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keel-indexer"));
        command.args(["--rpc", stage.chain.rpc_url(), "--ws", ws, "--poll", seconds, "--sample", seconds]);
        command.arg("--market").arg(stage.world.market.to_string()).arg("--store").arg(self.file());
        command.args(self.listen.iter().flat_map(|at| ["--listen", at]));
        self.child = Some(command.stdout(Stdio::null()).spawn().unwrap());
    }

    /// At once, by a signal that it cannot see.
    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn ask(&self, path: &str, query: &str) -> Option<Value> {
        let answer = Api::new(self.file()).answer(path, Some(query));
        (answer.status == 200).then(|| serde_json::from_str(&answer.body).unwrap())
    }

    /// The deposits that it knows, oldest first, and whether all are final.
    fn deposits(&self, vault: &Pubkey) -> (Vec<Deposit>, bool) {
        let path = format!("/api/vaults/{vault}/events");
        let Some(page) = self.ask(&path, "kind=Moved&limit=200") else { return (Vec::new(), false) };
        assert_eq!(page["next"], Value::Null);
        let text = |value: &Value| value.as_str().unwrap().to_string();
        let mut all = page["events"].as_array().unwrap().clone();
        all.reverse();
        let is_final = all.iter().all(|event| event["final"] == true);
        let event = |e: &Value| (text(&e["signature"]), e["index"].as_u64().unwrap(), text(&e["data"]["amount"]));
        (all.iter().map(event).collect(), is_final)
    }

    fn wait(&self, what: &str, longest: Duration, mut is_so: impl FnMut(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            let status = || self.ask("/api/status", "");
            assert!(began.elapsed() < longest, "{what}: not within {longest:?}; {:?}", status());
            sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn killed_and_started_again_it_knows_everything_once() {
    let mut stage = Stage::new().unwrap();
    let mut indexer = Indexer::new();
    let ws = stage.chain.ws_url().to_string();
    // Nobody listens on this port: then it looks at fixed times.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let down = format!("ws://{nobody}");
    for round in 0..8_u64 {
        indexer.start(&stage, if round % 2 == 0 { &down } else { &ws }, "0.05");
        for number in 0..6 {
            stage.deposit(1 + (round + number) % 2).unwrap();
            // Some become final while it runs, some while nobody looks.
            stage.pass(3).unwrap();
            sleep(Duration::from_millis(40));
        }
        sleep(Duration::from_millis(7 * round));
        indexer.kill();
        let (known, _) = indexer.deposits(&stage.vault);
        assert!(stage.sent.starts_with(&known), "{known:?} is not the beginning of {:?}", stage.sent);
        stage.deposit(1).unwrap();
    }
    assert!(!indexer.deposits(&stage.vault).0.is_empty(), "it never came to anything");
    // A block is final when there are 31 behind it.
    for _ in 0..40 {
        stage.pass(1).unwrap();
    }
    indexer.start(&stage, &down, "0.05");
    indexer.wait("everything final", PATIENCE, |indexer| {
        let (known, is_final) = indexer.deposits(&stage.vault);
        assert!(stage.sent.starts_with(&known), "{known:?} is not the beginning of {:?}", stage.sent);
        is_final && known.len() == stage.sent.len()
    });
    let status = indexer.ask("/api/status", "").unwrap();
    assert_eq!((&status["gapCount"], &status["problem"], &status["backlog"]), (&0.into(), &Value::Null, &0.into()));
    let reserve = stage.world.named("SOL").unwrap().reserve;
    let history =
        indexer.ask(&format!("/api/reserves/{reserve}/history"), &format!("from={}&points=1000", stage.began)).unwrap();
    let points = history["points"].as_array().unwrap();
    let supplied: Vec<u64> = points.iter().map(|p| p["supplied"].as_str().unwrap().parse().unwrap()).collect();
    assert!(supplied.is_sorted() && supplied.last() > supplied.first(), "{supplied:?}");
    let holes = points.iter().filter(|point| point["hole"] == true).count();
    assert!(holes > 1 && holes < points.len(), "{holes} of {}", points.len());
    assert!(points.iter().any(|point| point["price"].is_string()), "{history}");
    indexer.kill();

    // With a subscription it does not wait for its time, which comes in an hour.
    indexer.start(&stage, &ws, "3600");
    let mut rung = 0;
    for _ in 0..30 {
        stage.deposit(1).unwrap();
        stage.pass(1).unwrap();
        sleep(Duration::from_millis(700));
        rung += u32::from(indexer.deposits(&stage.vault).0.len() + 1 >= stage.sent.len());
        if rung > 5 {
            break;
        }
    }
    assert!(rung > 5, "{rung}");
    let newest = stage.sent.last().cloned();
    indexer.wait("the last deposit", Duration::from_secs(5), |indexer| {
        indexer.deposits(&stage.vault).0.last() == newest.as_ref()
    });
    indexer.kill();
}

#[test]
fn another_market_needs_another_store() {
    let stage = Stage::new().unwrap();
    let mut indexer = Indexer::new();
    indexer.start(&stage, "ws://127.0.0.1:1", "0.05");
    indexer.wait("a beginning", PATIENCE, |indexer| indexer.ask("/api/status", "").is_some());
    indexer.kill();
    let mut command = Command::new(env!("CARGO_BIN_EXE_keel-indexer"));
    command.args(["--rpc", stage.chain.rpc_url(), "--market", &keypair(SEED, "other", 0).pubkey().to_string()]);
    let output = command.arg("--store").arg(indexer.file()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("another chain or market"), "{text}");
}

#[test]
fn it_answers_by_http() {
    let stage = Stage::new().unwrap();
    let mut indexer = Indexer::new();
    let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    indexer.listen = Some(at.to_string());
    indexer.start(&stage, "ws://127.0.0.1:1", "0.05");
    let ask = |request: &str| {
        let mut stream = TcpStream::connect(at).ok()?;
        write!(stream, "{request} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.to_ascii_lowercase(), body.to_string()))
    };
    indexer.wait("an event", PATIENCE, |_| {
        ask("GET /api/events?kind=MarketCreated").is_some_and(|(_, body)| body.contains("MarketCreated"))
    });
    let (head, body) = ask("GET /api/events?limit=0").unwrap();
    assert!(head.starts_with("http/1.1 400") && head.contains("\r\naccess-control-allow-origin: *"), "{head}");
    assert!(body.contains("whole number, 1 to 200"), "{body}");
    assert!(ask("POST /api/status").unwrap().0.starts_with("http/1.1 405"));
    assert!(ask("GET /").unwrap().0.starts_with("http/1.1 404"));
    // The port is taken: that is told, and nothing else is done.
    let mut command = Command::new(env!("CARGO_BIN_EXE_keel-indexer"));
    command.args(["--market", &stage.world.market.to_string(), "--listen", &at.to_string()]);
    let output = command.arg("--store").arg(indexer.folder.path().join("none")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("choose another address with --listen"), "{text}");
    assert!(!indexer.folder.path().join("none").exists());
}
