//! Everything that the doctor looks at, fetched at one time.

use super::Doctor;
use crate::BadInput;
use crate::commands::change;
use crate::commands::migrate::loader::{self, Deployed};
use crate::context::Context;
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use keel_client::change::Status;
use keel_client::keel::state::{PendingChange, Vault};
use keel_client::view::{self, View};
use solana_account::Account;
use std::collections::BTreeMap;

/// Everything that the doctor looks at.
pub struct Facts {
    /// The market.
    pub view: View,
    /// Its vaults.
    pub vaults: Vec<(Pubkey, Vault)>,
    /// Its queued changes, with where they are on their way and what they do.
    pub changes: Vec<(PendingChange, Status, String)>,
    /// The liquidity account of each reserve, or, of a minted one, the mint.
    pub liquidity: BTreeMap<Pubkey, Option<Account>>,
    /// What each reserve's asset is called.
    pub names: BTreeMap<Pubkey, String>,
    /// The program as deployed, if it is.
    pub program: Option<Deployed>,
    /// The program that should be.
    pub expected: Option<Vec<u8>>,
    /// Who should be able to replace it.
    pub upgrade_authority: Pubkey,
    /// Whether governance may be a plain keypair.
    pub allow_keypair: bool,
}

impl Facts {
    /// Fetches them.
    pub fn fetch(context: &Context, command: &Doctor) -> Result<Self> {
        let view = context.view()?;
        let expected = command.so.as_deref().map(|file| {
            std::fs::read(file)
                .map_err(|error| BadInput::error(format!("cannot read the program {}: {error}", file.display())))
        });
        let mut changes = Vec::new();
        for pending in view::changes(&*context.transport, view.key())? {
            changes.push((pending, change::status(&view, &pending), change::summary(context, &view, &pending)?));
        }
        let keys: Vec<(Pubkey, Pubkey)> =
            view.book.iter().map(|(key, listing)| (*key, listing.reserve.liquidity)).collect();
        let accounts = context.transport.accounts(&keys.iter().map(|(_, liquidity)| *liquidity).collect::<Vec<_>>())?;
        Ok(Self {
            vaults: view::vaults(&*context.transport, view.key(), None)?,
            changes,
            liquidity: keys.iter().map(|(key, _)| *key).zip(accounts).collect(),
            names: view.book.iter().map(|(key, listing)| (*key, context.labels.asset(&listing.reserve))).collect(),
            program: loader::deployed(&*context.transport, &keel_client::keel::ID)?,
            expected: expected.transpose()?,
            upgrade_authority: command.upgrade_authority.unwrap_or(view.market.governance),
            allow_keypair: command.allow_keypair,
            view,
        })
    }

    /// What a reserve's asset is called.
    pub fn name(&self, reserve: &Pubkey) -> String {
        self.names.get(reserve).cloned().unwrap_or_else(|| reserve.to_string())
    }
}
