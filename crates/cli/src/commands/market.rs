//! `keel market`.

use super::app_config::{self, AppConfig};
use super::change::role_text;
use super::pause;
use crate::amount;
use crate::context::Context;
use crate::parameters;
use crate::report::{Report, pairs, table};
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use clap::Subcommand;
use keel_client::keel::state::{Market, Role};
use keel_client::sending::Sender;
use keel_client::transaction;
use keel_client::view::{self, View};
use serde_json::{Value, json};

/// Look at markets.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The market's roles, parameters, pause and assets
    Show,
    /// All markets
    List,
    /// Create a lookup table of the market's addresses, for --lookup-table
    Table,
    /// Print the web app's config.json, for the lookup table of --lookup-table
    Config(AppConfig),
}

/// Does what the command says.
pub fn run(context: &Context, command: Command) -> Result<Report> {
    match command {
        Command::Show => show(context),
        Command::List => list(context),
        Command::Table => create_table(context),
        Command::Config(command) => app_config::run(context, &command),
    }
}

fn show(context: &Context) -> Result<Report> {
    let view = context.view()?;
    let market = &view.market;
    let name = |key: &Pubkey| if *key == Pubkey::default() { "nobody".into() } else { context.labels.name(key) };
    let now = view.time.now;
    let offers = [Role::Governance, Role::Guardian, Role::RiskSteward].into_iter().filter_map(|role| {
        let offer = market.offers.get(role.number()).filter(|offer| now <= offer.until)?;
        let when = amount::when(offer.until, now);
        Some(format!("{} to {}, expires {when}", role_text(role), context.labels.name(&offer.to)))
    });
    let offers: Vec<String> = offers.collect();
    let mut rows = vec![
        ("market", format!("{} (number {})", view.key(), market.id)),
        ("governance", name(&market.governance)),
        ("guardian", name(&market.guardian)),
        ("risk steward", name(&market.risk_steward)),
        ("paused", pause::describe(market, now)),
        ("layout", market.version.to_string()),
    ];
    if !offers.is_empty() {
        rows.push(("roles on offer", offers.join("; ")));
    }
    if market.minted_mint != Pubkey::default() {
        rows.push(("own token", market.minted_mint.to_string()));
    }
    let mut text = format!("{}\nparameters\n", pairs(rows));
    for (parameter, value) in parameters::list(&mut market.params(), 6, &context.labels) {
        text.push_str(&format!("  {parameter} = {value}\n"));
    }
    let reserves = super::reserve::overview(context, &view)?;
    text.push_str(&format!("\n{}\n", reserves.text));
    let mut json = to_json(view.key(), market, now);
    if let Value::Object(object) = &mut json {
        object.insert("reserves".into(), reserves.json);
    }
    Ok(Report::new(text, json))
}

/// A market for programs.
pub fn to_json(key: &Pubkey, market: &Market, now: i64) -> Value {
    json!({
        "address": key.to_string(),
        "id": market.id,
        "layout": market.version,
        "governance": market.governance.to_string(),
        "guardian": market.guardian.to_string(),
        "riskSteward": market.risk_steward.to_string(),
        "nextChange": market.next_change,
        "parameters": parameters::to_json(&mut market.params()),
        "paused": pause::running(market, now),
        "pausedUntil": market.paused_until,
        "guardianPausedUntil": market.guardian_paused_until,
        "mintedMint": (market.minted_mint != Pubkey::default()).then(|| market.minted_mint.to_string()),
    })
}

fn list(context: &Context) -> Result<Report> {
    let now = context.transport.time()?.now;
    let mut markets = view::markets(&*context.transport)?;
    markets.sort_by_key(|(_, market)| market.id);
    if markets.is_empty() {
        return Ok(Report::new("There is no market on this cluster.", json!([])));
    }
    let rows = markets.iter().map(|(key, market)| {
        [market.id.to_string(), key.to_string(), context.labels.name(&market.governance), pause::describe(market, now)]
    });
    let text = table(["number", "address", "governance", "paused"], 4, rows);
    Ok(Report::new(text, markets.iter().map(|(key, market)| to_json(key, market, now)).collect::<Vec<_>>()))
}

fn create_table(context: &Context) -> Result<Report> {
    let view = context.view()?;
    let user = context.user()?;
    let slot = view.time.slot.saturating_sub(1);
    let (instructions, table) = transaction::create_lookup_table(&user, &addresses(&view), slot);
    let count = table.addresses.len();
    if context.dry_run {
        let text = format!("Nothing was sent. The table at {} would hold {count} addresses.", table.key);
        return Ok(Report::new(text, json!({"dryRun": true, "table": table.key.to_string(), "addresses": count})));
    }
    let sender: Sender<'_> = context.sender()?;
    for instruction in instructions {
        sender.send(&[instruction], &[])?;
    }
    let text = format!("Created {} with {count} addresses. Use it with --lookup-table {0}", table.key);
    Ok(Report::new(text, json!({"table": table.key.to_string(), "addresses": count})))
}

fn addresses(view: &View) -> Vec<Pubkey> {
    let mut addresses = view.book.lookup_addresses();
    addresses.extend([
        anchor_lang::system_program::ID,
        keel_client::token::ASSOCIATED_TOKEN_PROGRAM,
        keel_client::keel::introspection::ID,
    ]);
    addresses
}
