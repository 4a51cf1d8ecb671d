//! `step`.

use crate::governance::*;
use crate::minted::{self, KUSD, minting};
use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::events::ReserveConfigured;
use keel::state::{Change, GroupConfig, MarketParams, RateConfig, ReserveConfig, Role, Slot, StepConfig};
use keel_client::instruction;
use keel_risk::change::{RESERVE, section, step_number};
use keel_tests::Chain;
use keel_tests::check::{keys, only_event};
use keel_tests::world::with_notice;
use solana_instruction::Instruction;
use solana_signer::Signer;

const SIGNER: usize = 0;
const MARKET: usize = 1;
const RESERVE_ACCOUNT: usize = 2;
const DAY: i64 = 86_400;

const STEPS: StepConfig =
    StepConfig { cap_bps: 1_000, outflow_bps: 2_000, haircut_bps: 50, max_ltv_bps: 60, rate_bps: 70 };

/// Parameters that step, of a pooled reserve and of the minted one: their value, and how far a step goes from there.
const POOLED: [(&str, u64, u64); 12] = [
    ("limits.deposit_cap", 1_000_000_009, 100_000_000),
    ("limits.borrow_cap", 500, 50),
    ("limits.hourly_outflow", 1_004, 200),
    ("limits.daily_outflow", 10_000, 2_000),
    ("collateral.base_haircut_bps", 200, 50),
    ("collateral.max_ltv_bps", 7_500, 60),
    ("group.max_ltv_bps", 8_500, 60),
    ("rates.base_bps", 100, 70),
    ("rates.slope_bps", 1_000, 70),
    ("rates.excess_slope_bps", 20_000, 70),
    ("rates.min_at_target_bps", 100, 70),
    ("rates.max_at_target_bps", 2_000, 70),
];
const MINTED: (&str, u64, u64) = ("limits.swap_cap", 500_000_000_000, 50_000_000_000);

/// A market with steps and notice, in which every parameter of SOL has the value that [`POOLED`] says.
fn stage() -> Bank {
    let (mut w, _, _) = minting();
    w.configure(SOL, |c| {
        c.group = GroupConfig {
            id: 3,
            max_ltv_bps: 8_500,
            liquidation_threshold_bps: 9_300,
            min_bonus_bps: 50,
            max_bonus_bps: 200,
            max_bonus_health_bps: 9_600,
        };
        (c.limits.deposit_cap, c.limits.borrow_cap) = (1_000_000_009, 500);
        (c.limits.hourly_outflow, c.limits.daily_outflow) = (1_004, 10_000);
        c.rates.model = RateConfig::ADAPTIVE;
        (c.rates.base_bps, c.rates.steepness_bps, c.rates.speed_bps) = (100, 40_000, 500_000);
        (c.rates.min_at_target_bps, c.rates.initial_at_target_bps, c.rates.max_at_target_bps) = (100, 400, 2_000);
    })
    .unwrap();
    w.change_market(Change::Market(MarketParams { steps: STEPS, ..with_notice() })).unwrap();
    w
}

fn number(name: &str) -> usize {
    RESERVE.iter().position(|parameter| parameter.name == name).unwrap()
}

fn set(config: &mut ReserveConfig, name: &str, value: u64) {
    match &mut config.slots()[number(name)] {
        Slot::U32(slot) => **slot = u32::try_from(value).unwrap(),
        Slot::U64(slot) => **slot = value,
        Slot::Id(_) => panic!("{name} is no number"),
    }
}

/// A step by the risk steward.
fn build(w: &mut Bank, asset: usize, change: impl FnOnce(&mut ReserveConfig)) -> Instruction {
    let config = changed(w, asset, change);
    let (steward, reserve) = (w.risk_steward.pubkey(), w.assets[asset].reserve);
    instruction::step(steward, w.market, reserve, Change::Reserve { config, ramp: 0 })
}

/// Each parameter alone, up and down, as far as its kind allows and no unit further.
#[test]
fn effects_moves_a_parameter_as_far_as_the_market_allows() {
    let cases = POOLED.map(|case| (SOL, case)).into_iter().chain([(KUSD, MINTED)]);
    for (asset, (name, old, most)) in cases {
        for up in [true, false] {
            let mut w = stage();
            let steward = w.risk_steward.insecure_clone();
            let to = |far: u64| if up { old + far } else { old - far };
            // What becomes tighter and nobody feels is no step, and may go further.
            let free = !up && (name.ends_with("_cap") || name.ends_with("max_ltv_bps"));
            if !free {
                let beyond = build(&mut w, asset, |c| set(c, name, to(most + 1)));
                w.refuse_case(name, &beyond, &[&steward], KeelError::StepTooLarge);
            }
            let mut expected = w.reserve(asset);
            set(&mut expected.config, name, to(most));
            expected.revisions[section(number(name))] += 1;
            if !free {
                expected.stepped_at[step_number(number(name)).unwrap()] = w.chain.clock().unix_timestamp;
            }
            let before = w.snapshot(&[]);
            let step = build(&mut w, asset, |c| set(c, name, to(most)));
            let receipt = w.send(step, &steward).unwrap();
            assert_eq!(before.changed(&mut w), keys([w.assets[asset].reserve]));
            let reserve = w.reserve(asset);
            assert_eq!(reserve.config, expected.config, "{name}");
            assert_eq!((reserve.revisions, reserve.stepped_at), (expected.revisions, expected.stepped_at), "{name}");
            assert_eq!(only_event::<ReserveConfigured>(&receipt).reserve, w.assets[asset].reserve);
        }
    }
}

/// A day after its last step, to the second. Other parameters have days of their own, and so have other reserves.
#[test]
fn effects_each_parameter_steps_once_a_day() {
    let mut w = stage();
    let (steward, start) = (w.risk_steward.insecure_clone(), w.chain.clock().unix_timestamp);
    let first = build(&mut w, SOL, |c| c.collateral.max_ltv_bps += 1);
    w.send(first, &steward).unwrap();
    at(&mut w, start + 1_000);
    let other = build(&mut w, SOL, |c| c.rates.slope_bps += 70);
    w.send(other, &steward).unwrap();
    let elsewhere = build(&mut w, USDC, |c| c.collateral.max_ltv_bps += 1);
    w.send(elsewhere, &steward).unwrap();
    for seconds in [1_000, DAY - 1] {
        at(&mut w, start + seconds);
        for asset in [SOL, USDC] {
            let soon = build(&mut w, asset, |c| c.collateral.max_ltv_bps += 1);
            w.refuse(&soon, &[&steward], KeelError::StepTooSoon);
        }
    }
    at(&mut w, start + DAY);
    let again = build(&mut w, SOL, |c| c.collateral.max_ltv_bps += 60);
    w.send(again, &steward).unwrap();
    // One of several that is too soon holds up the others.
    let both = |c: &mut ReserveConfig| (c.rates.slope_bps, c.rates.base_bps) = (c.rates.slope_bps - 1, 101);
    at(&mut w, start + 1_000 + DAY - 1);
    let soon = build(&mut w, SOL, both);
    w.refuse(&soon, &[&steward], KeelError::StepTooSoon);
    w.pass(1);
    let both = build(&mut w, SOL, both);
    w.send(both, &steward).unwrap();
}

/// Steps are of what the parameter is now: a cap that fell to nothing does not come back by steps. A tightening between two
/// steps is no step, and a step that tightened is one.
#[test]
fn effects_steps_start_from_what_is_in_force() {
    let mut w = stage();
    let (steward, guardian) = (w.risk_steward.insecure_clone(), w.guardian.insecure_clone());
    let step = build(&mut w, SOL, |c| c.limits.borrow_cap = 550);
    w.send(step, &steward).unwrap();
    let tightened = changed(&mut w, SOL, |c| c.limits.borrow_cap = 100);
    let (market, sol) = (w.market, w.assets[SOL].reserve);
    let tighten = Change::Reserve { config: tightened, ramp: 0 };
    w.send(instruction::tighten(guardian.pubkey(), market, Some(sol), tighten), &guardian).unwrap();
    w.pass(DAY);
    for (cap, expected) in [(111, KeelError::StepTooLarge), (u64::MAX, KeelError::StepTooLarge)] {
        let beyond = build(&mut w, SOL, |c| c.limits.borrow_cap = cap);
        w.refuse(&beyond, &[&steward], expected);
    }
    let step = build(&mut w, SOL, |c| c.limits.borrow_cap = 110);
    w.send(step, &steward).unwrap();
    w.pass(DAY);
    for cap in [0, 1] {
        let change = build(&mut w, SOL, |c| c.limits.borrow_cap = cap);
        if cap == 0 {
            w.send(change, &steward).unwrap();
        } else {
            w.refuse(&change, &[&steward], KeelError::StepTooLarge);
        }
    }
    // A haircut that was raised by the guardian does not fall by a step the same day.
    let raised = changed(&mut w, SOL, |c| c.collateral.base_haircut_bps += 50);
    let tighten = Change::Reserve { config: raised, ramp: 0 };
    w.send(instruction::tighten(guardian.pubkey(), market, Some(sol), tighten), &guardian).unwrap();
    let back = build(&mut w, SOL, |c| c.collateral.base_haircut_bps -= 1);
    w.refuse(&back, &[&steward], KeelError::StepTooSoon);
}

/// In a market that allows none.
#[test]
fn rejects_every_step_where_there_are_none() {
    let mut w = noticed();
    let steward = w.risk_steward.insecure_clone();
    let steps: [fn(&mut ReserveConfig); 4] = [
        |c| c.collateral.max_ltv_bps += 1,
        |c| c.collateral.base_haircut_bps -= 1,
        |c| c.limits.hourly_outflow -= 1,
        |c| c.rates.slope_bps += 1,
    ];
    for change in steps {
        let step = build(&mut w, SOL, change);
        w.refuse(&step, &[&steward], KeelError::StepTooLarge);
    }
}

#[test]
fn rejects_parameters_without_steps() {
    let mut w = stage();
    let steward = w.risk_steward.insecure_clone();
    let changes: [fn(&mut ReserveConfig); 8] = [
        |c| c.limits.depth = 1,
        |c| c.oracle.dead_after += 1,
        |c| c.oracle.max_age_new_risk -= 1,
        |c| c.collateral.liquidation_threshold_bps += 1,
        |c| c.collateral.max_bonus_bps += 1,
        |c| c.volatility.multiple_bps += 1,
        |c| c.rates.reserve_factor_bps += 1,
        |c| c.flash_fee_bps += 1,
    ];
    for change in changes {
        let step = build(&mut w, SOL, change);
        w.refuse(&step, &[&steward], KeelError::NeedsNotice);
        // Nor beside one that has.
        let beside = build(&mut w, SOL, |c| {
            c.collateral.base_haircut_bps += 1;
            change(c);
        });
        w.refuse(&beside, &[&steward], KeelError::NeedsNotice);
    }
}

#[test]
fn rejects_other_kinds_of_change() {
    let mut w = stage();
    let (steward, market, sol) = (w.risk_steward.insecure_clone(), w.market, w.assets[SOL].reserve);
    let (to, config) = (steward.pubkey(), w.reserve(SOL).config.without_caps());
    let changes = [
        // Tighter, but not the steward's, and not a step.
        Change::Market(MarketParams { delay: 30 * 86_400, ..w.market_state().params() }),
        Change::Role { role: Role::RiskSteward, to: Pubkey::default() },
        Change::Role { role: Role::Governance, to },
        Change::List { config },
        Change::ListMinted { config: minted::config().without_caps() },
        Change::WithdrawInsurance { amount: 1, to },
    ];
    for change in changes {
        let step = instruction::step(to, market, sol, change);
        w.refuse_case(&format!("{change:?}"), &step, &[&steward], KeelError::NeedsNotice);
    }
}

#[test]
fn rejects_what_changes_nothing_or_is_incoherent() {
    let mut w = stage();
    let steward = w.risk_steward.insecure_clone();
    let same = build(&mut w, SOL, |_| {});
    w.refuse(&same, &[&steward], KeelError::NothingChanges);
    // Within its bound, but not beside the others: the threshold of the group is at 9,300.
    for _ in 0..13 {
        let step = build(&mut w, SOL, |c| c.group.max_ltv_bps += 60);
        w.send(step, &steward).unwrap();
        w.pass(DAY);
    }
    let beyond = build(&mut w, SOL, |c| c.group.max_ltv_bps += 20);
    w.refuse(&beyond, &[&steward], KeelError::ConfigGroup);
    let within = build(&mut w, SOL, |c| c.group.max_ltv_bps += 19);
    w.send(within, &steward).unwrap();
}

#[test]
fn rejects_other_than_the_risk_steward() {
    let mut w = stage();
    let thief = w.chain.funded();
    let valid = build(&mut w, SOL, |c| c.collateral.max_ltv_bps += 1);
    let (market, sol) = (w.market, w.assets[SOL].reserve);
    let dismissal = Change::Role { role: Role::RiskSteward, to: Pubkey::default() };
    let longer = Change::Market(MarketParams { delay: 30 * 86_400, ..w.market_state().params() });
    for other in [w.governance.insecure_clone(), w.guardian.insecure_clone(), thief.insecure_clone()] {
        w.refuse(&with_account(&valid, SIGNER, other.pubkey()), &[&other], KeelError::NotTightener);
        // Nor what governance and guardian may do at once by another instruction.
        for change in [dismissal, longer] {
            let step = instruction::step(other.pubkey(), market, sol, change);
            w.refuse(&step, &[&other], KeelError::NotTightener);
        }
    }
    w.refuse(&unsigned(&valid, SIGNER), &[&thief], ErrorCode::AccountNotSigner);
    let steward = w.risk_steward.insecure_clone();
    w.send(valid, &steward).unwrap();
}

#[test]
fn rejects_wrong_accounts() {
    let mut w = bank();
    w.change_market(Change::Market(MarketParams { steps: STEPS, ..with_notice() })).unwrap();
    let (user, steward) = (w.user(), w.risk_steward.insecure_clone());
    let signers = [&steward];
    let elsewhere = other_market(&mut w, SOL, &user);
    let (market, reserve) = (w.market, w.assets[SOL].reserve);
    let valid = build(&mut w, SOL, |c| c.collateral.max_ltv_bps += 1);
    refuse_imposters(&mut w, &valid, &signers, MARKET, &[("reserve", reserve), ("vault", user.vault)]);
    refuse_imposters(&mut w, &valid, &signers, RESERVE_ACCOUNT, &[("market", market), ("vault", user.vault)]);
    w.refuse(&with_account(&valid, RESERVE_ACCOUNT, elsewhere.reserve), &signers, KeelError::WrongMarket);
    w.refuse(&with_account(&valid, MARKET, elsewhere.market), &signers, KeelError::WrongMarket);
    w.refuse(&with_account(&valid, RESERVE_ACCOUNT, keel::ID), &signers, KeelError::MissingAccount);
    for index in [MARKET, RESERVE_ACCOUNT] {
        w.refuse(&read_only(&valid, index), &signers, ErrorCode::ConstraintMut);
        w.refuse(&truncated(&valid, index), &signers, ErrorCode::AccountNotEnoughKeys);
    }
    w.send(valid, &steward).unwrap();
}
