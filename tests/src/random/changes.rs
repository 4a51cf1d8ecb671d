//! What governance has announced, and what the arena does when it comes into force.

use super::action::Action;
use super::arena::Arena;
use anchor_lang::prelude::Pubkey;
use keel::oracle::Readings;
use keel::state::{Change, PendingChange};
use keel_client::instruction::Queued;

/// A queued change that is open.
#[derive(Clone, Debug)]
pub struct Announced {
    /// Its account.
    pub pending: PendingChange,
    /// What it says.
    pub change: Change,
    /// The asset whose reserve it is about; `None` for the market.
    pub target: Option<usize>,
    /// The feeds that it brings in, if they are not those that the asset has.
    pub other_feeds: Vec<[u8; 32]>,
    /// What they say.
    pub readings: Readings,
}

impl Arena {
    /// The open change with that number.
    pub fn announced(&self, nonce: u64) -> Option<&Announced> {
        self.state.announced(nonce)
    }

    /// What an instruction about that change needs; `signer` stands in for who paid for it, if it is not open.
    pub(super) fn queued(&self, nonce: u64, signer: Pubkey) -> Queued {
        let payer = self.announced(nonce).map(|change| change.pending.rent_payer);
        Queued { market: self.world.market, nonce, rent_payer: payer.unwrap_or(signer) }
    }

    /// The price accounts that its execution has to show.
    pub(super) fn prices_of_change(&self, nonce: u64) -> Vec<Pubkey> {
        match self.announced(nonce) {
            Some(Announced { change: Change::Reserve { config, .. }, target: Some(asset), other_feeds, .. })
                if !other_feeds.is_empty() =>
            {
                self.price_accounts(*asset, &config.oracle)
            }
            _ => vec![],
        }
    }

    /// Where it pays insurance to.
    pub(super) fn payee(&self, nonce: u64) -> Option<Pubkey> {
        match self.announced(nonce)?.change {
            Change::WithdrawInsurance { to, .. } => Some(to),
            _ => None,
        }
    }

    /// Takes note of an instruction that succeeded: which changes are open, which vaults were closed, and of other feeds,
    /// which the client has to show from then on.
    pub(super) fn follow(&mut self, action: &Action) {
        match *action {
            Action::Close { vault, .. } => self.closed.push(vault),
            Action::Queue { nonce, .. } => self.open.push((nonce, self.queued(nonce, Pubkey::default()).address())),
            Action::Execute { nonce, target, .. } => {
                self.forget(nonce);
                target.into_iter().for_each(|asset| self.relist(asset));
            }
            Action::WithdrawInsurance { nonce, .. }
            | Action::Veto { nonce, .. }
            | Action::CloseExpired { nonce, .. } => self.forget(nonce),
            Action::Tighten { target: Some(asset), .. } | Action::Step { asset, .. } => self.relist(asset),
            _ => {}
        }
    }

    fn forget(&mut self, nonce: u64) {
        self.open.retain(|(open, _)| *open != nonce);
    }

    /// The client and the feeds learn of a new configuration.
    fn relist(&mut self, asset: usize) {
        let reserve = self.world.reserve(asset);
        let prices = self.price_accounts(asset, &reserve.config.oracle);
        let listed = &mut self.world.assets[asset];
        listed.feed_ids = reserve.config.oracle.active_feeds().map(|feed| feed.feed_id).collect();
        listed.prices.clone_from(&prices);
        self.world.book.insert(reserve, &prices);
    }
}
