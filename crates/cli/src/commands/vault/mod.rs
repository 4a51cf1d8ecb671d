//! `keel vault`.

mod actions;
mod health;

use crate::BadInput;
use crate::amount;
use crate::context::Context;
use crate::report::{Report, table};
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use clap::{Args, Subcommand};
use keel_client::keel::state::Vault;
use keel_client::keel_risk::price::Purpose;
use keel_client::view::{self, View};
use keel_client::{ClientError, address};
use serde_json::{Value, json};
use std::str::FromStr;

/// Look at vaults; deposit, withdraw, borrow, repay.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A vault's positions and health
    #[command(visible_alias = "health")]
    Show(health::Show),
    /// The vaults of an owner, or all of the market
    List {
        /// The owner [default: the signer]
        #[arg(long, value_name = "ADDRESS", conflicts_with = "all")]
        owner: Option<Pubkey>,
        /// All vaults of the market, those with the lowest health first
        #[arg(long)]
        all: bool,
    },
    /// Open a vault; deposit and borrow in the same transaction
    Open(actions::Open),
    /// Deposit into a vault
    Deposit(actions::Move),
    /// Withdraw from a vault
    Withdraw(actions::Move),
    /// Borrow against a vault
    Borrow(actions::Move),
    /// Repay debt of a vault
    Repay(actions::Move),
    /// Close an empty vault, and get its rent back
    Close {
        /// Which vault
        #[command(flatten)]
        vault: Which,
    },
}

/// Which vault.
#[derive(Args, Clone, Debug)]
pub struct Which {
    /// The vault: its number among the signer's, or its address
    #[arg(short, long, value_name = "INDEX_OR_ADDRESS", default_value = "0")]
    vault: VaultRef,
}

/// A vault, by its number among the owner's or by its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VaultRef {
    /// Its number.
    Index(u16),
    /// Its address.
    Key(Pubkey),
}

impl FromStr for VaultRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(index) = text.parse() {
            return Ok(Self::Index(index));
        }
        text.parse().map(Self::Key).map_err(|_| "neither a number from 0 to 65535 nor an address".into())
    }
}

impl Which {
    /// The vault's address and state.
    fn fetch(&self, context: &Context) -> Result<(Pubkey, Vault)> {
        let key = match self.vault {
            VaultRef::Index(index) => address::vault(&context.market_key(), &context.user()?, index),
            VaultRef::Key(key) => key,
        };
        match view::vault(&*context.transport, &key) {
            Ok(vault) if vault.market == context.market_key() => Ok((key, vault)),
            Ok(vault) => {
                Err(BadInput::error(format!("{key} is a vault of another market; add --market {}", vault.market)))
            }
            Err(ClientError::NoAccount { .. }) => {
                let owned = match self.vault {
                    VaultRef::Index(index) => format!("{} has no vault {index} in this market", context.user()?),
                    VaultRef::Key(key) => format!("there is no vault {key}"),
                };
                Err(BadInput::error(format!(
                    "{owned}; `keel vault list` shows the vaults, `keel vault open` opens one"
                )))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Does what the command says.
pub fn run(context: &Context, command: Command) -> Result<Report> {
    match command {
        Command::Show(show) => health::show(context, &show),
        Command::List { owner, all } => {
            let owner = if all { None } else { Some(owner.map_or_else(|| context.user(), Ok)?) };
            list(context, owner.as_ref())
        }
        Command::Open(open) => actions::open(context, &open),
        Command::Deposit(what) => actions::deposit(context, &what),
        Command::Withdraw(what) => actions::withdraw(context, &what),
        Command::Borrow(what) => actions::borrow(context, &what),
        Command::Repay(what) => actions::repay(context, &what),
        Command::Close { vault } => actions::close(context, &vault),
    }
}

fn list(context: &Context, owner: Option<&Pubkey>) -> Result<Report> {
    let view = context.view()?;
    let mut vaults = view::vaults(&*context.transport, view.key(), owner)?;
    if vaults.is_empty() {
        let whose = owner.map_or_else(|| "This market".to_string(), ToString::to_string);
        return Ok(Report::new(format!("{whose} has no vault. `keel vault open` opens one."), json!([])));
    }
    let lines: Vec<(Vec<String>, Value)> = {
        // Lowest health first; vaults without debt, and those that cannot be valued, last.
        vaults.sort_by_cached_key(|(_, vault)| {
            let totals = view.totals(vault, Purpose::Liquidation).ok();
            totals.and_then(|totals| totals.health_factor()).map_or(u128::MAX, |health| health.to_bits())
        });
        vaults.iter().map(|(key, vault)| line(context, &view, key, vault)).collect()
    };
    let (rows, json): (Vec<_>, Vec<_>) = lines.into_iter().unzip();
    let rows = rows.into_iter().filter_map(|row| <[String; 6]>::try_from(row).ok());
    Ok(Report::new(table(["vault", "owner", "number", "collateral", "debt", "health"], 2, rows), json))
}

fn line(context: &Context, view: &View, key: &Pubkey, vault: &Vault) -> (Vec<String>, Value) {
    let (collateral, debt, health) = match view.totals(vault, Purpose::Liquidation) {
        Ok(totals) => (amount::usd(totals.collateral), amount::usd(totals.debt), health::text(&totals)),
        Err(error) => ("-".into(), "-".into(), error.to_string()),
    };
    let json = json!({
        "address": key.to_string(),
        "owner": vault.owner.to_string(),
        "index": vault.index,
        "collateralUsd": collateral,
        "debtUsd": debt,
        "health": health,
        "insolvent": vault.is_insolvent(),
    });
    let owner = context.labels.name(&vault.owner);
    (vec![key.to_string(), owner, vault.index.to_string(), collateral, debt, health], json)
}
