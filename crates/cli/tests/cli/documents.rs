//! What the documentation says, held to what there is.

use clap::{CommandFactory, Parser};
use keel_cli::args::Cli;
use keel_cli::commands::parameters::{Range, range_of, table};
use keel_client::keel::state::{Kind, RateConfig, ReserveConfig, Slot};
use keel_client::keel_risk::change::{MARKET, Parameter, RESERVE, Unit};
use keel_tests::AssetSpec;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `keel parameters > docs/governance/parameters.md` writes it anew.
#[test]
fn the_page_of_parameters_is_current() {
    let page = std::fs::read_to_string(repository().join("docs/governance/parameters.md")).unwrap();
    assert!(page == table(), "docs/governance/parameters.md is stale: keel parameters > docs/governance/parameters.md");
}

/// Outside of its range every parameter is refused, by a market or by one of these reserves that is accepted without.
#[test]
fn ranges_are_those_of_the_program() {
    let reserves = reserves();
    for (kind, config) in &reserves {
        config.validate(*kind).unwrap();
    }
    for (number, parameter) in RESERVE.iter().enumerate() {
        let Some(range) = range_of(parameter) else { continue };
        for outside in outside(&range, &RESERVE[number]) {
            let refused = reserves.iter().any(|(kind, config)| {
                let mut config = *config;
                set(&mut config.slots()[number], outside);
                config.validate(*kind).is_err()
            });
            assert!(refused, "{} may be {outside}", parameter.name);
        }
    }
    let params = keel_tests::world::with_notice();
    params.validate().unwrap();
    for (number, parameter) in MARKET.iter().enumerate() {
        let Some(range) = range_of(parameter) else { continue };
        for outside in outside(&range, &MARKET[number]) {
            let mut params = params;
            set(&mut params.slots()[number], outside);
            // A delay of zero is for setting up.
            assert!(
                params.validate().is_err() || (parameter.name, outside) == ("timelock.delay", 0),
                "{}",
                parameter.name
            );
        }
    }
}

fn outside(range: &Range, parameter: &Parameter) -> Vec<u64> {
    let largest =
        if matches!(parameter.unit, Unit::Native | Unit::MicroUsd | Unit::Slots) { u64::MAX } else { u32::MAX.into() };
    let below = range.least.checked_sub(1);
    let above = range.most.checked_add(1).filter(|value| *value <= largest);
    below.into_iter().chain(above).collect()
}

fn set(slot: &mut Slot<'_>, value: u64) {
    match slot {
        Slot::U32(place) => **place = value.try_into().unwrap(),
        Slot::U64(place) => **place = value,
        Slot::Id(_) => panic!("an identity has no range"),
    }
}

/// Accepted configurations between which every condition is looked at: kinked and adaptive, in a group, the market's own.
fn reserves() -> [(Kind, ReserveConfig); 3] {
    let mut kinked = AssetSpec::sol().config;
    kinked.oracle.feeds[0].feed_id = [1; 32];
    kinked.volatility.multiple_bps = 20_000;
    let group = &mut kinked.group;
    (group.id, group.max_ltv_bps, group.liquidation_threshold_bps) = (1, 8_800, 9_000);
    (group.min_bonus_bps, group.max_bonus_bps, group.max_bonus_health_bps) = (100, 200, 9_800);
    let mut adaptive = kinked;
    let rates = &mut adaptive.rates;
    (rates.model, rates.base_bps, rates.slope_bps, rates.excess_slope_bps) = (RateConfig::ADAPTIVE, 0, 0, 0);
    (rates.steepness_bps, rates.speed_bps) = (40_000, 500_000);
    (rates.min_at_target_bps, rates.initial_at_target_bps, rates.max_at_target_bps) = (10, 400, 20_000);
    let mut minted = ReserveConfig::default();
    (minted.limits.hourly_outflow, minted.limits.daily_outflow) = (u64::MAX, u64::MAX);
    (minted.rates.optimal_utilization_bps, minted.rates.base_bps) = (8_000, 500);
    let terms = &mut minted.minted;
    (terms.redemption_max_health_bps, terms.redemption_max_fee_bps, terms.redemption_half_life) = (11_000, 500, 3_600);
    [(Kind::Pooled, kinked), (Kind::Pooled, adaptive), (Kind::Minted, minted)]
}

/// Every command line in a page can be parsed: words in capitals stand for values.
#[test]
fn documented_commands_exist() {
    let mut found = 0;
    for page in ["docs/governance/incident.md", "docs/governance/changes.md", "migrations/README.md", "README.md"] {
        let text = std::fs::read_to_string(repository().join(page)).unwrap();
        for line in text.lines().map(str::trim).filter(|line| line.starts_with("keel ")) {
            let line = line.split(" #").next().unwrap();
            let words: Vec<String> = line.split_whitespace().map(filled).collect();
            if let Err(error) = Cli::try_parse_from(&words) {
                panic!("{page}: {line}: {error}");
            }
            found += 1;
        }
    }
    assert!(found > 20, "{found}");
}

/// A value for a placeholder.
fn filled(word: &str) -> String {
    match word {
        "ADDRESS" | "MINT" | "TOKEN_ACCOUNT" => keel_client::keel::ID.to_string(),
        "NUMBER" => "1".into(),
        "AMOUNT" => "1".into(),
        word => word.into(),
    }
}

#[test]
fn every_command_is_in_the_readme() {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    for command in Cli::command().get_subcommands() {
        let name = format!("keel {}", command.get_name());
        assert!(readme.contains(&name), "README.md does not name `{name}`");
    }
}
