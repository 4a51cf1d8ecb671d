//! 0005: no account of the market has an older layout than the program writes.

use crate::BadInput;
use crate::commands::migrate::{Site, Task};
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use keel_client::keel::state::{Market, Reserve};
use keel_client::{address, instruction, view};

pub fn precondition(site: &Site<'_>) -> Result<()> {
    match super::market::find(site)? {
        Some(_) => Ok(()),
        None => Err(BadInput::error("there is no market yet: step 2 comes first")),
    }
}

pub fn remaining(site: &Site<'_>) -> Result<Vec<Task>> {
    let (transport, market_key) = (&*site.context.transport, address::market(site.deployment.market.id));
    let market = view::market(transport, &market_key)?;
    let mut outdated: Vec<(String, Pubkey, u8)> = Vec::new();
    if market.version < Market::VERSION {
        outdated.push(("the market".into(), market_key, market.version));
    }
    for (key, reserve) in view::reserves(transport, &market_key)? {
        if reserve.version < Reserve::VERSION {
            outdated.push((format!("reserve {key}"), key, reserve.version));
        }
    }
    let task = |(name, key, version)| {
        Task::send(format!("bring {name} up to date from layout {version}"), vec![instruction::upgrade_layout(key)])
    };
    Ok(outdated.into_iter().map(task).collect())
}
