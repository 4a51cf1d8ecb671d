//! The binary against an embedded chain: what only a node and a process have. Everything else is tested in process.

use crate::migrate::{SOL_FEED, USD_FEED, deployment, mint, price};
use anchor_lang::prelude::Pubkey;
use keel_cli::commands::migrate::loader::Buffer;
use keel_client::address::{self, UPGRADEABLE_LOADER, program_data};
use keel_client::price_update::PYTH_RECEIVER;
use keel_client::token::{TOKEN_PROGRAM, WRAPPED_SOL};
use keel_localnet::chain::Chain;
use serde_json::Value;
use solana_keypair::{Keypair, write_keypair_file};
use solana_signer::Signer;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const NOW: i64 = 1_790_000_000;

fn new_keypair(folder: &Path, name: &str) -> Keypair {
    let keypair = Keypair::new();
    write_keypair_file(&keypair, folder.join(name)).unwrap();
    keypair
}

/// Runs the binary in a folder, which has no configuration, with nothing on its standard input.
fn keel(folder: &Path, line: &str) -> Output {
    keel_with(folder, line, "")
}

/// The same with `input` on its standard input.
fn keel_with(folder: &Path, line: &str, input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keel"));
    command.args(line.split_whitespace()).current_dir(folder).env("HOME", folder);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[track_caller]
fn ok(folder: &Path, line: &str) -> Value {
    let output = keel(folder, &format!("{line} --json"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "keel {line}: {out}{err}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("keel {line}: {error}: {out}"))
}

#[track_caller]
fn fails(folder: &Path, line: &str, code: i32, says: &[&str]) {
    let output = keel(folder, line);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "keel {line}: {out}{err}");
    for text in says {
        assert!(err.contains(text), "keel {line} does not say {text:?}: {err}");
    }
}

/// An empty chain with mints and prices. At the program's address is another one, which the deployer may replace: nobody has
/// the key of that address, so that a first deployment there is tested in process only.
fn chain(deployer: &Keypair) -> (Chain, Pubkey, [Pubkey; 2]) {
    let chain = Chain::start(deployer.insecure_clone()).unwrap();
    chain.set_time(NOW).unwrap();
    let id = keel_client::keel::ID;
    chain.deploy(id, &PathBuf::from(std::env::var_os("KEEL_MOCK_POOL_SO").unwrap()), "").unwrap();
    let key = program_data(&id);
    let mut data = chain.accounts(&[key]).unwrap().pop().flatten().unwrap().data;
    data[12] = 1;
    data[13..45].copy_from_slice(deployer.pubkey().as_ref());
    chain.set_account(&key, &UPGRADEABLE_LOADER, &data).unwrap();
    let usd = Pubkey::new_unique();
    chain.set_account(&usd, &TOKEN_PROGRAM, &mint(6)).unwrap();
    let prices = [(SOL_FEED, 200_00), (USD_FEED, 1_00)].map(|(feed, cents)| {
        let key = Pubkey::new_unique();
        chain.set_account(&key, &PYTH_RECEIVER, &price(feed, cents, NOW)).unwrap();
        key
    });
    (chain, usd, prices)
}

/// A buffer as an interrupted run leaves it, but for its last chunks: this chain takes a third of a second for each.
fn almost_written(chain: &Chain, deployer: &Pubkey) {
    let elf = keel_tests::program();
    let buffer = Buffer::new(*deployer, &elf).unwrap();
    let mut data = vec![1, 0, 0, 0, 1];
    data.extend(deployer.to_bytes());
    data.extend(&elf);
    let end = data.len();
    data[end - 10_000..].fill(0);
    chain.set_account(&buffer.key, &UPGRADEABLE_LOADER, &data).unwrap();
}

#[test]
fn a_market_is_migrated_used_and_examined() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let (deployer, dao, guardian) =
        (new_keypair(here, "id.json"), new_keypair(here, "dao.json"), new_keypair(here, "guardian.json"));
    let (chain, usd, prices) = chain(&deployer);
    chain.fund(&guardian.pubkey(), 1_000_000_000).unwrap();
    let so = std::env::var("KEEL_SO").unwrap();
    let roles =
        format!("governance = \"{}\"\naccept_with = \"dao.json\"\nguardian = \"{}\"", dao.pubkey(), guardian.pubkey());
    almost_written(&chain, &deployer.pubkey());
    let file = deployment(&WRAPPED_SOL, &usd, prices, &roles, &format!("so = \"{so}\""));
    std::fs::write(here.join("deployment.toml"), file).unwrap();
    let everywhere = format!("--url {} --keypair id.json --commitment processed", chain.rpc_url());

    let planned = ok(here, &format!("migrate --to 4 --dry-run {everywhere}"));
    assert_eq!(planned[0]["state"], "would be done", "{planned}");
    let done = ok(here, &format!("migrate --to 4 {everywhere}"));
    let states: Vec<&str> = done.as_array().unwrap().iter().map(|step| step["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["done"; 4], "{done}");
    let again = ok(here, &format!("migrate --to 5 {everywhere}"));
    assert!(again.as_array().unwrap().iter().all(|step| step["state"] == "done before"), "{again}");
    let market = ok(here, &format!("market show {everywhere}"));
    assert_eq!(market["governance"], dao.pubkey().to_string());
    let healthy = ok(here, &format!("doctor --so {so} --allow-keypair {everywhere}"));
    assert_eq!(healthy["healthy"], true, "{healthy}");

    // A user.
    ok(here, &format!("vault open --deposit SOL=2 {everywhere}"));
    let tried = ok(here, &format!("vault deposit SOL 1 --dry-run {everywhere}"));
    assert_eq!(tried["dryRun"], true);
    assert!(tried["accounts"].as_array().unwrap().iter().any(|account| account["kind"] == "vault"), "{tried}");
    let vault = ok(here, &format!("vault health {everywhere}"));
    assert_eq!(vault["positions"][0]["amount"], 2_000_000_000u64, "{vault}");
    let refusal = ["There is less than that", "InsufficientLiquidity, 6011", "keel reserve show"];
    fails(here, &format!("vault borrow {usd} 10 {everywhere}"), 1, &refusal);
    let refusal = ["The signer is not market governance", "NotGovernance", "--print-instruction"];
    fails(here, &format!("change queue reserve SOL --set limits.deposit_cap=9 {everywhere}"), 1, &refusal[1..]);

    // What the web app has to know.
    let minted = market["mintedMint"].as_str().unwrap();
    let config = format!("market config --rpc https://node.example/key --symbol {minted}=kUSD {everywhere}");
    fails(here, &config, 2, &["the app needs a lookup table", "keel market table"]);
    let table = ok(here, &format!("market table {everywhere}"))["table"].as_str().unwrap().to_string();
    let config = format!("{config} --lookup-table {table}");
    fails(here, &config, 2, &[&format!("add --symbol {usd}=SYMBOL")]);
    fails(here, &format!("{config} --symbol {usd}=kUSD"), 2, &["two assets are called kUSD"]);
    let asset = |symbol: &str, mint: &str, prices: &[Pubkey]| {
        let reserve = address::reserve(&address::market(0), &mint.parse().unwrap()).to_string();
        let prices: Vec<String> = prices.iter().map(Pubkey::to_string).collect();
        serde_json::json!({ "symbol": symbol, "mint": mint, "reserve": reserve, "priceAccounts": prices })
    };
    let [sol_mint, usd_mint] = [WRAPPED_SOL, usd].map(|mint| mint.to_string());
    assert_eq!(
        ok(here, &format!("{config} --symbol {usd}=USD --explorer https://explorer.example/tx/{{signature}}")),
        serde_json::json!({
            "local": false, "rpc": "https://node.example/key", "ws": "wss://node.example/key",
            "explorer": "https://explorer.example/tx/{signature}",
            "market": address::market(0).to_string(), "lookupTable": table,
            "assets": [
                asset("SOL", &sol_mint, &prices[..1]), asset("USD", &usd_mint, &prices[1..]), asset("kUSD", minted, &[]),
            ],
        })
    );

    // The guardian stops it, and everybody sees that.
    let as_guardian = everywhere.replace("id.json", "guardian.json");
    ok(here, &format!("pause risk --for 1d {as_guardian}"));
    fails(here, &format!("vault withdraw SOL all {everywhere}"), 1, &["This is paused", "keel market show"]);
    let output = keel(here, &format!("doctor --allow-keypair {everywhere}"));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.code() == Some(1) && text.contains("(paused)"), "{text}");
}

#[test]
fn what_is_wrong_with_the_input_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fails(
        here,
        "vault health --keypair no.json --url http://127.0.0.1:1",
        1,
        &["http://127.0.0.1:1 does not answer", "--url"],
    );
    fails(here, "vault list --keypair no.json --url l", 2, &["no.json", "solana-keygen new"]);
    fails(here, "vault list --keypair - --url l", 2, &["no keypair on the standard input"]);
    fails(here, "vault list --keypair usb://ledger --url l", 1, &["hardware wallet"]);
    fails(here, "migrate --to 4", 2, &["deployment.toml", "migrations/README.md"]);
    fails(here, "market show --config no.yml", 2, &["no.yml"]);
    fails(here, "migrate --to 9", 2, &["1..=5"]);
    std::fs::write(here.join("deployment.toml"), "[program]\nso = 1\n").unwrap();
    fails(here, "migrate --to 4", 2, &["deployment.toml cannot be used"]);
    // A keypair on the standard input signs: what is missing then is the node.
    let keypair = std::fs::read_to_string({
        new_keypair(here, "id.json");
        here.join("id.json")
    });
    let output = keel_with(here, "vault list --keypair - --url http://127.0.0.1:1", &keypair.unwrap());
    assert!(String::from_utf8_lossy(&output.stderr).contains("does not answer"), "{output:?}");
    // As does one that a configuration names, as the Solana command line writes it.
    let config = "json_rpc_url: http://127.0.0.1:2\nwebsocket_url: ''\nkeypair_path: id.json\ncommitment: confirmed\n";
    std::fs::create_dir_all(here.join(".config/solana/cli")).unwrap();
    std::fs::write(here.join(".config/solana/cli/config.yml"), config).unwrap();
    fails(here, "vault list", 1, &["http://127.0.0.1:2 does not answer"]);
    assert!(String::from_utf8_lossy(&keel(here, "completions bash").stdout).contains("_keel()"));
    assert!(String::from_utf8_lossy(&keel(here, "--version").stdout).starts_with("keel "));
}
