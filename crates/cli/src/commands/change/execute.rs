//! The instruction that executes a change: each kind has its own.

use super::queued;
use crate::BadInput;
use crate::context::Context;
use crate::report::Report;
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use keel_client::change;
use keel_client::instruction;
use keel_client::keel::state::{Change, PendingChange};
use keel_client::token::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM};
use keel_client::view::{self, View};
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
    let accounts = view.accounts();
    let change = change::effective(&accounts, pending)?;
    let feeds = change::feeds(&accounts, &pending.target, &change)?;
    let prices: Vec<Pubkey> = feeds.iter().map(view::price_account).collect();
    Ok(match change {
        Change::Market(_) | Change::Role { .. } => instruction::execute_change(&queued, None, &[]),
        Change::Reserve { .. } => instruction::execute_change(&queued, Some(pending.target), &prices),
        Change::List { .. } => {
            let (token_program, _) = mint(context, &pending.target)?;
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
