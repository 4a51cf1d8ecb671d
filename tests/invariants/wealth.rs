//! Invariant 7: while prices and time stand still, no sequence of actions makes anybody richer.
//!
//! A user's wealth is what the wallet holds, plus every claim rounded down, minus every debt rounded up to a native
//! unit, at prices that stay the same, with interest up to the present: exact integers. An instruction may raise it by
//! what another user gives, and by nothing else:
//!
//! - a deposit or repayment into another's vault: its amount passes from the one to the other;
//! - a liquidation: the keeper gives what is repaid and receives the collateral, the owner the reverse, protocol's
//!   share included. What they have together does not grow;
//! - a debt written off: the owner no longer owes it.
//!
//! That the protocol pays for none of this without the books showing it is invariant 3: assets less claims never fall.

use crate::{Done, Effects, Verdict, ensure};
use keel::events::Flow;
use keel::state::Side;
use keel_tests::random::{Arena, Snapshot};

/// A time in which prices and time stand still.
pub struct Window {
    /// Dollars per native unit of each asset, times 10^18.
    prices: Vec<i128>,
    start: Vec<i128>,
    received: Vec<i128>,
}

impl Window {
    pub fn open(arena: &Arena) -> Self {
        let prices = arena.world.assets.iter().zip(&arena.spot);
        let prices: Vec<i128> =
            prices.map(|(asset, spot)| i128::from(*spot) * 10i128.pow(10 - u32::from(asset.decimals))).collect();
        let start = wealth(&arena.state, &prices);
        Self { received: vec![0; start.len()], start, prices }
    }

    /// Over the whole window, too, nobody gained more than others gave.
    pub fn close(&self, state: &Snapshot) -> Verdict {
        let end = wealth(state, &self.prices);
        for (user, worth) in end.iter().enumerate() {
            let gain = worth - self.start[user] - self.received[user];
            ensure!(gain <= 0, "7: user {user} gained {gain} e-18 dollars in a time that stood still");
        }
        Ok(())
    }
}

/// What each user has, in dollars times 10^18.
fn wealth(state: &Snapshot, prices: &[i128]) -> Vec<i128> {
    let indices: Vec<_> = state.reserves.iter().map(|r| r.pool().project(state.moment.now).unwrap()).collect();
    let vaults_each = state.vaults.len() / state.wallets.len();
    let of_user = |(user, wallet): (usize, &Vec<u64>)| {
        let mut worth: i128 = wallet.iter().zip(prices).map(|(tokens, price)| i128::from(*tokens) * price).sum();
        for vault in state.vaults[user * vaults_each..][..vaults_each].iter().flatten() {
            for (position, side) in vault.occupied() {
                let asset = state.asset(&position.reserve);
                worth += prices[asset]
                    * match side {
                        Side::Collateral => {
                            i128::from(indices[asset].supply.amount_of(position.supply_shares()).unwrap().0)
                        }
                        Side::Debt => -i128::from(indices[asset].debt.amount_owed(position.debt_shares()).unwrap().0),
                    };
            }
        }
        worth
    };
    state.wallets.iter().enumerate().map(of_user).collect()
}

/// What each user received from others by an instruction; negative for what they gave.
fn transfers(done: &Done, effects: &Effects, prices: &[i128]) -> Vec<i128> {
    let mut received = vec![0; done.arena.players.len()];
    let worth = |key, amount: u64| i128::from(amount) * prices[done.before.asset(key)];
    let signer = done.action.signer();
    let owner = done.action.vault().map_or(signer, |vault| vault.owner);
    for moved in &effects.moved {
        if matches!(moved.flow, Flow::Deposit | Flow::Repay) {
            received[signer] -= worth(&moved.reserve, moved.amount);
            received[owner] += worth(&moved.reserve, moved.amount);
        }
    }
    for event in &effects.liquidated {
        let repaid = worth(&event.debt_reserve, event.repaid);
        received[signer] += worth(&event.collateral_reserve, event.to_keeper) - repaid;
        received[owner] += repaid - worth(&event.collateral_reserve, event.seized);
    }
    for loss in &effects.losses {
        received[owner] += worth(&loss.reserve, loss.owed);
    }
    received
}

pub fn check(done: &Done, window: &mut Option<Window>) -> Verdict {
    let (Some(window), Ok(effects)) = (window, &done.result) else { return Ok(()) };
    let received = transfers(done, effects, &window.prices);
    if effects.losses.is_empty() {
        ensure!(received.iter().sum::<i128>() <= 0, "7: owner and keeper gained from nobody");
    }
    let (before, after) = (wealth(done.before, &window.prices), wealth(done.after(), &window.prices));
    for (user, received) in received.iter().enumerate() {
        let gain = after[user] - before[user] - received;
        ensure!(gain <= 0, "7: user {user} gained {gain} e-18 dollars by {}", done.action.name());
        window.received[user] += received;
    }
    Ok(())
}
