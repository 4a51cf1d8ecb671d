//! Mints, price accounts, the market with its reserves and lookup table; and what a bot sees of them over RPC.

use crate::chain::Chain;
use crate::exchange::Exchange;
use crate::scenario::{Asset as Terms, Minted, PRICE_EXPONENT, Scenario};
use crate::{approximate, risk_error};
use anchor_lang::prelude::Pubkey;
use anchor_spl::token::spl_token;
use anyhow::{Context, Result, anyhow};
use keel::instructions::admin::MINTED_DECIMALS;
use keel::oracle::NO_READINGS;
use keel::state::{Change, Market, Reserve, ReserveConfig, Side, Vault};
use keel_client::book::Book;
use keel_client::health::{self, PriceAccounts};
use keel_client::instruction::Queued;
use keel_client::keel_risk::Fraction;
use keel_client::keel_risk::health::Totals;
use keel_client::keel_risk::pool::Pool;
use keel_client::keel_risk::price::{Moment, Observation, Purpose, UnitPrice};
use keel_client::keel_risk::units::Amount;
use keel_client::token::{self, TOKEN_PROGRAM, WRAPPED_SOL};
use keel_client::{account, address, instruction, price_update, transaction};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::AddressLookupTableAccount;
use solana_signer::Signer;

/// The number of the market.
const MARKET_ID: u16 = 0;

/// A listed asset, or the market's own token.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Its name.
    pub symbol: String,
    /// Decimals of its mint.
    pub decimals: u8,
    /// Whether it is SOL.
    pub native: bool,
    /// Its mint.
    pub mint: Pubkey,
    /// Its reserve.
    pub reserve: Pubkey,
    /// The reserve's token account; of the minted token its mint.
    pub liquidity: Pubkey,
    /// Where its price is published. The minted token has no price: it is owed at a dollar.
    pub feed: Option<Feed>,
}

/// Where the price of an asset is published.
#[derive(Clone, Copy, Debug)]
pub struct Feed {
    /// The price account.
    pub account: Pubkey,
    id: [u8; 32],
}

/// The market as it was set up.
pub struct World {
    /// The market.
    pub market: Pubkey,
    /// The assets, in the order of the scenario; behind them the minted token, if there is one.
    pub assets: Vec<Asset>,
    /// Where keepers sell what they seize, if the scenario has it.
    pub exchange: Option<Exchange>,
    /// The market's lookup table.
    pub table: AddressLookupTableAccount,
    /// Mints test tokens; also the market's governance and risk steward, and the one who tells the exchange its prices.
    pub authority: Keypair,
    /// The market's guardian.
    pub guardian: Keypair,
}

/// Publishes prices, and keeps the averages that feeds publish along with them.
pub struct Publisher {
    averages: Vec<f64>,
    half_life: f64,
    last: Option<i64>,
}

/// A keypair that follows from a seed, a purpose and a number, so that a run can be repeated.
pub fn keypair(seed: u64, purpose: &str, number: u32) -> Keypair {
    use rand::{RngCore, SeedableRng};
    let tag = purpose.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed ^ tag);
    rng.set_stream(u64::from(number));
    let mut secret = [0; 32];
    rng.fill_bytes(&mut secret);
    Keypair::new_from_array(secret)
}

impl Publisher {
    /// Nothing published yet.
    pub fn new(scenario: &Scenario) -> Self {
        Self { averages: Vec::new(), half_life: scenario.ema_half_life(), last: None }
    }

    /// Publishes `prices`, dollars in the order of the scenario's assets, at time `now`.
    pub fn publish(
        &mut self,
        chain: &Chain,
        assets: &[Asset],
        scenario: &Scenario,
        prices: &[f64],
        now: i64,
    ) -> Result<()> {
        let passed = self.last.map_or(0.0, |last| (now - last).max(0) as f64);
        let kept = (-passed / self.half_life).exp2();
        self.last = Some(now);
        let slot = chain.slot()?;
        for (i, ((asset, terms), price)) in assets.iter().zip(&scenario.assets).zip(prices.iter().copied()).enumerate()
        {
            let Some(feed) = asset.feed else { continue };
            if self.averages.len() <= i {
                self.averages.push(price);
            }
            let average = &mut self.averages[i];
            *average = price + (*average - price) * kept;
            let observation = observe(price, *average, terms, now, slot);
            let data = price_update::encode(&price_update::update(feed.id, &observation));
            chain.set_account(&feed.account, &price_update::PYTH_RECEIVER, &data)?;
        }
        Ok(())
    }
}

fn observe(price: f64, average: f64, terms: &Terms, now: i64, slot: u64) -> Observation {
    let units = |dollars: f64| (dollars * 10f64.powi(-PRICE_EXPONENT)).round();
    Observation {
        price: units(price) as i64,
        confidence: units(terms.confidence(price)) as u64,
        ema_price: units(average) as i64,
        ema_confidence: units(terms.confidence(average)) as u64,
        exponent: PRICE_EXPONENT,
        publish_time: now,
        posted_slot: slot,
    }
}

impl World {
    /// Creates mints and price accounts, the market, a reserve per asset, the minted one, the exchange and the lookup
    /// table. The prices published are those of the scenario's beginning, at the chain's time `now`.
    pub fn set_up(
        chain: &Chain,
        scenario: &Scenario,
        publisher: &mut Publisher,
        seed: u64,
        now: i64,
        done: impl Fn(),
    ) -> Result<Self> {
        let (authority, guardian) = (keypair(seed, "authority", 0), keypair(seed, "guardian", 0));
        let market = address::market(MARKET_ID);
        chain.fund(&authority.pubkey(), 1_000_000_000_000)?;
        let assets: Vec<Asset> =
            (0u32..).zip(&scenario.assets).map(|(i, terms)| Asset::new(seed, market, i, terms)).collect();
        publisher.publish(chain, &assets, scenario, &scenario.prices_at(0.0), now)?;

        let (payer, governance) = (chain.payer(), authority.pubkey());
        let params = scenario.market_params();
        let create =
            instruction::init_market(payer.pubkey(), governance, MARKET_ID, params, guardian.pubkey(), governance);
        chain.must("creating the market", &[create], &[payer, &authority], &[])?;
        let none = AddressLookupTableAccount { key: Pubkey::default(), addresses: Vec::new() };
        let mut world = Self { market, assets, exchange: None, table: none, authority, guardian };
        for (number, (asset, terms)) in (0u32..).zip(world.assets.iter().zip(&scenario.assets)) {
            world.list(chain, scenario, asset, terms, &keypair(seed, "mint", number))?;
            done();
        }
        if let Some(minted) = &scenario.minted {
            world.create_minted(chain, scenario, minted)?;
        }
        world.exchange =
            scenario.exchange.as_ref().map(|terms| Exchange::open(chain, &world, scenario, terms)).transpose()?;
        world.table = world.create_table(chain)?;
        done();
        Ok(world)
    }

    fn list(&self, chain: &Chain, scenario: &Scenario, asset: &Asset, terms: &Terms, mint: &Keypair) -> Result<()> {
        let (payer, governance) = (chain.payer(), self.authority.pubkey());
        let mut instructions = Vec::new();
        let mut signers = vec![payer, &self.authority];
        if !asset.native {
            instructions.extend(create_mint(&payer.pubkey(), &governance, asset)?);
            signers.push(mint);
        }
        let feed = asset.feed.with_context(|| format!("{} has no price", asset.symbol))?;
        let config = scenario.reserve_config(terms, feed.id, feed.account)?;
        let queued = self.next_change(chain)?;
        let change = Change::List { config: config.without_caps() };
        instructions.push(instruction::queue_change(governance, &queued, asset.mint, change));
        let prices = [feed.account];
        instructions.push(instruction::init_reserve(payer.pubkey(), &queued, asset.mint, TOKEN_PROGRAM, &prices));
        chain.must(&format!("listing {}", asset.symbol), &instructions, &signers, &[])?;
        self.raise_caps(chain, asset, config)
    }

    /// The change that governance queues next.
    pub(crate) fn next_change(&self, chain: &Chain) -> Result<Queued> {
        let fetched = chain.accounts(&[self.market])?.pop().flatten().context("there is no market")?;
        let nonce = account::market(&self.market, &fetched.owner, &fetched.data)?.next_change;
        Ok(Queued { market: self.market, nonce, rent_payer: chain.payer().pubkey() })
    }

    /// An asset is listed with caps of zero; they come with a second change.
    fn raise_caps(&self, chain: &Chain, asset: &Asset, config: ReserveConfig) -> Result<()> {
        let queued = self.next_change(chain)?;
        let change = Change::Reserve { config, ramp: 0 };
        let queue = instruction::queue_change(self.authority.pubkey(), &queued, asset.reserve, change);
        let execute = instruction::execute_change(&queued, Some(asset.reserve), &[]);
        let signers = [chain.payer(), &self.authority];
        chain.must(&format!("raising the caps of {}", asset.symbol), &[queue, execute], &signers, &[])?;
        Ok(())
    }

    /// Creates the market's own token.
    fn create_minted(&mut self, chain: &Chain, scenario: &Scenario, minted: &Minted) -> Result<()> {
        let swap = self.named(&minted.swap)?;
        let config = scenario.minted_config(minted)?;
        let (payer, governance) = (chain.payer(), self.authority.pubkey());
        let queued = self.next_change(chain)?;
        let change = Change::ListMinted { config: config.without_caps() };
        let queue = instruction::queue_change(governance, &queued, swap.reserve, change);
        let create = instruction::init_minted_reserve(payer.pubkey(), &queued, swap.reserve);
        chain.must(&format!("creating {}", minted.symbol), &[queue, create], &[payer, &self.authority], &[])?;
        let asset = Asset::minted(&self.market, &minted.symbol);
        self.raise_caps(chain, &asset, config)?;
        self.assets.push(asset);
        Ok(())
    }

    fn create_table(&self, chain: &Chain) -> Result<AddressLookupTableAccount> {
        let mut addresses = self.snapshot(chain)?.book.lookup_addresses();
        addresses.extend([anchor_lang::system_program::ID, anchor_spl::associated_token::ID, keel::introspection::ID]);
        addresses.extend(self.exchange.iter().flat_map(Exchange::addresses));
        let payer = chain.payer();
        let recent = chain.slot()?.saturating_sub(1);
        let (instructions, table) = transaction::create_lookup_table(&payer.pubkey(), &addresses, recent);
        for instruction in instructions {
            chain.must("creating the lookup table", &[instruction], &[payer], &[])?;
        }
        Ok(table)
    }

    /// The asset of a name.
    pub fn named(&self, symbol: &str) -> Result<&Asset> {
        self.assets.iter().find(|a| a.symbol == symbol).with_context(|| format!("there is no asset {symbol}"))
    }

    /// The asset of a reserve.
    pub fn asset_of(&self, reserve: &Pubkey) -> Result<&Asset> {
        self.assets
            .iter()
            .find(|a| a.reserve == *reserve)
            .with_context(|| format!("no asset has the reserve {reserve}"))
    }

    /// Instructions that give `owner`, who signs, `amount` of an asset: minted, or wrapped from the owner's lamports.
    pub fn give(&self, payer: &Pubkey, owner: &Pubkey, asset: &Asset, amount: u64) -> Result<Vec<Instruction>> {
        if asset.native {
            return Ok(token::wrap_sol(owner, amount));
        }
        let account = token::associated_address(owner, &asset.mint, &TOKEN_PROGRAM);
        let minter = self.authority.pubkey();
        Ok(vec![
            token::create_associated(payer, owner, &asset.mint, &TOKEN_PROGRAM),
            spl_token::instruction::mint_to(&TOKEN_PROGRAM, &asset.mint, &account, &minter, &[], amount)?,
        ])
    }

    /// Everything that a bot needs, fetched now.
    pub fn snapshot(&self, chain: &Chain) -> Result<Snapshot> {
        let prices: Vec<Pubkey> = self.assets.iter().filter_map(|a| a.feed.map(|feed| feed.account)).collect();
        let (prices, moment) = chain.prices(&prices)?;
        Snapshot::new(chain, self.market, prices, moment)
    }
}

impl Asset {
    fn new(seed: u64, market: Pubkey, number: u32, terms: &Terms) -> Self {
        let mint = if terms.native { WRAPPED_SOL } else { keypair(seed, "mint", number).pubkey() };
        let reserve = address::reserve(&market, &mint);
        let mut feed_id = [0; 32];
        for (byte, letter) in feed_id.iter_mut().zip(format!("{}/USD", terms.symbol).bytes()) {
            *byte = letter;
        }
        Self {
            symbol: terms.symbol.clone(),
            decimals: terms.decimals,
            native: terms.native,
            mint,
            reserve,
            liquidity: address::liquidity(&reserve),
            feed: Some(Feed { account: keypair(seed, "price", number).pubkey(), id: feed_id }),
        }
    }

    fn minted(market: &Pubkey, symbol: &str) -> Self {
        let mint = address::minted_mint(market);
        let reserve = address::reserve(market, &mint);
        let (symbol, decimals) = (symbol.to_string(), MINTED_DECIMALS);
        Self { symbol, decimals, native: false, mint, reserve, liquidity: mint, feed: None }
    }

    /// Whether this is the market's own token.
    pub fn is_minted(&self) -> bool {
        self.feed.is_none()
    }

    /// Whole tokens, for reports.
    pub fn tokens(&self, amount: u64) -> f64 {
        amount as f64 / 10f64.powi(self.decimals.into())
    }
}

fn create_mint(payer: &Pubkey, authority: &Pubkey, asset: &Asset) -> Result<[Instruction; 2]> {
    use anchor_lang::prelude::Rent;
    use anchor_lang::solana_program::program_pack::Pack;
    let space = spl_token::state::Mint::LEN;
    let create = anchor_lang::solana_program::system_instruction::create_account(
        payer,
        &asset.mint,
        Rent::default().minimum_balance(space),
        space as u64,
        &TOKEN_PROGRAM,
    );
    let initialize =
        spl_token::instruction::initialize_mint2(&TOKEN_PROGRAM, &asset.mint, authority, None, asset.decimals)?;
    Ok([create, initialize])
}

/// The market's accounts, prices and time at one moment.
pub struct Snapshot {
    /// The market.
    pub market: Market,
    /// Its reserves.
    pub book: Book,
    /// Its vaults, by address.
    pub vaults: Vec<(Pubkey, Vault)>,
    /// The price accounts.
    pub prices: PriceAccounts,
    /// The chain's time.
    pub moment: Moment,
}

impl Snapshot {
    fn new(chain: &Chain, market_key: Pubkey, prices: PriceAccounts, moment: Moment) -> Result<Self> {
        let mut market = None;
        let mut book = Book::new(market_key);
        let mut vaults = Vec::new();
        for fetched in chain.program_accounts()? {
            let (key, owner, data) = (&fetched.key, &fetched.owner, &fetched.data);
            // On an open chain, anybody may have created another market.
            if let Ok(reserve) = account::reserve(key, owner, data) {
                if reserve.market == market_key {
                    // The feeds are pinned: their accounts stand in the reserve.
                    book.insert(reserve, &[]);
                }
            } else if let Ok(vault) = account::vault(key, owner, data) {
                if vault.market == market_key {
                    vaults.push((*key, vault));
                }
            } else if *key == market_key {
                market = Some(account::market(key, owner, data)?);
            }
        }
        let market = market.context("the market is not on the chain")?;
        Ok(Self { market, book, vaults, prices, moment })
    }

    /// A vault by address.
    pub fn vault(&self, key: &Pubkey) -> Result<&Vault> {
        let position = self.vaults.binary_search_by_key(key, |(vault, _)| *vault).ok();
        let found = position.and_then(|i| self.vaults.get(i)).map(|(_, vault)| vault);
        found.with_context(|| format!("vault {key} is not on the chain"))
    }

    /// A reserve by address.
    pub fn reserve(&self, key: &Pubkey) -> Result<&Reserve> {
        Ok(&self.book.listing(key)?.reserve)
    }

    /// The sums of a vault, as the program would compute them.
    pub fn totals(&self, vault: &Vault, purpose: Purpose) -> Result<Totals> {
        Ok(health::value(&self.book, &self.market, vault, &self.prices, purpose, &self.moment)?.totals)
    }

    /// What one position of a vault is worth or owes, valued as a vault of its own.
    pub fn position_value(&self, position: &keel::state::Position, side: Side) -> Result<Fraction> {
        let mut alone: Vault = bytemuck::Zeroable::zeroed();
        alone.positions[0] = *position;
        let totals = self.totals(&alone, Purpose::Liquidation)?;
        Ok(match side {
            Side::Collateral => totals.collateral.0,
            Side::Debt => totals.debt.0,
        })
    }

    /// A reserve's books, accrued to the present.
    pub fn pool(&self, reserve: &Pubkey) -> Result<Pool> {
        self.reserve(reserve)?.accrued_pool(self.moment.now).map_err(|error| anyhow!("{error}"))
    }

    /// What a vault owes a reserve now, native units.
    pub fn owed(&self, vault: &Vault, reserve: &Pubkey) -> Result<u64> {
        let owed = self.pool(reserve)?.debt_index.amount_owed(vault.debt_or_zero(reserve));
        Ok(owed.map_err(risk_error)?.0)
    }

    /// The spot price of a reserve's asset, or what the minted token is owed at.
    pub fn price(&self, reserve: &Pubkey) -> Result<UnitPrice> {
        let listing = self.book.listing(reserve)?;
        if listing.reserve.is_minted() {
            let par = listing.reserve.new_risk_price(&NO_READINGS, Side::Debt, &self.moment);
            return par.map_err(|error| anyhow!("{error}"));
        }
        let (feed, key) = listing
            .reserve
            .config
            .oracle
            .active_feeds()
            .zip(&listing.prices)
            .next()
            .context("a reserve has no price account")?;
        let account = self.prices.get(key).context("a price account was not fetched")?;
        let observation = keel::oracle::read(key, &account.owner, &account.data, feed, &self.market.price_receiver)
            .map_err(|error| anyhow!("price account {key}: {error}"))?;
        observation.spot(listing.reserve.decimals).map_err(risk_error)
    }

    /// What an amount of a reserve's asset is worth, dollars, for reports.
    pub fn dollars(&self, reserve: &Pubkey, amount: u64) -> Result<f64> {
        let value = self.price(reserve)?.value_floor(Amount(amount)).map_err(risk_error)?;
        Ok(approximate(value.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keypairs_follow_from_the_seed() {
        let key = |seed, purpose, number| keypair(seed, purpose, number).pubkey();
        assert_eq!(key(1, "user", 2), key(1, "user", 2));
        let all = [key(1, "user", 2), key(1, "user", 3), key(2, "user", 2), key(1, "mint", 2)];
        for (i, a) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|b| a != b));
        }
    }

    #[test]
    fn an_observation_is_what_the_scenario_says() {
        let scenario = Scenario::load(None).unwrap();
        let observation = observe(207.25, 206.0, &scenario.assets[0], 1_700_000_000, 9);
        assert_eq!(observation.price, 20_725_000_000);
        assert_eq!(observation.confidence, 12_435_000);
        assert_eq!(observation.ema_price, 20_600_000_000);
        assert_eq!((observation.exponent, observation.publish_time, observation.posted_slot), (-8, 1_700_000_000, 9));
        assert!(observation.spot(9).is_ok());
    }
}
