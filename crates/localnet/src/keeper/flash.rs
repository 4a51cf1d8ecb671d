//! A liquidation without capital, in one transaction: a flash loan of what is owed, the liquidation, the sale of what was
//! seized, the repayment of the loan. What the sale yields beyond the loan and its fee is the keeper's.
//!
//! What a liquidation pays is known when it has run. So it is simulated first, with a loan of the whole debt that nobody
//! could repay: its event says how much to borrow, and what there will be to sell.

use super::Case;
use crate::chain::{self, SendError};
use crate::risk_error;
use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result, anyhow};
use keel::events::Liquidated;
use keel::state::Reserve;
use keel_client::instruction::{self, Liquidation};
use keel_client::keel_risk::units::Amount;
use keel_client::token;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// What a keeper without capital finds out about a liquidation.
pub(super) enum Plan {
    /// It pays: the instructions of the transaction.
    Send(Vec<Instruction>),
    /// Nothing can be borrowed for it, or the sale yields less than the loan costs.
    Unprofitable,
    /// The program refuses it.
    Refused(SendError),
}

/// Plans the liquidation that `terms` name; how much is repaid and seized is found out here.
pub(super) fn plan(case: &Case, keeper: &Keypair, terms: &Liquidation) -> Result<Plan> {
    let reserve = case.snapshot.reserve(&terms.debt_reserve)?;
    let most = lendable(case, &terms.debt_reserve, reserve)?;
    if most == 0 {
        return Ok(Plan::Unprofitable);
    }
    let trial = Liquidation { max_repay: most, min_seize: 1, ..*terms };
    let instructions = wrapped(case, keeper, &trial, Vec::new())?;
    let simulated = case.chain.simulate(&instructions, &[keeper], std::slice::from_ref(&case.world.table));
    let (logs, refused) = match simulated {
        Ok(simulated) => simulated,
        Err(error) => return Err(anyhow!("a liquidation could not be simulated: {error}")),
    };
    let event: Option<Liquidated> = chain::events(&logs).into_iter().next();
    let Some(event) = event else {
        return Ok(refused.map_or(Plan::Unprofitable, Plan::Refused));
    };
    let Some(due) = due(case, &terms.debt_reserve, reserve, event.repaid)? else { return Ok(Plan::Unprofitable) };
    let Some(sale) = sale(case, keeper, terms, event.to_keeper, due)? else { return Ok(Plan::Unprofitable) };
    let exact = Liquidation { max_repay: event.repaid, min_seize: event.to_keeper, ..*terms };
    Ok(Plan::Send(wrapped(case, keeper, &exact, sale)?))
}

/// What of a vault's debt can be borrowed at once.
fn lendable(case: &Case, key: &Pubkey, reserve: &Reserve) -> Result<u64> {
    let pool = case.snapshot.pool(key)?;
    let free = if reserve.is_minted() {
        let owed = pool.debt_index.amount_owed(pool.debt_shares).map_err(risk_error)?;
        reserve.config.limits.borrow_cap.saturating_sub(owed.0)
    } else {
        pool.available.0
    };
    Ok(case.snapshot.owed(case.vault, key)?.min(free))
}

/// What the repayment of a loan of `amount` costs, as the program's books say. None when they could not take it.
fn due(case: &Case, key: &Pubkey, reserve: &Reserve, amount: u64) -> Result<Option<u64>> {
    let mut pool = case.snapshot.pool(key)?;
    let lent = pool.flash_borrow(Amount(amount), Amount(reserve.config.limits.borrow_cap));
    let due = lent.and_then(|()| pool.flash_repay(Amount(amount), reserve.config.flash_fee_bps));
    Ok(due.ok().map(|due| due.0))
}

/// A liquidation inside of a flash loan of exactly what it repays.
fn wrapped(case: &Case, keeper: &Keypair, terms: &Liquidation, sale: Vec<Instruction>) -> Result<Vec<Instruction>> {
    let (book, user, reserve, amount) = (&case.snapshot.book, keeper.pubkey(), terms.debt_reserve, terms.max_repay);
    let state = case.snapshot.reserve(&reserve)?;
    let account = token::associated_address(&user, &state.mint, &state.token_program);
    let mut instructions = vec![
        instruction::flash_borrow(book, user, reserve, account, amount)?,
        instruction::liquidate(book, case.vault, terms)?,
    ];
    instructions.extend(sale);
    instructions.push(instruction::flash_repay(book, user, reserve, account, amount)?);
    Ok(instructions)
}

/// Turns `amount` of the seized asset into more than `due` of the owed one. None when the exchange pays less.
fn sale(case: &Case, keeper: &Keypair, terms: &Liquidation, amount: u64, due: u64) -> Result<Option<Vec<Instruction>>> {
    let exchange = case.world.exchange.as_ref().context("there is no exchange")?;
    let (from, to) = (case.world.asset_of(&terms.collateral_reserve)?, case.world.asset_of(&terms.debt_reserve)?);
    // The minted token is not traded: the swap gives it for what the exchange is paid in.
    let sold_for = if to.is_minted() { exchange.quote() } else { &to.mint };
    let legs = exchange.route(case.chain, &keeper.pubkey(), &from.mint, sold_for, amount)?;
    let yielded = legs.last().map_or(amount, |leg| leg.pays);
    let mut instructions: Vec<Instruction> = legs.into_iter().map(|leg| leg.instruction).collect();
    if to.is_minted() {
        let least = due.saturating_add(1);
        instructions.push(instruction::swap_in(&case.snapshot.book, keeper.pubkey(), yielded, least)?);
    } else if yielded <= due {
        return Ok(None);
    }
    Ok(Some(instructions))
}
