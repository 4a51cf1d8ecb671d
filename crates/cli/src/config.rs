//! The Solana command line's configuration: which cluster, whose keypair, what addresses are called.

use crate::BadInput;
use anyhow::Result;
use serde::Deserialize;
use solana_commitment_config::CommitmentConfig;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What `solana config` keeps, as far as it matters here.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Config {
    /// Where the node answers.
    #[serde(default)]
    pub json_rpc_url: String,
    /// Where the keypair is: whatever [`crate::signers`] understands.
    #[serde(default)]
    pub keypair_path: String,
    /// What addresses are called.
    #[serde(default)]
    pub address_labels: BTreeMap<String, String>,
    /// How sure an answer has to be.
    #[serde(default)]
    pub commitment: String,
}

fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
}

impl Config {
    /// Reads `path`, or else `~/.config/solana/cli/config.yml`, which need not exist.
    pub fn load(path: Option<&Path>) -> Result<Self> {
        let default = home().map(|home| home.join(".config/solana/cli/config.yml"));
        let Some(file) = path.map(Path::to_path_buf).or(default) else { return Ok(Self::default()) };
        let shown = file.display();
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(_) if path.is_none() => return Ok(Self::default()),
            Err(error) => return Err(BadInput::error(format!("cannot read the configuration {shown}: {error}"))),
        };
        serde_yaml::from_str(&text).map_err(|error| {
            BadInput::error(format!("{shown} is not a configuration of the Solana command line: {error}"))
        })
    }

    /// The node: what the command line says, what is configured, or mainnet.
    pub fn url(&self, given: Option<&str>) -> String {
        let configured = Some(self.json_rpc_url.as_str()).filter(|url| !url.is_empty());
        url(given.or(configured).unwrap_or("mainnet-beta"))
    }

    /// Where the keypair is: what the command line says, what is configured, or `~/.config/solana/id.json`.
    pub fn keypair(&self, given: Option<&str>) -> String {
        let configured = Some(self.keypair_path.as_str()).filter(|path| !path.is_empty());
        let default = || home().unwrap_or_default().join(".config/solana/id.json").to_string_lossy().into_owned();
        given.or(configured).map_or_else(default, str::to_string)
    }

    /// How sure an answer has to be: what the command line says, what is configured, or confirmed.
    pub fn commitment(&self, given: Option<CommitmentConfig>) -> Result<CommitmentConfig> {
        if let Some(given) = given {
            return Ok(given);
        }
        if self.commitment.is_empty() {
            return Ok(CommitmentConfig::confirmed());
        }
        let wrong =
            || format!("{:?} in the configuration is no commitment; write confirmed or finalized", self.commitment);
        self.commitment.parse().map_err(|_| BadInput::error(wrong()))
    }
}

/// A URL, or what one of the monikers stands for.
fn url(given: &str) -> String {
    match given {
        "m" | "mainnet-beta" => "https://api.mainnet-beta.solana.com",
        "t" | "testnet" => "https://api.testnet.solana.com",
        "d" | "devnet" => "https://api.devnet.solana.com",
        "l" | "localhost" => "http://localhost:8899",
        url => url,
    }
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_of_the_solana_command_line_is_read() {
        let text = "---\njson_rpc_url: http://localhost:1\nwebsocket_url: ''\nkeypair_path: /a/id.json\n\
                    address_labels:\n  '11111111111111111111111111111111': System Program\ncommitment: finalized\n";
        let config: Config = serde_yaml::from_str(text).unwrap();
        assert_eq!(config.url(None), "http://localhost:1");
        assert_eq!(config.url(Some("d")), "https://api.devnet.solana.com");
        assert_eq!(config.keypair(None), "/a/id.json");
        assert_eq!(config.keypair(Some("usb://ledger")), "usb://ledger");
        assert_eq!(config.commitment(None).unwrap(), CommitmentConfig::finalized());
        assert_eq!(config.address_labels.len(), 1);
    }

    #[test]
    fn without_one_the_conventions_hold() {
        let config = Config::default();
        assert_eq!(config.url(None), "https://api.mainnet-beta.solana.com");
        assert!(config.keypair(None).ends_with(".config/solana/id.json"));
        assert_eq!(config.commitment(None).unwrap(), CommitmentConfig::confirmed());
        let error = Config::load(Some(Path::new("/no/such.yml"))).unwrap_err();
        assert!(error.is::<BadInput>() && error.to_string().contains("/no/such.yml"));
    }

    #[test]
    fn a_commitment_that_is_none_is_named() {
        let config = Config { commitment: "sure".into(), ..Config::default() };
        assert!(config.commitment(None).unwrap_err().to_string().contains("\"sure\""));
    }
}
