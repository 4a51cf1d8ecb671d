//! Which change the command line describes.

use crate::BadInput;
use crate::amount;
use crate::args::RoleName;
use crate::context::Context;
use crate::parameters::{self, Setting};
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use clap::{Args, Subcommand};
use keel_client::keel::instructions::admin::MINTED_DECIMALS;
use keel_client::keel::state::{Change, ReserveConfig, Role};
use keel_client::view::View;
use std::path::PathBuf;

/// What changes.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Parameters of the market
    Market(Settings),
    /// Parameters of an asset
    Reserve {
        /// The asset: a label, or the address of its mint or reserve
        asset: String,
        #[command(flatten)]
        settings: Settings,
        /// How long a lower liquidation threshold takes to fall
        #[arg(long, value_name = "TIME", default_value = "7d", value_parser = amount::parse_duration)]
        ramp: u32,
    },
    /// Who has a role; it is offered to them
    Role {
        /// Which role
        role: RoleName,
        /// To whom; "nobody" dismisses the risk steward
        to: String,
    },
    /// List an asset, with caps of zero
    List {
        /// The asset's mint
        mint: Pubkey,
        #[command(flatten)]
        settings: Settings,
    },
    /// Create the market's own token, with caps of zero
    ListMinted {
        /// The asset that its swap takes and gives
        swap: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Pay insurance of an asset out
    WithdrawInsurance {
        /// The asset: a label, or the address of its mint or reserve
        asset: String,
        /// How much, in whole tokens
        amount: String,
        /// The token account that gets it
        #[arg(long, value_name = "TOKEN_ACCOUNT")]
        to: Pubkey,
    },
}

/// Parameters by their names: docs/governance/parameters.md lists them.
#[derive(Args, Debug, Default)]
pub struct Settings {
    /// Set a parameter, such as limits.deposit_cap=5000; amounts in whole tokens, part values as basis points or 0.5%; can be
    /// given more than once
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<Setting>,
    /// Set the parameters of a TOML file, before those of --set
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Settings {
    fn all(&self) -> Result<Vec<Setting>> {
        let mut settings = self.file.as_deref().map(parameters::read).transpose()?.unwrap_or_default();
        settings.extend(self.set.iter().cloned());
        if settings.is_empty() {
            return Err(BadInput::error("nothing to set: add --set NAME=VALUE or --file FILE"));
        }
        Ok(settings)
    }
}

/// A role, for people.
pub fn role_text(role: Role) -> &'static str {
    match role {
        Role::Governance => "governance",
        Role::Guardian => "guardian",
        Role::RiskSteward => "risk steward",
    }
}

/// A change, what it is about, and both for people.
pub struct Built {
    /// The account that it is about.
    pub target: Pubkey,
    /// The change.
    pub change: Change,
    /// For people.
    pub summary: String,
}

impl What {
    /// Whether it is about parameters of a reserve.
    pub fn is_about_reserve(&self) -> bool {
        matches!(self, Self::Reserve { .. })
    }

    /// The change, from what is in force.
    pub fn build(&self, context: &Context, view: &View) -> Result<Built> {
        let market = *view.key();
        Ok(match self {
            Self::Market(settings) => {
                let mut params = view.market.params();
                parameters::apply(&mut params, &settings.all()?, 6)?;
                Built { target: market, change: Change::Market(params), summary: "parameters of the market".into() }
            }
            Self::Reserve { asset, settings, ramp } => {
                let (target, reserve) = context.labels.reserve(view, asset)?;
                let mut config = reserve.config;
                parameters::apply(&mut config, &settings.all()?, reserve.decimals)?;
                let summary = format!("parameters of {}", context.labels.asset(reserve));
                Built { target, change: Change::Reserve { config, ramp: *ramp }, summary }
            }
            Self::Role { role, to } => {
                let role = Role::from(*role);
                let key = match to.as_str() {
                    "nobody" => Pubkey::default(),
                    key => {
                        key.parse().map_err(|_| BadInput::error(format!("{key:?} is neither an address nor nobody")))?
                    }
                };
                let summary = format!("{} to {to}", role_text(role));
                Built { target: market, change: Change::Role { role, to: key }, summary }
            }
            Self::List { mint, settings } => {
                let decimals = execute_decimals(context, mint)?;
                let mut config = ReserveConfig::default();
                parameters::apply(&mut config, &settings.all()?, decimals)?;
                let config = config.without_caps();
                Built {
                    target: *mint,
                    change: Change::List { config },
                    summary: format!("listing of {mint}, with caps of zero"),
                }
            }
            Self::ListMinted { swap, settings } => {
                let (target, _) = context.labels.reserve(view, swap)?;
                let mut config = ReserveConfig::default();
                parameters::apply(&mut config, &settings.all()?, MINTED_DECIMALS)?;
                let change = Change::ListMinted { config: config.without_caps() };
                Built { target, change, summary: "the market's own token, with caps of zero".into() }
            }
            Self::WithdrawInsurance { asset, amount, to } => {
                let (target, reserve) = context.labels.reserve(view, asset)?;
                let amount = amount::parse(amount, reserve.decimals)?;
                let shown = amount::tokens(amount, reserve.decimals);
                let summary = format!("{shown} {} of insurance to {to}", context.labels.asset(reserve));
                Built { target, change: Change::WithdrawInsurance { amount, to: *to }, summary }
            }
        })
    }
}

/// The decimals of a mint.
fn execute_decimals(context: &Context, mint: &Pubkey) -> Result<u8> {
    Ok(super::execute::mint(context, mint)?.1)
}
