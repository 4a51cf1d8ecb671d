//! Opens the embedded chain to wallets and interfaces: on fixed ports, with burner users whose keys are given away.

use crate::BadInput;
use crate::chain::Chain;
use crate::inbox::Inbox;
use crate::index;
use crate::market::{Asset, World, keypair};
use crate::users::Users;
use crate::web::{self, Files};
use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Users without a vault, with tokens of every asset, for whoever wants to try.
const BURNERS: u32 = 3;
/// Dollars of every asset that a burner is given.
const BURNER_DOLLARS: f64 = 10_000.0;
/// Lamports that a burner is given beside.
const BURNER_LAMPORTS: u64 = 20_000_000_000;

/// Where the chain is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Port for HTTP requests.
    pub rpc_port: u16,
    /// Port for subscriptions.
    pub ws_port: u16,
    /// Folder for keypair files and the index.
    pub keys: PathBuf,
    /// The built web app, if it is to be served.
    pub app: Option<PathBuf>,
    /// Port for the web app.
    pub app_port: u16,
}

/// The ports, taken before anything else is done.
pub struct Server {
    rpc: TcpListener,
    ws: TcpListener,
    app: Option<(TcpListener, Files)>,
}

impl Server {
    /// Takes the ports, and reads the web app.
    pub fn bind(options: &Options) -> Result<Self> {
        let bind = |port: u16, flag: &str| {
            TcpListener::bind(("127.0.0.1", port)).map_err(|error| {
                BadInput::error(format!("port {port} cannot be used ({error}); choose another with {flag}"))
            })
        };
        let app = options
            .app
            .as_ref()
            .map(|folder| -> Result<_> { Ok((bind(options.app_port, "--app-port")?, Files::read(folder)?)) });
        Ok(Self {
            rpc: bind(options.rpc_port, "--rpc-port")?,
            ws: bind(options.ws_port, "--ws-port")?,
            app: app.transpose()?,
        })
    }

    /// Forwards the chain's ports, which are of its own choice, and serves the app. Returns what it asks for.
    pub fn open(self, chain: &Chain, world: &World, options: &Options) -> Result<Option<Inbox>> {
        for (listener, url) in [(self.rpc, chain.rpc_url()), (self.ws, chain.ws_url())] {
            let target = url.split_once("://").map_or(url, |(_, address)| address).to_string();
            listener.set_nonblocking(true)?;
            let _entered = chain.runtime().enter();
            let listener = tokio::net::TcpListener::from_std(listener)?;
            chain.runtime().spawn(async move {
                while let Ok((mut outside, _)) = listener.accept().await {
                    let target = target.clone();
                    tokio::spawn(async move {
                        if let Ok(mut inside) = tokio::net::TcpStream::connect(&target).await {
                            // Whoever hangs up ends it.
                            let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                        }
                    });
                }
            });
        }
        let Some((listener, files)) = self.app else { return Ok(None) };
        let [rpc, ws] = options.urls();
        create(&options.keys)?;
        let index = index::open(chain, world.market, &options.keys, options.app_port)?;
        let faucet = web::open(chain, listener, files, index, &config(world, [&rpc, &ws]), [&rpc, &ws])?;
        Ok(Some(faucet))
    }
}

impl Options {
    /// Where the chain is reached: for requests and for subscriptions.
    fn urls(&self) -> [String; 2] {
        [format!("http://127.0.0.1:{}", self.rpc_port), format!("ws://127.0.0.1:{}", self.ws_port)]
    }
}

/// What the web app has to know.
fn config(world: &World, [rpc, ws]: [&str; 2]) -> serde_json::Value {
    let asset = |a: &Asset| {
        serde_json::json!({
            "symbol": a.symbol, "mint": a.mint.to_string(), "reserve": a.reserve.to_string(),
            "priceAccounts": a.feed.iter().map(|feed| feed.account.to_string()).collect::<Vec<_>>(),
        })
    };
    serde_json::json!({
        "local": true, "rpc": rpc, "ws": ws, "api": "/api", "market": world.market.to_string(),
        "lookupTable": world.table.key.to_string(), "assets": world.assets.iter().map(asset).collect::<Vec<_>>(),
    })
}

/// The key of a user without a vault.
pub fn burner(seed: u64, number: u32) -> Keypair {
    keypair(seed, "burner", number)
}

/// Gives `to` SOL, and tokens of every asset that can be made.
pub fn endow(chain: &Chain, world: &World, to: &Pubkey) -> Result<()> {
    chain.fund(to, BURNER_LAMPORTS)?;
    let snapshot = world.snapshot(chain)?;
    let payer = chain.payer();
    // Whoever wants minted tokens has to borrow them, or to swap.
    for asset in world.assets.iter().filter(|a| !a.native && !a.is_minted()) {
        let one = 10u64.pow(asset.decimals.into());
        let amount = (BURNER_DOLLARS / snapshot.dollars(&asset.reserve, one)? * one as f64) as u64;
        let instructions = world.give(&payer.pubkey(), to, asset, amount)?;
        chain.must("giving test tokens", &instructions, &[payer, &world.authority], &[])?;
    }
    Ok(())
}

/// Sets `stop` at Ctrl-C or a termination signal.
pub fn stop_on_signal(chain: &Chain, stop: Arc<AtomicBool>) {
    chain.runtime().spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => {}
                    _ = terminate.recv() => {}
                }
            }
            Err(_) => drop(tokio::signal::ctrl_c().await),
        }
        stop.store(true, Ordering::Relaxed);
    });
}

/// Creates the burner users, writes all keys and addresses to files, and tells where they are.
pub fn announce(chain: &Chain, world: &World, users: &Users, options: &Options, seed: u64) -> Result<()> {
    create(&options.keys)?;
    let mut listed = Vec::new();
    let mut add = |name: String, what: &str, keypair: &Keypair| -> Result<()> {
        let path = options.keys.join(format!("{name}.json"));
        write_key(&path, keypair)?;
        listed.push(serde_json::json!({
            "name": name, "what": what, "address": keypair.pubkey().to_string(), "keypair": path,
        }));
        Ok(())
    };
    let [rpc, ws] = options.urls();
    eprintln!("RPC        {rpc}\nWebSocket  {ws}\nProgram    {}\nMarket     {}", keel::ID, world.market);
    for asset in &world.assets {
        eprintln!("{:<10} {}", asset.symbol, asset.mint);
    }
    for number in 0..BURNERS {
        let burner = burner(seed, number);
        endow(chain, world, &burner.pubkey())?;
        add(format!("burner-{number}"), "tokens, no vault", &burner)?;
    }
    add("authority".into(), "mints tokens, governs", &world.authority)?;
    chain.fund(&world.guardian.pubkey(), BURNER_LAMPORTS)?;
    add("guardian".into(), "pauses, tightens, vetoes", &world.guardian)?;
    for (number, user) in users.all.iter().enumerate() {
        add(format!("user-{number:02}"), &user.name, &user.keypair)?;
    }
    let assets: Vec<_> = world
        .assets
        .iter()
        .map(|a| {
            serde_json::json!({
                "symbol": a.symbol, "decimals": a.decimals, "mint": a.mint.to_string(),
                "reserve": a.reserve.to_string(), "liquidity": a.liquidity.to_string(),
                "price": a.feed.map(|feed| feed.account.to_string()), "minted": a.is_minted(),
            })
        })
        .collect();
    let pools: Vec<_> = world
        .exchange
        .iter()
        .flat_map(|exchange| exchange.pairs())
        .map(|pair| {
            serde_json::json!({
                "takes": pair.base.mint.to_string(), "gives": pair.quote.mint.to_string(),
                "pool": pair.address().to_string(),
            })
        })
        .collect();
    let summary = serde_json::json!({
        "rpc": rpc, "ws": ws, "program": keel::ID.to_string(), "market": world.market.to_string(),
        "lookup_table": world.table.key.to_string(), "assets": assets, "users": listed,
        "exchange": world.exchange.as_ref().map(|_| keel_mock_pool::ID.to_string()), "pools": pools,
    });
    let path = options.keys.join("localnet.json");
    std::fs::write(&path, format!("{summary:#}\n")).with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("Keys       {}, of this chain only: burner-0.json has tokens and no vault", options.keys.display());
    eprintln!("Addresses  {}", path.display());
    if options.app.is_some() {
        eprintln!("\nOpen http://127.0.0.1:{} in a browser.", options.app_port);
    }
    Ok(())
}

fn create(keys: &Path) -> Result<()> {
    std::fs::create_dir_all(keys)
        .map_err(|error| BadInput::error(format!("--keys {}: cannot be created: {error}", keys.display())))
}

/// A file as the Solana tools read it.
fn write_key(path: &Path, keypair: &Keypair) -> Result<()> {
    let text = serde_json::to_string(&keypair.to_bytes().to_vec())?;
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named_with_its_flag() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let options = Options { rpc_port: 0, ws_port: port, keys: PathBuf::new(), app: None, app_port: 0 };
        let error = Server::bind(&options).err().unwrap();
        assert!(error.is::<BadInput>());
        let text = error.to_string();
        assert!(text.contains(&format!("port {port} ")) && text.contains("--ws-port"), "{text}");
    }
}
