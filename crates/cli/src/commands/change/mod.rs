//! `keel change`: what governance announces, and what tightens without notice.

mod build;
mod describe;
mod execute;

pub use build::role_text;
pub use describe::{Line, lines, status, status_text, summary};
pub use execute::{executor, mint as mint_of};

use crate::BadInput;
use crate::amount;
use crate::args::RoleName;
use crate::context::Context;
use crate::report::{Report, pairs, table};
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use build::What;
use clap::Subcommand;
use keel_client::instruction::{self, Queued};
use keel_client::keel::state::{PendingChange, Role};
use keel_client::view::{self, View};
use serde_json::{Value, json};

/// Queue, execute, veto changes; tighten and step without notice.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The changes that are queued, and when they can be executed
    List,
    /// One queued change, parameter by parameter
    Show {
        /// The change's number
        nonce: u64,
    },
    /// Announce a change: governance
    #[command(subcommand)]
    Queue(What),
    /// Execute a change whose notice has passed: anyone
    Execute {
        /// The change's number
        nonce: u64,
    },
    /// Stop a queued change: governance or guardian
    Veto {
        /// The change's number
        nonce: u64,
    },
    /// Close changes that expired, and give their rent back: anyone
    CloseExpired {
        /// The change's number [default: all that expired]
        nonce: Option<u64>,
    },
    /// Tighten at once: governance, guardian or risk steward
    #[command(subcommand)]
    Tighten(What),
    /// Move parameters of a reserve by a step at once: risk steward
    #[command(subcommand)]
    Step(What),
    /// Take over a role that was offered
    AcceptRole {
        /// Which role
        role: RoleName,
    },
}

/// Does what the command says.
pub fn run(context: &Context, command: Command) -> Result<Report> {
    let view = context.view()?;
    match command {
        Command::List => list(context, &view),
        Command::Show { nonce } => show(context, &view, &find(context, &view, nonce)?),
        Command::Queue(what) => queue(context, &view, &what),
        Command::Execute { nonce } => execute::run(context, &view, &find(context, &view, nonce)?),
        Command::Veto { nonce } => {
            let pending = find(context, &view, nonce)?;
            let signer = context.authority(&view.market, Role::Guardian)?;
            let veto = instruction::veto_change(signer, &queued(&pending));
            context.execute(&format!("Vetoed change {nonce}: it will not come into force."), &[veto])
        }
        Command::CloseExpired { nonce } => close_expired(context, &view, nonce),
        Command::Tighten(what) => at_once(context, &view, &what, false),
        Command::Step(what) => at_once(context, &view, &what, true),
        Command::AcceptRole { role } => {
            let role: Role = role.into();
            let offered = view.market.offers.get(role.number()).map_or(Pubkey::default(), |offer| offer.to);
            let signer = if context.print_instruction { offered } else { context.user()? };
            let accept = instruction::accept_role(signer, *view.key(), role);
            context.execute(&format!("{signer} is now {} of market {}.", role_text(role), context.market), &[accept])
        }
    }
}

fn find(context: &Context, view: &View, nonce: u64) -> Result<PendingChange> {
    let all = view::changes(&*context.transport, view.key())?;
    let missing = || {
        let rest = match all.iter().map(|change| change.nonce.to_string()).collect::<Vec<_>>() {
            none if none.is_empty() => "none is queued".to_string(),
            queued => format!("queued are {}", queued.join(", ")),
        };
        BadInput::error(format!(
            "there is no change {nonce} (any more): it was executed, vetoed or never queued; {rest}"
        ))
    };
    all.iter().find(|change| change.nonce == nonce).copied().ok_or_else(missing)
}

/// As far as the execution and the end of a change need it.
pub fn queued(pending: &PendingChange) -> Queued {
    Queued { market: pending.market, nonce: pending.nonce, rent_payer: pending.rent_payer }
}

fn list(context: &Context, view: &View) -> Result<Report> {
    let all = view::changes(&*context.transport, view.key())?;
    if all.is_empty() {
        return Ok(Report::new("No change is queued.", json!([])));
    }
    let mut rows = Vec::new();
    let mut json = Vec::new();
    for pending in &all {
        let status = status(view, pending);
        let what = summary(context, view, pending)?;
        rows.push([pending.nonce.to_string(), what, status_text(status, view.time.now)]);
        json.push(to_json(context, view, pending)?);
    }
    Ok(Report::new(table(["number", "what", "when"], 3, rows), json))
}

fn show(context: &Context, view: &View, pending: &PendingChange) -> Result<Report> {
    let now = view.time.now;
    let rows = [
        ("change", format!("{} ({})", pending.nonce, queued(pending).address())),
        ("what", summary(context, view, pending)?),
        ("queued", amount::when(pending.queued_at, now)),
        ("status", status_text(status(view, pending), now)),
        ("rent goes to", context.labels.name(&pending.rent_payer)),
    ];
    let text = format!("{}{}", pairs(rows), describe::table_of(&lines(context, view, pending)?));
    Ok(Report::new(text, to_json(context, view, pending)?))
}

fn to_json(context: &Context, view: &View, pending: &PendingChange) -> Result<Value> {
    Ok(json!({
        "nonce": pending.nonce,
        "address": queued(pending).address().to_string(),
        "target": pending.target.to_string(),
        "what": summary(context, view, pending)?,
        "queuedAt": pending.queued_at,
        "earliest": pending.earliest,
        "latest": pending.latest,
        "status": status(view, pending).name(),
        "changes": lines(context, view, pending)?,
    }))
}

fn queue(context: &Context, view: &View, what: &What) -> Result<Report> {
    let built = what.build(context, view)?;
    let governance = context.authority(&view.market, Role::Governance)?;
    let nonce = view.market.next_change;
    let queued = Queued { market: *view.key(), nonce, rent_payer: context.payer(&governance)? };
    let queue = instruction::queue_change(governance, &queued, built.target, built.change);
    let lines = describe::of_change(context, view, &built.target, &built.change)?;
    let (delay, window) = (view.market.delay.into(), view.market.window.into());
    let done = format!(
        "{}Queued as change {nonce}: {}. It can be executed in {}, for {}: keel change execute {nonce}",
        describe::table_of(&lines),
        built.summary,
        amount::duration(delay),
        amount::duration(window),
    );
    context.execute(&done, &[queue])
}

fn at_once(context: &Context, view: &View, what: &What, steps: bool) -> Result<Report> {
    let built = what.build(context, view)?;
    let reserve = what.is_about_reserve().then_some(built.target);
    let market = *view.key();
    let instruction = if steps {
        let key = reserve.ok_or_else(|| BadInput::error("only parameters of reserves move in steps"))?;
        instruction::step(context.authority(&view.market, Role::RiskSteward)?, market, key, built.change)
    } else {
        instruction::tighten(context.authority(&view.market, Role::Guardian)?, market, reserve, built.change)
    };
    let lines = describe::of_change(context, view, &built.target, &built.change)?;
    context.execute(&format!("{}Done, at once: {}.", describe::table_of(&lines), built.summary), &[instruction])
}

fn close_expired(context: &Context, view: &View, nonce: Option<u64>) -> Result<Report> {
    let pending = match nonce {
        Some(nonce) => vec![find(context, view, nonce)?],
        None => {
            view::changes(&*context.transport, view.key())?.into_iter().filter(|p| p.latest < view.time.now).collect()
        }
    };
    if pending.is_empty() {
        return Ok(Report::new("No change has expired.", json!({"closed": 0})));
    }
    let user = context.user()?;
    let instructions: Vec<_> = pending.iter().map(|p| instruction::close_expired_change(user, &queued(p))).collect();
    let numbers: Vec<String> = pending.iter().map(|pending| pending.nonce.to_string()).collect();
    context.execute(&format!("Closed {}; the rent is back with who paid it.", numbers.join(", ")), &instructions)
}
