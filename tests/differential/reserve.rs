//! One reserve: its books, its haircut, its windows, and what it remembers of its feeds.

use crate::model::{Outcome, refuse};
use crate::oracle::{Feed, Oracle};
use crate::terms;
use keel::KeelError;
use keel::oracle::Reading;
use keel::state::{Kind, RampState, Reserve, ReserveConfig};
use keel_risk::Fraction;
use keel_risk::haircut::{self, Haircut, ThresholdRamp};
use keel_risk::health::collateral_factor;
use keel_risk::interest::{Drift, Rate};
use keel_risk::outflow::Outflow;
use keel_risk::pool::{Loss, Pool};
use keel_risk::price::{Moment, Observation, Purpose, UnitPrice};
use keel_risk::redemption::FeeBase;
use keel_risk::units::{Amount, DebtIndex, DebtShares, SupplyIndex, SupplyShares, Usd};
use keel_risk::volatility::Volatility;

/// Everything that a reserve's account holds beside its feeds and what never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    pub pool: Pool,
    pub haircut: Haircut,
    pub volatility: Volatility,
    pub deviation: Fraction,
    pub outflow: Outflow,
    /// The ordinary threshold and the group's.
    pub thresholds: [ThresholdRamp; 2],
    pub isolated_debt: u64,
    pub swap_shares: SupplyShares,
    pub redemptions: FeeBase,
    /// Of a minted reserve: tokens as of its last write before the present moment.
    pub settled_tokens: u64,
    pub config: ReserveConfig,
    /// How often each section of it changed.
    pub revisions: [u32; 8],
    /// When each parameter that steps last did.
    pub stepped_at: [i64; 16],
}

impl State {
    /// As in an account, field by field.
    pub fn of(reserve: &Reserve) -> Self {
        let fraction = |words: keel::state::Words| Fraction::from_bits(words.get());
        let rate = &reserve.rate;
        let drift = Drift {
            yearly: fraction(rate.drift),
            falling: rate.falling != 0,
            borrow_limit: fraction(rate.borrow_limit),
            at_target_limit: fraction(rate.at_target_limit),
        };
        let ramp = |state: &RampState, to_bps: u32| ThresholdRamp {
            from_bps: state.from_bps,
            to_bps,
            started_at: state.started_at,
            duration: state.duration,
        };
        let (haircut, volatility, outflow) = (&reserve.haircut, &reserve.volatility, &reserve.outflow);
        Self {
            pool: Pool {
                kind: if reserve.kind == 2 { Kind::Minted } else { Kind::Pooled },
                available: Amount(reserve.available),
                flash: Amount(reserve.flash),
                deficit: fraction(reserve.deficit),
                supply_shares: SupplyShares(fraction(reserve.supply_shares)),
                insurance_shares: SupplyShares(fraction(reserve.insurance_shares)),
                debt_shares: DebtShares(fraction(reserve.debt_shares)),
                supply_index: SupplyIndex(fraction(reserve.supply_index)),
                debt_index: DebtIndex(fraction(reserve.debt_index)),
                rate: Rate { borrow: fraction(rate.borrow), at_target: fraction(rate.at_target), drift },
                supply_growth_ratio: fraction(reserve.supply_growth_ratio),
                updated_at: reserve.updated_at,
            },
            haircut: Haircut {
                maintenance: fraction(haircut.maintenance),
                target: fraction(haircut.target),
                moved_at: haircut.moved_at,
            },
            volatility: Volatility {
                price: UnitPrice::from_bits(volatility.price.get()),
                sampled_at: volatility.sampled_at,
                variance: fraction(volatility.variance),
            },
            deviation: fraction(volatility.deviation),
            outflow: Outflow {
                hour: fraction(outflow.hour),
                day: fraction(outflow.day),
                hour_credit: fraction(reserve.outflow_credit.hour),
                day_credit: fraction(reserve.outflow_credit.day),
                drained_at: outflow.drained_at,
            },
            thresholds: [
                ramp(&reserve.threshold_ramp, reserve.config.collateral.liquidation_threshold_bps),
                ramp(&reserve.group_threshold_ramp, reserve.config.group.liquidation_threshold_bps),
            ],
            isolated_debt: reserve.isolated_debt,
            swap_shares: SupplyShares(fraction(reserve.minted.swap_shares)),
            redemptions: FeeBase { base: fraction(reserve.minted.redemption_base), at: reserve.minted.redemption_at },
            settled_tokens: reserve.settled_tokens,
            config: reserve.config,
            revisions: reserve.revisions,
            stepped_at: reserve.stepped_at,
        }
    }
}

/// One reserve.
#[derive(Clone)]
pub struct ModelReserve {
    pub state: State,
    /// What each feed last told.
    pub feeds: Vec<Feed>,
    /// Tokens in the liquidity account; of a minted reserve, tokens that exist.
    pub tokens: u64,
    pub decimals: u8,
    pub readings: Vec<Reading>,
}

impl ModelReserve {
    pub fn oracle(&self, moment: Moment) -> Oracle<'_> {
        let Self { state, decimals, feeds, readings, .. } = self;
        Oracle { config: &state.config, decimals: *decimals, minted: self.is_minted(), feeds, readings, moment }
    }

    /// What a dollar of this collateral carries.
    pub fn factor(&self, purpose: Purpose, grouped: bool, now: i64) -> Outcome<Fraction> {
        let config = &self.state.config;
        let threshold = self.state.thresholds[usize::from(grouped)].at(now);
        let haircuts = self.state.haircut.at(now, &terms::haircut(config))?;
        Ok(match (purpose, grouped) {
            (Purpose::NewRisk, true) => Fraction::from_bps_floor(config.group.max_ltv_bps),
            (Purpose::Liquidation, true) => threshold,
            (Purpose::NewRisk, false) => {
                collateral_factor(haircuts.initial, Fraction::from_bps_floor(config.collateral.max_ltv_bps))?
            }
            (Purpose::Liquidation, false) => collateral_factor(haircuts.maintenance, threshold)?,
        })
    }

    /// Interest up to `now`.
    pub fn accrue(&mut self, now: i64) -> Outcome<()> {
        if self.is_minted() && self.state.pool.updated_at < now {
            self.state.settled_tokens = self.state.pool.outstanding()?.0;
        }
        Ok(self.state.pool.accrue(now)?)
    }

    /// What an action on the books ends with.
    pub fn settle(&mut self) -> Outcome<()> {
        self.state.pool.reprice(&terms::rates(&self.state.config))?;
        self.state.pool.check()?;
        self.retarget(self.state.pool.updated_at)
    }

    /// Moves the haircut to `now` and gives it the target that volatility and deposits ask for.
    pub fn retarget(&mut self, now: i64) -> Outcome<()> {
        let State { pool, deviation, config, .. } = &self.state;
        let terms = terms::haircut(config);
        let supplied = pool.supply_index.amount_of(pool.supply_shares)?;
        let target = haircut::target(*deviation, supplied, &terms)?;
        Ok(self.state.haircut.advance(now, target, &terms)?)
    }

    /// Takes over what the feeds said, and samples the first one, if it is among them.
    pub fn remember(&mut self, seen: &[(usize, Observation)], now: i64) -> Outcome<()> {
        for (feed, observation) in seen {
            self.feeds[*feed].accept(*observation);
            if *feed > 0 {
                continue;
            }
            let Ok(spot) = observation.spot(self.decimals) else { continue };
            let terms = terms::volatility(&self.state.config);
            if self.state.volatility.sample(spot, observation.publish_time, &terms)? {
                self.state.deviation = self.state.volatility.deviation(&terms)?;
                self.retarget(now)?;
            }
        }
        Ok(())
    }

    /// Counts what a withdrawal or a loan takes out.
    pub fn let_out(&mut self, amount: Amount, now: i64) -> Outcome<()> {
        let limits = terms::outflow(&self.state.config);
        self.state.outflow.drain(now, &limits)?;
        Ok(self.state.outflow.leave(amount, &limits)?)
    }

    /// Counts what a liquidation takes out.
    pub fn let_out_unrefused(&mut self, amount: Amount, now: i64) -> Outcome<()> {
        let limits = terms::outflow(&self.state.config);
        self.state.outflow.drain(now, &limits)?;
        Ok(self.state.outflow.leave_unrefused(amount, &limits)?)
    }

    /// Counts what comes in.
    pub fn let_in(&mut self, amount: Amount, now: i64) -> Outcome<()> {
        let limits = terms::outflow(&self.state.config);
        self.state.outflow.drain(now, &limits)?;
        self.state.outflow.come_in(amount, &limits)?;
        Ok(())
    }

    /// Whether it has weights as collateral in a group; some assets are only debt in theirs.
    pub fn has_weights_in(&self, group: u32) -> bool {
        let own = &self.state.config.group;
        group != 0 && own.id == group && own.liquidation_threshold_bps > 0
    }

    pub fn is_minted(&self) -> bool {
        self.state.pool.kind == Kind::Minted
    }

    pub fn is_isolated_collateral(&self) -> bool {
        self.state.config.limits.isolated_debt_ceiling > 0
    }

    pub fn is_isolated_debt(&self) -> bool {
        self.state.config.isolated_debt == 1
    }

    /// Counts a loan worth `value` against the ceiling; what was counted, in millionths of a dollar.
    pub fn back(&mut self, value: Usd) -> Outcome<u64> {
        let counted = value.0.mul_integer(1_000_000)?.ceil_to_u64()?;
        let total = self.state.isolated_debt.checked_add(counted).ok_or(KeelError::Overflow)?;
        if total > self.state.config.limits.isolated_debt_ceiling {
            return refuse(KeelError::IsolatedDebtCeilingExceeded);
        }
        self.state.isolated_debt = total;
        Ok(counted)
    }

    pub fn write_off(&mut self, shares: Fraction) -> Outcome<Loss> {
        Ok(self.state.pool.write_off(DebtShares(shares))?)
    }
}
