//! The keeper with capital: tokens of every asset, from which it repays. What it lacks of the minted token it swaps in.

use super::{Case, POCKET_LAMPORTS, balance};
use crate::chain::Chain;
use crate::market::{Asset, World};
use crate::risk_error;
use crate::scenario::{Minted, Scenario};
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use keel_client::instruction::{self, Liquidation};
use keel_client::keel_risk::units::Amount;
use keel_client::token::{self, TOKEN_PROGRAM};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Part by which a swap for what is missing exceeds it, beside the swap's fee.
const TOP_UP_MARGIN_BPS: u64 = 100;

/// Gives the keeper what the scenario says of each asset, in its associated token accounts.
pub(super) fn fund(chain: &Chain, world: &World, scenario: &Scenario, keeper: &Keypair) -> Result<()> {
    let owner = keeper.pubkey();
    let capital = scenario.keeper.capital_usd;
    let mut lamports = POCKET_LAMPORTS;
    let mut steps = Vec::new();
    for (asset, terms) in world.assets.iter().zip(&scenario.assets) {
        let amount = terms.worth(capital);
        if asset.native {
            lamports = lamports.saturating_add(amount);
        }
        let signers = if asset.native { vec![keeper] } else { vec![keeper, &world.authority] };
        steps.push((world.give(&owner, &owner, asset, amount)?, signers));
    }
    chain.fund(&owner, lamports)?;
    for (instructions, signers) in steps {
        chain.must("the keeper's capital", &instructions, &signers, &[])?;
    }
    scenario.minted.as_ref().map_or(Ok(()), |terms| swap_in(chain, world, scenario, terms, keeper))
}

/// What the keeper begins with of the minted token, which it buys of the swap: nobody else has any to give.
fn swap_in(chain: &Chain, world: &World, scenario: &Scenario, terms: &Minted, keeper: &Keypair) -> Result<()> {
    let owner = keeper.pubkey();
    let (minted, swap) = (world.named(&terms.symbol)?, world.named(&terms.swap)?);
    let amount = scenario.worth(&terms.swap, terms.swapped_usd)?;
    let mut instructions = vec![token::create_associated(&owner, &owner, &minted.mint, &TOKEN_PROGRAM)];
    let mut signers = vec![keeper];
    if amount > 0 {
        if swap.native {
            chain.fund(&owner, amount.saturating_add(POCKET_LAMPORTS))?;
        } else {
            signers.push(&world.authority);
        }
        instructions.extend(world.give(&owner, &owner, swap, amount)?);
        instructions.push(instruction::swap_in(&world.snapshot(chain)?.book, owner, amount, 1)?);
    }
    let what = format!("the keeper's swap of {} into {}", swap.symbol, minted.symbol);
    chain.must(&what, &instructions, &signers, std::slice::from_ref(&world.table))?;
    Ok(())
}

/// The largest liquidation that the keeper can pay, which has `terms.max_repay` of the debt's asset.
pub(super) fn plan(case: &Case, mut terms: Liquidation) -> Result<Vec<Instruction>> {
    let Case { world, snapshot, vault, .. } = case;
    let debt = world.asset_of(&terms.debt_reserve)?;
    let missing = snapshot.owed(vault, &debt.reserve)?.saturating_sub(terms.max_repay);
    let mut instructions = Vec::new();
    if debt.is_minted()
        && missing > 0
        && let Some(swap) = top_up(case, &terms.keeper, debt, missing)?
    {
        instructions.push(swap);
        terms.max_repay += missing;
    }
    instructions.push(instruction::liquidate(&snapshot.book, vault, &terms)?);
    Ok(instructions)
}

/// Swaps in what the keeper lacks of the minted token and a little more, for the fee and what its assets may be worth less
/// than a dollar. None when it has not enough of them.
fn top_up(case: &Case, owner: &Pubkey, minted: &Asset, missing: u64) -> Result<Option<Instruction>> {
    let Case { chain, world, snapshot, .. } = case;
    let swap = snapshot.reserve(&minted.reserve)?.minted.swap_reserve;
    let value = snapshot.price(&minted.reserve)?.value_ceil(Amount(missing)).map_err(risk_error)?;
    let exact = snapshot.price(&swap)?.amount_ceil(value).map_err(risk_error)?.0;
    let fee_bps = snapshot.reserve(&minted.reserve)?.config.minted.swap_in_fee_bps;
    let margin_bps = u64::from(fee_bps) + TOP_UP_MARGIN_BPS;
    let assets = u64::try_from(u128::from(exact) * u128::from(10_000 + margin_bps) / 10_000)?.saturating_add(1);
    if assets > balance(chain, owner, world.asset_of(&swap)?)? {
        return Ok(None);
    }
    Ok(Some(instruction::swap_in(&snapshot.book, *owner, assets, missing)?))
}
