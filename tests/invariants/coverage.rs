//! What a run reached. A random test that never meets a state proves nothing about it, and must not pass.

use crate::{Done, Effects, floors};
use keel_risk::change::{MARKET, RESERVE};
use keel_risk::price::{Bounds, Observation};
use keel_tests::check::Refusal;
use keel_tests::random::{Action, FlowOf, VaultId};
use keel_tests::{Failure, Receipt};
use std::collections::BTreeMap;
use std::fmt;

/// Counts of what happened.
#[derive(Default)]
pub struct Coverage {
    /// Windows in which prices and time stood still.
    pub windows: u64,
    succeeded: BTreeMap<&'static str, u64>,
    refused: BTreeMap<(&'static str, String), u64>,
    reached: BTreeMap<&'static str, u64>,
    /// Parameters by how often they became others.
    parameters: BTreeMap<&'static str, u64>,
}

/// What 20,000 instructions must reach at least, so that a run counts as one.
const REQUIRED: [(&str, u64); 37] = [
    ("liquidation above the close-out zone", 10),
    ("liquidation in the close-out zone", 40),
    ("liquidation of a part", 20),
    ("liquidation that repays a debt whole", 14),
    ("liquidation that seizes a collateral whole", 20),
    ("liquidation of oneself", 5),
    ("liquidation beside other positions", 33),
    ("liquidation with a dead feed left out", 1),
    ("liquidation beside an asset at its last accepted price", 1),
    ("liquidation while time stood still", 10),
    ("bad debt recognized by liquidate", 3),
    ("bad debt recognized by resolve_bad_debt", 1),
    ("loss paid by insurance", 3),
    ("loss shared by suppliers", 1),
    ("collateral forfeited", 1),
    ("deposit for another", 50),
    ("repayment for another", 20),
    ("instruction at the time of the last accrual", 500),
    ("liquidation with the flat bounty", 1),
    ("maintenance haircut on its way up", 40),
    ("maintenance haircut on its way down", 50),
    ("haircut of new risk above that of liquidations", 200),
    ("price sampled for volatility", 35),
    ("refusal of an insolvent vault", 1),
    ("loss of the minted token paid by its surplus", 1),
    ("deficit of the minted token recovered in part", 1),
    ("redemption of a part", 25),
    ("redemption of a whole debt", 9),
    ("redemption beside a pooled debt", 30),
    ("redemption at a raised fee", 30),
    ("redemption that insures", 75),
    ("redemption from an unhealthy vault", 1),
    ("swap in at par", 5),
    ("swap in below the peg", 45),
    ("swap out at par", 30),
    ("swap out above the peg", 15),
    ("swap's holding valued higher", 60),
];

/// The same for instructions that succeed.
const SUCCEEDED: [(&str, u64); 15] = [
    ("open_vault", 20),
    ("close_vault", 10),
    ("deposit", 1_000),
    ("withdraw", 500),
    ("borrow", 500),
    ("repay", 300),
    ("liquidate", 34),
    ("refresh_reserve", 100),
    ("accrue_reserve", 100),
    ("challenge_feed", 100),
    ("resolve_bad_debt", 1),
    ("redeem", 30),
    ("swap_in", 50),
    ("swap_out", 50),
    ("withdraw_insurance", 6),
];

/// The same for refusals that keep an invariant.
const REFUSED: [(&str, &str, u64); 22] = [
    ("borrow", "Unhealthy", 13),
    ("borrow", "PriceStale", 50),
    ("borrow", "PriceDivergence", 1),
    ("borrow", "NotVaultOwner", 6),
    ("withdraw", "Unhealthy", 8),
    ("withdraw", "NotVaultOwner", 4),
    ("withdraw", "InsufficientLiquidity", 1),
    ("withdraw", "OutflowLimitExceeded", 4),
    ("borrow", "OutflowLimitExceeded", 5),
    ("liquidate", "Healthy", 26),
    ("liquidate", "SlippageExceeded", 9),
    ("resolve_bad_debt", "NoBadDebt", 50),
    ("deposit", "MintedTakesNoDeposits", 1),
    ("redeem", "NotRedeemable", 30),
    ("redeem", "WrongReserveKind", 1),
    ("redeem", "PartOfSmallPosition", 2),
    ("redeem", "OutputTooSmall", 4),
    ("swap_in", "SwapCapExceeded", 3),
    ("swap_in", "OutputTooSmall", 2),
    ("swap_out", "InsufficientLiquidity", 1),
    ("queue_change", "NotGovernance", 6),
    ("withdraw_insurance", "InsuranceFloor", 1),
];

impl Coverage {
    /// Counts a state that matters.
    pub fn reach(&mut self, what: &'static str) {
        *self.reached.entry(what).or_default() += 1;
    }

    /// Counts a parameter that became another.
    pub fn parameter(&mut self, name: &'static str) {
        *self.parameters.entry(name).or_default() += 1;
    }

    /// Counts the instructions of a transaction by their outcome; of one that was refused, the one that it stopped at.
    pub fn count(&mut self, done: &Done, outcome: &Result<Receipt, Failure>) {
        let action = &done.action;
        match outcome {
            Ok(_) => {
                done.actions.iter().for_each(|action| *self.succeeded.entry(action.name()).or_default() += 1);
            }
            Err(failure) => {
                let error = name(failure);
                let stopped = done.stopped_at(failure);
                let action = stopped.unwrap_or(action);
                if error == "VaultInsolvent" {
                    self.reach("refusal of an insolvent vault");
                }
                *self.refused.entry((action.name(), error)).or_default() += 1;
            }
        }
        let strange = |f: &FlowOf| f.user != done.arena.owner(f.vault);
        match action {
            Action::Deposit(f) if outcome.is_ok() && strange(f) => self.reach("deposit for another"),
            Action::Repay(f) if outcome.is_ok() && strange(f) => self.reach("repayment for another"),
            _ => {}
        }
    }

    /// Counts a liquidation by what it was like.
    pub fn liquidation(
        &mut self,
        done: &Done,
        effects: &Effects,
        id: VaultId,
        close_out: bool,
        closed_debt: bool,
        closed_collateral: bool,
    ) {
        let zone = ["liquidation above the close-out zone", "liquidation in the close-out zone"];
        self.reach(zone[usize::from(close_out)]);
        if closed_debt {
            self.reach("liquidation that repays a debt whole");
        }
        if closed_collateral {
            self.reach("liquidation that seizes a collateral whole");
        }
        if !closed_debt && !closed_collateral {
            self.reach("liquidation of a part");
        }
        if done.action.signer() == done.arena.owner(id) {
            self.reach("liquidation of oneself");
        }
        let Some(vault) = done.before.vault(id) else { return };
        if vault.occupied().count() > 2 {
            self.reach("liquidation beside other positions");
        }
        let assets = vault.occupied().map(|(position, _)| done.before.asset(&position.reserve));
        let dead: Vec<(usize, usize)> = assets.map(|asset| (dead_feeds(done, asset), asset)).collect();
        if dead.iter().any(|(dead, _)| *dead > 0) {
            self.reach("liquidation with a dead feed left out");
        }
        let feeds = |asset: usize| done.before.reserves[asset].config.oracle.feed_count();
        if dead.iter().any(|(dead, asset)| *dead > 0 && *dead == feeds(*asset)) {
            self.reach("liquidation beside an asset at its last accepted price");
        }
        if done.arena.still > 0 {
            self.reach("liquidation while time stood still");
        }
        if !effects.losses.is_empty() {
            self.reach("bad debt recognized by liquidate");
            self.losses(effects);
        }
    }

    /// Counts write-offs.
    pub fn losses(&mut self, effects: &Effects) {
        if effects.liquidated.is_empty() && !effects.losses.is_empty() {
            self.reach("bad debt recognized by resolve_bad_debt");
        }
        for loss in &effects.losses {
            if loss.insured > 0 {
                self.reach("loss paid by insurance");
            }
            if loss.socialized > 0 {
                self.reach("loss shared by suppliers");
            }
        }
        for _ in &effects.forfeits {
            self.reach("collateral forfeited");
        }
    }

    /// Counts an instruction that found its reserve accrued to the present.
    pub fn no_time(&mut self) {
        self.reach("instruction at the time of the last accrual");
    }

    /// Fails unless the run reached enough. Runs of less than a quarter of 20,000 instructions are for looking at.
    pub fn require(&self, instructions: u64) {
        if instructions < 5_000 {
            println!("Too short to ask what it reached.");
            return;
        }
        let least = |n: u64| (n * instructions / 20_000).max(1);
        // By chance, a shorter run may not meet at all what is rare.
        let rarely = |n: u64| if instructions < 200_000 { 0 } else { n * instructions / 200_000 };
        let mut poor = vec![];
        let mut require = |what: String, count: u64, least: u64| {
            if count < least {
                poor.push(format!("{what}: {count} of {least}"));
            }
        };
        let reached = |what: &str| self.reached.get(what).copied().unwrap_or(0);
        let refused = |action, error: &str| self.refused.get(&(action, error.into())).copied().unwrap_or(0);
        for (what, n) in REQUIRED.into_iter().chain(floors::REACHED) {
            require(what.into(), reached(what), least(n));
        }
        for (what, n) in floors::RARELY_REACHED {
            require(what.into(), reached(what), rarely(n));
        }
        for (action, n) in SUCCEEDED.into_iter().chain(floors::SUCCEEDED) {
            require(action.into(), self.succeeded.get(action).copied().unwrap_or(0), least(n));
        }
        for (action, error, n) in REFUSED.into_iter().chain(floors::REFUSED) {
            require(format!("{action} refused with {error}"), refused(action, error), least(n));
        }
        for (action, error, n) in floors::RARELY_REFUSED {
            require(format!("{action} refused with {error}"), refused(action, error), rarely(n));
        }
        for parameter in RESERVE.iter().chain(&MARKET) {
            let count = self.parameters.get(parameter.name).copied().unwrap_or(0);
            require(format!("{} changed", parameter.name), count, rarely(floors::EACH_PARAMETER));
        }
        assert!(poor.is_empty(), "the run did not reach enough:\n{}", poor.join("\n"));
    }
}

/// How many feeds of the asset have no acceptable price, so that a liquidation can only have gone on without them.
fn dead_feeds(done: &Done, asset: usize) -> usize {
    let (state, reserve) = (done.before, &done.before.reserves[asset]);
    let oracle = &reserve.config.oracle;
    let bounds =
        Bounds { max_age: oracle.max_age_liquidation, max_confidence_bps: oracle.max_confidence_liquidation_bps };
    let feeds = state.readings[asset].iter().zip(&reserve.last_prices).take(oracle.feed_count());
    let usable = feeds.filter(|(reading, last)| {
        reading.is_ok_and(|o: Observation| o.accept(&bounds, &state.moment, last.publish_time).is_ok())
    });
    oracle.feed_count() - usable.count()
}

/// The error by its name, if it is one of this program, or as it is.
fn name(failure: &Failure) -> String {
    let named = failure.logs.iter().find_map(|line| line.split_once("Error Code: ")?.1.split_once('.'));
    named.map_or_else(|| format!("{:?}", Refusal::from(failure)), |(name, _)| name.into())
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let refused: u64 = self.refused.values().sum();
        writeln!(f, "succeeded: {}", self.succeeded.values().sum::<u64>())?;
        self.succeeded.iter().try_for_each(|(action, n)| writeln!(f, "{n:9} {action}"))?;
        writeln!(f, "refused: {refused}")?;
        self.refused.iter().try_for_each(|((action, error), n)| writeln!(f, "{n:9} {action}: {error}"))?;
        writeln!(f, "reached:")?;
        self.reached.iter().try_for_each(|(what, n)| writeln!(f, "{n:9} {what}"))?;
        writeln!(f, "parameters changed:")?;
        self.parameters.iter().try_for_each(|(name, n)| writeln!(f, "{n:9} {name}"))?;
        writeln!(f, "{:9} windows in which prices and time stood still", self.windows)
    }
}
