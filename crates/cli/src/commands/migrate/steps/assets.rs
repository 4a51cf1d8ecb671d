//! 0003: every asset is listed and configured. While the market is being set up, each change is queued and executed in one
//! transaction.

use super::market;
use crate::BadInput;
use crate::commands::change::{mint_of, role_text};
use crate::commands::migrate::{Site, Task};
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use keel_client::instruction::{self, Queued};
use keel_client::keel::state::{Change, Market, Reserve, ReserveConfig, Role};
use keel_client::view::price_accounts;
use keel_client::{account, address};

pub fn precondition(site: &Site<'_>) -> Result<()> {
    let id = site.deployment.market.id;
    let Some(market) = market::find(site)? else {
        return Err(BadInput::error(format!("there is no market {id}: step 2 comes first")));
    };
    if is_set_up_by(site, &market)? {
        return Ok(());
    }
    // What is there is governed with notice now; what is missing as well.
    let missing: Vec<&str> = missing(site)?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(BadInput::error(format!(
        "market {id} is handed over and does not list {}: {} lists it, with `keel change queue list`",
        missing.join(", "),
        role_text(Role::Governance)
    )))
}

/// Whether the signer governs without notice.
fn is_set_up_by(site: &Site<'_>, market: &Market) -> Result<bool> {
    Ok(market.governance == site.context.user()? && market.delay == 0)
}

/// The names of what is not listed.
pub fn missing<'a>(site: &'a Site<'_>) -> Result<Vec<&'a str>> {
    let mut missing = Vec::new();
    for asset in &site.deployment.assets {
        if reserve(site, &asset.mint())?.is_none() {
            missing.push(asset.name.as_str());
        }
    }
    if site.deployment.minted.is_some() && reserve(site, &minted_mint(site))?.is_none() {
        missing.push("the market's own token");
    }
    Ok(missing)
}

fn market_key(site: &Site<'_>) -> Pubkey {
    address::market(site.deployment.market.id)
}

fn minted_mint(site: &Site<'_>) -> Pubkey {
    address::minted_mint(&market_key(site))
}

fn reserve(site: &Site<'_>, mint: &Pubkey) -> Result<Option<Reserve>> {
    let key = address::reserve(&market_key(site), mint);
    let found = site.context.transport.account(&key)?;
    Ok(found.map(|found| account::reserve(&key, &found.owner, &found.data)).transpose()?)
}

pub fn remaining(site: &Site<'_>) -> Result<Vec<Task>> {
    let Some(market) = market::find(site)? else { return Ok(Vec::new()) };
    if !is_set_up_by(site, &market)? {
        return Ok(Vec::new());
    }
    let user = site.context.user()?;
    let queued = |offset: u64| Queued {
        market: market_key(site),
        nonce: market.next_change.saturating_add(offset),
        rent_payer: user,
    };
    let mut tasks = Vec::new();
    for asset in &site.deployment.assets {
        let mint = asset.mint();
        let (token_program, decimals) = mint_of(site.context, &mint)?;
        let config = asset.config(decimals)?;
        let list = || {
            let change = Change::List { config: config.without_caps() };
            let prices = price_accounts(&config.oracle);
            let first = queued(0);
            vec![
                instruction::queue_change(user, &first, mint, change),
                instruction::init_reserve(user, &first, mint, token_program, &prices),
            ]
        };
        one(site, &asset.name, &mint, config, list, queued(0), &mut tasks)?;
    }
    if let Some(minted) = &site.deployment.minted {
        let swap = site.deployment.assets.iter().find(|asset| asset.name == minted.swap).ok_or_else(|| {
            BadInput::error(format!("minted.swap names {:?}, which is none of the assets", minted.swap))
        })?;
        let swap = address::reserve(&market_key(site), &swap.mint());
        let config = minted.config()?;
        let list = || {
            let first = queued(0);
            let change = Change::ListMinted { config: config.without_caps() };
            vec![
                instruction::queue_change(user, &first, swap, change),
                instruction::init_minted_reserve(user, &first, swap),
            ]
        };
        one(site, "the market's own token", &minted_mint(site), config, list, queued(0), &mut tasks)?;
    }
    Ok(tasks)
}

/// What is left of one asset.
fn one(
    site: &Site<'_>,
    name: &str,
    mint: &Pubkey,
    config: ReserveConfig,
    list: impl FnOnce() -> Vec<solana_instruction::Instruction>,
    queued: Queued,
    tasks: &mut Vec<Task>,
) -> Result<()> {
    let key = address::reserve(&market_key(site), mint);
    let found = reserve(site, mint)?;
    if found.is_none() {
        tasks.push(Task::send(format!("list {name} ({key})"), list()));
    }
    let now = found.map_or_else(|| config.without_caps(), |reserve| reserve.config);
    if now != config {
        let user = site.context.user()?;
        // Nobody holds anything yet, so that a ramp would only be in the way of a second attempt.
        let change = Change::Reserve { config, ramp: RAMP };
        let others = now.oracle.feeds != config.oracle.feeds;
        let prices = if others { price_accounts(&config.oracle) } else { Vec::new() };
        let instructions = vec![
            instruction::queue_change(user, &queued, key, change),
            instruction::execute_change(&queued, Some(key), &prices),
        ];
        tasks.push(Task::send(format!("set the limits and parameters of {name}"), instructions));
    }
    Ok(())
}

/// How long a liquidation threshold takes to fall that was set too high at first: the least there is.
const RAMP: u32 = 86_400;
