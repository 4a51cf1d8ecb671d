//! A market with assets, prices and users on a chain.

use crate::chain::{Chain, Failure, Receipt};
use anchor_lang::prelude::{Clock, Pubkey};
use anchor_spl::token::spl_token;
use anchor_spl::token_2022::spl_token_2022;
use keel::AmountSpec;
use keel::state::{
    Change, CollateralConfig, FeedConfig, Limits, Market, MarketParams, OracleConfig, RateConfig, Reserve,
    ReserveConfig, StepConfig, Vault, VolatilityConfig,
};
use keel_client::book::Book;
use keel_client::instruction::{Actor, Liquidation, Queued};
use keel_client::{account, address, instruction, price_update, token};
use keel_risk::price::Observation;
use solana_account::Account;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::AddressLookupTableAccount;
use solana_signer::Signer;

/// Exponent of the prices that [`World::set_price`] posts.
pub const PRICE_EXPONENT: i32 = -8;

/// What an asset starts with.
#[derive(Clone, Debug)]
pub struct AssetSpec {
    /// Decimals of the mint.
    pub decimals: u8,
    /// Price in cents per whole token.
    pub cents: i64,
    /// SPL Token or Token-2022.
    pub token_program: Pubkey,
    /// Feeds: 1 or 2. Their identities are filled in.
    pub feeds: usize,
    /// Everything else.
    pub config: ReserveConfig,
}

impl AssetSpec {
    /// An ordinary collateral: haircut 2 %, loan to value 75 %, threshold 85 %, bonus 2 to 10 %, no caps that bind.
    pub fn new(decimals: u8, cents: i64) -> Self {
        Self {
            decimals,
            cents,
            token_program: token::TOKEN_PROGRAM,
            feeds: 1,
            config: ReserveConfig {
                limits: Limits {
                    deposit_cap: u64::MAX,
                    borrow_cap: u64::MAX,
                    hourly_outflow: u64::MAX,
                    daily_outflow: u64::MAX,
                    ..Limits::default()
                },
                oracle: OracleConfig {
                    feeds: [FeedConfig::default(); 2],
                    max_age_new_risk: 60,
                    max_age_liquidation: 120,
                    max_confidence_new_risk_bps: 200,
                    max_confidence_liquidation_bps: 1_000,
                    confidence_multiple_bps: 10_000,
                    max_divergence_bps: 300,
                    dead_after: 600,
                },
                collateral: CollateralConfig {
                    base_haircut_bps: 200,
                    max_haircut_bps: 4_000,
                    max_ltv_bps: 7_500,
                    liquidation_threshold_bps: 8_500,
                    min_bonus_bps: 200,
                    max_bonus_bps: 1_000,
                    max_bonus_health_bps: 9_500,
                    protocol_share_bps: 1_000,
                },
                // Haircuts that stand still: a test that wants them to move says so.
                volatility: VolatilityConfig {
                    min_interval: 60,
                    half_life: 3_600,
                    max_return_bps: 1_000,
                    multiple_bps: 0,
                    horizon: 600,
                    up_bps_per_hour: 100,
                    down_bps_per_hour: 50,
                    concentration_bps: 0,
                },
                rates: RateConfig {
                    slope_bps: 1_000,
                    excess_slope_bps: 20_000,
                    optimal_utilization_bps: 8_000,
                    reserve_factor_bps: 1_000,
                    ..RateConfig::default()
                },
                ..ReserveConfig::default()
            },
        }
    }

    /// SOL at 200 dollars.
    pub fn sol() -> Self {
        Self::new(9, 200_00)
    }

    /// A dollar with six decimals.
    pub fn usdc() -> Self {
        Self::new(6, 1_00)
    }
}

/// A listed asset.
#[derive(Clone, Debug)]
pub struct Asset {
    /// The mint; its authority is the world's governance.
    pub mint: Pubkey,
    /// Its program.
    pub token_program: Pubkey,
    /// Its decimals.
    pub decimals: u8,
    /// The reserve.
    pub reserve: Pubkey,
    /// One price account per feed.
    pub prices: Vec<Pubkey>,
    /// Identity of each feed.
    pub feed_ids: Vec<[u8; 32]>,
    /// Last price posted, in cents.
    pub cents: i64,
}

impl Asset {
    /// `n` whole tokens in native units.
    pub fn whole(&self, n: u64) -> u64 {
        n * 10u64.pow(u32::from(self.decimals))
    }
}

/// A user and one vault.
pub struct User {
    /// Signs.
    pub keypair: Keypair,
    /// Vault 0.
    pub vault: Pubkey,
}

impl User {
    /// The user's address.
    pub fn key(&self) -> Pubkey {
        self.keypair.pubkey()
    }
}

/// A market on a chain.
pub struct World<C: Chain> {
    /// The chain.
    pub chain: C,
    /// Governance, payer and authority of all mints.
    pub governance: Keypair,
    /// The market's guardian.
    pub guardian: Keypair,
    /// The market's risk steward.
    pub risk_steward: Keypair,
    /// The market.
    pub market: Pubkey,
    /// The assets, in the order of listing.
    pub assets: Vec<Asset>,
    /// The client's view of them.
    pub book: Book,
    /// Lookup table for large transactions, once [`World::publish_table`] was called.
    pub tables: Vec<AddressLookupTableAccount>,
}

/// What the market of a world starts with: target health 1.05, minimum position 10 dollars, changes without delay and no
/// steps.
pub fn market_params() -> MarketParams {
    MarketParams {
        price_receiver: price_update::PYTH_RECEIVER,
        target_health_bps: 10_500,
        min_position_micro_usd: 10_000_000,
        restart_grace_slots: 100,
        min_bounty_micro_usd: 0,
        delay: 0,
        window: 86_400,
        steps: StepConfig::default(),
    }
}

/// [`market_params`] with a notice of two days.
pub fn with_notice() -> MarketParams {
    MarketParams { delay: 2 * 86_400, ..market_params() }
}

impl<C: Chain> World<C> {
    /// A market without assets.
    pub fn new(chain: C) -> Self {
        let mut world = Self::without_market(chain);
        let (create, governance) = (world.init_market_ix(0, market_params()), world.governance.insecure_clone());
        world.send(create, &governance).unwrap();
        world
    }

    /// A world whose market has yet to be created, by whoever is to govern it.
    pub fn without_market(mut chain: C) -> Self {
        let governance = chain.funded();
        // Not of the chain's row of keypairs, so that every other address stays what it is.
        let [guardian, risk_steward] = [1, 2].map(|seed| Keypair::new_from_array([seed; 32]));
        for key in [guardian.pubkey(), risk_steward.pubkey()] {
            chain.set_account(&key, Account { lamports: 1_000_000_000_000, ..Account::default() });
        }
        let (market, book) = (address::market(0), Book::new(address::market(0)));
        Self { chain, governance, guardian, risk_steward, market, assets: Vec::new(), book, tables: Vec::new() }
    }

    /// Creates market `id` with the roles of this world.
    pub fn init_market_ix(&self, id: u16, params: MarketParams) -> Instruction {
        let key = self.governance.pubkey();
        instruction::init_market(key, key, id, params, self.guardian.pubkey(), self.risk_steward.pubkey())
    }

    /// The next change of the market, paid for by governance.
    pub fn next_change(&mut self) -> Queued {
        Queued { market: self.market, nonce: self.market_state().next_change, rent_payer: self.governance.pubkey() }
    }

    /// Queues a change of `target` as the next one.
    pub fn queue_ix(&mut self, target: Pubkey, change: Change) -> (Instruction, Queued) {
        let queued = self.next_change();
        (instruction::queue_change(self.governance.pubkey(), &queued, target, change), queued)
    }

    /// Queues a change of `target`.
    pub fn queue(&mut self, target: Pubkey, change: Change) -> Result<Queued, Failure> {
        let ((queue, queued), governance) = (self.queue_ix(target, change), self.governance.insecure_clone());
        self.send(queue, &governance).map(|_| queued)
    }

    /// Queues a change of the market, which may be one of a role, and executes it: for markets without a delay.
    pub fn change_market_ixs(&mut self, change: Change) -> [Instruction; 2] {
        let (queue, queued) = self.queue_ix(self.market, change);
        [queue, instruction::execute_change(&queued, None, &[])]
    }

    /// Sends [`Self::change_market_ixs`].
    pub fn change_market(&mut self, change: Change) -> Result<Receipt, Failure> {
        let (change, governance) = (self.change_market_ixs(change), self.governance.insecure_clone());
        self.send_all(&change, &[&governance])
    }

    /// Queues a configuration of an asset and executes it: for markets without a delay. `prices` are needed for other feeds.
    pub fn change_reserve_ixs(
        &mut self,
        asset: usize,
        config: ReserveConfig,
        ramp: u32,
        prices: &[Pubkey],
    ) -> [Instruction; 2] {
        let reserve = self.assets[asset].reserve;
        let (queue, queued) = self.queue_ix(reserve, Change::Reserve { config, ramp });
        [queue, instruction::execute_change(&queued, Some(reserve), prices)]
    }

    /// Sends [`Self::change_reserve_ixs`].
    pub fn change_reserve(
        &mut self,
        asset: usize,
        config: ReserveConfig,
        ramp: u32,
        prices: &[Pubkey],
    ) -> Result<Receipt, Failure> {
        let change = self.change_reserve_ixs(asset, config, ramp, prices);
        let governance = self.governance.insecure_clone();
        self.send_all(&change, &[&governance])
    }

    /// Queues a payment of insurance of an asset to a token account and executes it: for markets without a delay.
    pub fn withdraw_insurance_ixs(&mut self, asset: usize, to: Pubkey, amount: u64) -> [Instruction; 2] {
        let reserve = self.assets[asset].reserve;
        let (queue, queued) = self.queue_ix(reserve, Change::WithdrawInsurance { amount, to });
        [queue, instruction::withdraw_insurance(&self.book, &queued, reserve, to).unwrap()]
    }

    /// Queues and executes a listing of `mint` in a market without a delay. Caps are zero, whatever `config` says.
    pub fn list_ixs(
        &mut self,
        mint: Pubkey,
        token_program: Pubkey,
        config: ReserveConfig,
        prices: &[Pubkey],
    ) -> [Instruction; 2] {
        let (queue, queued) = self.queue_ix(mint, Change::List { config: config.without_caps() });
        [queue, instruction::init_reserve(self.governance.pubkey(), &queued, mint, token_program, prices)]
    }

    /// A market with the given assets.
    pub fn with(chain: C, specs: &[AssetSpec]) -> Self {
        let mut world = Self::new(chain);
        for spec in specs {
            world.list(spec);
        }
        world
    }

    /// Creates a mint without extensions.
    pub fn create_mint(&mut self, decimals: u8, token_program: &Pubkey) -> Pubkey {
        use anchor_lang::solana_program::program_pack::Pack;
        let mint = self.chain.keypair();
        let (payer, space) = (self.governance.pubkey(), spl_token::state::Mint::LEN);
        let lamports = anchor_lang::solana_program::rent::Rent::default().minimum_balance(space);
        let create = solana_system_interface::instruction::create_account(
            &payer,
            &mint.pubkey(),
            lamports,
            space as u64,
            token_program,
        );
        let init = spl_token_2022::instruction::initialize_mint2(token_program, &mint.pubkey(), &payer, None, decimals)
            .unwrap();
        self.chain.send(&[create, init], &[&self.governance, &mint]).unwrap();
        mint.pubkey()
    }

    /// Creates a mint and lists it.
    pub fn list(&mut self, spec: &AssetSpec) -> usize {
        let mint = self.create_mint(spec.decimals, &spec.token_program);
        self.try_list(spec, mint).unwrap()
    }

    /// Lists `mint`; its number among the assets.
    pub fn try_list(&mut self, spec: &AssetSpec, mint: Pubkey) -> Result<usize, Failure> {
        let config = self.announce(spec, mint);
        let (prices, governance) =
            (self.assets[self.assets.len() - 1].prices.clone(), self.governance.insecure_clone());
        let list = self.list_ixs(mint, spec.token_program, config, &prices);
        if let Err(failure) = self.send_all(&list, &[&governance]) {
            self.assets.pop();
            return Err(failure);
        }
        self.raise_caps(self.assets.len() - 1, config);
        Ok(self.listed())
    }

    /// Makes `mint` the last asset from here on, with a price, though it has yet to be listed. Its configuration, with feeds.
    pub fn announce(&mut self, spec: &AssetSpec, mint: Pubkey) -> ReserveConfig {
        let mut config = spec.config;
        let feed_ids: Vec<[u8; 32]> = (0..spec.feeds).map(|_| Pubkey::new_unique().to_bytes()).collect();
        for (feed, id) in config.oracle.feeds.iter_mut().zip(&feed_ids) {
            feed.feed_id = *id;
        }
        let feeds = config.oracle.feeds.iter().take(spec.feeds);
        let prices = feeds.map(|feed| if feed.is_pinned() { feed.account } else { Pubkey::new_unique() }).collect();
        let reserve = address::reserve(&self.market, &mint);
        let &AssetSpec { token_program, decimals, cents, .. } = spec;
        self.assets.push(Asset { mint, token_program, decimals, reserve, prices, feed_ids, cents });
        self.set_price(self.assets.len() - 1, spec.cents);
        config
    }

    /// The client learns of the last asset, which has just been listed; its number.
    pub fn listed(&mut self) -> usize {
        let number = self.assets.len() - 1;
        let reserve = self.reserve(number);
        self.book.insert(reserve, &self.assets[number].prices);
        number
    }

    /// The second change of a listing, if the configuration has caps.
    fn raise_caps(&mut self, asset: usize, config: ReserveConfig) {
        if config != config.without_caps() {
            self.change_reserve(asset, config, 0, &[]).unwrap();
        }
    }

    /// Queues and executes the creation of the minted reserve in a market without a delay. Caps are zero, whatever `config`
    /// says.
    pub fn list_minted_ixs(&mut self, swap_reserve: Pubkey, config: ReserveConfig) -> [Instruction; 2] {
        let (queue, queued) = self.queue_ix(swap_reserve, Change::ListMinted { config: config.without_caps() });
        [queue, instruction::init_minted_reserve(self.governance.pubkey(), &queued, swap_reserve)]
    }

    /// Creates the market's minted reserve, whose swap holds `swap_asset`; its number among the assets.
    pub fn list_minted(&mut self, config: ReserveConfig, swap_asset: usize) -> usize {
        let (swap_reserve, governance) = (self.assets[swap_asset].reserve, self.governance.insecure_clone());
        let list = self.list_minted_ixs(swap_reserve, config);
        self.send_all(&list, &[&governance]).unwrap();
        let mint = address::minted_mint(&self.market);
        self.assets.push(Asset {
            mint,
            token_program: token::TOKEN_PROGRAM,
            decimals: 6,
            reserve: address::reserve(&self.market, &mint),
            prices: Vec::new(),
            feed_ids: Vec::new(),
            cents: 1_00,
        });
        let number = self.assets.len() - 1;
        self.raise_caps(number, config);
        let reserve = self.reserve(number);
        self.book.insert(reserve, &[]);
        number
    }

    /// Changes the configuration of an asset by governance; a threshold ramps down over a day.
    pub fn configure(&mut self, asset: usize, change: impl FnOnce(&mut ReserveConfig)) -> Result<Receipt, Failure> {
        let mut config = self.reserve(asset).config;
        change(&mut config);
        let receipt = self.change_reserve(asset, config, 86_400, &[])?;
        let state = self.reserve(asset);
        self.book.update(state);
        Ok(receipt)
    }

    /// What the price of `cents` looks like to the oracle, now: confidence 5 basis points, average equal to spot.
    pub fn observation(&mut self, cents: i64) -> Observation {
        let clock = self.chain.clock();
        let price = cents * 10i64.pow(PRICE_EXPONENT.unsigned_abs() - 2);
        let confidence = price.unsigned_abs() / 2_000;
        Observation {
            price,
            confidence,
            ema_price: price,
            ema_confidence: confidence,
            exponent: PRICE_EXPONENT,
            publish_time: clock.unix_timestamp,
            posted_slot: clock.slot,
        }
    }

    /// Posts a price to all feeds of an asset.
    pub fn set_price(&mut self, asset: usize, cents: i64) {
        let observation = self.observation(cents);
        self.assets[asset].cents = cents;
        for feed in 0..self.assets[asset].prices.len() {
            self.post(asset, feed, &observation);
        }
    }

    /// Posts an observation to one feed of an asset.
    pub fn post(&mut self, asset: usize, feed: usize, observation: &Observation) {
        let a = &self.assets[asset];
        let (key, update) = (a.prices[feed], price_update::update(a.feed_ids[feed], observation));
        self.chain.set_data(&key, &price_update::PYTH_RECEIVER, price_update::encode(&update));
    }

    /// Posts the last prices of all assets again, at the present time.
    pub fn refresh_prices(&mut self) {
        for asset in 0..self.assets.len() {
            self.set_price(asset, self.assets[asset].cents);
        }
    }

    /// Lets `seconds` pass, a slot each 400 milliseconds.
    pub fn pass(&mut self, seconds: i64) {
        let clock = self.chain.clock();
        let slots = u64::try_from(seconds).unwrap() * 5 / 2;
        self.chain.set_clock(&Clock {
            unix_timestamp: clock.unix_timestamp + seconds,
            slot: clock.slot + slots,
            ..clock
        });
    }

    /// A user with SOL and an open vault.
    pub fn user(&mut self) -> User {
        let keypair = self.chain.funded();
        let open = instruction::open_vault(keypair.pubkey(), keypair.pubkey(), self.market, 0);
        self.chain.send(&[open], &[&keypair]).unwrap();
        User { vault: address::vault(&self.market, &keypair.pubkey(), 0), keypair }
    }

    /// A user with `amount` native units of `asset` deposited.
    pub fn supplier(&mut self, asset: usize, amount: u64) -> User {
        let user = self.user();
        self.fund(&user.key(), asset, amount);
        self.deposit(&user, asset, AmountSpec::Exact(amount)).unwrap();
        user
    }

    /// Mints `amount` native units to the associated token account of `owner`, which is created.
    pub fn fund(&mut self, owner: &Pubkey, asset: usize, amount: u64) {
        let a = &self.assets[asset];
        let (mint, program) = (a.mint, a.token_program);
        let payer = self.governance.pubkey();
        let to = token::associated_address(owner, &mint, &program);
        let mut instructions = vec![token::create_associated(&payer, owner, &mint, &program)];
        if amount > 0 {
            let mint_to = spl_token_2022::instruction::mint_to(&program, &mint, &to, &payer, &[], amount).unwrap();
            instructions.push(mint_to);
        }
        self.chain.send(&instructions, &[&self.governance]).unwrap();
    }

    /// Tokens of `asset` in the associated account of `owner`; zero without one.
    pub fn balance(&mut self, owner: &Pubkey, asset: usize) -> u64 {
        let a = &self.assets[asset];
        let key = token::associated_address(owner, &a.mint, &a.token_program);
        self.chain.account(&key).map_or(0, |account| token_amount(&account.data))
    }

    /// Tokens in the liquidity account of `asset`.
    pub fn liquidity(&mut self, asset: usize) -> u64 {
        let key = address::liquidity(&self.assets[asset].reserve);
        token_amount(&self.chain.account(&key).unwrap().data)
    }

    /// The market's account.
    pub fn market_state(&mut self) -> Market {
        let a = self.chain.account(&self.market).unwrap();
        account::market(&self.market, &a.owner, &a.data).unwrap()
    }

    /// The reserve of `asset`.
    pub fn reserve(&mut self, asset: usize) -> Reserve {
        let key = self.assets[asset].reserve;
        let a = self.chain.account(&key).unwrap();
        account::reserve(&key, &a.owner, &a.data).unwrap()
    }

    /// Overwrites a reserve: for states that take too long to reach.
    pub fn set_reserve(&mut self, asset: usize, reserve: &Reserve) {
        let key = self.assets[asset].reserve;
        let mut account = self.chain.account(&key).unwrap();
        account.data[8..].copy_from_slice(bytemuck::bytes_of(reserve));
        self.chain.set_account(&key, account);
        self.book.update(*reserve);
    }

    /// The vault at `key`.
    pub fn vault(&mut self, key: &Pubkey) -> Vault {
        let a = self.chain.account(key).unwrap();
        account::vault(key, &a.owner, &a.data).unwrap()
    }

    /// `user` acting on its own vault.
    pub fn actor(&self, user: &User, asset: usize) -> Actor {
        Actor::new(&self.book, user.key(), user.vault, self.assets[asset].reserve).unwrap()
    }

    /// Sends one instruction.
    pub fn send(&mut self, instruction: Instruction, signer: &Keypair) -> Result<Receipt, Failure> {
        self.send_all(&[instruction], &[signer])
    }

    /// Sends several instructions in one transaction, with the world's lookup tables.
    pub fn send_all(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Result<Receipt, Failure> {
        let tables = self.tables.clone();
        self.chain.send_with_tables(instructions, signers, &tables)
    }

    /// Deposits from the user's associated account.
    pub fn deposit(&mut self, user: &User, asset: usize, amount: AmountSpec) -> Result<Receipt, Failure> {
        let build = instruction::deposit(&self.book, &self.actor(user, asset), amount).unwrap();
        self.send(build, &user.keypair)
    }

    /// Withdraws to the user's associated account, which must exist.
    pub fn withdraw(&mut self, user: &User, asset: usize, amount: AmountSpec) -> Result<Receipt, Failure> {
        let vault = self.vault(&user.vault);
        let build = instruction::withdraw(&self.book, &vault, &self.actor(user, asset), amount).unwrap();
        self.send(build, &user.keypair)
    }

    /// Borrows to the user's associated account, which must exist.
    pub fn borrow(&mut self, user: &User, asset: usize, amount: u64) -> Result<Receipt, Failure> {
        let vault = self.vault(&user.vault);
        let build = instruction::borrow(&self.book, &vault, &self.actor(user, asset), amount).unwrap();
        self.send(build, &user.keypair)
    }

    /// Builds a repayment from the user's associated account.
    pub fn repay_ix(&mut self, user: &User, asset: usize, amount: AmountSpec) -> Instruction {
        let vault = self.vault(&user.vault);
        instruction::repay(&self.book, &vault, &self.actor(user, asset), amount).unwrap()
    }

    /// Repays from the user's associated account.
    pub fn repay(&mut self, user: &User, asset: usize, amount: AmountSpec) -> Result<Receipt, Failure> {
        let build = self.repay_ix(user, asset, amount);
        self.send(build, &user.keypair)
    }

    /// Liquidates `vault` with the keeper's associated accounts, which must exist.
    pub fn liquidate(
        &mut self,
        keeper: &Keypair,
        vault: &Pubkey,
        debt: usize,
        collateral: usize,
        max_repay: u64,
        min_seize: u64,
    ) -> Result<Receipt, Failure> {
        let terms = Liquidation {
            keeper: keeper.pubkey(),
            vault: *vault,
            debt_reserve: self.assets[debt].reserve,
            collateral_reserve: self.assets[collateral].reserve,
            max_repay,
            min_seize,
        };
        let state = self.vault(vault);
        let build = instruction::liquidate(&self.book, &state, &terms).unwrap();
        self.send(build, keeper)
    }

    /// Accrues a reserve and stores its prices.
    pub fn refresh(&mut self, asset: usize) -> Result<Receipt, Failure> {
        let build = instruction::refresh_reserve(&self.book, self.assets[asset].reserve).unwrap();
        let governance = self.governance.insecure_clone();
        self.send(build, &governance)
    }

    /// Clears one position of an insolvent vault.
    pub fn resolve(&mut self, vault: &Pubkey, asset: usize) -> Result<Receipt, Failure> {
        let state = self.vault(vault);
        let build = instruction::resolve_bad_debt(&self.book, *vault, &state, self.assets[asset].reserve).unwrap();
        let governance = self.governance.insecure_clone();
        self.send(build, &governance)
    }

    /// Challenges a feed.
    pub fn challenge(&mut self, asset: usize, feed: u8) -> Result<Receipt, Failure> {
        let build = instruction::challenge_feed(self.assets[asset].reserve, feed);
        let governance = self.governance.insecure_clone();
        self.send(build, &governance)
    }

    /// Puts the market's lookup table on chain; later transactions use it.
    pub fn publish_table(&mut self) {
        use solana_address_lookup_table_interface::state::{AddressLookupTable, LookupTableMeta};
        let addresses = self.book.lookup_addresses();
        let table = AddressLookupTable { meta: LookupTableMeta::default(), addresses: addresses.clone().into() };
        let key = Pubkey::new_unique();
        let data = table.serialize_for_tests().unwrap();
        self.chain.set_data(&key, &solana_address_lookup_table_interface::program::ID, data);
        self.tables = vec![AddressLookupTableAccount { key, addresses }];
    }
}

/// The balance in a token account's data, of either token program.
pub fn token_amount(data: &[u8]) -> u64 {
    u64::from_le_bytes(data[64..72].try_into().unwrap())
}

/// Asserts that the program refused with exactly this error.
#[track_caller]
pub fn refused(result: Result<Receipt, Failure>, expected: keel::KeelError) {
    match result {
        Ok(_) => panic!("expected {expected:?}, but it succeeded"),
        Err(failure) => {
            assert_eq!(failure.code(), Some(u32::from(expected)), "expected {expected:?}, got {failure:#?}");
        }
    }
}
