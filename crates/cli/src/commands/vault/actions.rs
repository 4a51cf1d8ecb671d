//! What owners do with their vaults.

use super::Which;
use crate::BadInput;
use crate::amount;
use crate::context::Context;
use crate::report::Report;
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use clap::Args;
use keel_client::actions::Actions;
use keel_client::address;
use keel_client::keel::AmountSpec;
use keel_client::keel::state::{Reserve, Vault};
use keel_client::view::View;
use std::str::FromStr;

/// An asset and how much of it.
#[derive(Args, Debug)]
pub struct Move {
    /// The asset: a label, or the address of its mint or reserve
    asset: String,
    /// How much, in whole tokens, or "all"
    amount: String,
    #[command(flatten)]
    vault: Which,
}

/// Open a vault; deposit and borrow in the same transaction.
#[derive(Args, Debug)]
pub struct Open {
    /// The number of the new vault
    #[arg(long, default_value_t = 0)]
    index: u16,
    /// Deposit this much of an asset; can be given more than once
    #[arg(long, value_name = "ASSET=AMOUNT")]
    deposit: Vec<Part>,
    /// Borrow this much of an asset; can be given more than once
    #[arg(long, value_name = "ASSET=AMOUNT")]
    borrow: Vec<Part>,
}

/// `ASSET=AMOUNT`.
#[derive(Clone, Debug)]
pub struct Part {
    asset: String,
    amount: String,
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (asset, amount) = text.split_once('=').ok_or("write ASSET=AMOUNT, such as SOL=1.5")?;
        Ok(Self { asset: asset.trim().into(), amount: amount.trim().into() })
    }
}

fn exact(reserve: &Reserve, text: &str) -> Result<u64> {
    match amount::parse_or_all(text, reserve.decimals)? {
        AmountSpec::Exact(amount) => Ok(amount),
        AmountSpec::All => Err(BadInput::error(
            "a loan takes an exact amount; `keel vault health` shows how much can still be borrowed",
        )),
    }
}

/// Opens a vault.
pub fn open(context: &Context, open: &Open) -> Result<Report> {
    let view = context.view()?;
    let owner = context.user()?;
    let mut actions = Actions::opening(&view, owner, open.index);
    for part in &open.deposit {
        let (key, reserve) = context.labels.reserve(&view, &part.asset)?;
        actions = actions.deposit(&key, amount::parse_or_all(&part.amount, reserve.decimals)?)?;
    }
    for part in &open.borrow {
        let (key, reserve) = context.labels.reserve(&view, &part.asset)?;
        actions = actions.borrow(&key, exact(reserve, &part.amount)?)?;
    }
    let list =
        |parts: &[Part]| parts.iter().map(|p| format!("{} {}", p.amount, p.asset)).collect::<Vec<_>>().join(", ");
    let mut done = format!("Opened vault {} ({}).", open.index, address::vault(view.key(), &owner, open.index));
    if !open.deposit.is_empty() {
        done.push_str(&format!(" Deposited {}.", list(&open.deposit)));
    }
    if !open.borrow.is_empty() {
        done.push_str(&format!(" Borrowed {}.", list(&open.borrow)));
    }
    context.execute(&done, &actions.instructions())
}

/// Where an action happens.
struct Place {
    view: View,
    user: Pubkey,
    key: Pubkey,
    vault: Vault,
}

impl Place {
    fn find(context: &Context, which: &Which) -> Result<Self> {
        let view = context.view()?;
        let (key, vault) = which.fetch(context)?;
        Ok(Self { view, user: context.user()?, key, vault })
    }

    fn actions(&self) -> Actions<'_> {
        Actions::on(&self.view, self.user, self.key, &self.vault)
    }
}

/// Deposits.
pub fn deposit(context: &Context, what: &Move) -> Result<Report> {
    let place = Place::find(context, &what.vault)?;
    let (key, reserve) = context.labels.reserve(&place.view, &what.asset)?;
    let amount = amount::parse_or_all(&what.amount, reserve.decimals)?;
    let actions = place.actions().deposit(&key, amount)?;
    context.execute(&done("Deposited", "into", what, &place), &actions.instructions())
}

/// Withdraws.
pub fn withdraw(context: &Context, what: &Move) -> Result<Report> {
    let place = Place::find(context, &what.vault)?;
    let (key, reserve) = context.labels.reserve(&place.view, &what.asset)?;
    let amount = amount::parse_or_all(&what.amount, reserve.decimals)?;
    let actions = place.actions().withdraw(&key, amount)?;
    context.execute(&done("Withdrew", "from", what, &place), &actions.instructions())
}

/// Borrows.
pub fn borrow(context: &Context, what: &Move) -> Result<Report> {
    let place = Place::find(context, &what.vault)?;
    let (key, reserve) = context.labels.reserve(&place.view, &what.asset)?;
    let actions = place.actions().borrow(&key, exact(reserve, &what.amount)?)?;
    context.execute(&done("Borrowed", "against", what, &place), &actions.instructions())
}

/// Repays.
pub fn repay(context: &Context, what: &Move) -> Result<Report> {
    let place = Place::find(context, &what.vault)?;
    let (key, reserve) = context.labels.reserve(&place.view, &what.asset)?;
    let amount = amount::parse_or_all(&what.amount, reserve.decimals)?;
    let actions = place.actions().repay(&key, amount)?;
    context.execute(&done("Repaid", "of", what, &place), &actions.instructions())
}

/// Closes.
pub fn close(context: &Context, which: &Which) -> Result<Report> {
    let place = Place::find(context, which)?;
    let done = format!("Closed vault {} ({}).", place.vault.index, place.key);
    context.execute(&done, &place.actions().close().instructions())
}

fn done(verb: &str, preposition: &str, what: &Move, place: &Place) -> String {
    format!("{verb} {} {} {preposition} vault {} ({}).", what.amount, what.asset, place.vault.index, place.key)
}
