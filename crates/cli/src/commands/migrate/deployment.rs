//! The deployment file: what is to be there in the end.

use crate::BadInput;
use crate::parameters;
use anchor_lang::prelude::Pubkey;
use anyhow::{Context as _, Result};
use keel_client::keel::instructions::admin::MINTED_DECIMALS;
use keel_client::keel::state::{DEFAULT_WINDOW, MarketParams, ReserveConfig};
use keel_client::price_update::PYTH_RECEIVER;
use serde::{Deserialize, Deserializer};
use std::path::{Path, PathBuf};

/// What is to be there in the end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// The program.
    pub program: Program,
    /// The market and who decides about it.
    pub market: Market,
    /// Its assets.
    #[serde(default)]
    pub assets: Vec<Asset>,
    /// Its own token.
    pub minted: Option<Minted>,
    #[serde(skip)]
    folder: PathBuf,
}

/// The program.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The file, from where the deployment file is.
    so: PathBuf,
    /// Signs for the program's address when it is first deployed.
    keypair: Option<String>,
    /// Who can replace it in the end; governance, if nothing else is said.
    #[serde(default, deserialize_with = "address")]
    upgrade_authority: Option<Pubkey>,
}

/// The market and who decides about it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// Its number.
    pub id: u16,
    /// Who gets it in the end: a DAO's or a multisig's address.
    #[serde(default, deserialize_with = "address")]
    governance: Option<Pubkey>,
    /// Signs for governance when it takes over; left out for a DAO, which needs a proposal.
    accept_with: Option<String>,
    #[serde(default, deserialize_with = "address")]
    guardian: Option<Pubkey>,
    #[serde(default, deserialize_with = "address")]
    risk_steward: Option<Pubkey>,
    /// Parameters by section, as in docs/governance/parameters.md.
    #[serde(default)]
    parameters: toml::Table,
}

/// An asset to list.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// What it is called here.
    pub name: String,
    #[serde(deserialize_with = "address")]
    mint: Option<Pubkey>,
    #[serde(default)]
    parameters: toml::Table,
}

/// The market's own token.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minted {
    /// The name of the asset that its swap takes and gives.
    pub swap: String,
    #[serde(default)]
    parameters: toml::Table,
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Pubkey>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| serde::de::Error::custom(format!("{text:?} is not an address")))
}

impl Deployment {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            BadInput::error(format!(
                "cannot read {shown}: {error}; name a deployment file with --deployment, migrations/README.md has one to \
                 start from"
            ))
        })?;
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        Self::parse(&text, folder).with_context(|| format!("{shown} cannot be used"))
    }

    /// From a file's text; `folder` is where it is.
    pub fn parse(text: &str, folder: PathBuf) -> Result<Self> {
        let mut deployment: Self = toml::from_str(text).map_err(|error| BadInput::error(error.to_string()))?;
        deployment.folder = folder;
        Ok(deployment)
    }

    /// The program's bytes.
    pub fn elf(&self) -> Result<Vec<u8>> {
        let file = self.folder.join(&self.program.so);
        let shown = file.display();
        let bytes = std::fs::read(&file).map_err(|error| {
            BadInput::error(format!("cannot read the program {shown}: {error}; build it with `cargo xtask build`"))
        })?;
        if bytes.starts_with(b"\x7fELF") { Ok(bytes) } else { Err(BadInput::error(format!("{shown} is no program"))) }
    }

    /// Where the signature for the program's address comes from.
    pub fn program_keypair(&self) -> Option<String> {
        self.program.keypair.as_ref().map(|source| self.beside(source))
    }

    /// Where the signature of the new governance comes from.
    pub fn accept_with(&self) -> Option<String> {
        self.market.accept_with.as_ref().map(|source| self.beside(source))
    }

    /// A keypair's file stands where the deployment file is; other sources are no files.
    fn beside(&self, source: &str) -> String {
        let file = self.folder.join(source);
        if file.exists() { file.to_string_lossy().into_owned() } else { source.into() }
    }

    fn required(&self, key: Option<Pubkey>, name: &str) -> Result<Pubkey> {
        key.ok_or_else(|| BadInput::error(format!("market.{name} is missing in the deployment file: an address")))
    }

    /// Who gets the market in the end.
    pub fn governance(&self) -> Result<Pubkey> {
        self.required(self.market.governance, "governance")
    }

    /// Who can replace the program in the end.
    pub fn upgrade_authority(&self) -> Result<Pubkey> {
        self.program.upgrade_authority.map_or_else(|| self.governance(), Ok)
    }

    /// The market's guardian.
    pub fn guardian(&self) -> Result<Pubkey> {
        self.required(self.market.guardian, "guardian")
    }

    /// The market's risk steward, or zeros.
    pub fn risk_steward(&self) -> Pubkey {
        self.market.risk_steward.unwrap_or_default()
    }

    /// The market's parameters in the end: those of the file, the others as they usually are.
    pub fn params(&self) -> Result<MarketParams> {
        let mut params = MarketParams {
            price_receiver: PYTH_RECEIVER,
            target_health_bps: 10_500,
            min_position_micro_usd: 10_000_000,
            restart_grace_slots: 1_500,
            min_bounty_micro_usd: 1_000_000,
            delay: 3 * 86_400,
            window: DEFAULT_WINDOW,
            steps: Default::default(),
        };
        parameters::apply(&mut params, &parameters::from_table(&self.market.parameters)?, 6)
            .context("market.parameters")?;
        Ok(params)
    }
}

impl Asset {
    /// Its mint.
    pub fn mint(&self) -> Pubkey {
        self.mint.unwrap_or_default()
    }

    /// Its configuration in the end.
    pub fn config(&self, decimals: u8) -> Result<ReserveConfig> {
        config(&self.parameters, decimals).with_context(|| format!("parameters of {}", self.name))
    }
}

impl Minted {
    /// Its configuration in the end.
    pub fn config(&self) -> Result<ReserveConfig> {
        config(&self.parameters, MINTED_DECIMALS).context("minted.parameters")
    }
}

fn config(table: &toml::Table, decimals: u8) -> Result<ReserveConfig> {
    let mut config = ReserveConfig::default();
    parameters::apply(&mut config, &parameters::from_table(table)?, decimals)?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
[program]
so = "keel.so"
[market]
id = 3
governance = "11111111111111111111111111111112"
guardian = "11111111111111111111111111111113"
[market.parameters.timelock]
delay = "2d"
[[assets]]
name = "SOL"
mint = "So11111111111111111111111111111111111111112"
[assets.parameters.limits]
deposit_cap = 5
"#;

    #[test]
    fn a_deployment_is_read() {
        let deployment = Deployment::parse(TEXT, PathBuf::from("/somewhere")).unwrap();
        let params = deployment.params().unwrap();
        assert_eq!((params.delay, params.window), (172_800, DEFAULT_WINDOW));
        assert_eq!(deployment.upgrade_authority().unwrap(), deployment.governance().unwrap());
        assert_eq!(deployment.assets[0].config(9).unwrap().limits.deposit_cap, 5_000_000_000);
        assert_eq!(deployment.risk_steward(), Pubkey::default());
        let error = deployment.elf().unwrap_err().to_string();
        assert!(error.contains("/somewhere/keel.so") && error.contains("cargo xtask build"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |from: &str, to: &str| {
            let text = TEXT.replace(from, to);
            let parsed = Deployment::parse(&text, PathBuf::new());
            let error = parsed.and_then(|d| d.params().and(d.assets[0].config(9)).and(d.guardian())).unwrap_err();
            format!("{error:#}")
        };
        assert!(error("id = 3", "id = 3\nguardians = 1").contains("guardians"));
        assert!(error("\"2d\"", "\"soon\"").contains("timelock.delay"));
        assert!(error("deposit_cap", "depositcap").contains("parameters of SOL: there is no parameter"));
        assert!(error("guardian = \"11111111111111111111111111111113\"", "").contains("market.guardian is missing"));
        assert!(error("\"11111111111111111111111111111112\"", "\"nobody\"").contains("\"nobody\" is not an address"));
    }
}
