//! `keel market config`: what the web app has to know of a market, as its `config.json`.

use crate::BadInput;
use crate::context::Context;
use crate::report::Report;
use anchor_lang::prelude::Pubkey;
use anchor_spl::token_2022::spl_token_2022::extension::{BaseStateWithExtensions, StateWithExtensions};
use anchor_spl::token_2022::spl_token_2022::state::Mint;
use anyhow::Result;
use clap::Args;
use keel_client::transaction;
use keel_client::view::View;
use serde_json::json;
use solana_account::Account;
use spl_token_metadata_interface::state::TokenMetadata;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// Metaplex's program for metadata of tokens.
const METAPLEX: Pubkey = Pubkey::from_str_const("metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s");
/// Where the name stands in an account of that program: behind a kind, an authority and the mint.
const NAME_OFFSET: usize = 1 + 32 + 32;
/// A symbol is no longer.
const MAX_SYMBOL: usize = 10;

/// The web app's config.json, for this market and the lookup table that --lookup-table names
#[derive(Args, Debug)]
pub struct AppConfig {
    /// The node that browsers ask: its URL is public
    #[arg(long, value_name = "URL", value_parser = web_url)]
    rpc: String,
    /// Where it takes subscriptions [default: the same with ws, at the next port if it names one]
    #[arg(long, value_name = "URL")]
    ws: Option<String>,
    /// Where people look at a transaction, with {signature} in it
    #[arg(long, value_name = "URL", value_parser = explorer)]
    explorer: Option<String>,
    /// Where an indexer answers, without a slash at the end, or a path such as /api beside the app [default: no history]
    #[arg(long, value_name = "URL", value_parser = api)]
    api: Option<String>,
    /// What an asset is called, such as MINT=SOL; can be given more than once [default: the label of the Solana command
    /// line's configuration, or what the token's metadata says]
    #[arg(long = "symbol", value_name = "MINT=SYMBOL")]
    symbols: Vec<Symbol>,
}

/// `MINT=SYMBOL`.
#[derive(Clone, Debug)]
struct Symbol(Pubkey, String);

impl FromStr for Symbol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mint, symbol) = text.split_once('=').ok_or("write MINT=SYMBOL")?;
        let mint = mint.parse().map_err(|_| format!("{mint:?} is not the address of a mint"))?;
        if is_symbol(symbol) {
            Ok(Self(mint, symbol.into()))
        } else {
            Err(format!("{symbol:?} is not a symbol; write up to {MAX_SYMBOL} letters, digits, or of + - . _ $"))
        }
    }
}

fn web_url(text: &str) -> Result<String, String> {
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    if is_web { Ok(text.into()) } else { Err("write a URL that begins with https:// or http://".into()) }
}

fn explorer(text: &str) -> Result<String, String> {
    if text.contains("{signature}") { web_url(text) } else { Err("write {signature} where that belongs".into()) }
}

fn api(text: &str) -> Result<String, String> {
    match text {
        _ if text.ends_with('/') => Err("leave the slash at the end out".into()),
        _ if text.starts_with('/') && !text.starts_with("//") => Ok(text.into()),
        _ => web_url(text),
    }
}

/// Whoever makes a token writes its symbol: nothing that could pass for something else.
fn is_symbol(text: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._$".contains(&byte);
    (1..=MAX_SYMBOL).contains(&text.len()) && text.bytes().all(is_fit)
}

/// The place for subscriptions, as Solana's nodes have it.
fn subscriptions(rpc: &str) -> String {
    let (scheme, rest) = rpc.split_once("://").unwrap_or(("http", rpc));
    let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let next = authority.rsplit_once(':').and_then(|(host, port)| {
        let port = port.parse::<u16>().ok()?.checked_add(1)?;
        Some(format!("{host}:{port}"))
    });
    let scheme = if scheme == "https" { "wss" } else { "ws" };
    format!("{scheme}://{}{path}", next.as_deref().unwrap_or(authority))
}

/// Prints the configuration.
pub fn run(context: &Context, command: &AppConfig) -> Result<Report> {
    let view = context.view()?;
    let table = require_table(context, &view)?;
    let symbols = symbols(context, &view, command)?;
    let mut assets: Vec<_> = view.book.iter().zip(symbols).collect();
    assets.sort_by(|(_, a), (_, b)| a.cmp(b));
    let asset = |((key, listing), symbol): &((&Pubkey, &keel_client::book::Listing), String)| {
        json!({
            "symbol": symbol,
            "mint": listing.reserve.mint.to_string(),
            "reserve": key.to_string(),
            "priceAccounts": listing.prices.iter().map(Pubkey::to_string).collect::<Vec<_>>(),
        })
    };
    let mut config = json!({
        "local": false,
        "rpc": command.rpc,
        "ws": command.ws.clone().unwrap_or_else(|| subscriptions(&command.rpc)),
        "market": view.key().to_string(),
        "lookupTable": table.to_string(),
        "assets": assets.iter().map(asset).collect::<Vec<_>>(),
    });
    for (name, url) in [("explorer", &command.explorer), ("api", &command.api)] {
        if let Some(url) = url {
            config[name] = url.as_str().into();
        }
    }
    Ok(Report::new(format!("{config:#}"), config))
}

/// The lookup table, which has all that the market's transactions name: without one, a large vault's do not fit.
fn require_table(context: &Context, view: &View) -> Result<Pubkey> {
    let create = "create one with `keel market table`, and name it with --lookup-table";
    let key = context.lookup_table.ok_or_else(|| BadInput::error(format!("the app needs a lookup table: {create}")))?;
    let account = context.transport.account(&key)?;
    let account = account.ok_or_else(|| BadInput::error(format!("there is no lookup table at {key}: {create}")))?;
    let held: BTreeSet<Pubkey> = transaction::decode_lookup_table(&key, &account.data)?.addresses.into_iter().collect();
    let missing = view.book.lookup_addresses().iter().filter(|address| !held.contains(address)).count();
    if missing > 0 {
        return Err(BadInput::error(format!(
            "the lookup table {key} is older than the market's assets, and lacks {missing} of their addresses; {create}"
        )));
    }
    Ok(key)
}

/// What the assets are called, in the order of the book.
fn symbols(context: &Context, view: &View, command: &AppConfig) -> Result<Vec<String>> {
    let given: BTreeMap<Pubkey, &str> =
        command.symbols.iter().map(|Symbol(mint, name)| (*mint, name.as_str())).collect();
    let mints: Vec<Pubkey> = view.book.iter().map(|(_, listing)| listing.reserve.mint).collect();
    if let Some(mint) = given.keys().find(|mint| !mints.contains(mint)) {
        return Err(BadInput::error(format!("--symbol {mint}: the market lists no such asset")));
    }
    let accounts = context.transport.accounts(&mints)?;
    let metadata = context.transport.accounts(&mints.iter().map(metadata_address).collect::<Vec<_>>())?;
    let mut found = Vec::new();
    for ((mint, account), metadata) in mints.iter().zip(&accounts).zip(&metadata) {
        let named = given.get(mint).copied().or_else(|| context.labels.get(mint)).map(str::to_string);
        let told = || account.as_ref().and_then(own_symbol).or_else(|| metadata.as_ref().and_then(metaplex_symbol));
        let symbol = named.or_else(told).filter(|symbol| is_symbol(symbol));
        found.push(symbol.ok_or_else(|| {
            BadInput::error(format!("nothing says what {mint} is called: add --symbol {mint}=SYMBOL"))
        })?);
    }
    let twice = found.iter().enumerate().find(|(i, symbol)| found.iter().take(*i).any(|other| other == *symbol));
    if let Some((i, symbol)) = twice {
        let mint = mints.get(i).copied().unwrap_or_default();
        return Err(BadInput::error(format!("two assets are called {symbol}: rename one with --symbol {mint}=SYMBOL")));
    }
    Ok(found)
}

/// Where Metaplex keeps what it knows of a mint.
fn metadata_address(mint: &Pubkey) -> Pubkey {
    Pubkey::find_program_address(&[b"metadata", METAPLEX.as_ref(), mint.as_ref()], &METAPLEX).0
}

/// What a Token-2022 mint says of itself.
fn own_symbol(mint: &Account) -> Option<String> {
    let state = StateWithExtensions::<Mint>::unpack(&mint.data).ok()?;
    Some(state.get_variable_len_extension::<TokenMetadata>().ok()?.symbol)
}

/// What Metaplex says: the second text, padded with zeros.
fn metaplex_symbol(metadata: &Account) -> Option<String> {
    if metadata.owner != METAPLEX {
        return None;
    }
    let (_, rest) = borsh_text(metadata.data.get(NAME_OFFSET..)?)?;
    let (symbol, _) = borsh_text(rest)?;
    Some(std::str::from_utf8(symbol).ok()?.trim_end_matches('\0').to_string())
}

/// A text in front of some bytes, its length before it.
fn borsh_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_spl::token_2022::spl_token_2022::extension::{BaseStateWithExtensionsMut, StateWithExtensionsMut};

    fn text(text: &str, padded: usize) -> Vec<u8> {
        let mut bytes = u32::try_from(padded).unwrap().to_le_bytes().to_vec();
        bytes.extend(text.as_bytes());
        bytes.resize(4 + padded, 0);
        bytes
    }

    #[test]
    fn subscriptions_are_where_nodes_have_them() {
        assert_eq!(subscriptions("https://node.example/key"), "wss://node.example/key");
        assert_eq!(subscriptions("http://127.0.0.1:8899"), "ws://127.0.0.1:8900");
    }

    #[test]
    fn metadata_has_a_symbol() {
        let data = [vec![4; NAME_OFFSET], text("Jito Staked SOL", 32), text("JitoSOL", 10), vec![9; 40]].concat();
        let account = Account { owner: METAPLEX, data, ..Account::default() };
        assert_eq!(metaplex_symbol(&account).as_deref(), Some("JitoSOL"));
        let short = Account { data: account.data[..NAME_OFFSET + 40].to_vec(), ..account.clone() };
        assert_eq!(metaplex_symbol(&short), None);
        assert_eq!(metaplex_symbol(&Account { owner: keel_client::keel::ID, ..account }), None);
        // As a wallet derives it for USDC.
        let usdc = Pubkey::from_str_const("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v");
        assert_eq!(metadata_address(&usdc).to_string(), "5x38Kp4hvdomTCnCrAny4UtMUt5rQBdB6px2K1Ui45Wq");
    }

    #[test]
    fn a_mint_of_token_2022_has_its_own_symbol() {
        let metadata = TokenMetadata { name: "Pegged".into(), symbol: "PEG".into(), ..TokenMetadata::default() };
        let mut data = vec![0; 170 + metadata.tlv_size_of().unwrap()];
        let mut state = StateWithExtensionsMut::<Mint>::unpack_uninitialized(&mut data).unwrap();
        state.base = Mint { is_initialized: true, decimals: 6, ..Mint::default() };
        state.pack_base();
        state.init_account_type().unwrap();
        state.init_variable_len_extension(&metadata, false).unwrap();
        let mint = |data: Vec<u8>| Account { data, ..Account::default() };
        assert_eq!(own_symbol(&mint(data.clone())).as_deref(), Some("PEG"));
        // Without the extension, and no mint at all.
        assert_eq!(own_symbol(&mint(data[..82].to_vec())), None);
        assert_eq!(own_symbol(&mint(vec![0; 82])), None);
    }

    #[test]
    fn a_symbol_is_nothing_that_looks_like_another() {
        assert!(["SOL", "USDC.e", "k-USD", "$WIF"].into_iter().all(is_symbol));
        assert!(!["", "U\u{405}DC", "a b", "ELEVENCHARS", "a\0"].into_iter().any(is_symbol));
        for (text, says) in [("SOL", "MINT=SYMBOL"), ("me=SOL", "address of a mint")] {
            assert!(text.parse::<Symbol>().unwrap_err().contains(says));
        }
        let link = "https://explorer.example/tx/{signature}";
        assert_eq!(explorer(link), Ok(link.into()));
        assert_eq!(explorer("https://explorer.example/tx/"), Err("write {signature} where that belongs".into()));
        let no_url = Err("write a URL that begins with https:// or http://".to_owned());
        assert_eq!(web_url("javascript:1"), no_url);
        for good in ["/api", "https://history.example/api"] {
            assert_eq!(api(good), Ok(good.into()));
        }
        assert_eq!([api("//history.example"), api("api")], [no_url.clone(), no_url]);
        assert_eq!(api("/api/"), Err("leave the slash at the end out".into()));
    }
}
