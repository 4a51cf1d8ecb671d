//! The instruction that executes a change: each kind has its own.

use super::queued;
use crate::BadInput;
use crate::context::Context;
use crate::report::Report;
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use keel_client::instruction;
use keel_client::keel::state::{Change, PendingChange};
use keel_client::token::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM};
use keel_client::view::{View, price_accounts};
use solana_instruction::Instruction;

/// Executes a change.
pub fn run(context: &Context, view: &View, pending: &PendingChange) -> Result<Report> {
    let instruction = executor(context, view, pending)?;
    let summary = super::summary(context, view, pending)?;
    context.execute(&format!("Executed change {}: {summary}.", pending.nonce), &[instruction])
}

/// The instruction that executes a change.
pub fn executor(context: &Context, view: &View, pending: &PendingChange) -> Result<Instruction> {
    let queued = queued(pending);
    Ok(match pending.change()? {
        Change::Market(_) | Change::Role { .. } => instruction::execute_change(&queued, None, &[]),
        Change::Reserve { config, .. } => {
            let old = view.reserve(&pending.target)?.config;
            let config = old.with_sections(&config, pending.sections);
            let others = config.oracle.feeds != old.oracle.feeds;
            let prices = if others { price_accounts(&config.oracle) } else { Vec::new() };
            instruction::execute_change(&queued, Some(pending.target), &prices)
        }
        Change::List { config } => {
            let (token_program, _) = mint(context, &pending.target)?;
            let prices = price_accounts(&config.oracle);
            instruction::init_reserve(context.user()?, &queued, pending.target, token_program, &prices)
        }
        Change::ListMinted { .. } => instruction::init_minted_reserve(context.user()?, &queued, pending.target),
        Change::WithdrawInsurance { to, .. } => {
            instruction::withdraw_insurance(&view.book, &queued, pending.target, to)?
        }
    })
}

/// The program and the decimals of a mint.
pub fn mint(context: &Context, key: &Pubkey) -> Result<(Pubkey, u8)> {
    let account = context.transport.account(key)?;
    let account = account.filter(|account| [TOKEN_PROGRAM, TOKEN_2022_PROGRAM].contains(&account.owner));
    // A mint's layout: an optional authority, the supply, the decimals.
    let found = account.and_then(|account| Some((account.owner, *account.data.get(44)?)));
    found.ok_or_else(|| BadInput::error(format!("{key} is not a mint")))
}
