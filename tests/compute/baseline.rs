//! The committed figures, the regressions from them, and the ceilings that hold whatever the baseline says.

use crate::measure::Measurement;
use anyhow::{Context, Result};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/compute/baseline.json");

/// Growth over the baseline that fails, in percent.
const TOLERANCE: u64 = 2;

/// Compute units that an instruction may cost in a shape: the limits of the protocol's design.
const CEILINGS: [(&str, usize, usize, u64); 14] = [
    ("deposit_all_on", 1, 1, 20_000),
    ("repay_all_on", 1, 1, 20_000),
    ("borrow_all_on", 1, 1, 40_000),
    ("withdraw_all_on", 1, 1, 40_000),
    ("liquidate_all_on", 1, 1, 60_000),
    ("liquidate_2_feeds_all_on", 8, 8, 200_000),
    ("liquidate_2_feeds_all_on", 15, 1, 200_000),
    ("deposit", 1, 1, 20_000),
    ("repay", 1, 1, 20_000),
    ("borrow", 1, 1, 40_000),
    ("withdraw", 1, 1, 40_000),
    ("liquidate", 1, 1, 60_000),
    ("liquidate_2_feeds", 8, 8, 200_000),
    ("liquidate_2_feeds", 15, 1, 200_000),
];

/// For each further position in a health check.
const POSITION_CEILING: u64 = 2_500;

/// Limits of the runtime for every transaction.
const MAX_LOCKS: usize = 64;
const MAX_BYTES: usize = 1_232;

fn find<'a>(all: &'a [Measurement], name: &str, collaterals: usize, debts: usize) -> Option<&'a Measurement> {
    all.iter().find(|m| m.instruction == name && m.collaterals == collaterals && m.debts == debts)
}

/// Compute units for each further position in the health checks of one instruction, from 1 + 1 to 8 + 8 positions.
pub fn slopes(all: &[Measurement]) -> Vec<(&'static str, u64)> {
    ["borrow", "withdraw", "liquidate", "borrow_all_on", "withdraw_all_on", "liquidate_all_on"]
        .into_iter()
        .filter_map(|name| {
            let (few, many) = (find(all, name, 1, 1)?, find(all, name, 8, 8)?);
            Some((name, many.compute_units.saturating_sub(few.compute_units) / 14))
        })
        .collect()
}

/// What exceeds a ceiling.
pub fn over_ceilings(all: &[Measurement]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, collaterals, debts, ceiling) in CEILINGS {
        match find(all, name, collaterals, debts) {
            Some(m) if m.compute_units <= ceiling => {}
            Some(m) => complaints.push(format!(
                "{name} with {collaterals} + {debts} positions costs {} compute units; its ceiling is {ceiling}",
                m.compute_units
            )),
            None => complaints.push(format!("{name} with {collaterals} + {debts} positions was not measured")),
        }
    }
    for (name, units) in slopes(all) {
        if units > POSITION_CEILING {
            complaints.push(format!(
                "{name}: each further position costs {units} compute units; the ceiling is {POSITION_CEILING}"
            ));
        }
    }
    for m in all {
        if m.locks > MAX_LOCKS || m.bytes > MAX_BYTES {
            complaints.push(format!(
                "{} with {} + {} positions: {} locks of {MAX_LOCKS}, {} bytes of {MAX_BYTES}",
                m.instruction, m.collaterals, m.debts, m.locks, m.bytes
            ));
        }
    }
    complaints
}

/// What grew by more than the tolerance, or is not in the baseline.
pub fn regressions(all: &[Measurement]) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(PATH)
        .with_context(|| format!("{PATH} cannot be read; `cargo xtask bench --update` writes it"))?;
    let old: Vec<Measurement> = serde_json::from_str(&text).with_context(|| format!("{PATH} is not a baseline"))?;
    let mut complaints = Vec::new();
    for m in all {
        let Some(before) = find(&old, &m.instruction, m.collaterals, m.debts) else {
            complaints.push(format!(
                "{} with {} + {} positions is not in the baseline",
                m.instruction, m.collaterals, m.debts
            ));
            continue;
        };
        let pairs = [
            ("compute units", before.compute_units, m.compute_units),
            ("locks", before.locks as u64, m.locks as u64),
            ("bytes", before.bytes as u64, m.bytes as u64),
        ];
        for (what, was, is) in pairs {
            if is * 100 > was * (100 + TOLERANCE) {
                complaints.push(format!(
                    "{} with {} + {} positions: {is} {what}, the baseline has {was}. If that is meant: `cargo xtask bench --update`",
                    m.instruction, m.collaterals, m.debts
                ));
            }
        }
    }
    Ok(complaints)
}

/// Writes the baseline.
pub fn write(all: &[Measurement]) -> Result<()> {
    let text = serde_json::to_string_pretty(all)? + "\n";
    std::fs::write(PATH, text).with_context(|| format!("{PATH} cannot be written"))
}
