//! `tighten`.

use crate::governance::*;
use crate::minted::{self, KUSD, minting};
use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::events::{MarketConfigured, ReserveConfigured, RoleGiven};
use keel::state::{Change, GroupConfig, MarketParams, Offer, ReserveConfig, Role, StepConfig};
use keel_client::instruction;
use keel_tests::Chain;
use keel_tests::check::{keys, only_event};
use keel_tests::world::{market_params, with_notice};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

const SIGNER: usize = 0;
const MARKET: usize = 1;
const RESERVE: usize = 2;
const DAY: i64 = 86_400;

const GROUP: GroupConfig = GroupConfig {
    id: 3,
    max_ltv_bps: 9_000,
    liquidation_threshold_bps: 9_300,
    min_bonus_bps: 50,
    max_bonus_bps: 200,
    max_bonus_health_bps: 9_600,
};

const STEPS: StepConfig =
    StepConfig { cap_bps: 1_000, outflow_bps: 2_000, haircut_bps: 50, max_ltv_bps: 60, rate_bps: 70 };

/// A minted token, SOL in a group, and room to become tighter in every parameter; changes have notice.
fn stage() -> Bank {
    let (mut w, _, _) = minting();
    w.configure(SOL, |c| c.group = GROUP).unwrap();
    w.change_market(Change::Market(MarketParams { steps: STEPS, ..with_notice() })).unwrap();
    w
}

fn of_reserve(w: &mut Bank, signer: &Keypair, asset: usize, change: impl FnOnce(&mut ReserveConfig)) -> Instruction {
    let config = changed(w, asset, change);
    let change = Change::Reserve { config, ramp: 0 };
    instruction::tighten(signer.pubkey(), w.market, Some(w.assets[asset].reserve), change)
}

fn of_market(w: &mut Bank, signer: &Keypair, change: impl FnOnce(&mut MarketParams)) -> Instruction {
    let mut params = w.market_state().params();
    change(&mut params);
    instruction::tighten(signer.pubkey(), w.market, None, Change::Market(params))
}

type Tightening = (usize, usize, fn(&mut ReserveConfig));

/// What may change at once without steps, an asset it may change of, and the section it is in.
const FREE: [Tightening; 8] = [
    (SOL, 0, |c| c.limits.deposit_cap = 5),
    (SOL, 0, |c| c.limits.borrow_cap = 0),
    (SOL, 0, |c| c.limits.isolated_debt_ceiling = 7),
    (KUSD, 0, |c| c.limits.swap_cap = 0),
    (SOL, 2, |c| c.collateral.max_ltv_bps = 0),
    (SOL, 4, |c| c.group.max_ltv_bps = 7_500),
    (SOL, 7, |c| c.insurance_floor_bps = 10_000),
    (SOL, 7, |c| c.isolated_debt = 1),
];

/// As far as one likes, by any of the three, one after the other without a wait.
#[test]
fn effects_of_a_reserve_by_each_role() {
    for (_, signer) in signers(&stage()) {
        let mut w = stage();
        for (asset, section, change) in FREE {
            let mut expected = w.reserve(asset);
            change(&mut expected.config);
            expected.revisions[section] += 1;
            let before = w.snapshot(&[]);
            let tighten = of_reserve(&mut w, &signer, asset, change);
            let receipt = w.send(tighten, &signer).unwrap();
            // Not even the market.
            assert_eq!(before.changed(&mut w), keys([w.assets[asset].reserve]));
            assert_eq!(bytemuck::bytes_of(&w.reserve(asset)), bytemuck::bytes_of(&expected));
            assert_eq!(only_event::<ReserveConfigured>(&receipt).reserve, w.assets[asset].reserve);
        }
    }
}

/// All of them in one.
#[test]
fn effects_of_several_parameters_at_once() {
    let mut w = stage();
    let steward = w.risk_steward.insecure_clone();
    let all =
        |c: &mut ReserveConfig| FREE.iter().filter(|(asset, ..)| *asset == SOL).for_each(|(.., change)| change(c));
    let mut expected = w.reserve(SOL);
    all(&mut expected.config);
    for section in [0, 2, 4, 7] {
        expected.revisions[section] += 1;
    }
    let tighten = of_reserve(&mut w, &steward, SOL, all);
    w.send(tighten, &steward).unwrap();
    assert_eq!(bytemuck::bytes_of(&w.reserve(SOL)), bytemuck::bytes_of(&expected));
}

#[test]
fn effects_of_a_market_by_governance_and_guardian() {
    let changes: [fn(&mut MarketParams); 6] = [
        |p| p.delay = 30 * 86_400,
        |p| p.steps.cap_bps = 0,
        |p| p.steps.outflow_bps = 0,
        |p| p.steps.haircut_bps = 49,
        |p| p.steps.max_ltv_bps = 0,
        |p| p.steps.rate_bps = 0,
    ];
    for (_, signer) in &signers(&stage())[..2] {
        let mut w = stage();
        for change in changes {
            let mut expected = w.market_state();
            let mut params = expected.params();
            change(&mut params);
            (expected.delay, expected.steps) = (params.delay, params.steps);
            expected.revision += 1;
            let before = w.snapshot(&[]);
            let tighten = of_market(&mut w, signer, change);
            let receipt = w.send(tighten, signer).unwrap();
            assert_eq!(before.changed(&mut w), keys([w.market]));
            assert_eq!(bytemuck::bytes_of(&w.market_state()), bytemuck::bytes_of(&expected));
            assert_eq!(only_event::<MarketConfigured>(&receipt).market, w.market);
        }
    }
}

/// A longer delay holds for what is queued from then on.
#[test]
fn effects_a_delay_is_raised_at_once() {
    let mut w = stage();
    let guardian = w.guardian.insecure_clone();
    let (start, before) = (w.chain.clock().unix_timestamp, queue_config(&mut w, SOL, |c| c.flash_fee_bps = 1));
    let longer = of_market(&mut w, &guardian, |p| p.delay = 864_000);
    w.send(longer, &guardian).unwrap();
    let after = queue_config(&mut w, USDC, |c| c.flash_fee_bps = 1);
    at(&mut w, start + DELAY);
    execute(&mut w, SOL, &before);
    let (early, anybody) = (execute_ix(&w, USDC, &after), w.chain.funded());
    at(&mut w, start + 863_999);
    w.refuse(&early, &[&anybody], KeelError::ChangeTooEarly);
    w.pass(1);
    w.send(early, &anybody).unwrap();
    // The way back takes as long.
    let shorter = of_market(&mut w, &guardian, |p| p.delay = 863_999);
    w.refuse(&shorter, &[&guardian], KeelError::NeedsNotice);
}

/// The other two become tighter in steps: whoever takes them, no further than the market says, and once a day.
#[test]
fn effects_base_haircuts_and_outflow_limits_become_tighter_by_steps() {
    type Step = (&'static str, usize, fn(&mut ReserveConfig), fn(&mut ReserveConfig));
    let steps: [Step; 3] = [
        ("base haircut", 5, |c| c.collateral.base_haircut_bps += 50, |c| c.collateral.base_haircut_bps += 51),
        ("hourly", 2, |c| c.limits.hourly_outflow = 800, |c| c.limits.hourly_outflow = 799),
        ("daily", 3, |c| c.limits.daily_outflow = 8_000, |c| c.limits.daily_outflow = 7_999),
    ];
    for (name, signer) in signers(&stage()) {
        let (mut w, _, _) = minting();
        w.configure(SOL, |c| (c.limits.hourly_outflow, c.limits.daily_outflow) = (1_000, 10_000)).unwrap();
        w.change_market(Change::Market(MarketParams { steps: STEPS, ..with_notice() })).unwrap();
        for (parameter, place, step, too_far) in steps {
            let case = format!("{parameter} by {name}");
            let beyond = of_reserve(&mut w, &signer, SOL, too_far);
            w.refuse_case(&case, &beyond, &[&signer], KeelError::StepTooLarge);
            let within = of_reserve(&mut w, &signer, SOL, step);
            w.send(within, &signer).unwrap();
            let (reserve, now) = (w.reserve(SOL), w.chain.clock().unix_timestamp);
            let mut stepped_at = [0; 16];
            stepped_at[place] = now;
            assert_eq!(reserve.stepped_at.map(|at| if at == now { at } else { 0 }), stepped_at, "{case}");
            // A day, whoever comes next and however small the step.
            let again = |c: &mut ReserveConfig| match place {
                5 => c.collateral.base_haircut_bps += 1,
                2 => c.limits.hourly_outflow -= 1,
                _ => c.limits.daily_outflow -= 1,
            };
            let start = w.chain.clock().unix_timestamp;
            for seconds in [0, DAY - 1] {
                at(&mut w, start + seconds);
                for (_, other) in signers(&w) {
                    let soon = of_reserve(&mut w, &other, SOL, again);
                    w.refuse_case(&case, &soon, &[&other], KeelError::StepTooSoon);
                }
            }
            at(&mut w, start + DAY);
            let again = of_reserve(&mut w, &signer, SOL, again);
            w.send(again, &signer).unwrap();
            w.pass(1);
        }
    }
}

/// By governance or guardian, and whoever it was on offer to does not get it either.
#[test]
fn effects_dismisses_the_risk_steward() {
    let dismissal = Change::Role { role: Role::RiskSteward, to: Pubkey::default() };
    for (_, signer) in &signers(&bank())[..2] {
        let mut w = bank();
        let (steward, successor) = (w.risk_steward.insecure_clone(), w.chain.funded());
        w.change_market(Change::Role { role: Role::RiskSteward, to: successor.pubkey() }).unwrap();
        give_notice(&mut w);
        let mut expected = w.market_state();
        let before = w.snapshot(&[]);
        let receipt = w.send(instruction::tighten(signer.pubkey(), w.market, None, dismissal), signer).unwrap();
        assert_eq!(before.changed(&mut w), keys([w.market]));
        expected.risk_steward = Pubkey::default();
        expected.offers[2] = Offer::default();
        expected.role_revisions[2] += 1;
        assert_eq!(bytemuck::bytes_of(&w.market_state()), bytemuck::bytes_of(&expected));
        let event: RoleGiven = only_event(&receipt);
        assert_eq!((event.market, event.role, event.to), (w.market, Role::RiskSteward, Pubkey::default()));
        let late = instruction::accept_role(successor.pubkey(), w.market, Role::RiskSteward);
        w.refuse(&late, &[&successor], KeelError::RoleNotOffered);
        let tighten = of_reserve(&mut w, &steward, SOL, |c| c.limits.deposit_cap = 5);
        w.refuse(&tighten, &[&steward], KeelError::NotTightener);
    }
}

/// One parameter that is not free is enough, whatever else becomes tighter.
#[test]
fn rejects_a_change_of_which_a_part_needs_notice() {
    let mut w = bank();
    w.configure(SOL, |c| c.insurance_floor_bps = 100).unwrap();
    give_notice(&mut w);
    type Part = (&'static str, fn(&mut ReserveConfig));
    let parts: [Part; 6] = [
        ("looser", |c| c.insurance_floor_bps = 0),
        ("sideways", |c| c.flash_fee_bps += 1),
        ("felt at once", |c| c.oracle.confidence_multiple_bps += 1),
        ("felt along a ramp", |c| c.collateral.liquidation_threshold_bps -= 1),
        ("a step that is not allowed", |c| c.collateral.base_haircut_bps += 1),
        ("another feed", |c| c.oracle.feeds[0].feed_id = [9; 32]),
    ];
    for (case, part) in parts {
        let config = changed(&mut w, SOL, |c| {
            c.limits.deposit_cap = 5;
            part(c);
        });
        assert_needs_notice(&mut w, case, SOL, config);
    }
    // Of a market likewise.
    let governance = w.governance.insecure_clone();
    let parts: [fn(&mut MarketParams); 7] = [
        |p| p.window -= 1,
        |p| p.window += 1,
        |p| p.steps.cap_bps += 1,
        |p| p.target_health_bps += 1,
        |p| p.min_bounty_micro_usd += 1,
        |p| p.restart_grace_slots += 1,
        |p| p.price_receiver = Pubkey::new_unique(),
    ];
    for part in parts {
        for longer in [0, 10] {
            let tighten = of_market(&mut w, &governance, |p| {
                p.delay += longer;
                part(p);
            });
            w.refuse(&tighten, &[&governance], KeelError::NeedsNotice);
        }
    }
}

/// Listings, payments, and roles but for the dismissal.
#[test]
fn rejects_other_kinds_of_change() {
    let mut w = noticed();
    let (market, sol, to) = (w.market, w.assets[SOL].reserve, w.chain.funded().pubkey());
    let config = w.reserve(SOL).config.without_caps();
    let nobody = Pubkey::default();
    let changes = [
        Change::Role { role: Role::Governance, to },
        Change::Role { role: Role::Guardian, to },
        Change::Role { role: Role::RiskSteward, to },
        Change::Role { role: Role::Governance, to: nobody },
        Change::Role { role: Role::Guardian, to: nobody },
        Change::List { config },
        Change::ListMinted { config: minted::config().without_caps() },
        Change::WithdrawInsurance { amount: 1, to },
    ];
    for (_, signer) in signers(&w) {
        for change in changes {
            for reserve in [None, Some(sol)] {
                let tighten = instruction::tighten(signer.pubkey(), market, reserve, change);
                w.refuse_case(&format!("{change:?}"), &tighten, &[&signer], KeelError::NeedsNotice);
            }
        }
    }
}

#[test]
fn rejects_what_changes_nothing_or_is_incoherent() {
    let mut w = noticed();
    let governance = w.governance.insecure_clone();
    let cases = [of_reserve(&mut w, &governance, SOL, |_| {}), of_market(&mut w, &governance, |_| {})];
    for same in &cases {
        w.refuse(same, &[&governance], KeelError::NothingChanges);
    }
    let floor = of_reserve(&mut w, &governance, SOL, |c| c.insurance_floor_bps = 10_001);
    w.refuse(&floor, &[&governance], KeelError::ConfigFee);
    let delay = of_market(&mut w, &governance, |p| p.delay = 30 * 86_400 + 1);
    w.refuse(&delay, &[&governance], KeelError::ConfigGovernance);
}

#[test]
fn rejects_other_than_the_roles() {
    let mut w = noticed();
    let thief = w.chain.funded();
    let key = thief.pubkey();
    w.send(instruction::init_market(key, key, 1, market_params(), key, key), &thief).unwrap();
    let steward = w.risk_steward.insecure_clone();
    let tighten = of_reserve(&mut w, &thief, SOL, |c| c.limits.deposit_cap = 5);
    w.refuse(&tighten, &[&thief], KeelError::NotTightener);
    // The risk steward tightens reserves only, and does not dismiss itself.
    let dismissal = Change::Role { role: Role::RiskSteward, to: Pubkey::default() };
    for other in [&thief, &steward] {
        let longer = of_market(&mut w, other, |p| p.delay += 1);
        w.refuse(&longer, &[other], KeelError::NotTightener);
        let dismiss = instruction::tighten(other.pubkey(), w.market, None, dismissal);
        w.refuse(&dismiss, &[other], KeelError::NotTightener);
    }
    let valid = of_reserve(&mut w, &steward, SOL, |c| c.limits.deposit_cap = 5);
    w.refuse(&unsigned(&valid, SIGNER), &[&thief], ErrorCode::AccountNotSigner);
    w.send(valid, &steward).unwrap();
}

#[test]
fn rejects_wrong_accounts() {
    let mut w = noticed();
    let (user, guardian) = (w.user(), w.guardian.insecure_clone());
    let signers = [&guardian];
    let elsewhere = other_market(&mut w, SOL, &user);
    let (market, reserve) = (w.market, w.assets[SOL].reserve);
    let change = queue_params(&mut w, |p| p.window += 1).address();
    let valid = of_reserve(&mut w, &guardian, SOL, |c| c.limits.deposit_cap = 5);
    let (vault, change) = (("vault", user.vault), ("change", change));
    refuse_imposters(&mut w, &valid, &signers, MARKET, &[("reserve", reserve), vault, change]);
    refuse_imposters(&mut w, &valid, &signers, RESERVE, &[("market", market), vault, change]);
    // Of a market with this guardian, a reserve of another.
    w.refuse(&with_account(&valid, RESERVE, elsewhere.reserve), &signers, KeelError::WrongMarket);
    w.refuse(&with_account(&valid, MARKET, elsewhere.market), &signers, KeelError::WrongMarket);
    // The program's own address stands for none.
    w.refuse(&with_account(&valid, RESERVE, keel::ID), &signers, KeelError::MissingAccount);
    let longer = of_market(&mut w, &guardian, |p| p.delay += 1);
    let of_both = Instruction { data: longer.data, ..valid.clone() };
    w.refuse(&of_both, &signers, KeelError::WrongTarget);
    for index in [MARKET, RESERVE] {
        w.refuse(&read_only(&valid, index), &signers, ErrorCode::ConstraintMut);
    }
    for count in [MARKET, RESERVE] {
        w.refuse(&truncated(&valid, count), &signers, ErrorCode::AccountNotEnoughKeys);
    }
    w.send(valid, &guardian).unwrap();
}
