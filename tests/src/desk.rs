//! A market behind the client's transport: for tests of what talks to a chain by way of it.

use crate::world::{AssetSpec, PRICE_EXPONENT, World};
use crate::{Chain, LiteChain};
use anchor_lang::prelude::{Clock, Pubkey};
use keel_client::price_update;
use keel_client::token::{TOKEN_PROGRAM, WRAPPED_SOL};
use keel_client::transport::InProcess;
use keel_client::view::View;
use keel_risk::price::Observation;
use solana_account::Account;
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::rc::Rc;

/// SOL at 200 dollars and a dollar, whose suppliers left 100,000 to borrow, on a chain behind a transport.
pub struct Desk {
    /// The chain.
    pub chain: Rc<InProcess>,
    /// Signs for governance, and is the authority of the dollar's mint.
    pub governance: Keypair,
    /// The market's guardian.
    pub guardian: Keypair,
    /// The market's risk steward.
    pub risk_steward: Keypair,
    /// The market.
    pub market: Pubkey,
    /// The reserve of wrapped SOL.
    pub sol: Pubkey,
    /// The reserve of the dollar.
    pub usd: Pubkey,
    /// The dollar's mint.
    pub usd_mint: Pubkey,
    /// Somebody with a thousand SOL and nothing else.
    pub user: Keypair,
}

impl Desk {
    /// Sets it up.
    pub fn open() -> Self {
        let mut world = World::new(LiteChain::new());
        world.chain.set_data(&WRAPPED_SOL, &TOKEN_PROGRAM, wrapped_sol_mint());
        let (mut sol, mut usd) = (AssetSpec::sol(), AssetSpec::usdc());
        for spec in [&mut sol, &mut usd] {
            // A client looks for a feed's prices where they are pinned.
            spec.config.oracle.feeds[0].account = Pubkey::new_unique();
        }
        let sol = world.try_list(&sol, WRAPPED_SOL).unwrap();
        let usd = world.list(&usd);
        let dollars = world.assets[usd].whole(100_000);
        world.supplier(usd, dollars);
        let user = world.chain.funded();
        let (sol, usd, usd_mint) = (world.assets[sol].reserve, world.assets[usd].reserve, world.assets[usd].mint);
        let chain = Rc::new(InProcess::new(world.chain.svm));
        let World { governance, guardian, risk_steward, market, .. } = world;
        Self { chain, governance, guardian, risk_steward, market, sol, usd, usd_mint, user }
    }

    /// The user's address.
    pub fn user(&self) -> Pubkey {
        self.user.pubkey()
    }

    /// Moves the chain's time, and leaves its prices as old as they are.
    pub fn pass(&self, seconds: i64) {
        self.chain.with(|svm| {
            let mut clock: Clock = svm.get_sysvar();
            clock.unix_timestamp += seconds;
            clock.slot += u64::try_from(seconds).unwrap() * 5 / 2;
            svm.set_sysvar(&clock);
        });
    }

    /// Changes an account's data in place: for states that are hard to reach.
    pub fn edit(&self, key: &Pubkey, change: impl FnOnce(&mut Account)) {
        self.chain.with(|svm| {
            let mut account = svm.get_account(key).unwrap();
            change(&mut account);
            svm.set_account(*key, account).unwrap();
        });
    }

    /// Posts a price of the first feed of a reserve, in cents, as of now.
    pub fn post(&self, reserve: &Pubkey, cents: i64) {
        let view = View::fetch(&*self.chain, &self.market).unwrap();
        let listing = view.book.listing(reserve).unwrap();
        let price = cents * 1_000_000;
        let observation = Observation {
            price,
            confidence: price.unsigned_abs() / 2_000,
            ema_price: price,
            ema_confidence: price.unsigned_abs() / 2_000,
            exponent: PRICE_EXPONENT,
            publish_time: view.time.now,
            posted_slot: view.time.slot,
        };
        let feed = listing.reserve.config.oracle.feeds[0].feed_id;
        self.edit(&listing.prices[0], |account| {
            account.data = price_update::encode(&price_update::update(feed, &observation));
        });
    }

    /// Puts a mint without extensions on the chain, governance its authority.
    pub fn create_mint(&self, decimals: u8) -> Pubkey {
        let key = Pubkey::new_unique();
        let mut data = wrapped_sol_mint();
        data[0] = 1;
        data[4..36].copy_from_slice(self.governance.pubkey().as_ref());
        data[44] = decimals;
        self.chain.with(|svm| {
            let lamports = svm.minimum_balance_for_rent_exemption(data.len());
            svm.set_account(key, Account { lamports, data, owner: TOKEN_PROGRAM, ..Account::default() }).unwrap();
        });
        key
    }

    /// Changes the zero-copy state in an account in place.
    pub fn edit_state<T: bytemuck::Pod>(&self, key: &Pubkey, change: impl FnOnce(&mut T)) {
        self.edit(key, |account| {
            let mut state: T = bytemuck::pod_read_unaligned(&account.data[8..]);
            change(&mut state);
            account.data[8..].copy_from_slice(bytemuck::bytes_of(&state));
        });
    }
}

/// The mint of wrapped SOL as on every cluster: nine decimals, nobody's.
fn wrapped_sol_mint() -> Vec<u8> {
    let mut mint = vec![0; 82];
    mint[44] = 9;
    mint[45] = 1;
    mint
}
