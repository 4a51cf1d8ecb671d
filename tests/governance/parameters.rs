//! Every parameter, in both directions: what is not free waits for its notice, whoever asks; what is free does not.

use crate::support::*;
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::state::{Change, MarketParams, RateConfig, ReserveConfig};
use keel_client::instruction;
use keel_risk::change::{MARKET, Meaning, Move, Parameter, RESERVE};
use keel_tests::Chain;
use keel_tests::check::Refusal;
use solana_signer::Signer;
use std::collections::BTreeSet;

/// Why a parameter that moves like this does not come into force at once, by `tighten` or by the steward's `step`: the
/// market allows no steps.
fn refusal(parameter: &Parameter, change: &Move, both_ways: bool) -> KeelError {
    let steps = parameter.step.is_some() && (both_ways || change.meaning == Meaning::Tighter);
    if steps { KeelError::StepTooLarge } else { KeelError::NeedsNotice }
}

/// Which reserve of the market has a parameter.
fn reserve_with(name: &str) -> usize {
    if name.starts_with("minted.") || name == "limits.swap_cap" { MINTED } else { POOLED }
}

/// No change of one parameter by itself: an asset never leaves its group, and with zero feeds it has no price.
fn never(name: &str) -> bool {
    name == "group.id"
}

/// The configuration with parameter `number` moved by one, in that direction, if it is one that could work.
fn moved(w: &mut Lite, asset: usize, number: usize, up: bool) -> Option<ReserveConfig> {
    let mut config = w.reserve(asset).config;
    match RESERVE[number].name {
        // From a curve with a kink to an adaptive one, and nothing below.
        "rates.model" if up => config.rates.model = RateConfig::ADAPTIVE,
        "rates.model" => return None,
        "terms.isolated_debt" => config.isolated_debt = u32::from(up),
        _ => nudge(config.slots().into_iter().nth(number).unwrap(), up),
    }
    (config != w.reserve(asset).config).then_some(config)
}

#[test]
fn no_parameter_of_a_reserve_loosens_without_notice() {
    let mut w = noticed();
    let mut waited = BTreeSet::new();
    for (number, parameter) in RESERVE.iter().enumerate() {
        for up in [true, false] {
            let asset = reserve_with(parameter.name);
            let Some(config) = moved(&mut w, asset, number, up) else { continue };
            let case = format!("{} {}", parameter.name, if up { "up" } else { "down" });
            let change = if up { parameter.raised } else { parameter.lowered };
            if is_free(&change) {
                comes_at_once(&mut w, &case, asset, config);
            } else if never(parameter.name) {
                comes_never(&mut w, &case, asset, config);
            } else {
                waits(&mut w, &case, asset, parameter, &change, config);
            }
            waited.insert(parameter.name);
        }
    }
    assert_eq!(waited.len(), RESERVE.len(), "{waited:?}");
}

/// Tightened by each of the three roles, at once; governance then takes it back with notice.
fn comes_at_once(w: &mut Lite, case: &str, asset: usize, config: ReserveConfig) {
    let (before, reserve) = (w.reserve(asset).config, w.assets[asset].reserve);
    for role in roles(w) {
        let tighten = instruction::tighten(role.pubkey(), w.market, Some(reserve), Change::Reserve { config, ramp: 0 });
        w.send(tighten, &role).unwrap_or_else(|failure| panic!("{case}: {failure:#?}"));
        assert_eq!(w.reserve(asset).config, config, "{case}");
        waits_whole(w, &format!("{case}, back"), asset, before);
    }
}

fn comes_never(w: &mut Lite, case: &str, asset: usize, config: ReserveConfig) {
    let reserve = w.assets[asset].reserve;
    let (queue, _) = w.queue_ix(reserve, Change::Reserve { config, ramp: 86_400 });
    let governance = w.governance.insecure_clone();
    w.refuse_case(case, &queue, &[&governance], KeelError::ConfigGroup);
}

/// Refused by `tighten` and `step` to every role; queued, it waits to the second, and then comes into force.
fn waits(w: &mut Lite, case: &str, asset: usize, parameter: &Parameter, moves: &Move, config: ReserveConfig) {
    let steward = w.risk_steward.pubkey();
    for (role, instruction, is_step) in at_once(w, Some(asset), Change::Reserve { config, ramp: 86_400 }) {
        let expected = match is_step {
            true if role.pubkey() != steward => KeelError::NotTightener,
            _ => refusal(parameter, moves, is_step),
        };
        w.refuse_case(case, &instruction, &[&role], expected);
    }
    let before = w.reserve(asset).config;
    waits_whole(w, case, asset, config);
    // Back again, also with notice, so that each case starts from the same.
    waits_whole(w, &format!("{case}, back"), asset, before);
}

/// Queues a configuration and sees that it comes into force when its notice has passed and not a second before.
fn waits_whole(w: &mut Lite, case: &str, asset: usize, config: ReserveConfig) {
    let (before, reserve) = (w.reserve(asset).config, w.assets[asset].reserve);
    follow_feeds(w, asset, &config);
    let prices = w.assets[asset].prices.clone();
    let governance = w.governance.insecure_clone();
    let (queue, queued) = w.queue_ix(reserve, Change::Reserve { config, ramp: 86_400 });
    let execute = instruction::execute_change(&queued, Some(reserve), &prices);
    // Not in the transaction that queues it, nor in a later one.
    w.refuse_all_case(case, &[queue.clone(), execute.clone()], &[&governance], KeelError::ChangeTooEarly);
    w.send(queue, &governance).unwrap_or_else(|failure| panic!("{case}: {failure:#?}"));
    w.pass(DELAY - 1);
    w.refuse_case(case, &execute, &[&governance], KeelError::ChangeTooEarly);
    assert_eq!(w.reserve(asset).config, before, "{case}");
    w.pass(1);
    w.set_price(asset, 200_00);
    let anybody = w.chain.funded();
    w.send(execute, &anybody).unwrap_or_else(|failure| panic!("{case}: {failure:#?}"));
    assert_eq!(w.reserve(asset).config, config, "{case}");
}

/// From now on, prices are posted for the feeds of `config`, to the accounts that it may be pinned to.
fn follow_feeds(w: &mut Lite, asset: usize, config: &ReserveConfig) {
    let asset = &mut w.assets[asset];
    for ((feed, id), price) in config.oracle.feeds.iter().zip(&mut asset.feed_ids).zip(&mut asset.prices) {
        *id = feed.feed_id;
        *price = if feed.is_pinned() { feed.account } else { Pubkey::new_unique() };
    }
}

#[test]
fn no_parameter_of_a_market_loosens_without_notice() {
    let mut w = noticed();
    for (number, parameter) in MARKET.iter().enumerate() {
        for up in [true, false] {
            // No steps are allowed, so that there is nothing below.
            if !up && parameter.name.starts_with("steps.") {
                continue;
            }
            let before = w.market_state().params();
            let mut params = before;
            nudge(params.slots().into_iter().nth(number).unwrap(), up);
            let case = format!("{} {}", parameter.name, if up { "up" } else { "down" });
            set_market(&mut w, &case, params);
            set_market(&mut w, &format!("{case}, back"), before);
        }
    }
}

/// Without notice if the change is free, else with it and not a second before.
fn set_market(w: &mut Lite, case: &str, params: MarketParams) {
    let comparison = w.market_state().params().compare(&params);
    let free = comparison.changed() == comparison.tighter && comparison.ramped.is_empty() && comparison.felt.is_empty();
    if !free {
        return market_waits(w, case, params);
    }
    let guardian = w.guardian.insecure_clone();
    let tighten = instruction::tighten(guardian.pubkey(), w.market, None, Change::Market(params));
    w.send(tighten, &guardian).unwrap_or_else(|failure| panic!("{case}: {failure:#?}"));
    assert_eq!(w.market_state().params(), params, "{case}");
}

/// Refused to all who could want it at once, then executed after the delay that was in force when it was queued.
fn market_waits(w: &mut Lite, case: &str, params: MarketParams) {
    let (before, steward) = (w.market_state().params(), w.risk_steward.pubkey());
    for (role, tighten, _) in at_once(w, None, Change::Market(params)) {
        let expected = if role.pubkey() == steward { KeelError::NotTightener } else { KeelError::NeedsNotice };
        w.refuse_case(case, &tighten, &[&role], expected);
    }
    let governance = w.governance.insecure_clone();
    let (queue, queued) = w.queue_ix(w.market, Change::Market(params));
    let execute = instruction::execute_change(&queued, None, &[]);
    w.refuse_all_case(case, &[queue.clone(), execute.clone()], &[&governance], KeelError::ChangeTooEarly);
    w.send(queue, &governance).unwrap_or_else(|failure| panic!("{case}: {failure:#?}"));
    w.pass(i64::from(before.delay) - 1);
    w.refuse_case(case, &execute, &[&governance], KeelError::ChangeTooEarly);
    assert_eq!(w.market_state().params(), before, "{case}");
    w.pass(1);
    w.send(execute, &governance).unwrap_or_else(|failure| panic!("{case}: {failure:#?}"));
    assert_eq!(w.market_state().params(), params, "{case}");
}

/// Nor does a role change hands, insurance leave or an asset get listed.
#[test]
fn roles_listings_and_insurance_wait_as_well() {
    let mut w = noticed();
    let governance = w.governance.insecure_clone();
    let taker = w.chain.funded();
    for role in [keel::state::Role::Governance, keel::state::Role::Guardian, keel::state::Role::RiskSteward] {
        let change = Change::Role { role, to: taker.pubkey() };
        for (signer, tighten, _) in at_once(&w, None, change) {
            w.refuse_case("role", &tighten, &[&signer], KeelError::NeedsNotice);
        }
        let queued = w.queue(w.market, change).unwrap();
        let execute = instruction::execute_change(&queued, None, &[]);
        let accept = instruction::accept_role(taker.pubkey(), w.market, role);
        w.refuse_all_case("role", &[execute, accept.clone()], &[&taker], KeelError::ChangeTooEarly);
        w.refuse_case("role", &accept, &[&taker], KeelError::RoleNotOffered);
    }
    let mint = w.create_mint(9, &keel_client::token::TOKEN_PROGRAM);
    let (config, prices) = (w.reserve(POOLED).config, w.assets[POOLED].prices.clone());
    let list = w.list_ixs(mint, keel_client::token::TOKEN_PROGRAM, config, &prices);
    w.refresh_prices();
    w.refuse_all_case("listing", &list, &[&governance], KeelError::ChangeTooEarly);
    let (reserve, to) = (w.assets[POOLED].reserve, taker.pubkey());
    let (queue, queued) = w.queue_ix(reserve, Change::WithdrawInsurance { amount: 1, to });
    let pay = instruction::withdraw_insurance(&w.book, &queued, reserve, to).unwrap();
    w.refuse_all_case("insurance", &[queue, pay], &[&governance], KeelError::ChangeTooEarly);
}

/// A parameter that no row of the list knows could change unseen: every byte of a configuration is in one.
#[test]
fn every_byte_of_a_configuration_is_a_parameter() {
    let config = spec().config;
    let bytes = bytemuck::bytes_of(&config).to_vec();
    let mut seen = BTreeSet::new();
    for i in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[i] ^= 1;
        let changed: ReserveConfig = bytemuck::pod_read_unaligned(&changed);
        let parameters: Vec<usize> = config.compare(&changed).changed().iter().collect();
        assert_eq!(parameters.len(), 1, "byte {i}");
        seen.insert(parameters[0]);
        assert_eq!(config.with_sections(&changed, config.sections_to(&changed)), changed, "byte {i}");
    }
    assert_eq!(seen.len(), RESERVE.len());
}

/// The refusal names the parameter, its value and the one that was asked for.
#[test]
fn a_refusal_names_the_parameter() {
    let mut w = noticed();
    let mut config = w.reserve(POOLED).config;
    config.oracle.dead_after += 1;
    let guardian = w.guardian.insecure_clone();
    let reserve = w.assets[POOLED].reserve;
    let tighten = instruction::tighten(guardian.pubkey(), w.market, Some(reserve), Change::Reserve { config, ramp: 0 });
    let failure = w.send(tighten, &guardian).unwrap_err();
    assert_eq!(Refusal::from(&failure), KeelError::NeedsNotice.into());
    let line = "Program log: oracle.dead_after cannot go from 600 to 601 without notice";
    assert!(failure.logs.iter().any(|log| log == line), "{:#?}", failure.logs);
}
