//! The governance of a served market: a delay as on a real cluster, and changes that wait for it to pass.
//!
//! The program takes no delay under a day. So that one need not wait that long, the market is set up a day earlier on the
//! chain's clock: the first changes can be executed soon after the scenario.

use crate::chain::Chain;
use crate::market::World;
use crate::scenario::{Governance, Scenario};
use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use keel::state::{Change, ReserveConfig, Role};
use keel_client::keel_risk::config::MIN_DELAY;
use keel_client::{account, instruction};
use solana_signer::Signer;

/// Basis points that a loan to value is to rise by.
const LOAN_TO_VALUE_STEP: u32 = 100;
/// Basis points that a haircut is to rise by.
const HAIRCUT_STEP: u32 = 50;

/// When the market has to be set up, if it is to be ready at `now`: Unix seconds.
pub fn begins(governance: &Governance, scenario: &Scenario, now: i64) -> i64 {
    let over = scenario.start_time.saturating_add(scenario.elapsed(scenario.steps()));
    let ready = over.saturating_add(governance.notice_seconds.into());
    ready.saturating_sub(MIN_DELAY.into()).min(now)
}

/// Gives the market a delay of a day, and announces what can be executed when that has passed: the first asset's cap and
/// loan to value are to rise, with a larger haircut, and `steward` is to become risk steward.
pub fn announce(chain: &Chain, world: &World, steward: Pubkey) -> Result<()> {
    let fetched = chain.accounts(&[world.market])?.pop().flatten().context("there is no market")?;
    let mut params = account::market(&world.market, &fetched.owner, &fetched.data)?.params();
    params.delay = MIN_DELAY;
    let queued = world.next_change(chain)?;
    let governance = world.authority.pubkey();
    let queue = instruction::queue_change(governance, &queued, world.market, Change::Market(params));
    let execute = instruction::execute_change(&queued, None, &[]);
    chain.must("giving the market a delay", &[queue, execute], &[chain.payer(), &world.authority], &[])?;
    raise(chain, world, 0, |config| {
        let terms = &mut config.collateral;
        let most = terms.liquidation_threshold_bps.saturating_sub(1);
        terms.max_ltv_bps = terms.max_ltv_bps.saturating_add(LOAN_TO_VALUE_STEP).min(most);
        terms.base_haircut_bps = terms.base_haircut_bps.saturating_add(HAIRCUT_STEP).min(terms.max_haircut_bps);
        config.limits.deposit_cap = more(config.limits.deposit_cap);
    })?;
    queue_change(chain, world, world.market, Change::Role { role: Role::RiskSteward, to: steward })
}

/// Announces what has to wait for longer than anybody will watch: a higher cap of loans of the last asset.
pub fn announce_late(chain: &Chain, world: &World) -> Result<()> {
    raise(chain, world, world.assets.len().saturating_sub(1), |config| {
        config.limits.borrow_cap = more(config.limits.borrow_cap);
    })
}

/// Half as much again.
fn more(cap: u64) -> u64 {
    cap.saturating_add(cap / 2)
}

fn raise(chain: &Chain, world: &World, number: usize, change: impl FnOnce(&mut ReserveConfig)) -> Result<()> {
    let reserve = world.assets.get(number).context("there is no such asset")?.reserve;
    let mut config = world.snapshot(chain)?.reserve(&reserve)?.config;
    change(&mut config);
    queue_change(chain, world, reserve, Change::Reserve { config, ramp: 0 })
}

fn queue_change(chain: &Chain, world: &World, target: Pubkey, change: Change) -> Result<()> {
    let queued = world.next_change(chain)?;
    let queue = instruction::queue_change(world.authority.pubkey(), &queued, target, change);
    chain.must("announcing a change", &[queue], &[chain.payer(), &world.authority], &[])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notice_ends_after_the_scenario_if_that_is_short_enough() {
        let mut scenario = Scenario::load(None).unwrap();
        let governance = Governance { notice_seconds: 180 };
        let now = scenario.start_time - 600;
        let over = scenario.start_time + scenario.elapsed(scenario.steps());
        assert_eq!(begins(&governance, &scenario, now) + i64::from(MIN_DELAY), over + 180);
        // Nothing is set up later than it would be anyway.
        scenario.start_time += 10 * i64::from(MIN_DELAY);
        assert_eq!(begins(&governance, &scenario, now), now);
    }
}
