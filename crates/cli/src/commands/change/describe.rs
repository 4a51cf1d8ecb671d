//! What a change does, parameter by parameter, and when it can be executed: as people and programs read it.

use super::build::role_text;
use crate::amount;
use crate::context::Context;
use crate::parameters;
use crate::report::table;
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use keel_client::change::{self, Status};
use keel_client::keel::state::{Change, PendingChange};
use keel_client::view::View;
use serde::Serialize;

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
pub fn status(view: &View, pending: &PendingChange) -> Status {
    change::status(&view.accounts(), pending)
}

/// The same for people.
pub fn status_text(status: Status, now: i64) -> String {
    match status {
        Status::Waiting(earliest) => format!("can be executed {}", amount::when(earliest, now)),
        Status::Ready(latest) => format!("can be executed now; expires {}", amount::when(latest, now)),
        Status::Expired(latest) => format!("expired {}; close it", amount::when(latest, now)),
        Status::Superseded => "superseded: what it replaces has changed since; veto it or let it expire".into(),
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
    of_change(context, view, &pending.target, &change::effective(&view.accounts(), pending)?)
}

/// What a change does to each parameter.
pub fn of_change(context: &Context, view: &View, target: &Pubkey, change: &Change) -> Result<Vec<Line>> {
    // Nothing of a market is counted in native units.
    let decimals = view.reserve(target).map_or(0, |reserve| reserve.decimals);
    let found = change::lines(&view.accounts(), target, change)?;
    let line = |change::Line { parameter, before, after, moved }: &change::Line| {
        let text = |value| parameters::text(parameter, value, decimals, &context.labels);
        let (meaning, effect) = (change::meaning_text(moved.meaning), change::effect_text(moved.effect));
        Line { parameter: parameter.name, before: text(*before), after: text(*after), meaning, effect }
    };
    Ok(found.iter().map(line).collect())
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

    #[test]
    fn a_status_has_a_countdown() {
        assert_eq!(status_text(Status::Waiting(86_460), 60), "can be executed in 1 d");
        assert_eq!(status_text(Status::Ready(120), 60), "can be executed now; expires in 1 min");
        assert_eq!(status_text(Status::Expired(60), 120), "expired 1 min ago; close it");
        assert_eq!(Status::Superseded.name(), "superseded");
    }
}
