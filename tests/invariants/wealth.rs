//! Invariant 7: while prices and time stand still, no sequence of actions makes anybody richer.
//!
//! A user's wealth is what the wallet holds, plus every claim rounded down, minus every debt rounded up to a native
//! unit, at prices that stay the same, with interest up to the present: exact integers. An instruction may raise it by
//! what another user gives, and by nothing else:
//!
//! - a deposit or repayment into another's vault: its amount passes from the one to the other;
//! - a liquidation: the keeper gives what is repaid and receives the collateral, the owner the reverse, protocol's
//!   share included. What they have together does not grow. For shares, whoever's vault receives them has them;
//! - a withdrawal or loan that is paid to another: it passes from the owner to the other;
//! - a vault that changes hands: what it is worth passes with it;
//! - a redemption: the owner gives the collateral and has so much less debt, the redeemer the reverse, less the insurance's
//!   part. What they have together does not grow, and neither does what the redeemer has;
//! - a debt written off: the owner no longer owes it;
//! - a payment of insurance: the reserve gives it to whom governance announced.
//!
//! A swap is no exception: it gives nobody more than it takes.
//!
//! That the protocol pays for none of this without the books showing it is invariant 3: assets less claims never fall.

use crate::{Done, Effects, Verdict, ensure};
use anchor_lang::prelude::Pubkey;
use keel::events::Flow;
use keel::state::{Side, Vault};
use keel_risk::pool::Indices;
use keel_tests::random::arena::SPOT_EXPONENT;
use keel_tests::random::specs::MINTED;
use keel_tests::random::{Action, Arena, Snapshot};

/// A time in which prices and time stand still.
pub struct Window {
    /// Dollars per native unit of each asset, times 10^18.
    prices: Vec<i128>,
    start: Vec<i128>,
    received: Vec<i128>,
}

impl Window {
    pub fn open(arena: &Arena) -> Self {
        let prices: Vec<i128> = (0..arena.spot.len()).map(|asset| price(arena, asset)).collect();
        let start = wealth(arena, &arena.state, &prices);
        Self { received: vec![0; start.len()], start, prices }
    }

    /// Over the whole window, too, nobody gained more than others gave.
    pub fn close(&self, arena: &Arena) -> Verdict {
        let end = wealth(arena, &arena.state, &self.prices);
        for (user, worth) in end.iter().enumerate() {
            let gain = worth - self.start[user] - self.received[user];
            ensure!(gain <= 0, "7: user {user} gained {gain} e-18 dollars in a time that stood still");
        }
        Ok(())
    }
}

/// Dollars per native unit, times 10^18: the posted price, which a frozen feed keeps, if there is one.
fn price(arena: &Arena, asset: usize) -> i128 {
    let posted = arena.state.readings[asset][0].ok().filter(|o| o.price > 0 && !arena.is_minted(asset));
    let (spot, exponent) = posted.map_or((arena.spot[asset], SPOT_EXPONENT), |o| (o.price, o.exponent));
    let power = 18 + exponent - i32::from(arena.world.assets[asset].decimals);
    i128::from(spot) * 10i128.pow(power.unsigned_abs())
}

/// What each user has, in dollars times 10^18.
fn wealth(arena: &Arena, state: &Snapshot, prices: &[i128]) -> Vec<i128> {
    let indices = indices(state);
    let of_user = |(user, wallet): (usize, &Vec<u64>)| {
        let tokens: i128 = wallet.iter().zip(prices).map(|(tokens, price)| i128::from(*tokens) * price).sum();
        let key = arena.players[user].key();
        let own = state.vaults.iter().flatten().filter(|vault| vault.owner == key);
        tokens + own.map(|vault| vault_worth(state, vault, prices, &indices)).sum::<i128>()
    };
    state.wallets.iter().enumerate().map(of_user).collect()
}

fn indices(state: &Snapshot) -> Vec<Indices> {
    state.reserves.iter().map(|r| r.pool().project(state.moment.now).unwrap()).collect()
}

/// What a vault has more than it owes.
fn vault_worth(state: &Snapshot, vault: &Vault, prices: &[i128], indices: &[Indices]) -> i128 {
    let positions = vault.occupied().map(|(position, side)| {
        let asset = state.asset(&position.reserve);
        prices[asset]
            * match side {
                Side::Collateral => i128::from(indices[asset].supply.amount_of(position.supply_shares()).unwrap().0),
                Side::Debt => -i128::from(indices[asset].debt.amount_owed(position.debt_shares()).unwrap().0),
            }
    });
    positions.sum()
}

/// What each user received from others by an instruction; negative for what they gave.
fn transfers(done: &Done, effects: &Effects, prices: &[i128]) -> Vec<i128> {
    let mut received = vec![0; done.arena.players.len()];
    let worth = |key, amount: u64| i128::from(amount) * prices[done.before.asset(key)];
    let signer = done.action.signer();
    let owner_of = |id| done.before.vault(id).and_then(|v| done.arena.player_at(&v.owner)).unwrap_or(signer);
    let owner = done.action.vault().map_or(signer, owner_of);
    for (moved, flow) in effects.moved.iter().zip(done.flows()) {
        let inward = matches!(moved.flow, Flow::Deposit | Flow::Repay);
        let (from, to) = if inward { (signer, owner) } else { (owner, flow.payee) };
        received[from] -= worth(&moved.reserve, moved.amount);
        received[to] += worth(&moved.reserve, moved.amount);
    }
    for event in &effects.transferred {
        let Some(vault) = done.action.vault().and_then(|id| done.before.vault(id)) else { continue };
        let worth = vault_worth(done.before, vault, prices, &indices(done.before));
        let player = |key| done.arena.player_at(key).unwrap_or(signer);
        received[player(&event.from)] -= worth;
        received[player(&event.to)] += worth;
    }
    for event in &effects.liquidated {
        let repaid = worth(&event.debt_reserve, event.repaid);
        let paid_to = match done.action {
            Action::Liquidate { into: Some(into), .. } => owner_of(into),
            _ => signer,
        };
        received[signer] -= repaid;
        received[paid_to] += worth(&event.collateral_reserve, event.to_keeper);
        received[owner] += repaid - worth(&event.collateral_reserve, event.seized);
    }
    for event in &effects.paid_out {
        received[done.payee()] += worth(&event.reserve, event.amount);
    }
    for event in &effects.redeemed {
        let repaid = worth(&done.before.reserve_keys[MINTED], event.repaid);
        received[signer] += worth(&event.collateral_reserve, event.paid) - repaid;
        received[owner] += repaid - worth(&event.collateral_reserve, event.seized);
    }
    for loss in effects.losses.iter().filter(|loss| loss.vault != Pubkey::default()) {
        received[owner] += worth(&loss.reserve, loss.owed);
    }
    received
}

pub fn check(done: &Done, window: &mut Option<Window>) -> Verdict {
    let (Some(window), Ok(effects)) = (window, &done.result) else { return Ok(()) };
    let received = transfers(done, effects, &window.prices);
    if effects.losses.is_empty() && effects.paid_out.is_empty() {
        ensure!(received.iter().sum::<i128>() <= 0, "7: owner and keeper gained from nobody");
    }
    let redeemed = matches!(done.action, Action::Redeem { .. });
    let signer = done.action.signer();
    ensure!(!redeemed || received[signer] <= 0, "7: a redeemer gained {}", received[signer]);
    let of = |state| wealth(done.arena, state, &window.prices);
    let (before, after) = (of(done.before), of(done.after()));
    for (user, received) in received.iter().enumerate() {
        let gain = after[user] - before[user] - received;
        ensure!(gain <= 0, "7: user {user} gained {gain} e-18 dollars by {}", done.action.name());
        window.received[user] += received;
    }
    Ok(())
}
