//! `keel parameters`: every parameter, its unit, its range, who may move it and how fast. As the page in
//! `docs/governance` has it, which is written by this command.

use crate::amount;
use crate::report::Report;
use keel_client::change::meaning_text;
use keel_client::keel::state::{MAX_MIN_BOUNTY_MICRO_USD, MAX_MIN_POSITION_MICRO_USD};
use keel_client::keel_risk::change::{Effect, MARKET, Meaning, Move, Parameter, RESERVE, Unit};
use keel_client::keel_risk::config::*;
use serde_json::{Value, json};
use std::fmt::Write;

const INTRODUCTION: &str = "# Parameters

<!-- Written by `keel parameters`; a test compares it. -->

Every parameter of a reserve and of a market, as `keel_risk::change` lists them, which the program, the command line and this page
read alike.

- **tighter**, **looser**, **sideways**: what a move means for the protocol, that is for its suppliers.
- **at once**: governance, the guardian or the risk steward makes it without notice (`keel change tighten`); of a market, governance or
  the guardian.
- **queued**: governance announces it, anyone executes it after the market's delay and within its window (`keel change queue`, `keel
  change execute`).
- **a step a day**: also without notice, as far as the market's `steps` allow, each parameter once a day: what is tighter by all
  three (`keel change tighten`), everything else by the risk steward alone (`keel change step`).
- *vaults feel*: nothing, when no vault's maintenance health changes; a ramp, when it may fall over time; at once, when something that
  owners rely on changes with it.

Values are refused outside of their range, and where they contradict each other: a loan to value below the liquidation threshold, a
threshold low enough that the largest bonus still raises health, a maximum age for loans no longer than for liquidations. The
program says which (`Config...`). A lower liquidation threshold ramps down over a day at least.
";

/// The values that are accepted, whatever the others are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The least.
    pub least: u64,
    /// The most.
    pub most: u64,
    /// What else there is to know.
    pub note: &'static str,
}

const fn range(least: u64, most: u64) -> Range {
    Range { least, most, note: "" }
}

const fn up_to(most: u32) -> Range {
    range(0, most as u64)
}

const fn between(least: u32, most: u32) -> Range {
    range(least as u64, most as u64)
}

const fn noted(range: Range, note: &'static str) -> Range {
    Range { note, ..range }
}

/// The range of a parameter; `None` of an identity.
pub fn range_of(parameter: &Parameter) -> Option<Range> {
    let any = range(0, u64::MAX);
    let part = up_to(ONE_BPS);
    let below_one = up_to(ONE_BPS - 1);
    let adaptive = "of the adaptive model";
    let minted = "of the market's own token";
    let together = "base and both slopes together";
    Some(match parameter.name {
        _ if parameter.unit == Unit::Identity => return None,
        "limits.hourly_outflow" | "limits.daily_outflow" => range(1, u64::MAX),
        "limits.swap_cap" => noted(any, minted),
        "oracle.max_age_new_risk" => between(1, MAX_AGE_NEW_RISK),
        "oracle.max_age_liquidation" => between(1, MAX_AGE_LIQUIDATION),
        "oracle.max_confidence_new_risk_bps" | "oracle.max_confidence_liquidation_bps" => {
            between(1, MAX_CONFIDENCE_BPS)
        }
        "oracle.confidence_multiple_bps" => up_to(MAX_CONFIDENCE_MULTIPLE_BPS),
        "oracle.max_divergence_bps" => between(1, MAX_DIVERGENCE_BPS),
        "oracle.dead_after" => between(MIN_DEAD_AFTER, MAX_DEAD_AFTER),
        "collateral.max_ltv_bps" | "group.max_ltv_bps" => below_one,
        "collateral.min_bonus_bps" | "collateral.max_bonus_bps" => up_to(MAX_BONUS_BPS),
        "group.min_bonus_bps" | "group.max_bonus_bps" => up_to(MAX_BONUS_BPS),
        "collateral.max_bonus_health_bps" | "group.max_bonus_health_bps" => below_one,
        "volatility.min_interval" => between(MIN_SAMPLE_INTERVAL, MAX_SAMPLE_INTERVAL),
        "volatility.half_life" => between(MIN_HALF_LIFE, MAX_HALF_LIFE),
        "volatility.max_return_bps" => between(1, MAX_RETURN_BPS),
        "volatility.multiple_bps" => noted(up_to(MAX_VOLATILITY_MULTIPLE_BPS), "0 switches the term off"),
        "volatility.horizon" => between(MIN_LIQUIDATION_HORIZON, MAX_LIQUIDATION_HORIZON),
        "volatility.up_bps_per_hour" => between(1, MAX_HAIRCUT_UP_BPS_PER_HOUR),
        "volatility.down_bps_per_hour" => between(1, u32::MAX),
        "group.id" => noted(up_to(u32::MAX), "0 for none"),
        "rates.model" => noted(up_to(1), "0 kinked, 1 adaptive"),
        "rates.base_bps" | "rates.slope_bps" | "rates.excess_slope_bps" => noted(up_to(MAX_RATE_BPS), together),
        "rates.optimal_utilization_bps" => between(1, ONE_BPS - 1),
        "rates.reserve_factor_bps" => up_to(MAX_RESERVE_FACTOR_BPS),
        "rates.steepness_bps" => noted(between(MIN_STEEPNESS_BPS, MAX_STEEPNESS_BPS), adaptive),
        "rates.speed_bps" => noted(up_to(MAX_SPEED_BPS), adaptive),
        "rates.min_at_target_bps" | "rates.max_at_target_bps" | "rates.initial_at_target_bps" => {
            noted(between(1, MAX_RATE_BPS), adaptive)
        }
        "minted.swap_in_fee_bps" | "minted.swap_out_fee_bps" => noted(up_to(MAX_SWAP_FEE_BPS), minted),
        "minted.redemption_max_health_bps" => noted(up_to(MAX_REDEMPTION_HEALTH_BPS), "0 switches redemptions off"),
        "minted.redemption_min_fee_bps" | "minted.redemption_max_fee_bps" => noted(below_one, minted),
        "minted.redemption_volume_fee_bps" => noted(up_to(MAX_VOLUME_FEE_BPS), minted),
        "minted.redemption_half_life" => noted(between(MIN_REDEMPTION_HALF_LIFE, MAX_REDEMPTION_HALF_LIFE), minted),
        "terms.flash_fee_bps" => up_to(MAX_FLASH_FEE_BPS),
        "market.target_health_bps" => between(ONE_BPS, MAX_TARGET_HEALTH_BPS),
        "market.min_position_micro_usd" => range(1, MAX_MIN_POSITION_MICRO_USD),
        "market.min_bounty_micro_usd" => range(0, MAX_MIN_BOUNTY_MICRO_USD),
        "timelock.delay" => noted(between(MIN_DELAY, MAX_DELAY), "0 while the market is set up, and never again"),
        "timelock.window" => between(MIN_WINDOW, MAX_WINDOW),
        "steps.cap_bps" => up_to(MAX_CAP_STEP_BPS),
        "steps.outflow_bps" => up_to(MAX_OUTFLOW_STEP_BPS),
        "steps.haircut_bps" | "steps.max_ltv_bps" => up_to(MAX_VALUE_STEP_BPS),
        "steps.rate_bps" => up_to(MAX_RATE_STEP_BPS),
        _ if parameter.unit == Unit::Flag => up_to(1),
        _ if parameter.unit == Unit::Bps => part,
        _ => any,
    })
}

/// Prints the page.
pub fn run() -> Report {
    let rows = |parameters: &[Parameter]| parameters.iter().map(to_json).collect::<Vec<_>>();
    Report::new(table(), json!({"reserve": rows(&RESERVE), "market": rows(&MARKET)}))
}

fn to_json(parameter: &Parameter) -> Value {
    let range = range_of(parameter);
    json!({
        "name": parameter.name,
        "unit": unit(parameter),
        "least": range.map(|range| range.least),
        "most": range.map(|range| range.most),
        "raised": way(parameter, &parameter.raised),
        "lowered": way(parameter, &parameter.lowered),
    })
}

/// The page.
pub fn table() -> String {
    let mut page = INTRODUCTION.to_string();
    for (title, parameters) in [("Of a reserve", RESERVE.as_slice()), ("Of a market", MARKET.as_slice())] {
        let _ =
            write!(page, "\n## {title}\n\n| parameter | unit | range | raised | lowered |\n|---|---|---|---|---|\n");
        for parameter in parameters {
            let (raised, lowered) = (way(parameter, &parameter.raised), way(parameter, &parameter.lowered));
            let moves = if parameter.unit == Unit::Identity || raised == lowered {
                format!("{raised} | the same")
            } else {
                format!("{raised} | {lowered}")
            };
            let _ =
                writeln!(page, "| `{}` | {} | {} | {moves} |", parameter.name, unit(parameter), range_text(parameter));
        }
    }
    page
}

fn unit(parameter: &Parameter) -> &'static str {
    match parameter.unit {
        Unit::Native => "native units",
        Unit::MicroUsd => "millionths of a dollar",
        Unit::Bps => "basis points",
        Unit::BpsPerHour => "basis points an hour",
        Unit::Seconds => "seconds",
        Unit::Slots => "slots",
        Unit::Flag => "0 or 1",
        Unit::Number => "number",
        Unit::Identity => "address or feed",
    }
}

fn range_text(parameter: &Parameter) -> String {
    let Some(range) = range_of(parameter) else { return "any".into() };
    let number = |value: u64| match parameter.unit {
        Unit::Seconds if value != 0 => format!("{value} ({})", amount::duration(value.try_into().unwrap_or(i64::MAX))),
        _ => value.to_string(),
    };
    let most = if range.most >= u64::from(u32::MAX) { "any".into() } else { number(range.most) };
    let mut text =
        if range.least == 0 && most == "any" { "any".into() } else { format!("{} to {most}", number(range.least)) };
    if parameter.zero_is_none {
        text.push_str("; 0 for none");
    }
    if !range.note.is_empty() {
        text.push_str("; ");
        text.push_str(range.note);
    }
    text
}

/// What a move means, who makes it, and what vaults feel.
fn way(parameter: &Parameter, change: &Move) -> String {
    let tighter = change.meaning == Meaning::Tighter;
    let meaning = meaning_text(change.meaning);
    let who = match parameter.step {
        _ if tighter && change.effect == Effect::Nothing => "at once",
        Some(_) if tighter => "a step a day, or queued",
        Some(_) => "a step a day by the steward, or queued",
        None => "queued",
    };
    let felt = match change.effect {
        Effect::Nothing => "nothing",
        Effect::Ramp => "a ramp",
        Effect::AtOnce => "it at once",
    };
    format!("{meaning}: {who}; vaults feel {felt}")
}
