//! Reserves, vaults, wallets, and every instruction, in the order in which the program checks.

use crate::oracle::{Feed, Oracle};
use anchor_lang::error::ErrorCode;
use anchor_spl::token::spl_token::error::TokenError;
use keel::AmountSpec;
use keel::KeelError;
use keel::oracle::Reading;
use keel::state::{MAX_POSITIONS, ReserveConfig, Side};
use keel_risk::health::{Totals, collateral_factor};
use keel_risk::interest::RateCurve;
use keel_risk::liquidation::{self, BonusTerms, Pair};
use keel_risk::pool::{Pool, RateTerms};
use keel_risk::price::{Moment, Purpose, UnitPrice};
use keel_risk::units::{Amount, DebtShares, Quantity, SupplyShares, Usd};
use keel_risk::{Fraction, RiskError};
use keel_tests::check::Refusal;
use keel_tests::random::arena::VAULTS_EACH;
use keel_tests::random::{Action, Arena, FlowOf, VaultId};
use keel_tests::world::market_params;
use solana_system_interface::error::SystemError;

/// One reserve.
#[derive(Clone)]
pub struct ModelReserve {
    pub pool: Pool,
    /// What each feed last told.
    pub feeds: Vec<Feed>,
    /// Tokens in the liquidity account.
    pub liquidity: u64,
    config: ReserveConfig,
    decimals: u8,
    readings: Vec<Reading>,
}

/// Asset, side and shares.
pub type Slot = Option<(usize, Side, Fraction)>;

/// One vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holdings {
    pub insolvent: bool,
    pub slots: [Slot; MAX_POSITIONS],
}

/// A market.
#[derive(Clone)]
pub struct Model {
    pub reserves: Vec<ModelReserve>,
    /// As [`Arena::vault_ids`].
    pub vaults: Vec<Option<Holdings>>,
    /// Tokens by user and asset.
    pub wallets: Vec<Vec<u64>>,
    /// Debts written off.
    pub losses: u64,
    /// Of those, such that lowered a supply index.
    pub shared_losses: u64,
    moment: Moment,
    slot: u64,
}

/// Why an instruction stopped: one of the program's errors, or somebody else's.
struct Stop(Refusal);

impl From<KeelError> for Stop {
    fn from(error: KeelError) -> Self {
        Self(error.into())
    }
}

impl From<RiskError> for Stop {
    fn from(error: RiskError) -> Self {
        KeelError::from(error).into()
    }
}

type Outcome<T> = Result<T, Stop>;

fn refuse<T>(error: KeelError) -> Outcome<T> {
    Err(error.into())
}

impl ModelReserve {
    fn oracle(&self, moment: Moment) -> Oracle<'_> {
        let Self { config, decimals, feeds, readings, .. } = self;
        Oracle { config, decimals: *decimals, feeds, readings, moment }
    }

    /// What a dollar of this collateral carries; the haircut is the base one.
    fn factor(&self, purpose: Purpose) -> Outcome<Fraction> {
        let terms = &self.config.collateral;
        let loan_to_value = match purpose {
            Purpose::NewRisk => terms.max_ltv_bps,
            Purpose::Liquidation => terms.liquidation_threshold_bps,
        };
        Ok(collateral_factor(Fraction::from_bps_ceil(terms.base_haircut_bps), loan_to_value)?)
    }

    fn settle(&mut self) -> Outcome<()> {
        let rates = &self.config.rates;
        let curve = RateCurve {
            base_bps: rates.base_bps,
            slope_bps: rates.slope_bps,
            excess_slope_bps: rates.excess_slope_bps,
            optimal_utilization_bps: rates.optimal_utilization_bps,
        };
        self.pool.reprice(&RateTerms { curve, reserve_factor_bps: rates.reserve_factor_bps })?;
        Ok(self.pool.check()?)
    }

    fn write_off(&mut self, shares: Fraction) -> Outcome<bool> {
        let before = self.pool.supply_index;
        self.pool.write_off(DebtShares(shares))?;
        Ok(self.pool.supply_index < before)
    }
}

impl Holdings {
    const EMPTY: Self = Self { insolvent: false, slots: [None; MAX_POSITIONS] };

    fn occupied(&self) -> impl Iterator<Item = (usize, Side, Fraction)> {
        self.slots.iter().flatten().copied()
    }

    fn is_empty(&self) -> bool {
        self.occupied().next().is_none()
    }

    fn has_debt(&self) -> bool {
        self.occupied().any(|(_, side, _)| side == Side::Debt)
    }

    fn find(&self, asset: usize) -> Option<(Side, Fraction)> {
        self.occupied().find(|(a, ..)| *a == asset).map(|(_, side, shares)| (side, shares))
    }

    fn shares(&self, asset: usize, side: Side) -> Outcome<Fraction> {
        match self.find(asset) {
            Some((s, shares)) if s == side => Ok(shares),
            _ => refuse(if side == Side::Debt { KeelError::NoSuchDebt } else { KeelError::NoSuchCollateral }),
        }
    }

    fn add(&mut self, asset: usize, side: Side, shares: Fraction) -> Outcome<()> {
        let held = self.slots.iter_mut().flatten().find(|(a, ..)| *a == asset);
        match held {
            Some((_, s, sum)) if *s == side => *sum = sum.checked_add(shares)?,
            Some((_, Side::Debt, _)) => return refuse(KeelError::ReserveHeldAsDebt),
            Some(_) => return refuse(KeelError::ReserveHeldAsCollateral),
            None => {
                let free = self.slots.iter_mut().find(|slot| slot.is_none());
                *free.ok_or(KeelError::NoFreeSlot)? = Some((asset, side, shares));
            }
        }
        Ok(())
    }

    fn remove(&mut self, asset: usize, shares: Fraction) -> Outcome<()> {
        for slot in &mut self.slots {
            if let Some((a, _, held)) = slot
                && *a == asset
            {
                *held = held.checked_sub(shares)?;
                if held.is_zero() {
                    *slot = None;
                }
            }
        }
        Ok(())
    }

    fn require_solvent(&self) -> Outcome<()> {
        if self.insolvent { refuse(KeelError::VaultInsolvent) } else { Ok(()) }
    }

    /// An insolvent vault that is empty may be used again.
    fn clear(&mut self) {
        self.insolvent &= !self.is_empty();
    }
}

impl Model {
    /// The market of an arena, before anything happened in it.
    pub fn new(arena: &Arena) -> Self {
        let state = &arena.state;
        let reserve = |asset: usize| {
            let reserve = &state.reserves[asset];
            let feeds = arena.world.assets[asset].prices.len();
            ModelReserve {
                pool: crate::books(reserve),
                feeds: reserve.last_prices[..feeds].iter().map(Feed::of).collect(),
                liquidity: 0,
                config: reserve.config,
                decimals: reserve.decimals,
                readings: vec![],
            }
        };
        let mut model = Self {
            reserves: (0..state.reserves.len()).map(reserve).collect(),
            vaults: vec![None; state.vaults.len()],
            wallets: vec![],
            losses: 0,
            shared_losses: 0,
            moment: state.moment,
            slot: arena.slot,
        };
        model.observe(arena, true);
        model
    }

    /// Takes over what is not the program's: time, price accounts, and tokens if somebody else moved them.
    pub fn observe(&mut self, arena: &Arena, tokens: bool) {
        self.moment = arena.state.moment;
        self.slot = arena.slot;
        for (asset, reserve) in self.reserves.iter_mut().enumerate() {
            reserve.readings = arena.state.readings[asset][..reserve.feeds.len()].to_vec();
            if tokens {
                reserve.liquidity = arena.state.liquidity[asset];
            }
        }
        if tokens {
            self.wallets.clone_from(&arena.state.wallets);
        }
    }

    /// Runs an instruction. If it is refused, the model is spoilt.
    pub fn act(&mut self, action: &Action) -> Result<(), Refusal> {
        let done = match *action {
            Action::Open { vault } => self.open(vault),
            Action::Close { user, vault } => self.close(user, vault),
            Action::Deposit(flow) => self.deposit(&flow),
            Action::Withdraw(flow) => self.withdraw(&flow),
            Action::Borrow(flow) => self.borrow(&flow),
            Action::Repay(flow) => self.repay(&flow),
            Action::Liquidate { keeper, vault, debt, collateral, max_repay, min_seize } => {
                self.liquidate(keeper, vault, debt, collateral, Amount(max_repay), min_seize)
            }
            Action::Refresh { asset, .. } => self.refresh(asset, true),
            Action::Accrue { asset, .. } => self.refresh(asset, false),
            Action::Challenge { asset, feed, .. } => self.challenge(asset, usize::from(feed)),
            Action::Resolve { vault, asset, .. } => self.resolve(vault, asset),
        };
        done.map_err(|Stop(refusal)| refusal)
    }

    fn vault(&self, id: VaultId) -> Outcome<Holdings> {
        let vault = self.vaults[id.owner * VAULTS_EACH + id.index].clone();
        vault.ok_or(Stop(ErrorCode::AccountOwnedByWrongProgram.into()))
    }

    fn put(&mut self, id: VaultId, vault: Option<Holdings>) {
        self.vaults[id.owner * VAULTS_EACH + id.index] = vault;
    }

    /// Tokens from a user to a reserve: the last thing that can fail.
    fn take(&mut self, user: usize, asset: usize, amount: Amount) -> Outcome<()> {
        let wallet = &mut self.wallets[user][asset];
        *wallet = wallet.checked_sub(amount.0).ok_or(Stop(TokenError::InsufficientFunds.into()))?;
        self.reserves[asset].liquidity += amount.0;
        Ok(())
    }

    fn pay(&mut self, user: usize, asset: usize, amount: Amount) {
        self.reserves[asset].liquidity -= amount.0;
        self.wallets[user][asset] += amount.0;
    }

    /// The reserve, accrued.
    fn accrued(&mut self, asset: usize) -> Outcome<&mut ModelReserve> {
        let reserve = &mut self.reserves[asset];
        reserve.pool.accrue(self.moment.now)?;
        Ok(reserve)
    }

    fn open(&mut self, id: VaultId) -> Outcome<()> {
        if self.vault(id).is_ok() {
            return Err(Stop(SystemError::AccountAlreadyInUse.into()));
        }
        self.put(id, Some(Holdings::EMPTY));
        Ok(())
    }

    fn close(&mut self, user: usize, id: VaultId) -> Outcome<()> {
        let vault = self.vault(id)?;
        if user != id.owner {
            return refuse(KeelError::NotVaultOwner);
        }
        if !vault.is_empty() {
            return refuse(KeelError::VaultNotEmpty);
        }
        self.put(id, None);
        Ok(())
    }

    fn deposit(&mut self, flow: &FlowOf) -> Outcome<()> {
        let mut vault = self.vault(flow.vault)?;
        let amount = match flow.amount {
            AmountSpec::Exact(amount) => Amount(amount),
            AmountSpec::All => Amount(self.wallets[flow.user][flow.asset]),
        };
        vault.require_solvent()?;
        if vault.find(flow.asset).is_none() && flow.user != flow.vault.owner {
            return refuse(KeelError::OnlyOwnerOpensPositions);
        }
        let reserve = self.accrued(flow.asset)?;
        let change = reserve.pool.deposit(amount, Amount(reserve.config.limits.deposit_cap))?;
        reserve.settle()?;
        vault.add(flow.asset, Side::Collateral, change.shares.0)?;
        self.put(flow.vault, Some(vault));
        self.take(flow.user, flow.asset, change.amount)
    }

    fn withdraw(&mut self, flow: &FlowOf) -> Outcome<()> {
        let mut vault = self.vault(flow.vault)?;
        require_owner(flow)?;
        vault.require_solvent()?;
        let reserve = self.accrued(flow.asset)?;
        let held = SupplyShares(vault.shares(flow.asset, Side::Collateral)?);
        let change = reserve.pool.withdraw(quantity(flow.amount), held)?;
        reserve.settle()?;
        vault.remove(flow.asset, change.shares.0)?;
        if vault.has_debt() {
            let _ = self.require_initial_health(&vault, flow.asset, Side::Collateral)?;
        }
        self.put(flow.vault, Some(vault));
        self.pay(flow.user, flow.asset, change.amount);
        Ok(())
    }

    fn borrow(&mut self, flow: &FlowOf) -> Outcome<()> {
        let mut vault = self.vault(flow.vault)?;
        let AmountSpec::Exact(amount) = flow.amount else { return refuse(KeelError::BorrowNeedsAmount) };
        require_owner(flow)?;
        vault.require_solvent()?;
        let reserve = self.accrued(flow.asset)?;
        let change = reserve.pool.borrow(Amount(amount), Amount(reserve.config.limits.borrow_cap))?;
        reserve.settle()?;
        let index = reserve.pool.debt_index;
        vault.add(flow.asset, Side::Debt, change.shares.0)?;
        let price = self.require_initial_health(&vault, flow.asset, Side::Debt)??;
        let owed = index.amount_owed(DebtShares(vault.shares(flow.asset, Side::Debt)?))?;
        if price.value_ceil(owed)? < min_position() {
            return refuse(KeelError::PositionTooSmall);
        }
        self.put(flow.vault, Some(vault));
        self.pay(flow.user, flow.asset, change.amount);
        Ok(())
    }

    fn repay(&mut self, flow: &FlowOf) -> Outcome<()> {
        let mut vault = self.vault(flow.vault)?;
        let reserve = self.accrued(flow.asset)?;
        let owed = DebtShares(vault.shares(flow.asset, Side::Debt)?);
        let change = reserve.pool.repay(quantity(flow.amount), owed)?;
        reserve.settle()?;
        vault.remove(flow.asset, change.shares.0)?;
        vault.clear();
        self.put(flow.vault, Some(vault));
        self.take(flow.user, flow.asset, change.amount)
    }

    /// Initial health of at least 1. The price of the asset acted on, whose observations are remembered.
    fn require_initial_health(
        &mut self,
        vault: &Holdings,
        asset: usize,
        side: Side,
    ) -> Outcome<Result<UnitPrice, KeelError>> {
        let price = self.reserves[asset].oracle(self.moment).new_risk(side);
        let mut discarded = None;
        let totals = self.totals(vault, Purpose::NewRisk, |asset, side| {
            let price = self.reserves[asset].oracle(self.moment).new_risk(side);
            match price {
                Err(error) if side == Side::Collateral => {
                    discarded.get_or_insert(error);
                    Ok(UnitPrice::ZERO)
                }
                price => price,
            }
        })?;
        if !totals.is_healthy() {
            return refuse(discarded.unwrap_or(KeelError::Unhealthy));
        }
        if price.is_ok() {
            let oracle = self.reserves[asset].oracle(self.moment);
            self.reserves[asset].feeds = oracle.remembered(Purpose::NewRisk);
        }
        Ok(price)
    }

    fn totals(
        &self,
        vault: &Holdings,
        purpose: Purpose,
        mut price: impl FnMut(usize, Side) -> Result<UnitPrice, KeelError>,
    ) -> Outcome<Totals> {
        let mut totals = Totals::default();
        for (asset, side, shares) in vault.occupied() {
            let price = price(asset, side)?;
            let reserve = &self.reserves[asset];
            let indices = reserve.pool.project(self.moment.now)?;
            match side {
                Side::Collateral => {
                    let amount = indices.supply.amount_of(SupplyShares(shares))?;
                    totals.add_collateral(price.value_floor(amount)?, reserve.factor(purpose)?)?;
                }
                Side::Debt => totals.add_debt(price.value_ceil(indices.debt.amount_owed(DebtShares(shares))?)?)?,
            }
        }
        Ok(totals)
    }

    fn require_past_restart(&self) -> Outcome<()> {
        let restart = self.moment.last_restart_slot;
        let waiting = restart != 0 && self.slot < restart + market_params().restart_grace_slots;
        if waiting { refuse(KeelError::RestartGracePeriod) } else { Ok(()) }
    }

    fn liquidate(
        &mut self,
        keeper: usize,
        id: VaultId,
        debt: usize,
        collateral: usize,
        max_repay: Amount,
        min_seize: u64,
    ) -> Outcome<()> {
        let mut vault = self.vault(id)?;
        self.require_past_restart()?;
        if debt == collateral {
            return refuse(KeelError::NoSuchCollateral);
        }
        vault.require_solvent()?;
        self.accrued(debt)?;
        self.accrued(collateral)?;
        let oracle = |asset: usize| self.reserves[asset].oracle(self.moment);
        let debt_price = oracle(debt).traded(Side::Debt)?;
        let collateral_price = oracle(collateral).traded(Side::Collateral)?;
        let before = self.totals(&vault, Purpose::Liquidation, |asset, side| match asset {
            asset if asset == debt => Ok(debt_price),
            asset if asset == collateral => Ok(collateral_price),
            asset => oracle(asset).maintenance(side),
        })?;
        let owed_shares = DebtShares(vault.shares(debt, Side::Debt)?);
        let held_shares = SupplyShares(vault.shares(collateral, Side::Collateral)?);
        let (debt_pool, collateral_pool) = (self.reserves[debt].pool, self.reserves[collateral].pool);
        let pair = Pair {
            owed: debt_pool.debt_index.amount_owed(owed_shares)?,
            debt_price,
            collateral: collateral_pool.supply_index.amount_of(held_shares)?,
            collateral_price,
            collateral_factor: self.reserves[collateral].factor(Purpose::Liquidation)?,
            liquid: collateral_pool.available,
        };
        let terms = &self.reserves[collateral].config.collateral;
        let bonus = BonusTerms {
            min_bps: terms.min_bonus_bps,
            max_bps: terms.max_bonus_bps,
            max_bonus_health_bps: terms.max_bonus_health_bps,
            protocol_share_bps: terms.protocol_share_bps,
        };
        let target = Fraction::from_bps_floor(market_params().target_health_bps);
        let plan = liquidation::plan(&before, target, min_position(), &bonus, &pair, max_repay)?;

        let feeds = [debt, collateral].map(|asset| oracle(asset).remembered(Purpose::Liquidation));
        let repaid = self.reserves[debt].pool.repay(Quantity::Exact(plan.repay), owed_shares)?;
        let seized = self.reserves[collateral].pool.seize(held_shares, plan.seize, plan.to_keeper, plan.seizes_all)?;
        vault.remove(debt, repaid.shares.0)?;
        vault.remove(collateral, seized.shares.0)?;
        [self.reserves[debt].feeds, self.reserves[collateral].feeds] = feeds;

        let left = |asset: usize| vault.find(asset).map_or(Fraction::ZERO, |(_, shares)| shares);
        let (owed, held) = (left(debt), left(collateral));
        let owed_after = debt_pool.debt_index.amount_owed(DebtShares(owed))?;
        let held_after = collateral_pool.supply_index.amount_of(SupplyShares(held))?;
        let after = pair.totals_after(&before, owed_after, held_after)?;
        let may_fall = plan.close_out || plan.repays_all || plan.seizes_all;
        if !may_fall && !after.is_healthier_than(&before) {
            return refuse(KeelError::HealthNotRaised);
        }
        if after.is_bad_debt(min_position()) && !owed.is_zero() {
            let shared = self.reserves[debt].write_off(owed)?;
            self.count_loss(shared);
            vault.remove(debt, owed)?;
            self.reserves[collateral].pool.forfeit(SupplyShares(held))?;
            vault.remove(collateral, held)?;
            vault.insolvent = true;
            vault.clear();
        }
        if plan.to_keeper.0 < min_seize {
            return refuse(KeelError::SlippageExceeded);
        }
        self.reserves[debt].settle()?;
        self.reserves[collateral].settle()?;
        self.put(id, Some(vault));
        self.take(keeper, debt, plan.repay)?;
        self.pay(keeper, collateral, plan.to_keeper);
        Ok(())
    }

    fn count_loss(&mut self, shared: bool) {
        self.losses += 1;
        self.shared_losses += u64::from(shared);
    }

    fn refresh(&mut self, asset: usize, prices: bool) -> Outcome<()> {
        let moment = self.moment;
        let reserve = self.accrued(asset)?;
        reserve.settle()?;
        if prices {
            let feeds = reserve.oracle(moment).refreshed()?;
            reserve.feeds = feeds;
        }
        Ok(())
    }

    fn challenge(&mut self, asset: usize, feed: usize) -> Outcome<()> {
        let now = self.moment.now;
        let feed = self.reserves[asset].feeds.get_mut(feed).ok_or(KeelError::NoSuchFeed)?;
        if feed.challenged_at == 0 {
            feed.challenged_at = now;
        }
        Ok(())
    }

    fn resolve(&mut self, id: VaultId, asset: usize) -> Outcome<()> {
        let mut vault = self.vault(id)?;
        let Some((side, shares)) = vault.find(asset) else { return refuse(KeelError::NoSuchDebt) };
        self.accrued(asset)?;
        if !vault.insolvent {
            self.require_past_restart()?;
            let totals = self.totals(&vault, Purpose::Liquidation, |asset, side| {
                self.reserves[asset].oracle(self.moment).maintenance(side)
            })?;
            if !totals.is_bad_debt(min_position()) {
                return refuse(KeelError::NoBadDebt);
            }
            vault.insolvent = true;
        }
        match side {
            Side::Debt => {
                let shared = self.reserves[asset].write_off(shares)?;
                self.count_loss(shared);
            }
            Side::Collateral => self.reserves[asset].pool.forfeit(SupplyShares(shares))?,
        }
        vault.remove(asset, shares)?;
        vault.clear();
        self.put(id, Some(vault));
        self.reserves[asset].settle()
    }
}

fn require_owner(flow: &FlowOf) -> Outcome<()> {
    if flow.user == flow.vault.owner { Ok(()) } else { refuse(KeelError::NotVaultOwner) }
}

fn quantity(amount: AmountSpec) -> Quantity {
    match amount {
        AmountSpec::Exact(amount) => Quantity::Exact(Amount(amount)),
        AmountSpec::All => Quantity::All,
    }
}

/// The market's minimum position.
fn min_position() -> Usd {
    let micro = Fraction::from_integer(market_params().min_position_micro_usd);
    Usd(micro.div_small_floor(1_000_000).unwrap())
}
