//! `keel pause`.

use crate::BadInput;
use crate::amount;
use crate::context::Context;
use crate::report::Report;
use anyhow::Result;
use clap::Args;
use keel_client::instruction;
use keel_client::keel::state::{Market, Role, pause};

/// What can be paused, by name.
const ACTIONS: [(&str, u32); 9] = [
    ("deposit", pause::DEPOSIT),
    ("withdraw", pause::WITHDRAW),
    ("borrow", pause::BORROW),
    ("swap", pause::SWAP),
    ("redeem", pause::REDEEM),
    ("flash", pause::FLASH),
    ("top-up", pause::TOP_UP),
    ("repay", pause::REPAY),
    ("liquidate", pause::LIQUIDATE),
];

/// Pause what creates risk, or everything; or end a pause.
#[derive(Args, Debug)]
pub struct Pause {
    /// What: deposit, withdraw, borrow, swap, redeem, flash; `risk` for all of these; top-up, repay and liquidate only together
    /// with all of them; `all` for everything
    #[arg(required_unless_present = "lift", conflicts_with = "lift", value_delimiter = ',')]
    actions: Vec<String>,
    /// For how long: at most 3d by the guardian, who then waits as long, and 30d by governance
    #[arg(long = "for", value_name = "TIME", default_value = "1d", value_parser = amount::parse_duration)]
    seconds: u32,
    /// End the signer's own pause
    #[arg(long)]
    lift: bool,
}

/// Does what the command says.
pub fn run(context: &Context, command: Pause) -> Result<Report> {
    let bits = if command.lift { 0 } else { bits(&command.actions)? };
    let seconds = if command.lift { 0 } else { command.seconds };
    let holder = context.authority(&context.view()?.market, Role::Governance)?;
    let instruction = instruction::set_pause(holder, context.market_key(), bits, seconds);
    let done = if command.lift {
        format!("The signer's pause of market {} has ended.", context.market)
    } else {
        let paused = names(bits).join(", ");
        format!("Market {} is paused for {}: {paused}.", context.market, amount::duration(seconds.into()))
    };
    context.execute(&done, &[instruction])
}

fn bits(actions: &[String]) -> Result<u32> {
    let mut bits = 0;
    for action in actions {
        bits |= match action.as_str() {
            "risk" => pause::FIRST,
            "all" => pause::FIRST | pause::LAST,
            name => {
                let found = ACTIONS.iter().find(|(known, _)| *known == name).map(|(_, bit)| *bit);
                let known: Vec<&str> = ACTIONS.iter().map(|(known, _)| *known).collect();
                found.ok_or_else(|| {
                    BadInput::error(format!("{name:?} cannot be paused; write risk, all, or of {}", known.join(", ")))
                })?
            }
        };
    }
    pause::check(bits).map_err(|error| {
        BadInput::error(format!("{error}: top-up, repay and liquidate take risk away; pause them with `all` only"))
    })?;
    Ok(bits)
}

fn names(bits: u32) -> Vec<&'static str> {
    ACTIONS.iter().filter(|(_, bit)| bits & bit != 0).map(|(name, _)| *name).collect()
}

/// What is paused at `now`.
pub fn running(market: &Market, now: i64) -> Vec<&'static str> {
    names(market.paused_at(now))
}

/// What is paused at `now`, by whom and for how long.
pub fn describe(market: &Market, now: i64) -> String {
    let pauses = [
        ("governance", market.paused, market.paused_until),
        ("guardian", market.guardian_paused, market.guardian_paused_until),
        ("what was paused before, so that owners come first", pause::LIQUIDATE | pause::REDEEM, market.takes_from),
    ];
    let running = pauses.into_iter().filter(|(_, bits, until)| *bits != 0 && now < *until);
    let shown: Vec<String> = running
        .map(|(by, bits, until)| format!("{} by {by}; ends {}", names(bits).join(", "), amount::when(until, now)))
        .collect();
    if shown.is_empty() { "nothing".into() } else { shown.join(". ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    #[test]
    fn actions_have_names() {
        let of = |names: &[&str]| bits(&names.iter().map(|name| (*name).to_string()).collect::<Vec<_>>());
        assert_eq!(of(&["borrow", "swap"]).unwrap(), pause::BORROW | pause::SWAP);
        assert_eq!(of(&["all"]).unwrap(), pause::FIRST | pause::LAST);
        assert_eq!(of(&["risk", "liquidate"]).unwrap(), pause::FIRST | pause::LIQUIDATE);
        assert!(of(&["liquidate"]).unwrap_err().to_string().contains("with `all` only"));
        assert!(of(&["everything"]).unwrap_err().to_string().contains("top-up"));
        assert_eq!(ACTIONS.iter().map(|(_, bit)| bit).sum::<u32>(), pause::FIRST | pause::LAST);
    }

    #[test]
    fn pauses_add_up_and_end() {
        let market = Market { paused: pause::BORROW, paused_until: 100, ..Market::zeroed() };
        assert_eq!(describe(&market, 40), "borrow by governance; ends in 1 min");
        let both = Market { guardian_paused: pause::SWAP, guardian_paused_until: 100, ..market };
        assert_eq!(running(&both, 40), ["borrow", "swap"]);
        assert_eq!((describe(&market, 100), running(&market, 99)), ("nothing".into(), vec!["borrow"]));
    }
}
