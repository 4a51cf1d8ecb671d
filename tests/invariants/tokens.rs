//! Every token that moved is in the events, and nothing else moved: wallets, liquidity accounts, supplies and what the
//! books call available, all to the unit.

use crate::{Done, Effects, Verdict, ensure};
use keel::events::Flow;
use keel_tests::random::Snapshot;
use keel_tests::random::specs::{MINTED, SWAPPED};

/// What changes, by asset and, in wallets, by user first.
struct Changes {
    wallets: Vec<Vec<i128>>,
    liquidity: Vec<i128>,
    supplies: Vec<i128>,
    available: Vec<i128>,
}

impl Changes {
    fn none(state: &Snapshot) -> Self {
        let assets = vec![0; state.reserves.len()];
        let wallets = vec![assets.clone(); state.wallets.len()];
        Self { wallets, liquidity: assets.clone(), supplies: assets.clone(), available: assets }
    }

    /// `amount` goes from a user's wallet to a reserve, or, if it is negative, the other way. A minted token is burned.
    fn take(&mut self, user: usize, asset: usize, amount: i128) {
        self.wallets[user][asset] -= amount;
        if asset == MINTED {
            self.supplies[asset] -= amount;
        } else {
            self.liquidity[asset] += amount;
            self.available[asset] += amount;
        }
    }

    fn expect(done: &Done, effects: &Effects) -> Self {
        let mut changes = Self::none(done.before);
        let asset = |key| done.before.asset(key);
        let signer = done.action.signer();
        for (event, flow) in effects.moved.iter().zip(done.flows()) {
            let inward = matches!(event.flow, Flow::Deposit | Flow::Repay);
            let (user, sign) = if inward { (signer, 1) } else { (flow.payee, -1) };
            changes.take(user, asset(&event.reserve), sign * i128::from(event.amount));
        }
        for event in &effects.flash {
            changes.take(signer, asset(&event.reserve), event.fee.into());
        }
        for event in &effects.liquidated {
            changes.take(signer, asset(&event.debt_reserve), event.repaid.into());
            let paid = if event.in_shares { 0 } else { i128::from(event.to_keeper) };
            changes.take(signer, asset(&event.collateral_reserve), -paid);
        }
        for event in &effects.redeemed {
            changes.take(signer, MINTED, event.repaid.into());
            changes.take(signer, asset(&event.collateral_reserve), -i128::from(event.paid));
        }
        for event in &effects.swapped {
            let sign = if event.minted { 1 } else { -1 };
            changes.take(signer, SWAPPED, sign * i128::from(event.assets));
            changes.take(signer, MINTED, -sign * i128::from(event.tokens));
        }
        for event in &effects.paid_out {
            changes.take(done.payee(), asset(&event.reserve), -i128::from(event.amount));
        }
        changes
    }

    fn seen(before: &Snapshot, after: &Snapshot) -> Self {
        let changes = |old: &[u64], new: &[u64]| -> Vec<i128> {
            old.iter().zip(new).map(|(old, new)| i128::from(*new) - i128::from(*old)).collect()
        };
        let available = |state: &Snapshot| -> Vec<u64> { state.reserves.iter().map(|r| r.available).collect() };
        let wallets = before.wallets.iter().zip(&after.wallets);
        Self {
            wallets: wallets.map(|(old, new)| changes(old, new)).collect(),
            liquidity: changes(&before.liquidity, &after.liquidity),
            supplies: changes(&before.supplies, &after.supplies),
            available: changes(&available(before), &available(after)),
        }
    }
}

pub fn check(done: &Done, effects: &Effects) -> Verdict {
    let (mut expected, seen) = (Changes::expect(done, effects), Changes::seen(done.before, done.after()));
    // What the swap holds is valued anew: see the module on the minted token.
    expected.available[MINTED] = seen.available[MINTED];
    ensure!(seen.wallets == expected.wallets, "wallets changed by {:?}, not {:?}", seen.wallets, expected.wallets);
    let (l, s, a) = (&expected.liquidity, &expected.supplies, &expected.available);
    ensure!(seen.liquidity == *l, "liquidity changed by {:?}, not {l:?}", seen.liquidity);
    ensure!(seen.supplies == *s, "supplies changed by {:?}, not {s:?}", seen.supplies);
    ensure!(seen.available == *a, "what is available changed by {:?}, not {a:?}", seen.available);
    amounts(done, effects)
}

/// What was asked for exactly is what moved.
fn amounts(done: &Done, effects: &Effects) -> Verdict {
    ensure!(effects.moved.len() == done.flows().count(), "not exactly one flow for each that was asked for");
    for (event, flow) in effects.moved.iter().zip(done.flows()) {
        ensure!(event.reserve == done.before.reserve_keys[flow.asset], "another asset moved");
        if let keel::AmountSpec::Exact(amount) = flow.amount {
            ensure!(event.amount == amount, "{} moved where {amount} were asked for", event.amount);
        }
    }
    Ok(())
}
