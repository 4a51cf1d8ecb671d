//! How much of an unhealthy vault may be repaid and seized, and who gets the bonus.
//!
//! | symbol | meaning |
//! |---|---|
//! | `C`, `L`, `D` | collateral value, liquidation limit and debt of the vault, in dollars, at maintenance |
//! | `HF` | health factor, `L / D` |
//! | `THF` | target health factor, which a liquidation restores (market) |
//! | `HF_max_bonus` | the health factor at and below which the bonus is largest (seized reserve) |
//! | `b`, `b_min`, `b_max` | liquidation bonus and its range (seized reserve) |
//! | `cf` | collateral factor of the seized asset, `(1 - haircut) * liquidation_threshold` |
//!
//! Repaying `R` removes `R` of debt and `(1 + b) * R` of collateral, that is `(1 + b) * cf * R` of limit. From
//! `L - (1 + b) * cf * R = THF * (D - R)` follows
//!
//! ```text
//! R = (THF * D - L) / (THF - (1 + b) * cf)
//! ```
//!
//! A repayment raises health exactly when `(1 + b) * cf < HF`, as `(L - a R) / (D - R) > L / D` when `a < L / D`. Because
//! [`crate::config`] demands `(1 + b_max) * cf <= HF_max_bonus < 1 <= THF`, every liquidation above `HF_max_bonus` raises
//! health, and the denominator is positive.
//!
//! At and below `HF_max_bonus` (the close-out zone) the whole position may be closed, at
//! `b = clamp(C / D - 1, b_min, b_max)`: the bonus eats the owner's margin, not the suppliers'. Above the zone `b` is at most
//! that as well. With one collateral this changes nothing, as `C / D = HF / cf >= HF_max_bonus / cf >= 1 + b_max` there. Of
//! several, where the others carry more than the seized one, health can be above the zone with little margin or none: the
//! bonus would jump up there, and lifting a vault out of the zone by a sliver would pay. A keeper without the
//! capital for the whole may still take a part; with a bonus of `C / D - 1`, which leaves `C / D` as it was, splitting
//! neither pays more nor costs suppliers more.
//!
//! # Small positions
//!
//! A debt worth less than the minimum position is repaid whole or not at all, and a part of a larger one leaves at least
//! the minimum behind, whether it is a part by the keeper's choice or because no more collateral can be paid out. Only
//! what exhausts the collateral position may repay part of a small debt or leave one. And only the repayment of such a
//! small debt, whole, pays the flat minimum bounty. So a larger debt cannot be cut down to collect the flat amount, unless
//! what secures it is used up, and a small one cannot be cut up to collect it twice. What the flat amount exceeds the bonus
//! by comes out of the owner's margin: at most `C - D` after the repayment, so that it is never the suppliers' money, and
//! above the close-out zone at most what leaves health as it was.
//!
//! Anyone may repay a sliver of any debt, and make a small one of one just above the minimum position. So the flat amount is
//! at most the bounty on a debt of the minimum position at the same bonus: what was to be earned before the sliver.

use crate::error::{Result, RiskError};
use crate::fraction::Fraction;
use crate::health::Totals;
use crate::price::UnitPrice;
use crate::units::{Amount, Usd};

/// The bonus parameters of the seized reserve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BonusTerms {
    /// Bonus just under a health factor of 1, in basis points of the repaid value.
    pub min_bps: u32,
    /// Bonus at `HF_max_bonus` and below.
    pub max_bps: u32,
    /// `HF_max_bonus`, in basis points.
    pub max_bonus_health_bps: u32,
    /// The part of the bonus that goes to the seized reserve's insurance; the rest is the keeper bounty.
    pub protocol_share_bps: u32,
}

impl BonusTerms {
    /// What is the keeper's of a bonus, rounded down.
    fn keepers_part(&self, bonus: Fraction) -> Result<Fraction> {
        bonus.checked_sub(bonus.mul_bps_ceil(self.protocol_share_bps)?)
    }
}

/// What a market demands of liquidations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// `THF`.
    pub target_health: Fraction,
    /// Value under which a position is small.
    pub min_position: Usd,
    /// What the repayment of a small debt pays at least, up to the bounty on a debt of `min_position`, if the owner's margin
    /// allows it.
    pub min_bounty: Usd,
}

/// The debt to repay and the collateral to seize.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What the debt position owes, rounded up.
    pub owed: Amount,
    /// Maintenance price of the debt.
    pub debt_price: UnitPrice,
    /// What the collateral position holds, rounded down.
    pub collateral: Amount,
    /// Maintenance price of the collateral.
    pub collateral_price: UnitPrice,
    /// `cf` of the collateral.
    pub collateral_factor: Fraction,
    /// What the collateral's reserve can pay out; [`Amount::MAX`] when the keeper takes shares instead.
    pub liquid: Amount,
}

impl Pair {
    /// The vault's sums when this pair is down to `owed` and `collateral`.
    pub fn totals_after(&self, before: &Totals, owed: Amount, collateral: Amount) -> Result<Totals> {
        let mut totals = *before;
        totals.remove_debt(self.debt_price.value_ceil(self.owed)?)?;
        totals.add_debt(self.debt_price.value_ceil(owed)?)?;
        totals.remove_collateral(self.collateral_price.value_floor(self.collateral)?, self.collateral_factor)?;
        totals.add_collateral(self.collateral_price.value_floor(collateral)?, self.collateral_factor)?;
        Ok(totals)
    }
}

/// What a liquidation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Paid by the keeper into the debt's reserve.
    pub repay: Amount,
    /// Leaves the vault: the keeper's part and the protocol's.
    pub seize: Amount,
    /// Paid to the keeper; the rest of `seize` becomes insurance.
    pub to_keeper: Amount,
    /// Whether the debt position is repaid whole.
    pub repays_all: bool,
    /// Whether the collateral position is seized whole.
    pub seizes_all: bool,
    /// The bonus on the repaid value.
    pub bonus: Fraction,
    /// Whether the vault was in the close-out zone, where health need not rise.
    pub close_out: bool,
}

/// The largest liquidation of `pair` within `max_repay`.
///
/// - Repays up to the target health factor, or the whole position in the close-out zone, or where less than the minimum
///   position would remain.
/// - Where the caller's maximum would leave less than the minimum position, repays less, so that it remains.
/// - Seizes the repaid value with the bonus, rounded down, up to the whole position; then the repayment is what that
///   requires, rounded up. A remainder of collateral under the minimum is taken with the rest if the caller's maximum
///   and the debt allow it.
/// - Pays the keeper no more than the collateral's reserve can; the repayment shrinks with it, as with the caller's
///   maximum.
/// - Raises the bounty of a small debt that is repaid whole to the flat minimum, or to the bounty on a debt of the minimum
///   position if that is less, within the owner's margin.
///
/// # Errors
/// `Healthy`; `PartOfSmallPosition` when the caller's maximum, or what the reserve can pay, is enough only for a part of a
/// small debt, or leaves one and cannot be reduced; `NothingToSeize` when the repayment, or what it seizes, is less than
/// one native unit.
pub fn plan(vault: &Totals, rules: &Rules, terms: &BonusTerms, pair: &Pair, max_repay: Amount) -> Result<Plan> {
    if vault.is_healthy() {
        return Err(RiskError::Healthy);
    }
    let max_bonus_health = Fraction::from_bps_floor(terms.max_bonus_health_bps);
    let health = vault.limit.0.div_floor(vault.debt.0)?;
    let close_out = health <= max_bonus_health;
    let margin = margin_bonus(vault, terms)?;
    let bonus = if close_out { margin } else { bonus_at(health, max_bonus_health, terms)?.min(margin) };
    let rate = Rate::new(bonus, terms)?;
    let limit = if close_out { pair.owed } else { to_target(vault, rules.target_health, &rate, pair)? };
    let limit = if pair.is_small(pair.owed.checked_sub(limit)?, rules)? { pair.owed } else { limit };
    let ceiling = max_repay.min(pair.owed);
    let mut repay = pair.leave_no_dust(ceiling.min(limit), rules.min_position)?;

    let mut seize = pair.worth(repay, &rate)?;
    if seize == pair.collateral {
        repay = repay.min(pair.required(seize, &rate)?);
    } else if pair.collateral_price.value_ceil(pair.collateral.checked_sub(seize)?)? < rules.min_position {
        let whole = pair.required(pair.collateral, &rate)?;
        if whole <= ceiling && !pair.is_small(pair.owed.checked_sub(whole.max(repay))?, rules)? {
            seize = pair.collateral;
            repay = repay.max(whole);
        }
    }

    let mut to_keeper = rate.keeper_amount(seize)?;
    if to_keeper > pair.liquid {
        // Not all can be paid out. The keeper's part is at least half of a seizure, as no bonus exceeds 100 %.
        seize = Amount(Fraction::from_integer(pair.liquid.0).div_floor(rate.keeper_part)?.floor_to_u64()?).min(seize);
        if seize.is_zero() {
            return Err(RiskError::NothingToSeize);
        }
        // Anyone can make a reserve illiquid for a moment, so that this is a choice of the keeper's like `max_repay`.
        let affordable = repay.min(pair.required(seize, &rate)?);
        repay = pair.leave_no_dust(affordable, rules.min_position)?;
        if repay < affordable {
            seize = pair.worth(repay, &rate)?.min(seize);
        }
        to_keeper = rate.keeper_amount(seize)?.min(pair.liquid);
    }
    if repay.is_zero() || seize.is_zero() {
        return Err(RiskError::NothingToSeize);
    }
    let repays_all = repay == pair.owed;
    let mut plan = Plan { repay, seize, to_keeper, repays_all, seizes_all: false, bonus, close_out };
    if repays_all && pair.is_small(pair.owed, rules)? {
        let extra = flat_extra(vault, rules, terms, pair, &plan)?;
        plan.seize = plan.seize.checked_add(extra)?;
        plan.to_keeper = plan.to_keeper.checked_add(extra)?;
    }
    plan.seizes_all = plan.seize == pair.collateral;
    Ok(plan)
}

/// What a dollar repaid takes, and how it is shared.
struct Rate {
    /// `1 + b`.
    with_bonus: Fraction,
    /// The keeper's part of a seizure: `(1 + bounty) / (1 + b)`.
    keeper_part: Fraction,
}

impl Rate {
    fn new(bonus: Fraction, terms: &BonusTerms) -> Result<Self> {
        let with_bonus = Fraction::ONE.checked_add(bonus)?;
        let bounty = terms.keepers_part(bonus)?;
        let keeper_part = Fraction::ONE.checked_add(bounty)?.div_floor(with_bonus)?.min(Fraction::ONE);
        Ok(Self { with_bonus, keeper_part })
    }

    fn keeper_amount(&self, seize: Amount) -> Result<Amount> {
        Fraction::from_integer(seize.0).mul_floor(self.keeper_part)?.floor_to_u64().map(Amount)
    }
}

impl Pair {
    /// Whether `debt` is there and worth less than the minimum position.
    fn is_small(&self, debt: Amount, rules: &Rules) -> Result<bool> {
        Ok(!debt.is_zero() && self.debt_price.value_ceil(debt)? < rules.min_position)
    }

    /// `repay`, or what leaves `min_position` if less would remain.
    pub(crate) fn leave_no_dust(&self, repay: Amount, min_position: Usd) -> Result<Amount> {
        let left = self.owed.checked_sub(repay)?;
        if left.is_zero() || self.debt_price.value_ceil(left)? >= min_position {
            return Ok(repay);
        }
        let kept = self.debt_of(min_position)?;
        match self.owed.checked_sub(kept) {
            Ok(repay) if !repay.is_zero() => Ok(repay),
            _ => Err(RiskError::PartOfSmallPosition),
        }
    }

    /// The collateral that repaying `repay` seizes, rounded down, at most the position.
    fn worth(&self, repay: Amount, rate: &Rate) -> Result<Amount> {
        let worth = Usd(self.debt_price.value_floor(repay)?.0.mul_floor(rate.with_bonus)?);
        match self.collateral_price.amount_floor(worth) {
            Ok(amount) => Ok(amount.min(self.collateral)),
            Err(RiskError::Overflow) => Ok(self.collateral), // the collateral is worth next to nothing
            Err(other) => Err(other),
        }
    }

    /// What must be repaid for a seizure of `amount`, rounded up.
    fn required(&self, amount: Amount, rate: &Rate) -> Result<Amount> {
        let value = self.collateral_price.value_ceil(amount)?.0.div_ceil(rate.with_bonus)?;
        self.debt_of(Usd(value))
    }

    /// The debt that is worth `value`, rounded up. More than any token account holds counts as [`Amount::MAX`].
    pub(crate) fn debt_of(&self, value: Usd) -> Result<Amount> {
        match self.debt_price.amount_ceil(value) {
            Err(RiskError::Overflow) => Ok(Amount::MAX),
            amount => amount,
        }
    }
}

/// The repayment that restores the target health factor, at most the position.
fn to_target(vault: &Totals, target_health: Fraction, rate: &Rate, pair: &Pair) -> Result<Amount> {
    let gain = target_health.checked_sub(rate.with_bonus.mul_ceil(pair.collateral_factor)?)?;
    let shortfall = target_health.mul_ceil(vault.debt.0)?.checked_sub(vault.limit.0)?;
    // Rounded up: otherwise a debt of one valuable native unit could never be repaid.
    Ok(pair.debt_of(Usd(shortfall.div_ceil(gain)?))?.min(pair.owed))
}

/// Collateral that the keeper of a small debt gets beyond the bonus of `plan`, native units rounded down: up to the flat
/// bounty, the keeper's part of what the owner has left to pay it from, and what is liquid.
///
/// That part is what the keeper would get if a larger bonus took all of it. Otherwise a sliver repaid beforehand would win
/// more than it costs where that is what bounds the bounty: it lowers the bonus, and the protocol's part with it.
fn flat_extra(vault: &Totals, rules: &Rules, terms: &BonusTerms, pair: &Pair, plan: &Plan) -> Result<Amount> {
    let (repay, seize, to_keeper) = (plan.repay, plan.seize, plan.to_keeper);
    let earned = pair.collateral_price.value_floor(to_keeper)?.0.sub_or_zero(pair.debt_price.value_ceil(repay)?.0);
    let of_minimum = rules.min_position.0.mul_floor(terms.keepers_part(plan.bonus)?)?;
    let wanted = rules.min_bounty.0.min(of_minimum).sub_or_zero(earned);
    if wanted.is_zero() {
        return Ok(Amount::ZERO);
    }
    let left = pair.collateral.checked_sub(seize)?;
    let after = pair.totals_after(vault, pair.owed.checked_sub(repay)?, left)?;
    let mut margin = after.collateral.0.sub_or_zero(after.debt.0).min(pair.collateral_price.value_floor(left)?.0);
    if !plan.close_out && !after.debt.is_zero() {
        // Health stays where it was when `limit - cf * extra = HF * debt`.
        let needed = vault.limit.0.div_ceil(vault.debt.0)?.mul_ceil(after.debt.0)?;
        let spare = after.limit.0.sub_or_zero(needed);
        margin = match spare.div_floor(pair.collateral_factor) {
            Ok(spare) => margin.min(spare),
            Err(RiskError::Overflow | RiskError::DivisionByZero) => margin, // the collateral carries no debt
            Err(other) => return Err(other),
        };
    }
    let most = left.min(Amount(pair.liquid.0.saturating_sub(to_keeper.0)));
    match pair.collateral_price.amount_floor(Usd(wanted.min(terms.keepers_part(margin)?))) {
        Ok(extra) => Ok(extra.min(most)),
        Err(RiskError::Overflow) => Ok(most),
        Err(other) => Err(other),
    }
}

/// `b_min + (b_max - b_min) * (1 - HF) / (1 - HF_max_bonus)`, rounded down, for `HF_max_bonus < HF < 1`.
fn bonus_at(health: Fraction, max_bonus_health: Fraction, terms: &BonusTerms) -> Result<Fraction> {
    let depth =
        Fraction::ONE.checked_sub(health)?.div_floor(Fraction::ONE.checked_sub(max_bonus_health)?)?.min(Fraction::ONE);
    let (min, max) = (Fraction::from_bps_floor(terms.min_bps), Fraction::from_bps_floor(terms.max_bps));
    min.checked_add(max.checked_sub(min)?.mul_floor(depth)?)
}

/// `clamp(C / D - 1, b_min, b_max)`, rounded down: the most that leaves the suppliers' money alone.
fn margin_bonus(vault: &Totals, terms: &BonusTerms) -> Result<Fraction> {
    let margin = vault.collateral.0.div_floor(vault.debt.0)?.sub_or_zero(Fraction::ONE);
    let (min, max) = (Fraction::from_bps_floor(terms.min_bps), Fraction::from_bps_floor(terms.max_bps));
    Ok(margin.clamp(min, max))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::config::ONE_BPS;
    use crate::health::collateral_factor;
    use crate::reference::Real;
    use proptest::prelude::*;

    const TERMS: BonusTerms =
        BonusTerms { min_bps: 200, max_bps: 1_000, max_bonus_health_bps: 9_500, protocol_share_bps: 1_000 };
    const CENT: u64 = 10_000; // native units of a token with six decimals

    const RULES: Rules = Rules {
        target_health: Fraction::from_bits(Fraction::ONE.to_bits() / 100 * 105),
        min_position: Usd(Fraction::from_integer(10)),
        min_bounty: Usd(Fraction::from_integer(1)),
    };

    fn usd(n: u64) -> Usd {
        Usd(Fraction::from_integer(n))
    }

    /// A vault of one collateral and one debt; both tokens have six decimals, the debt is a dollar.
    #[derive(Clone, Copy, Debug)]
    struct World {
        pair: Pair,
        totals: Totals,
    }

    fn world(collateral_cents: u64, price_cents: u64, debt_cents: u64) -> World {
        let collateral_price = UnitPrice::new(u128::from(price_cents), -2, 6).unwrap();
        let debt_price = UnitPrice::new(1, 0, 6).unwrap();
        let factor = collateral_factor(Fraction::ZERO, Fraction::from_bps_floor(8_500)).unwrap();
        let pair = Pair {
            owed: Amount(debt_cents * CENT),
            debt_price,
            collateral: Amount(collateral_cents * CENT),
            collateral_price,
            collateral_factor: factor,
            liquid: Amount::MAX,
        };
        World { pair, totals: totals(&pair) }
    }

    fn totals(pair: &Pair) -> Totals {
        let mut totals = Totals::default();
        totals
            .add_collateral(pair.collateral_price.value_floor(pair.collateral).unwrap(), pair.collateral_factor)
            .unwrap();
        totals.add_debt(pair.debt_price.value_ceil(pair.owed).unwrap()).unwrap();
        totals
    }

    fn run(world: &World, max_repay: Amount) -> Result<Plan> {
        plan(&world.totals, &RULES, &TERMS, &world.pair, max_repay)
    }

    fn after(world: &World, plan: &Plan) -> World {
        let mut pair = world.pair;
        pair.owed = pair.owed.checked_sub(plan.repay).unwrap();
        pair.collateral = pair.collateral.checked_sub(plan.seize).unwrap();
        World { totals: totals(&pair), pair }
    }

    #[test]
    fn a_healthy_vault_is_left_alone() {
        assert_eq!(run(&world(1_000_00, 100, 849_99), Amount::MAX), Err(RiskError::Healthy));
        assert!(run(&world(1_000_00, 100, 850_01), Amount::MAX).is_ok());
    }

    /// A debt of 18 decimals at half a dollar a token. To repay what all of the collateral is worth would take more native units
    /// than a token account holds, which is no reason not to repay the debt.
    #[test]
    fn a_debt_of_very_small_units_is_repaid() {
        let mut world = world(10_00, 100, 5_00);
        world.pair.debt_price = UnitPrice::new(5, -1, 18).unwrap();
        world.pair.owed = Amount(10_000_001_000_000_000_000);
        world.pair.collateral_factor = Fraction::from_bps_floor(5_000);
        world.totals = totals(&world.pair);
        let plan = run(&world, Amount::MAX).unwrap();
        assert!(plan.repays_all && !plan.seizes_all);
        assert_eq!(run(&world, Amount(1 << 63)), Err(RiskError::PartOfSmallPosition));
    }

    #[test]
    fn restores_the_target_health_factor() {
        let world = world(10_000_00, 100, 8_600_00); // HF = 0.98837
        let plan = run(&world, Amount::MAX).unwrap();
        assert!(!plan.close_out && !plan.repays_all && !plan.seizes_all);
        let health = after(&world, &plan).totals.health_factor().unwrap();
        let target = Fraction::from_bps_floor(10_500);
        assert!(health >= target.checked_sub(Fraction::from_bits(1 << 35)).unwrap(), "{health:?}");
        assert!(health <= target.checked_add(Fraction::from_bits(1 << 35)).unwrap(), "{health:?}");
        // b = 2 % + 8 % * (1 - 0.98837) / 0.05 = 3.86 %; R = (9,030 - 8,500) / (1.05 - 1.0386 * 0.85) = 3,170.1
        assert_eq!(plan.repay.0 / 1_000_000, 3_170);
    }

    #[test]
    fn the_keeper_gets_the_bonus_less_the_protocols_share() {
        let world = world(10_000_00, 100, 9_000_00); // HF 0.9444: close-out, bonus clamp(11.1 %) = 10 %
        let plan = run(&world, Amount(1_000_000_000)).unwrap();
        assert!(plan.close_out);
        assert_eq!(plan.bonus, Fraction::from_bps_floor(1_000));
        assert_eq!(plan.repay, Amount(1_000_000_000));
        assert_eq!(plan.seize, Amount(1_099_999_999));
        assert_eq!(plan.to_keeper, Amount(1_089_999_999));
    }

    #[test]
    fn in_the_close_out_zone_the_bonus_eats_the_margin_not_the_suppliers() {
        let world = world(10_000_00, 100, 9_600_00); // margin 4.17 %
        let plan = run(&world, Amount::MAX).unwrap();
        assert!(plan.close_out && plan.repays_all);
        assert!(plan.bonus > Fraction::from_bps_floor(416) && plan.bonus < Fraction::from_bps_floor(417));
        let underwater = run(&self::world(10_000_00, 100, 12_000_00), Amount::MAX).unwrap();
        assert_eq!(underwater.bonus, Fraction::from_bps_floor(200));
        assert!(underwater.seizes_all && !underwater.repays_all);
    }

    /// What is left of the collateral is worth exactly the minimum, and stays; a hair less, and it goes with the rest.
    #[test]
    fn the_close_out_zone_begins_exactly_at_its_health() {
        // The health of 95 / 100 and the border of 9,500 basis points are the same number, rounded down.
        let World { pair, totals } = world(1_000_00, 100, 100_00);
        let at = |limit: Fraction| {
            let totals = Totals { limit: Usd(limit), debt: usd(1), ..totals };
            plan(&totals, &RULES, &TERMS, &pair, Amount::MAX).unwrap().close_out
        };
        let border = Fraction::from_bps_floor(9_500);
        assert!(at(border) && !at(border.checked_add(Fraction::EPSILON).unwrap()));
        let exactly = Totals { limit: usd(95), debt: usd(100), ..totals };
        assert!(plan(&exactly, &RULES, &TERMS, &pair, Amount::MAX).unwrap().close_out);
    }

    /// So many native units are worth the smallest part of a dollar, 2^-60, in what follows: what is rounded shows.
    pub(crate) const TINY: u64 = 1 << 10;

    /// A pair of a thousand such parts each. Dollars per native unit have 96 fractional bits.
    pub(crate) fn tiny() -> Pair {
        let price = UnitPrice::from_bits((1 << 36) / u128::from(TINY));
        let all = Amount(1_000 * TINY);
        Pair {
            owed: all,
            debt_price: price,
            collateral: all,
            collateral_price: price,
            collateral_factor: Fraction::ZERO,
            liquid: Amount::MAX,
        }
    }

    pub(crate) fn parts(n: u128) -> Usd {
        Usd(Fraction::from_bits(n))
    }

    /// In whole parts.
    pub(crate) fn in_parts(amount: Amount) -> u64 {
        (amount.0 + TINY / 2) / TINY
    }

    #[test]
    fn what_restores_the_target_is_rounded_up() {
        let rate = Rate::new(Fraction::from_bps_floor(1_000), &TERMS).unwrap();
        let needed =
            |target, debt, pair: &Pair| to_target(&Totals { debt, ..Totals::default() }, target, &rate, pair).unwrap();
        // A debt of one part at a target of 1.5 lacks 1.5, so 2, of which a dollar repaid restores 1.5: 1.3, so 2.
        let target = Fraction::from_bps_floor(15_000);
        assert_eq!(in_parts(needed(target, parts(1), &tiny())), 2);
        // A native unit of four parts is repaid whole.
        let pair = Pair { debt_price: UnitPrice::from_bits(1 << 38), ..tiny() };
        assert_eq!(needed(target, parts(1), &pair), Amount(1));
        // A dollar repaid takes 1.1 parts of a limit with it, so 2, and restores 2 of 4.
        let pair = Pair { debt_price: UnitPrice::new(1, 0, 6).unwrap(), collateral_factor: parts(1).0, ..tiny() };
        assert_eq!(needed(parts(4).0, usd(8), &Pair { owed: Amount::MAX, ..pair }).0 / 10, 1_600_000);
    }

    #[test]
    fn what_is_seized_is_rounded_down() {
        let rate = Rate::new(Fraction::from_bps_floor(1_000), &TERMS).unwrap();
        assert_eq!(in_parts(tiny().worth(Amount(TINY), &rate).unwrap()), 1);
        let exact = Real::ratio(10_900, 11_000);
        let (part, slack) = (Real::from(rate.keeper_part), Real::units(3));
        assert!(part <= exact && &part + &slack > exact, "{part:?}");
        // One part more, and the keeper would get some of the protocol's: of a bonus that is all the protocol's.
        let terms = BonusTerms { protocol_share_bps: 10_000, ..TERMS };
        let bonus = Fraction::from_bps_floor(1_000);
        let one = Fraction::ONE.checked_add(bonus).unwrap();
        assert_eq!(Rate::new(bonus, &terms).unwrap().keeper_part, Fraction::ONE.div_floor(one).unwrap());
    }

    /// The flat bounty, in parts, when a keeper who repaid and got so much has nothing of the collateral yet. The bonus is
    /// 10 %, all of it the keeper's.
    fn tiny_extra(vault: Totals, rules: [Usd; 2], pair: Pair, [repay, to_keeper]: [u64; 2], close_out: bool) -> u64 {
        let [min_bounty, min_position] = rules;
        let terms = BonusTerms { protocol_share_bps: 0, ..TERMS };
        let plan = Plan {
            repay: Amount(repay),
            seize: Amount::ZERO,
            to_keeper: Amount(to_keeper),
            repays_all: true,
            seizes_all: false,
            bonus: Fraction::from_bps_floor(1_000),
            close_out,
        };
        in_parts(flat_extra(&vault, &Rules { min_bounty, min_position, ..RULES }, &terms, &pair, &plan).unwrap())
    }

    #[test]
    fn the_flat_bounty_is_rounded_down() {
        let rich = Totals { collateral: usd(2), limit: Usd::ZERO, debt: usd(1) };
        let extra = |min_bounty, min_position, pair, paid| {
            tiny_extra(rich, [parts(min_bounty), min_position], pair, paid, true)
        };
        // Half a part that the keeper got is nothing, and half a part that was repaid is one.
        assert_eq!(extra(2, usd(1), tiny(), [0, TINY / 2]), 2);
        assert_eq!(extra(3, usd(1), tiny(), [TINY / 2, 2 * TINY]), 2);
        // A tenth of a minimum position of one part.
        assert_eq!(extra(2, parts(1), tiny(), [0, 0]), 0);
        // One and a half parts are left.
        assert_eq!(extra(2, usd(1), Pair { collateral: Amount(TINY / 2 * 3), ..tiny() }, [0, 0]), 1);
    }

    #[test]
    fn the_limit_that_the_flat_bounty_leaves_is_rounded_up() {
        /// Rounded up with what may be missing of the price, three parts.
        const OWED: u64 = 3 * TINY - 1;
        let extra = |limit| {
            let vault = Totals { collateral: usd(1), limit: parts(limit), debt: parts(6) };
            let pair = Pair {
                owed: Amount(OWED),
                collateral: Amount(2 * TINY),
                collateral_factor: Fraction::from_bps_floor(7_500),
                ..tiny()
            };
            tiny_extra(vault, [parts(100), usd(1)], pair, [OWED, 3 * TINY], false)
        };
        // Half of the debt stays. A limit of 2 for 6: a third, rounded up, times 3, rounded up, are 2, and nothing is spare.
        assert_eq!(extra(2), 0);
        // A limit of 3: 1.5 are needed, so 2, and the one that is spare is that of 1.3 parts of the collateral.
        assert_eq!(extra(3), 1);
    }

    #[test]
    fn bonuses_are_rounded_down() {
        let [third, two_thirds] = [1, 2].map(|n| Fraction::ratio_floor(n, 3).unwrap());
        let terms = |min_bps, max_bps| BonusTerms { min_bps, max_bps, ..TERMS };
        let at = |health, terms| bonus_at(health, Fraction::ZERO, &terms).unwrap();
        // As deep as two thirds of the way, and all the way.
        let health = Fraction::from_bits(3).checked_add(third).unwrap();
        let exact = &Real::integer(1) - &Real::from(health);
        assert_eq!(at(health, terms(0, ONE_BPS)), exact.floor());
        let part = &Real::from(Fraction::from_bps_floor(1_000)) * &Real::from(exact.floor());
        assert_eq!(at(health, terms(0, 1_000)), part.floor());
        let border = Fraction::from_bps_floor(3_333);
        let depth = bonus_at(two_thirds, border, &terms(0, ONE_BPS)).unwrap();
        let exact = &(&Real::integer(1) - &Real::from(two_thirds)) / &(&Real::integer(1) - &Real::from(border));
        assert_eq!(depth, exact.floor());
        let tenth = Fraction::from_bps_floor(1_000);
        assert_eq!([at(Fraction::ZERO, terms(0, 1_000)), at(third, terms(1_000, 1_000))], [tenth; 2]);

        let margin = |collateral, debt, min, max| {
            let vault = Totals { collateral: usd(collateral), debt: usd(debt), ..Totals::default() };
            margin_bonus(&vault, &terms(min, max)).unwrap()
        };
        let one_third = Fraction::ratio_floor(4, 3).unwrap().checked_sub(Fraction::ONE).unwrap();
        assert_eq!(margin(4, 3, 0, ONE_BPS), one_third);
        assert_eq!([margin(1, 1, 1_000, 2_000), margin(4, 3, 0, 1_000)], [tenth; 2]);
    }

    #[test]
    fn the_keepers_part_is_rounded_down() {
        assert_eq!(TERMS.keepers_part(Fraction::EPSILON), Ok(Fraction::ZERO));
    }

    #[test]
    fn what_is_left_is_counted_as_if_it_had_always_been_all() {
        // Neither token's unit is a whole number of dollars' units.
        let World { mut pair, .. } = world(1_000_01, 33, 200_01);
        pair.debt_price = UnitPrice::new(99, -2, 6).unwrap();
        let all = totals(&pair);
        for (owed, collateral) in [(0, 0), (1, 1), (7, 11), (pair.owed.0, pair.collateral.0)] {
            let (owed, collateral) = (Amount(owed), Amount(collateral));
            assert_eq!(pair.totals_after(&all, owed, collateral), Ok(totals(&Pair { owed, collateral, ..pair })));
        }
    }

    #[test]
    fn a_remainder_of_exactly_the_minimum_stays() {
        let mut seen = 0;
        for cents in (3_600_00..3_670_00).step_by(7) {
            // Beside 9,500 dollars of other collateral, against a debt that is large in any case.
            let mut world = world(cents, 100, 0);
            world.pair.owed = Amount(11_200_000_000);
            let world = beside(&world, (usd(9_500), Fraction::from_bps_floor(8_500)));
            let rules = |min_position| Rules { min_position, min_bounty: Usd::ZERO, ..RULES };
            let at =
                |min_position| plan(&world.totals, &rules(min_position), &TERMS, &world.pair, Amount::MAX).unwrap();
            let free = at(Usd(Fraction::EPSILON));
            let rest = world.pair.collateral.checked_sub(free.seize).unwrap();
            let worth = world.pair.collateral_price.value_ceil(rest).unwrap();
            if rest.is_zero() || worth > usd(1_000) {
                continue;
            }
            seen += 1;
            assert_eq!(at(worth), free);
            assert!(at(worth.checked_add(Usd(Fraction::EPSILON)).unwrap()).seizes_all);
        }
        assert!(seen > 100, "{seen}");
    }

    /// So is it with what is left of the debt at the target.
    #[test]
    fn a_debt_of_exactly_the_minimum_stays() {
        let world = world(10_000_00, 100, 8_600_00);
        let rules = |min_position| Rules { min_position, min_bounty: Usd::ZERO, ..RULES };
        let at = |min_position| plan(&world.totals, &rules(min_position), &TERMS, &world.pair, Amount::MAX).unwrap();
        let free = at(Usd(Fraction::EPSILON));
        let left = world.pair.owed.checked_sub(free.repay).unwrap();
        let worth = world.pair.debt_price.value_ceil(left).unwrap();
        assert_eq!(at(worth), free);
        assert!(at(worth.checked_add(Usd(Fraction::EPSILON)).unwrap()).repays_all);
    }

    #[test]
    fn a_remainder_of_dust_is_closed_whole() {
        let world = world(15_00, 100, 13_00); // HF 0.98: a part would do, but under ten dollars would remain
        let plan = run(&world, Amount::MAX).unwrap();
        assert!(!plan.close_out && plan.repays_all);
        let partial = run(&world, Amount(2_000_000)).unwrap();
        assert_eq!(partial.repay, Amount(2_000_000), "the caller's maximum still binds");
        let reduced = run(&world, Amount(5_000_000)).unwrap();
        // A unit is worth a little less than 10^-6.
        assert_eq!(reduced.repay, Amount(2_999_999), "ten dollars stay owed");
        assert_eq!(run(&self::world(10_00, 100, 8_70), Amount(8_699_999)), Err(RiskError::PartOfSmallPosition));
        assert!(run(&self::world(10_00, 100, 8_70), Amount(8_700_000)).unwrap().repays_all);
    }

    #[test]
    fn a_small_debt_pays_the_flat_bounty_once_from_the_owners_margin() {
        let bounty = |plan: &Plan| plan.to_keeper.0 as i64 - plan.repay.0 as i64; // both tokens are a dollar
        // b = 2 % + 8 % * (1 - 0.98837) / 0.05 = 3.86 %, of which nine tenths pay 30 cents, and on the minimum position 35.
        let small = |cents: u128| {
            let min_bounty = Usd(Fraction::from_bps_floor(100).mul_integer(cents as u64).unwrap());
            let World { totals, pair } = world(10_00, 100, 8_60);
            plan(&totals, &Rules { min_bounty, ..RULES }, &TERMS, &pair, Amount::MAX).unwrap()
        };
        for (cents, exact) in
            [(0, 298_800), (29, 298_800), (32, 320_000), (34, 340_000), (35, 347_442), (10_000, 347_442)]
        {
            let plan = small(cents);
            assert!(plan.repays_all && !plan.seizes_all);
            assert!((exact - 2..=exact).contains(&bounty(&plan)), "{cents}: {plan:?}");
        }
        // The protocol's share stays what it is on the bonus.
        let bonus = |flat: u64| {
            plan(
                &world(10_00, 100, 8_60).totals,
                &Rules { min_bounty: usd(flat), ..RULES },
                &TERMS,
                &world(10_00, 100, 8_60).pair,
                Amount::MAX,
            )
            .unwrap()
        };
        let (with, without) = (bonus(1), bonus(0));
        assert_eq!(with.seize.0 - with.to_keeper.0, without.seize.0 - without.to_keeper.0);
        // A large debt pays the bonus alone, even if that is less than the flat amount.
        let large = plan(
            &world(12_00, 100, 10_30).totals,
            &Rules { min_bounty: usd(5), ..RULES },
            &TERMS,
            &world(12_00, 100, 10_30).pair,
            Amount::MAX,
        )
        .unwrap();
        assert!(large.repays_all && bounty(&large) < 400_000, "{large:?}");
        // The margin is all there is: never the suppliers' money.
        let thin = run(&world(9_40, 100, 9_00), Amount::MAX).unwrap();
        assert!(thin.repays_all && thin.seize >= Amount(9_399_999) && bounty(&thin) <= 400_000, "{thin:?}");
        let underwater = run(&world(8_00, 100, 9_00), Amount::MAX).unwrap();
        assert!(underwater.seizes_all && bounty(&underwater) <= 157_000, "{underwater:?}");
    }

    #[test]
    fn beside_another_debt_the_flat_bounty_leaves_health_higher() {
        // 1,000 of collateral with a limit of 850, debts of 5 and 850: HF = 0.9942.
        let mut world = world(1_000_00, 100, 5_00);
        world.totals.debt = world.totals.debt.checked_add(usd(850)).unwrap();
        let flat = plan(
            &world.totals,
            &Rules { min_bounty: usd(3), min_position: usd(200), ..RULES },
            &TERMS,
            &world.pair,
            Amount::MAX,
        )
        .unwrap();
        assert!(flat.repays_all && !flat.close_out);
        let after = world
            .pair
            .totals_after(&world.totals, Amount::ZERO, Amount(world.pair.collateral.0 - flat.seize.0))
            .unwrap();
        assert!(after.is_healthier_than(&world.totals));
        // 5 dollars of debt carry 4.97 of limit at this health, that is 5.85 of collateral: less than 5 + 3. The bonus takes
        // 5.15 of them, and the keeper nine tenths of the rest.
        let seized = flat.seize.0;
        assert!((5_770_000..5_780_000).contains(&seized), "{seized}");
    }

    #[test]
    fn in_the_close_out_zone_the_flat_bounty_may_lower_health() {
        // 1,000 of collateral with a limit of 850, debts of 5 and 900: HF = 0.9392 and a bonus of clamp(10.5 %) = 10 %.
        let mut world = world(1_000_00, 100, 5_00);
        world.totals.debt = world.totals.debt.checked_add(usd(900)).unwrap();
        let plan = run(&world, Amount::MAX).unwrap();
        assert!(plan.repays_all && plan.close_out);
        // Nine tenths of 10 % on the minimum position, though health falls by more than 50 cents.
        let bounty = plan.to_keeper.0 - plan.repay.0;
        assert!((899_990..=900_000).contains(&bounty), "{bounty}");
        let left = Amount(world.pair.collateral.0 - plan.seize.0);
        assert!(!world.pair.totals_after(&world.totals, Amount::ZERO, left).unwrap().is_healthier_than(&world.totals));
    }

    #[test]
    fn a_remainder_of_dust_collateral_is_seized_whole() {
        // Beside the seized collateral of 505 stands another with a limit of 1,320: HF = 1,749.25 / 1,750.
        let mut world = world(505_00, 100, 1_750_00);
        world.totals.collateral = world.totals.collateral.checked_add(usd(1_553)).unwrap();
        world.totals.limit = world.totals.limit.checked_add(usd(1_320)).unwrap();
        // The target asks for 483 dollars, which leaves about 12; with a minimum of 20 the rest is taken too.
        let at = |min, max| plan(&world.totals, &Rules { min_position: usd(min), ..RULES }, &TERMS, &world.pair, max);
        let to_target = at(10, Amount::MAX).unwrap();
        assert!(!to_target.seizes_all);
        let whole = at(20, Amount::MAX).unwrap();
        assert!(whole.seizes_all && whole.repay > to_target.repay);
        assert_eq!(at(20, to_target.repay).unwrap(), to_target, "the caller's maximum still binds");
    }

    #[test]
    fn a_remainder_of_dust_collateral_stays_where_a_small_debt_would() {
        // Beside 505 of collateral and a debt of 500 stand another collateral and another debt: HF = 1,731.25 / 1,732.
        let mut world = world(505_00, 100, 500_00);
        let (collateral, limit, debt) = (usd(1_553), usd(1_302), usd(1_232));
        world.totals.collateral = world.totals.collateral.checked_add(collateral).unwrap();
        world.totals.limit = world.totals.limit.checked_add(limit).unwrap();
        world.totals.debt = world.totals.debt.checked_add(debt).unwrap();
        let at =
            |min| plan(&world.totals, &Rules { min_position: usd(min), ..RULES }, &TERMS, &world.pair, Amount::MAX);
        // The target asks for 478 dollars and leaves 16 of the collateral; all of it would leave 5 of the debt.
        let target = at(10).unwrap();
        assert!(!target.seizes_all && target.repay.0 / 1_000_000 == 478, "{target:?}");
        assert_eq!(at(20), Ok(target), "dust, but 5 would be a small debt");
        assert!(at(4).is_ok_and(|plan| !plan.seizes_all), "no dust");
    }

    #[test]
    fn what_is_not_liquid_is_not_seized() {
        let mut world = world(10_000_00, 100, 9_600_00);
        world.pair.liquid = Amount(1_000_000);
        let plan = run(&world, Amount::MAX).unwrap();
        assert!(plan.to_keeper <= Amount(1_000_000) && plan.to_keeper.0 >= 999_998, "{plan:?}");
        assert!(plan.repay.0 < 1_000_000);
        world.pair.liquid = Amount::ZERO;
        assert_eq!(run(&world, Amount::MAX), Err(RiskError::NothingToSeize));
    }

    /// A reserve of which somebody borrowed all but so much does not make a small debt of a large one, nor two of one.
    #[test]
    fn little_liquidity_cuts_no_debt_to_a_small_one() {
        let mut world = world(13_00, 100, 11_50); // close-out, with a margin above the largest bonus
        world.pair.liquid = Amount(5_450_000); // pays for five dollars of debt, of which 1.50 may be repaid
        let part = run(&world, Amount::MAX).unwrap();
        assert_eq!(part.repay, Amount(1_499_999));
        assert!(part.to_keeper <= world.pair.liquid && !part.repays_all && !part.seizes_all);
        let small = &mut self::world(11_00, 100, 9_50);
        small.pair.liquid = Amount(5_450_000);
        assert_eq!(run(small, Amount::MAX), Err(RiskError::PartOfSmallPosition));
        small.pair.liquid = Amount::ZERO;
        assert_eq!(run(small, Amount::MAX), Err(RiskError::NothingToSeize));
        small.pair.liquid = Amount::MAX; // in shares
        assert!(run(small, Amount::MAX).unwrap().repays_all);
    }

    #[test]
    fn a_repayment_of_nothing_is_refused() {
        assert_eq!(run(&world(10_000_00, 100, 9_600_00), Amount::ZERO), Err(RiskError::NothingToSeize));
    }

    #[test]
    fn worthless_collateral_is_seized_whole_for_one_unit() {
        let mut world = world(10_000_00, 100, 9_600_00);
        world.pair.collateral_price = UnitPrice::from_bits(1);
        world.totals = totals(&world.pair);
        let plan = run(&world, Amount::MAX).unwrap();
        assert!(plan.seizes_all);
        assert_eq!(plan.repay, Amount(1));
    }

    fn worlds() -> impl Strategy<Value = World> {
        (1_00u64..1_000_000_00, 1u64..1_000_00, 80u64..130).prop_map(|(collateral, price, percent)| {
            let value = u128::from(collateral) * u128::from(price) / 100;
            world(collateral, price, u64::try_from(value * u128::from(percent) / 100).unwrap().max(1))
        })
    }

    /// A dollar has six decimals.
    fn usd_of(amount: Amount) -> Fraction {
        UnitPrice::new(1, 0, 6).unwrap().value_floor(amount).unwrap().0
    }

    /// What a plan seizes beyond what it repays.
    fn plan_bonus_value(world: &World, plan: &Plan) -> Fraction {
        world.pair.collateral_price.value_floor(plan.seize).unwrap().0.sub_or_zero(usd_of(plan.repay))
    }

    /// The same vault with `value` of another collateral that carries `factor`.
    fn beside(world: &World, (value, factor): (Usd, Fraction)) -> World {
        let mut totals = totals(&world.pair);
        totals.add_collateral(value, factor).unwrap();
        World { pair: world.pair, totals }
    }

    /// A vault of two collaterals, of which the first can be seized, with a health factor of
    /// 0.85 to 1.
    fn mixed_worlds() -> impl Strategy<Value = (World, (Usd, Fraction))> {
        (1_000_00u64..1_000_000_00, 1u64..1_000_00, 0u64..500, 2_000u32..10_000, 8_500u32..10_000).prop_map(
            |(collateral, price, percent, factor, health)| {
                let mut world = world(collateral, price, 0);
                let value = world.pair.collateral_price.value_floor(world.pair.collateral).unwrap().0;
                let other = value.mul_integer(percent).unwrap().div_small_floor(100).unwrap();
                let other = (Usd(other), Fraction::from_bps_floor(factor));
                let limit = beside(&world, other).totals.limit.0;
                let debt = limit.div_floor(Fraction::from_bps_floor(health)).unwrap();
                world.pair.owed = world.pair.debt_price.amount_floor(Usd(debt)).unwrap();
                (beside(&world, other), other)
            },
        )
    }

    /// A vault that owes 3 to 20 dollars, with a health factor of 0.88 to 1.
    fn small_worlds() -> impl Strategy<Value = World> {
        (3_000u64..20_000, 1u64..1_000_00, 8_800u64..10_000).prop_map(|(debt, price, health)| {
            let debt = debt * 1_000;
            let collateral = u128::from(debt) * u128::from(health) * 100 / (8_500 * u128::from(price));
            let mut world = world(0, price, 0);
            (world.pair.owed, world.pair.collateral) = (Amount(debt), Amount(u64::try_from(collateral).unwrap()));
            World { totals: totals(&world.pair), ..world }
        })
    }

    fn small_rules() -> impl Strategy<Value = (Rules, BonusTerms)> {
        (0u64..3_000, 0u32..=400, 0u32..=10_000, 10_000u32..12_000).prop_map(|(cents, min_bps, share, target)| {
            let min_bounty = Usd(Fraction::from_bps_floor(100).mul_integer(cents).unwrap());
            let target_health = Fraction::from_bps_floor(target);
            (Rules { min_bounty, target_health, ..RULES }, BonusTerms { min_bps, protocol_share_bps: share, ..TERMS })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// Nobody gains by repaying a part for nothing, so that what is left is a small debt, in whatever order with
        /// liquidations of parts, and even if each step costs nothing but what it repays.
        #[test]
        fn a_sliver_never_pays(
            start in small_worlds(),
            (rules, terms) in small_rules(),
            steps in proptest::collection::vec((any::<bool>(), any::<u64>(), 0u32..12), 1..3),
        ) {
            let value = |price: UnitPrice, amount: Amount| price.value_floor(amount).unwrap().0.to_bits() as i128;
            let liquidate = |world: &World, max| plan(&world.totals, &rules, &terms, &world.pair, max);
            let profit = |plan: &Plan| {
                value(start.pair.collateral_price, plan.to_keeper) - value(start.pair.debt_price, plan.repay)
            };
            let at_once = liquidate(&start, Amount::MAX).map_or(0, |plan| profit(&plan).max(0));
            let mut world = World { ..start };
            let mut won = 0;
            for (free, part, shift) in steps {
                let part = Amount((part % (world.pair.owed.0 + 1)) >> shift);
                if free {
                    won -= value(start.pair.debt_price, part);
                    world.pair.owed = world.pair.owed.checked_sub(part).unwrap();
                    world.totals = totals(&world.pair);
                } else if let Ok(plan) = liquidate(&world, part) {
                    won += profit(&plan);
                    world = after(&world, &plan);
                }
            }
            won += liquidate(&world, Amount::MAX).map_or(0, |plan| profit(&plan));
            // A unit of each token is won or lost to rounding at each step.
            let units = value(start.pair.collateral_price, Amount(8)) + value(start.pair.debt_price, Amount(8)) + (1 << 30);
            prop_assert!(won <= at_once + units, "{} {} {start:?} {rules:?} {terms:?}", won >> 40, at_once >> 40);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        /// The directions of the table: the seizure never exceeds the repaid value with the bonus, in exact arithmetic
        /// of the caller's prices, and all bounds hold.
        #[test]
        fn every_plan_keeps_its_bounds(world in worlds(), max in any::<u64>(), liquid in any::<u64>(), shift in 0u32..64) {
            let mut world = world;
            world.pair.liquid = Amount(liquid >> shift);
            let Ok(plan) = run(&world, Amount(max >> (shift / 2))) else { return Ok(()) };
            let pair = &world.pair;
            prop_assert!(plan.repay <= Amount(max >> (shift / 2)) && plan.repay <= pair.owed);
            prop_assert!(plan.seize <= pair.collateral && plan.to_keeper <= plan.seize && plan.to_keeper <= pair.liquid);
            let paid = pair.debt_price.value_ceil(plan.repay).unwrap().0;
            let taken = pair.collateral_price.value_floor(plan.seize).unwrap().0;
            let bonus_worth = paid.mul_ceil(Fraction::ONE.checked_add(plan.bonus).unwrap()).unwrap();
            let small = plan.repays_all && pair.is_small(pair.owed, &RULES).unwrap();
            let flat_worth = paid.checked_add(RULES.min_bounty.0).unwrap()
                .checked_add(paid.mul_ceil(plan.bonus).unwrap()).unwrap();
            let most = if small { bonus_worth.max(flat_worth) } else { bonus_worth };
            prop_assert!(taken <= most);
        }

        /// Above the close-out zone health strictly rises, or a position is closed.
        #[test]
        fn health_rises_above_the_close_out_zone(world in worlds(), max in 1u64.., shift in 0u32..50) {
            let Ok(plan) = run(&world, Amount(max >> shift)) else { return Ok(()) };
            let next = after(&world, &plan);
            if !plan.close_out && !plan.repays_all && !plan.seizes_all {
                prop_assert!(next.totals.is_healthier_than(&world.totals));
            }
        }

        /// The same beside another collateral, which carries more or less: three parts of any size pay no more than the whole, on
        /// either side of the close-out zone's edge, and a bonus is paid by the owner as long as there is a margin.
        #[test]
        fn splitting_never_pays_more_beside_other_collateral(
            (start, other) in mixed_worlds(), parts in [1u64..100, 1u64..100], stranger in any::<bool>()
        ) {
            let Ok(whole) = run(&start, Amount::MAX) else { return Ok(()) };
            let profit = |keeper: Amount, repaid: Amount| {
                let (value, cost) = (start.pair.collateral_price.value_floor(keeper).unwrap().0, usd_of(repaid));
                value.sub_or_zero(cost)
            };
            if start.totals.collateral > start.totals.debt {
                let bonus = plan_bonus_value(&start, &whole);
                let margin = start.totals.collateral.checked_sub(start.totals.debt).unwrap();
                let least = usd_of(whole.repay).mul_ceil(Fraction::from_bps_ceil(TERMS.min_bps)).unwrap();
                prop_assert!(bonus <= margin.0.max(least).checked_add(Fraction::from_bits(1 << 40)).unwrap());
            }
            let (mut vault, mut taken, mut repaid, mut tolerance) = (start, Amount::ZERO, Amount::ZERO, Fraction::ZERO);
            for (i, part) in parts.iter().map(Some).chain([None]).enumerate() {
                let most = part.map_or(Amount::MAX, |part| Amount(vault.pair.owed.0 / 100 * part));
                // The first may be a plain repayment, by which nothing is seized.
                let Ok(plan) = run(&vault, most) else { break };
                let given = i == 0 && stranger;
                let (seize, paid) = if given { (Amount::ZERO, Amount::ZERO) } else { (plan.seize, plan.to_keeper) };
                taken = taken.checked_add(paid).unwrap();
                repaid = repaid.checked_add(plan.repay).unwrap();
                vault = beside(&after(&vault, &Plan { seize, ..plan }), other);
                let unit = start.pair.collateral_price.value_floor(Amount(2)).unwrap().0;
                tolerance = tolerance.checked_add(unit).unwrap().checked_add(usd_of(Amount(2))).unwrap();
            }
            let tolerance = tolerance.checked_add(Fraction::from_bits(1 << 30)).unwrap();
            let (split, whole) = (profit(taken, repaid), profit(whole.to_keeper, whole.repay));
            prop_assert!(split <= whole.checked_add(tolerance).unwrap(), "{split:?} {whole:?}");
        }

        /// A reserve that can pay exactly what the keeper gets is no limit.
        #[test]
        fn enough_liquidity_is_no_limit(world in worlds(), max in any::<u64>(), shift in 0u32..40) {
            let mut world = world;
            let Ok(free) = run(&world, Amount(max >> shift)) else { return Ok(()) };
            world.pair.liquid = free.to_keeper;
            let limited = run(&world, Amount(max >> shift));
            prop_assert_eq!(limited, Ok(free));
        }

        /// Two liquidations with a part each never take more than one of the whole.
        #[test]
        fn splitting_never_pays_more(world in worlds(), part in 1u64..100) {
            let Ok(whole) = run(&world, Amount::MAX) else { return Ok(()) };
            let Ok(first) = run(&world, Amount(whole.repay.0 / 100 * part)) else { return Ok(()) };
            let next = after(&world, &first);
            let second = run(&next, Amount::MAX);
            let (repaid, taken) = match second {
                Ok(second) => (first.repay.0 + second.repay.0, first.to_keeper.0 + second.to_keeper.0),
                Err(_) => (first.repay.0, first.to_keeper.0),
            };
            let value = |keeper: u64| world.pair.collateral_price.value_floor(Amount(keeper)).unwrap().0;
            let cost = |repaid: u64| world.pair.debt_price.value_floor(Amount(repaid)).unwrap().0;
            let profit_whole = value(whole.to_keeper.0).sub_or_zero(cost(whole.repay.0));
            let profit_split = value(taken).sub_or_zero(cost(repaid));
            // One native unit of each token is lost or won to rounding at each step.
            let tolerance = value(2).checked_add(cost(2)).unwrap().checked_add(Fraction::from_bits(1 << 30)).unwrap();
            prop_assert!(profit_split <= profit_whole.checked_add(tolerance).unwrap(), "{whole:?} {first:?} {second:?}");
        }
    }
}
