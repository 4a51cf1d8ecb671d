//! One asset of a market: its layout, its books, and what its collateral carries.

mod config;
mod parameters;
mod prices;

pub use config::{
    CollateralConfig, FeedConfig, GroupConfig, Limits, MAX_FEEDS, MintedConfig, OracleConfig, RateConfig,
    ReserveConfig, VolatilityConfig,
};
pub use prices::LastPrice;

use crate::errors::KeelError;
use anchor_lang::prelude::*;
use keel_risk::change::RESERVE_STEPS;
use keel_risk::config::check_bonus_raises_health;
use keel_risk::haircut::{self, Haircut, ThresholdRamp};
use keel_risk::health::{Totals, collateral_factor};
use keel_risk::interest::{Drift, Rate};
use keel_risk::liquidation::BonusTerms;
use keel_risk::outflow::Outflow;
use keel_risk::pool::{self, Indices, Kind, Pool};
use keel_risk::price::{Purpose, Side, UnitPrice};
use keel_risk::redemption::FeeBase;
use keel_risk::swap::Swap;
use keel_risk::units::{Amount, DebtIndex, DebtShares, SupplyIndex, SupplyShares, Usd};
use keel_risk::volatility::Volatility;
use keel_risk::{Fraction, RiskError};

use super::{MAX_SECTIONS, Position, Words, revise};

/// Most decimals of a mint: with an exponent of -12 a price can still be computed exactly.
pub const MAX_DECIMALS: u8 = 18;

/// What `Reserve::kind` holds.
const POOLED: u8 = 1;
const MINTED: u8 = 2;

/// The haircut as of `moved_at`; see [`Haircut`].
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct HaircutState {
    /// For liquidation.
    pub maintenance: Words,
    /// Where that moves to.
    pub target: Words,
    pub moved_at: i64,
}

/// Sampled volatility; see [`Volatility`].
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct VolatilityState {
    /// The last sample, dollars per native unit with 96 fractional bits.
    pub price: Words,
    /// Variance per second.
    pub variance: Words,
    /// What the variance adds to the haircut.
    pub deviation: Words,
    /// Publish time of the last sample.
    pub sampled_at: i64,
}

/// A liquidation threshold on its way down to the configured one.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RampState {
    pub started_at: i64,
    pub from_bps: u32,
    /// Seconds; 0 when there is no ramp.
    pub duration: u32,
}

/// What left within the hour and the day; see [`Outflow`].
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct OutflowState {
    pub hour: Words,
    pub day: Words,
    pub drained_at: i64,
}

/// What came in at `OutflowState::drained_at` and is credit within that second; see [`Outflow`].
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct OutflowCredit {
    pub hour: Words,
    pub day: Words,
}

/// The interest in force; see [`Rate`].
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RateState {
    pub borrow: Words,
    pub at_target: Words,
    pub drift: Words,
    /// Where the drift ends: the borrow rate and the rate at the target.
    pub borrow_limit: Words,
    pub at_target_limit: Words,
    /// 1 when the rate at the target falls.
    pub falling: u64,
}

/// What concerns a minted reserve alone.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MintedState {
    /// The pooled reserve that the swap holds, or zeros.
    pub swap_reserve: Pubkey,
    /// What it holds of it.
    pub swap_shares: Words,
    /// Raised by redemptions; see [`FeeBase`].
    pub redemption_base: Words,
    pub redemption_at: i64,
}

/// One asset of a market.
#[account(zero_copy)]
#[derive(Debug)]
pub struct Reserve {
    /// [`Reserve::VERSION`].
    pub version: u8,
    /// Bump of this address.
    pub bump: u8,
    /// Decimals of the mint.
    pub decimals: u8,
    /// 1 pooled, 2 minted.
    pub kind: u8,
    pub reserved_header: [u8; 4],
    pub market: Pubkey,
    pub mint: Pubkey,
    /// The program of the mint: SPL Token or Token-2022.
    pub token_program: Pubkey,
    /// The token account that holds what is not lent; its authority is this reserve. Of a minted reserve the mint, which
    /// is where its tokens come from and go to.
    pub liquidity: Pubkey,
    /// Native units in the reserve that are not lent. The books, not the token account, say how many.
    pub available: u64,
    /// Lent until the end of the running transaction.
    pub flash: u64,
    /// Unix seconds up to which interest is accrued.
    pub updated_at: i64,
    /// Debt against this isolated collateral, in millionths of a dollar when it was borrowed.
    pub isolated_debt: u64,
    /// All claims on the reserve, insurance included. This and what follows as in [`Pool`], 60-bit fixed point.
    pub supply_shares: Words,
    pub insurance_shares: Words,
    pub debt_shares: Words,
    pub supply_index: Words,
    pub debt_index: Words,
    pub supply_growth_ratio: Words,
    pub deficit: Words,
    pub rate: RateState,
    pub haircut: HaircutState,
    pub volatility: VolatilityState,
    pub outflow: OutflowState,
    pub threshold_ramp: RampState,
    pub group_threshold_ramp: RampState,
    pub minted: MintedState,
    pub last_prices: [LastPrice; MAX_FEEDS],
    pub config: ReserveConfig,
    // From here on layout 2.
    /// How often each section of the configuration changed, by [`keel_risk::change::section`].
    pub revisions: [u32; MAX_SECTIONS],
    /// Unix seconds of the last step of each parameter that moves in steps, by [`keel_risk::change::step_number`].
    pub stepped_at: [i64; MAX_STEPS],
    /// Of a minted reserve: the tokens that circulated at the last moment before the present one at which it was written.
    pub settled_tokens: u64,
    pub outflow_credit: OutflowCredit,
    /// For what later versions add.
    pub reserved: [u8; 312],
}

/// Places for parameters that move in steps.
pub const MAX_STEPS: usize = 16;
const _: () = assert!(RESERVE_STEPS <= MAX_STEPS);

const _: () = assert!(
    size_of::<Reserve>()
        == 8 + 4 * 32 + 32 + 7 * 16 + 88 + 40 + 56 + 40 + 32 + 72 + 128 + 384 + 32 + 128 + 8 + 32 + 312
);
const _: () = assert!(align_of::<Reserve>() == 8);

type Outcome<T> = core::result::Result<T, KeelError>;

impl From<RateState> for Rate {
    fn from(r: RateState) -> Self {
        Self {
            borrow: r.borrow.into(),
            at_target: r.at_target.into(),
            drift: Drift {
                yearly: r.drift.into(),
                falling: r.falling != 0,
                borrow_limit: r.borrow_limit.into(),
                at_target_limit: r.at_target_limit.into(),
            },
        }
    }
}

impl From<Rate> for RateState {
    fn from(r: Rate) -> Self {
        Self {
            borrow: r.borrow.into(),
            at_target: r.at_target.into(),
            drift: r.drift.yearly.into(),
            borrow_limit: r.drift.borrow_limit.into(),
            at_target_limit: r.drift.at_target_limit.into(),
            falling: u64::from(r.drift.falling),
        }
    }
}

impl Reserve {
    /// Account size, discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();
    /// Layout version that this program writes.
    pub const VERSION: u8 = 2;

    /// Refuses a reserve that [`Self::upgrade`] was not called on.
    pub fn require_version(&self) -> Outcome<()> {
        if self.version == Self::VERSION { Ok(()) } else { Err(KeelError::LayoutOutdated) }
    }

    /// Brings a reserve of layout 1 up to date: no revisions and no steps yet, which is what its reserved bytes say. False
    /// when there is nothing to do.
    pub fn upgrade(&mut self) -> bool {
        let outdated = self.version == 1;
        if outdated {
            self.version = Self::VERSION;
        }
        outdated
    }

    /// Whether its tokens are created when they are lent.
    pub fn is_minted(&self) -> bool {
        self.kind == MINTED
    }

    fn pool_kind(&self) -> Kind {
        if self.is_minted() { Kind::Minted } else { Kind::Pooled }
    }

    /// Sets up an empty reserve at `now`, configured as `config`.
    pub fn start(&mut self, kind: Kind, config: ReserveConfig, now: i64) -> Outcome<()> {
        self.kind = match kind {
            Kind::Pooled => POOLED,
            Kind::Minted => MINTED,
        };
        self.config = config;
        let haircut = Fraction::from_bps_ceil(config.collateral.base_haircut_bps).into();
        self.haircut = HaircutState { maintenance: haircut, target: haircut, moved_at: now };
        self.settle(Pool::new(kind, now, &config.rate_terms())?)
    }

    /// Takes over another configuration. A lower liquidation threshold ramps down over `ramp` seconds, one that stays keeps a
    /// running ramp, a haircut moves as it always does, everything else holds at once. Every section that differs counts a
    /// revision. The caller renews the last prices if the feeds are others.
    pub fn reconfigure(&mut self, config: ReserveConfig, ramp: u32, now: i64) -> Outcome<()> {
        config.validate(self.pool_kind())?;
        // Vaults rely on the weights of their group, which may only ramp down: an asset does not leave its group, nor give
        // its weights there up.
        let (old, new) = (&self.config.group, &config.group);
        let leaves = old.id != 0 && old.id != new.id;
        let unweighted = old.liquidation_threshold_bps != 0 && new.liquidation_threshold_bps == 0;
        if leaves || unweighted {
            return Err(KeelError::ConfigGroup);
        }
        let pool = self.accrued_pool(now)?;
        let haircuts = self.haircut().at(now, &self.config.haircut_terms())?;
        let ramps = [
            (self.ramp(false), config.collateral.liquidation_threshold_bps),
            (self.ramp(true), config.group.liquidation_threshold_bps),
        ];
        let mut started = [self.threshold_ramp, self.group_threshold_ramp];
        for (state, (running, to_bps)) in started.iter_mut().zip(&ramps).filter(|(_, (ramp, to))| ramp.to_bps != *to) {
            let next = running.toward(*to_bps, now, ramp)?;
            *state = RampState { started_at: next.started_at, from_bps: next.from_bps, duration: next.duration };
        }
        // What left so far drained at the limits that held so far.
        let outflow = self.outflow(now)?;
        self.store_outflow(&outflow);
        self.retarget(now)?;
        let feeds = self.config.oracle.feeds.iter().zip(&config.oracle.feeds);
        for (i, _) in feeds.enumerate().filter(|(_, (old, new))| old.feed_id != new.feed_id) {
            // What another feed said is no price to fall back on, and the way from there no return.
            if let Some(last) = self.last_prices.get_mut(i) {
                *last = LastPrice::default();
            }
            if i == 0 {
                self.volatility.sampled_at = 0;
            }
        }
        revise(&mut self.revisions, self.config.sections_to(&config));
        self.config = config;
        [self.threshold_ramp, self.group_threshold_ramp] = started;
        // Otherwise a term that is switched off would stay as the last sample left it: there are no more.
        self.volatility.deviation = self.volatility().deviation(&self.config.volatility_terms())?.into();
        // While thresholds and haircuts are on their way, collateral carries more than the new configuration says: the
        // bonus may not lower health then either.
        let lowest = haircuts.maintenance.min(Fraction::from_bps_floor(config.collateral.base_haircut_bps));
        let factor = collateral_factor(lowest, self.liquidation_threshold(now, false)?)?;
        if !factor.is_zero() {
            check_bonus_raises_health(&self.config.bonus_terms(), factor.checked_add(Fraction::EPSILON)?)?;
        }
        let factor = self.liquidation_threshold(now, true)?;
        check_bonus_raises_health(&self.config.group_bonus_terms(), factor)?;
        if ramps.iter().any(|(running, to_bps)| running.to_bps != *to_bps) {
            self.check_group_on_the_way(now)?;
        }
        self.settle(pool)
    }

    /// The weights of the group are no lower than the ordinary ones while either is on its way, as the configuration says of
    /// where they go: between the ends of their ramps both thresholds are straight lines.
    fn check_group_on_the_way(&self, now: i64) -> Outcome<()> {
        let (ordinary, grouped) = (self.ramp(false), self.ramp(true));
        let ends = [&ordinary, &grouped].map(|ramp| ramp.started_at.saturating_add(ramp.duration.into()));
        let moments = ends.into_iter().filter(|end| *end > now).chain([now]);
        let falls_below = |at: i64| grouped.at(at) < ordinary.at(at);
        if self.has_weights_in(self.config.group.id) && moments.into_iter().any(falls_below) {
            return Err(KeelError::ConfigGroup);
        }
        Ok(())
    }

    fn ramp(&self, grouped: bool) -> ThresholdRamp {
        let (ramp, to_bps) = if grouped {
            (&self.group_threshold_ramp, self.config.group.liquidation_threshold_bps)
        } else {
            (&self.threshold_ramp, self.config.collateral.liquidation_threshold_bps)
        };
        ThresholdRamp { from_bps: ramp.from_bps, to_bps, started_at: ramp.started_at, duration: ramp.duration }
    }

    /// The books.
    pub fn pool(&self) -> Pool {
        Pool {
            kind: self.pool_kind(),
            available: Amount(self.available),
            flash: Amount(self.flash),
            deficit: self.deficit.into(),
            supply_shares: SupplyShares(self.supply_shares.into()),
            insurance_shares: SupplyShares(self.insurance_shares.into()),
            debt_shares: DebtShares(self.debt_shares.into()),
            supply_index: SupplyIndex(self.supply_index.into()),
            debt_index: DebtIndex(self.debt_index.into()),
            rate: self.rate.into(),
            supply_growth_ratio: self.supply_growth_ratio.into(),
            updated_at: self.updated_at,
        }
    }

    /// The indices as of the last accrual.
    pub fn indices(&self) -> Indices {
        Indices { supply: SupplyIndex(self.supply_index.into()), debt: DebtIndex(self.debt_index.into()) }
    }

    /// What a position holds or owes at `now`, native units: no asset of a vault is ever valued at an un-accrued index.
    /// As [`Pool::project`] has it, without copying the books.
    pub fn amount(&self, position: &Position, side: Side, now: i64) -> Outcome<Amount> {
        let elapsed = u64::try_from(now.saturating_sub(self.updated_at)).unwrap_or_default();
        let elapsed = if self.debt_shares.get() == 0 { 0 } else { elapsed };
        let (Indices { supply, debt }, rate) = (self.indices(), &self.rate.into());
        Ok(match side {
            Side::Collateral => {
                let ratio = self.supply_growth_ratio.into();
                pool::project_supply(supply, debt, rate, ratio, elapsed)?.amount_of(position.supply_shares())?
            }
            Side::Debt => pool::project_debt(debt, rate, elapsed)?.amount_owed(position.debt_shares())?,
        })
    }

    /// The books, accrued to `now`: what every action that changes them starts from.
    pub fn accrued_pool(&self, now: i64) -> Outcome<Pool> {
        let mut pool = self.pool();
        pool.accrue(now)?;
        Ok(pool)
    }

    /// Writes the books back, at the rate that follows from them, after checking that they hold. The haircut moves to
    /// the present and heads for what the deposits now ask for.
    pub fn settle(&mut self, mut pool: Pool) -> Outcome<()> {
        pool.reprice(&self.config.rate_terms())?;
        pool.check()?;
        self.store(&pool);
        self.retarget(pool.updated_at)
    }

    /// What the books say of the reserve's tokens: the least that the liquidity account holds, or the most that exists of a
    /// minted token.
    pub fn tokens(&self) -> Outcome<u64> {
        if self.is_minted() { Ok(self.pool().circulating()?.0) } else { Ok(self.available) }
    }

    /// Copies the books as they are.
    pub fn store(&mut self, pool: &Pool) {
        if self.is_minted() && pool.updated_at > self.updated_at {
            self.settled_tokens = self.pool().outstanding().map_or(0, |tokens| tokens.0);
        }
        self.available = pool.available.0;
        self.flash = pool.flash.0;
        self.deficit = pool.deficit.into();
        self.updated_at = pool.updated_at;
        self.supply_shares = pool.supply_shares.0.into();
        self.insurance_shares = pool.insurance_shares.0.into();
        self.debt_shares = pool.debt_shares.0.into();
        self.supply_index = pool.supply_index.0.into();
        self.debt_index = pool.debt_index.0.into();
        self.rate = pool.rate.into();
        self.supply_growth_ratio = pool.supply_growth_ratio.into();
    }

    /// The haircut as of its last move.
    pub fn haircut(&self) -> Haircut {
        let h = &self.haircut;
        Haircut { maintenance: h.maintenance.into(), target: h.target.into(), moved_at: h.moved_at }
    }

    /// Moves the maintenance haircut to `now` and sets its target by volatility and by what is deposited.
    fn retarget(&mut self, now: i64) -> Outcome<()> {
        let terms = self.config.haircut_terms();
        // With its interest a supply may be more than fits a token account: then it is as concentrated as can be.
        let supplied = SupplyIndex(self.supply_index.into()).claim_of(SupplyShares(self.supply_shares.into()))?;
        let supplied = supplied.floor_to_u64().map_or(Amount::MAX, Amount);
        let target = haircut::target(self.volatility.deviation.into(), supplied, &terms)?;
        let mut haircut = self.haircut();
        haircut.advance(now, target, &terms)?;
        self.haircut = HaircutState {
            maintenance: haircut.maintenance.into(),
            target: haircut.target.into(),
            moved_at: haircut.moved_at,
        };
        Ok(())
    }

    /// The volatility as of its last sample.
    fn volatility(&self) -> Volatility {
        let v = &self.volatility;
        Volatility { price: UnitPrice::from_bits(v.price.get()), sampled_at: v.sampled_at, variance: v.variance.into() }
    }

    /// Samples a price, if the last sample is old enough, and lets the haircut follow.
    fn sample(&mut self, price: UnitPrice, published_at: i64, now: i64) -> Outcome<()> {
        let mut volatility = self.volatility();
        let terms = self.config.volatility_terms();
        if !volatility.sample(price, published_at, &terms)? {
            return Ok(());
        }
        self.volatility = VolatilityState {
            price: volatility.price.to_bits().into(),
            variance: volatility.variance.into(),
            deviation: volatility.deviation(&terms)?.into(),
            sampled_at: volatility.sampled_at,
        };
        self.retarget(now.max(self.haircut.moved_at))
    }

    /// The liquidation threshold at `now`, ramp included, of the ordinary or the group's weights.
    pub fn liquidation_threshold(&self, now: i64, grouped: bool) -> Outcome<Fraction> {
        Ok(self.ramp(grouped).at(now))
    }

    /// What a dollar of this collateral carries for `purpose` at `now`, with the ordinary weights or the group's.
    pub fn collateral_factor(&self, purpose: Purpose, now: i64, grouped: bool) -> Outcome<Fraction> {
        match (purpose, grouped) {
            (Purpose::NewRisk, true) => Ok(Fraction::from_bps_floor(self.config.group.max_ltv_bps)),
            (Purpose::Liquidation, true) => self.liquidation_threshold(now, true),
            (purpose, false) => {
                let haircuts = self.haircut().at(now, &self.config.haircut_terms())?;
                let (haircut, loan_to_value) = match purpose {
                    Purpose::NewRisk => {
                        (haircuts.initial, Fraction::from_bps_floor(self.config.collateral.max_ltv_bps))
                    }
                    Purpose::Liquidation => (haircuts.maintenance, self.liquidation_threshold(now, false)?),
                };
                Ok(collateral_factor(haircut, loan_to_value)?)
            }
        }
    }

    /// The liquidation bonus of the ordinary or the group's weights.
    pub fn bonus_terms(&self, grouped: bool) -> BonusTerms {
        if grouped { self.config.group_bonus_terms() } else { self.config.bonus_terms() }
    }

    /// Whether the asset has weights as collateral in efficiency group `group`; 0 stands for no group. Some assets are
    /// only debt in theirs.
    pub fn has_weights_in(&self, group: u32) -> bool {
        group != 0 && self.config.group.id == group && self.config.group.liquidation_threshold_bps != 0
    }

    /// Adds `amount` of a position on `side` to a vault's sums, at `price`. `group` is the efficiency group whose weights
    /// count, or 0.
    #[allow(clippy::too_many_arguments)]
    pub fn count(
        &self,
        totals: &mut Totals,
        group: u32,
        side: Side,
        amount: Amount,
        price: UnitPrice,
        purpose: Purpose,
        now: i64,
    ) -> Outcome<()> {
        match side {
            Side::Collateral => {
                let factor = self.collateral_factor(purpose, now, self.has_weights_in(group))?;
                totals.add_collateral(price.value_floor(amount)?, factor)?;
            }
            Side::Debt => totals.add_debt(price.value_ceil(amount)?)?,
        }
        Ok(())
    }

    /// What left within the hour and the day, drained to `now`.
    fn outflow(&self, now: i64) -> Outcome<Outflow> {
        let (levels, credit) = (&self.outflow, &self.outflow_credit);
        let mut outflow = Outflow {
            hour: levels.hour.into(),
            day: levels.day.into(),
            hour_credit: credit.hour.into(),
            day_credit: credit.day.into(),
            drained_at: levels.drained_at,
        };
        outflow.drain(now, &self.config.outflow_limits())?;
        Ok(outflow)
    }

    fn store_outflow(&mut self, outflow: &Outflow) {
        self.outflow =
            OutflowState { hour: outflow.hour.into(), day: outflow.day.into(), drained_at: outflow.drained_at };
        self.outflow_credit = OutflowCredit { hour: outflow.hour_credit.into(), day: outflow.day_credit.into() };
    }

    /// Counts what a withdrawal or a loan takes out, within the limits.
    pub fn let_out(&mut self, amount: Amount, now: i64) -> Outcome<()> {
        let mut outflow = self.outflow(now)?;
        outflow.leave(amount, &self.config.outflow_limits())?;
        self.store_outflow(&outflow);
        Ok(())
    }

    /// Counts what a liquidation takes out, which no limit stops.
    pub fn let_out_unrefused(&mut self, amount: Amount, now: i64) -> Outcome<()> {
        let mut outflow = self.outflow(now)?;
        outflow.leave_unrefused(amount, &self.config.outflow_limits())?;
        self.store_outflow(&outflow);
        Ok(())
    }

    /// Counts what came in.
    pub fn let_in(&mut self, amount: Amount, now: i64) -> Outcome<()> {
        let mut outflow = self.outflow(now)?;
        outflow.come_in(amount, &self.config.outflow_limits())?;
        self.store_outflow(&outflow);
        Ok(())
    }

    /// Whether this collateral backs its own debt ceiling only.
    pub fn is_isolated_collateral(&self) -> bool {
        self.config.limits.isolated_debt_ceiling != 0
    }

    /// Whether a vault that owes this may owe nothing else.
    pub fn is_isolated_debt(&self) -> bool {
        self.config.isolated_debt != 0
    }

    /// Counts a new debt of `value` against this isolated collateral, rounded up to millionths of a dollar, and returns
    /// what was counted.
    pub fn back_isolated_debt(&mut self, value: Usd) -> Outcome<u64> {
        let counted = value.0.mul_integer(1_000_000)?.ceil_to_u64()?;
        let total = self.isolated_debt.checked_add(counted).ok_or(KeelError::Overflow)?;
        if total > self.config.limits.isolated_debt_ceiling {
            return Err(KeelError::IsolatedDebtCeilingExceeded);
        }
        self.isolated_debt = total;
        Ok(counted)
    }

    /// Takes back what [`Self::back_isolated_debt`] counted.
    pub fn release_isolated_debt(&mut self, counted: u64) {
        self.isolated_debt = self.isolated_debt.saturating_sub(counted);
    }

    /// Both sides of the swap of this minted reserve with `pooled`, by their books, accrued.
    pub fn swap_with(&self, minted: Pool, pooled: &Self, pooled_books: Pool) -> Swap {
        Swap {
            minted,
            pooled: pooled_books,
            held: SupplyShares(self.minted.swap_shares.into()),
            token_decimals: self.decimals,
            asset_decimals: pooled.decimals,
        }
    }

    /// The tokens that a redemption is a part of: those that circulate, as far as they already did before the present moment.
    /// A loan that is taken and repaid around a redemption does not thin it out.
    pub fn redeemable_tokens(&self, pool: &Pool) -> Outcome<Amount> {
        Ok(pool.outstanding()?.min(Amount(self.settled_tokens)))
    }

    /// What redemptions raised the fee by.
    pub fn redemption_base(&self) -> FeeBase {
        FeeBase { base: self.minted.redemption_base.into(), at: self.minted.redemption_at }
    }

    /// The invariant of the books. Every handler ends with [`Self::settle`], which checks it; tests check it too.
    pub fn invariant(&self) -> core::result::Result<(), RiskError> {
        self.pool().check()
    }
}
