//! What a change does, parameter by parameter, and when it can be executed.

use super::build::role_text;
use crate::amount;
use crate::context::Context;
use crate::parameters::{self, Named};
use crate::report::table;
use anchor_lang::Discriminator;
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use keel_client::account;
use keel_client::keel;
use keel_client::keel::state::{Change, PendingChange};
use keel_client::keel_risk::change::{Effect, Meaning, Parameter};
use keel_client::transport::Filter;
use keel_client::view::View;
use serde::Serialize;

/// Where the market's address stands in a change's account.
const MARKET_OFFSET: usize = 8 + 16;

/// One parameter that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The parameter.
    pub parameter: &'static str,
    /// What it is set to now.
    pub before: String,
    /// What it would be set to.
    pub after: String,
    /// What that means for the protocol.
    pub meaning: &'static str,
    /// What vaults feel.
    pub effect: &'static str,
}

/// Where a change is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its notice has not passed: until this moment.
    Waiting(i64),
    /// It can be executed: up to this moment.
    Ready(i64),
    /// It expired at this moment.
    Expired(i64),
    /// What it replaces has changed since.
    Superseded,
}

impl Status {
    /// For programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting(_) => "waiting",
            Self::Ready(_) => "ready",
            Self::Expired(_) => "expired",
            Self::Superseded => "superseded",
        }
    }

    /// For people.
    pub fn text(self, now: i64) -> String {
        match self {
            Self::Waiting(earliest) => format!("can be executed {}", amount::when(earliest, now)),
            Self::Ready(latest) => format!("can be executed now; expires {}", amount::when(latest, now)),
            Self::Expired(latest) => format!("expired {}; close it", amount::when(latest, now)),
            Self::Superseded => "superseded: what it replaces has changed since; veto it or let it expire".into(),
        }
    }
}

/// The queued changes of a market, by number.
pub fn fetch_all(context: &Context, market: &Pubkey) -> Result<Vec<PendingChange>> {
    let filters = [
        Filter::Bytes { offset: 0, bytes: PendingChange::DISCRIMINATOR.to_vec() },
        Filter::Bytes { offset: MARKET_OFFSET, bytes: market.to_bytes().to_vec() },
    ];
    let found = context.transport.program_accounts(&keel::ID, &filters)?;
    let decode = |(key, found): &(Pubkey, solana_account::Account)| account::change(key, &found.owner, &found.data);
    let mut changes = found.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    changes.sort_by_key(|change| change.nonce);
    Ok(changes)
}

/// Where a change is on its way.
pub fn status(view: &View, pending: &PendingChange) -> Status {
    let revisions = match view.reserve(&pending.target) {
        Ok(reserve) => reserve.revisions.to_vec(),
        Err(_) => view.market.revisions().to_vec(),
    };
    if pending.latest < view.time.now {
        Status::Expired(pending.latest)
    } else if pending.require_current(&revisions).is_err() {
        Status::Superseded
    } else if view.time.now < pending.earliest {
        Status::Waiting(pending.earliest)
    } else {
        Status::Ready(pending.latest)
    }
}

/// A change in one line.
pub fn summary(context: &Context, view: &View, pending: &PendingChange) -> Result<String> {
    let asset =
        || view.reserve(&pending.target).map_or_else(|_| pending.target.to_string(), |r| context.labels.asset(r));
    let changed = |subject: String| -> Result<String> {
        let lines = lines(context, view, pending)?;
        let list: Vec<String> =
            lines.iter().map(|line| format!("{} {} -> {}", line.parameter, line.before, line.after)).collect();
        Ok(format!("{subject}: {}", if list.is_empty() { "nothing (any more)".into() } else { list.join(", ") }))
    };
    Ok(match pending.change()? {
        Change::Market(_) => changed("market".into())?,
        Change::Reserve { .. } => changed(asset())?,
        Change::Role { role, to } if to == Pubkey::default() => format!("dismiss the {}", role_text(role)),
        Change::Role { role, to } => format!("offer {} to {}", role_text(role), context.labels.name(&to)),
        Change::List { .. } => format!("list {}", context.labels.name(&pending.target)),
        Change::ListMinted { .. } => format!("create the market's own token, swapped for {}", asset()),
        Change::WithdrawInsurance { amount, to } => {
            let decimals = view.reserve(&pending.target)?.decimals;
            format!("pay {} {} of insurance to {to}", amount::tokens(amount, decimals), asset())
        }
    })
}

/// What a queued change does to each parameter, compared with what is in force now.
pub fn lines(context: &Context, view: &View, pending: &PendingChange) -> Result<Vec<Line>> {
    let mut change = pending.change()?;
    if let Change::Reserve { config, .. } = &mut change {
        // Only the sections that were to change do.
        *config = view.reserve(&pending.target)?.config.with_sections(config, pending.sections);
    }
    of_change(context, view, &pending.target, &change)
}

/// What a change does to each parameter.
pub fn of_change(context: &Context, view: &View, target: &Pubkey, change: &Change) -> Result<Vec<Line>> {
    Ok(match change {
        Change::Market(params) => compare(context, &mut view.market.params(), &mut params.clone(), 6),
        Change::Reserve { config, .. } => {
            let reserve = view.reserve(target)?;
            compare(context, &mut reserve.config.clone(), &mut config.clone(), reserve.decimals)
        }
        _ => Vec::new(),
    })
}

fn compare<T: Named>(context: &Context, old: &mut T, new: &mut T, decimals: u8) -> Vec<Line> {
    let (old, new) = (old.parameters(), new.parameters());
    let changed = old.iter().zip(&new).filter(|((_, old), (_, new))| old != new);
    changed
        .map(|((parameter, before), (_, after))| {
            let (meaning, effect) = meaning(parameter, before.value().unwrap_or(0), after.value().unwrap_or(1));
            let text = |slot| parameters::text(parameter, slot, decimals, &context.labels);
            Line { parameter: parameter.name, before: text(before), after: text(after), meaning, effect }
        })
        .collect()
}

fn meaning(parameter: &Parameter, old: u64, new: u64) -> (&'static str, &'static str) {
    let Some(change) = parameter.change(old, new) else { return ("", "") };
    (meaning_text(change.meaning), effect_text(change.effect))
}

/// What a move means for the protocol.
pub fn meaning_text(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Tighter => "tighter",
        Meaning::Looser => "looser",
        Meaning::Sideways => "sideways",
    }
}

/// What vaults feel of a move.
pub fn effect_text(effect: Effect) -> &'static str {
    match effect {
        Effect::Nothing => "nothing",
        Effect::Ramp => "a ramp",
        Effect::AtOnce => "at once",
    }
}

/// Lines below each other; nothing when there are none.
pub fn table_of(lines: &[Line]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let row = |line: &Line| {
        let Line { parameter, before, after, meaning, effect } = line;
        [(*parameter).into(), before.clone(), after.clone(), (*meaning).into(), (*effect).into()]
    };
    let header = ["parameter", "now", "then", "for the protocol", "vaults feel"];
    format!("{}\n", table(header, 5, lines.iter().map(row)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    #[test]
    fn changes_are_found_by_their_market() {
        assert_eq!(8 + offset_of!(PendingChange, market), MARKET_OFFSET);
    }

    #[test]
    fn a_status_has_a_countdown() {
        assert_eq!(Status::Waiting(86_460).text(60), "can be executed in 1 d");
        assert_eq!(Status::Ready(120).text(60), "can be executed now; expires in 1 min");
        assert_eq!(Status::Expired(60).text(120), "expired 1 min ago; close it");
        assert_eq!(Status::Superseded.name(), "superseded");
    }
}
