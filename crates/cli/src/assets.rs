//! Which asset a name means: on chain there are only addresses.

use crate::BadInput;
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use keel_client::keel::state::Reserve;
use keel_client::token::WRAPPED_SOL;
use keel_client::view::View;
use std::collections::BTreeMap;

/// Mints that everybody knows.
const KNOWN: [(&str, Pubkey); 3] = [
    ("SOL", WRAPPED_SOL),
    ("USDC", Pubkey::from_str_const("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")),
    ("USDT", Pubkey::from_str_const("Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB")),
];
/// What the market's own token is called.
const MINTED: &str = "MINTED";

/// What the user calls addresses.
#[derive(Clone, Debug, Default)]
pub struct Labels(BTreeMap<Pubkey, String>);

impl Labels {
    /// From the labels of the Solana command line's configuration; what is no address there is left out.
    pub fn new(labels: &BTreeMap<String, String>) -> Self {
        let known = KNOWN.iter().map(|(name, mint)| (*mint, (*name).to_string()));
        let own = labels.iter().filter_map(|(key, label)| Some((key.parse().ok()?, label.clone())));
        Self(known.chain(own).collect())
    }

    /// What an address is called.
    pub fn get(&self, key: &Pubkey) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// What an address is called, or the address.
    pub fn name(&self, key: &Pubkey) -> String {
        self.get(key).map_or_else(|| key.to_string(), str::to_string)
    }

    /// What the asset of a reserve is called: by its mint's label, or its mint's first letters.
    pub fn asset(&self, reserve: &Reserve) -> String {
        match self.get(&reserve.mint) {
            Some(label) => label.to_string(),
            None if reserve.is_minted() => MINTED.into(),
            None => reserve.mint.to_string().chars().take(8).collect(),
        }
    }

    /// The reserve that `name` means: by its address, its mint's, or what that is called.
    pub fn reserve<'a>(&self, view: &'a View, name: &str) -> Result<(Pubkey, &'a Reserve)> {
        let as_key = name.parse::<Pubkey>().ok();
        let mut found = view.book.iter().filter(|(key, listing)| match as_key {
            Some(wanted) => **key == wanted || listing.reserve.mint == wanted,
            None => self.asset(&listing.reserve).eq_ignore_ascii_case(name),
        });
        match (found.next(), found.next()) {
            (Some((key, listing)), None) => Ok((*key, &listing.reserve)),
            (None, _) => {
                let names: Vec<String> = view.book.iter().map(|(_, listing)| self.asset(&listing.reserve)).collect();
                let listed = if names.is_empty() { "nothing".to_string() } else { names.join(", ") };
                Err(BadInput::error(format!("this market does not list {name:?}; it lists {listed}")))
            }
            (Some(_), Some(_)) => {
                Err(BadInput::error(format!("more than one asset is called {name:?}; write the address of its mint")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_labels_come_before_the_known_ones() {
        let own = [(WRAPPED_SOL.to_string(), "wSOL".to_string()), ("no address".to_string(), "x".to_string())];
        let labels = Labels::new(&own.into_iter().collect());
        assert_eq!(labels.name(&WRAPPED_SOL), "wSOL");
        assert_eq!(labels.name(&KNOWN[1].1), "USDC");
        assert_eq!(labels.name(&keel_client::keel::ID), keel_client::keel::ID.to_string());
    }
}
