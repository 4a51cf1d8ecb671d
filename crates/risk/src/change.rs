//! What a change of parameters means: for the protocol, and for the vaults that exist.
//!
//! [`RESERVE`] and [`MARKET`] have a row for every parameter that can change. [`compare`] reads off what a change of many
//! does, and [`at_once`] whether it may be made without notice:
//!
//! | meaning | effect on vaults | without notice |
//! |---|---|---|
//! | tighter | nothing | yes |
//! | tighter | any other | as a [`Step`], if the parameter has one |
//! | looser, sideways | any | as a [`Step`] of the risk steward's, if the parameter has one |
//!
//! "Nothing" is a promise: no vault's maintenance health is lower after the change than before, at the same moment and
//! prices, and nobody is kept from repaying or liquidating. It may end what somebody could otherwise have done next, such
//! as take another loan, or, at a deposit cap that is reached, add more of that asset.

use crate::config::ONE_BPS;
use crate::error::{Result, RiskError};

/// What a move of a parameter means for the protocol, that is for its suppliers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Less can go wrong.
    Tighter,
    /// More can go wrong.
    Looser,
    /// Better for some and worse for others.
    Sideways,
}

/// What a vault that exists feels of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: its maintenance health stays what it is.
    Nothing,
    /// Its health falls along a ramp, or its debt grows faster.
    Ramp,
    /// Its health, its liquidation or what its owner can take out changes with the change.
    AtOnce,
}

/// A parameter's way up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// For the protocol.
    pub meaning: Meaning,
    /// For vaults.
    pub effect: Effect,
}

/// What a parameter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Native units of the asset.
    Native,
    /// Millionths of a dollar.
    MicroUsd,
    /// Basis points.
    Bps,
    /// Basis points per hour.
    BpsPerHour,
    /// Seconds.
    Seconds,
    /// Slots of the cluster.
    Slots,
    /// 0 or 1.
    Flag,
    /// A number that names something.
    Number,
    /// An address or a feed.
    Identity,
}

/// The kinds of parameters that may move a little without notice. A market bounds each kind; see [`StepBounds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Caps, by a part of what they are.
    Cap,
    /// Outflow limits, by a part of what they are.
    Outflow,
    /// Base haircut, in basis points.
    Haircut,
    /// Loan to value, in basis points.
    LoanToValue,
    /// Yearly rates, in basis points.
    Rate,
}

/// A parameter that can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its section and its name there, as in `limits.deposit_cap`.
    pub name: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// What a higher value means.
    pub raised: Move,
    /// What a lower value means.
    pub lowered: Move,
    /// Whether zero stands for no limit, which is above all others.
    pub zero_is_none: bool,
    /// Its bound for steps.
    pub step: Option<Step>,
}

const fn to(meaning: Meaning, effect: Effect) -> Move {
    Move { meaning, effect }
}

const fn parameter(name: &'static str, unit: Unit, raised: Move, lowered: Move) -> Parameter {
    Parameter { name, unit, raised, lowered, zero_is_none: false, step: None }
}

impl Parameter {
    const fn steps(self, step: Step) -> Self {
        Self { step: Some(step), ..self }
    }

    const fn zero_is_none(self) -> Self {
        Self { zero_is_none: true, ..self }
    }
}

/// The higher the looser, and nothing that an existing vault feels.
const fn ceiling(name: &'static str, unit: Unit) -> Parameter {
    parameter(name, unit, to(Meaning::Looser, Effect::Nothing), to(Meaning::Tighter, Effect::Nothing))
}

/// The higher the looser; a lower value may keep owners from taking out what they could.
const fn gate(name: &'static str, unit: Unit) -> Parameter {
    parameter(name, unit, to(Meaning::Looser, Effect::Nothing), to(Meaning::Tighter, Effect::AtOnce))
}

/// The higher the tighter, and vaults feel it as a ramp.
const fn discount(name: &'static str, unit: Unit) -> Parameter {
    parameter(name, unit, to(Meaning::Tighter, Effect::Ramp), to(Meaning::Looser, Effect::Nothing))
}

/// The higher the looser; a lower value reaches vaults as a ramp.
const fn allowance(name: &'static str, unit: Unit) -> Parameter {
    parameter(name, unit, to(Meaning::Looser, Effect::Nothing), to(Meaning::Tighter, Effect::Ramp))
}

/// The higher the tighter, and nothing that an existing vault feels.
const fn floor(name: &'static str, unit: Unit) -> Parameter {
    parameter(name, unit, to(Meaning::Tighter, Effect::Nothing), to(Meaning::Looser, Effect::Nothing))
}

/// Better for some and worse for others, either way.
const fn sideways(name: &'static str, unit: Unit, effect: Effect) -> Parameter {
    parameter(name, unit, to(Meaning::Sideways, effect), to(Meaning::Sideways, effect))
}

const fn rate(name: &'static str) -> Parameter {
    sideways(name, Unit::Bps, Effect::Ramp).steps(Step::Rate)
}

/// Number of parameters of a reserve.
pub const RESERVE_PARAMETERS: usize = 61;

/// The parameters of a reserve, section by section, in the order of the program's layout. Basis points of interest and of
/// volatility that are only coherent with others are sideways as a whole.
pub const RESERVE: [Parameter; RESERVE_PARAMETERS] = [
    ceiling("limits.deposit_cap", Unit::Native).steps(Step::Cap),
    ceiling("limits.borrow_cap", Unit::Native).steps(Step::Cap),
    gate("limits.hourly_outflow", Unit::Native).steps(Step::Outflow),
    gate("limits.daily_outflow", Unit::Native).steps(Step::Outflow),
    // Deposits beyond a smaller depth raise the haircut.
    allowance("limits.depth", Unit::Native).zero_is_none(),
    ceiling("limits.isolated_debt_ceiling", Unit::MicroUsd).zero_is_none(),
    ceiling("limits.swap_cap", Unit::Native).steps(Step::Cap),
    sideways("oracle.first_feed", Unit::Identity, Effect::AtOnce),
    sideways("oracle.first_account", Unit::Identity, Effect::AtOnce),
    sideways("oracle.second_feed", Unit::Identity, Effect::AtOnce),
    sideways("oracle.second_account", Unit::Identity, Effect::AtOnce),
    gate("oracle.max_age_new_risk", Unit::Seconds),
    sideways("oracle.max_age_liquidation", Unit::Seconds, Effect::AtOnce),
    gate("oracle.max_confidence_new_risk_bps", Unit::Bps),
    sideways("oracle.max_confidence_liquidation_bps", Unit::Bps, Effect::AtOnce),
    parameter(
        "oracle.confidence_multiple_bps",
        Unit::Bps,
        to(Meaning::Tighter, Effect::AtOnce),
        to(Meaning::Looser, Effect::Nothing),
    ),
    gate("oracle.max_divergence_bps", Unit::Bps),
    sideways("oracle.dead_after", Unit::Seconds, Effect::AtOnce),
    discount("collateral.base_haircut_bps", Unit::Bps).steps(Step::Haircut),
    discount("collateral.max_haircut_bps", Unit::Bps),
    ceiling("collateral.max_ltv_bps", Unit::Bps).steps(Step::LoanToValue),
    allowance("collateral.liquidation_threshold_bps", Unit::Bps),
    sideways("collateral.min_bonus_bps", Unit::Bps, Effect::AtOnce),
    sideways("collateral.max_bonus_bps", Unit::Bps, Effect::AtOnce),
    sideways("collateral.max_bonus_health_bps", Unit::Bps, Effect::AtOnce),
    sideways("collateral.protocol_share_bps", Unit::Bps, Effect::AtOnce),
    sideways("volatility.min_interval", Unit::Seconds, Effect::Ramp),
    sideways("volatility.half_life", Unit::Seconds, Effect::Ramp),
    discount("volatility.max_return_bps", Unit::Bps),
    discount("volatility.multiple_bps", Unit::Bps),
    discount("volatility.horizon", Unit::Seconds),
    discount("volatility.up_bps_per_hour", Unit::BpsPerHour),
    allowance("volatility.down_bps_per_hour", Unit::BpsPerHour),
    discount("volatility.concentration_bps", Unit::Bps),
    sideways("group.id", Unit::Number, Effect::AtOnce),
    ceiling("group.max_ltv_bps", Unit::Bps).steps(Step::LoanToValue),
    allowance("group.liquidation_threshold_bps", Unit::Bps),
    sideways("group.min_bonus_bps", Unit::Bps, Effect::AtOnce),
    sideways("group.max_bonus_bps", Unit::Bps, Effect::AtOnce),
    sideways("group.max_bonus_health_bps", Unit::Bps, Effect::AtOnce),
    sideways("rates.model", Unit::Number, Effect::Ramp),
    rate("rates.base_bps"),
    rate("rates.slope_bps"),
    rate("rates.excess_slope_bps"),
    sideways("rates.optimal_utilization_bps", Unit::Bps, Effect::Ramp),
    sideways("rates.reserve_factor_bps", Unit::Bps, Effect::Nothing),
    sideways("rates.steepness_bps", Unit::Bps, Effect::Ramp),
    sideways("rates.speed_bps", Unit::Bps, Effect::Ramp),
    rate("rates.min_at_target_bps"),
    rate("rates.max_at_target_bps"),
    sideways("rates.initial_at_target_bps", Unit::Bps, Effect::Ramp),
    sideways("minted.swap_in_fee_bps", Unit::Bps, Effect::Nothing),
    sideways("minted.swap_out_fee_bps", Unit::Bps, Effect::Nothing),
    sideways("minted.redemption_max_health_bps", Unit::Bps, Effect::AtOnce),
    sideways("minted.redemption_min_fee_bps", Unit::Bps, Effect::AtOnce),
    sideways("minted.redemption_max_fee_bps", Unit::Bps, Effect::AtOnce),
    sideways("minted.redemption_volume_fee_bps", Unit::Bps, Effect::AtOnce),
    sideways("minted.redemption_half_life", Unit::Seconds, Effect::AtOnce),
    sideways("terms.flash_fee_bps", Unit::Bps, Effect::Nothing),
    floor("terms.insurance_floor_bps", Unit::Bps),
    floor("terms.isolated_debt", Unit::Flag),
];

/// How many parameters each section of a reserve has, in the order of [`RESERVE`]. A section is what a queued change
/// replaces as a whole.
pub const RESERVE_SECTIONS: [usize; 8] = [7, 11, 8, 8, 6, 11, 7, 3];

/// The section that parameter `number` of a reserve is in.
pub fn section(number: usize) -> usize {
    let mut end = 0usize;
    let is_behind = |size: &usize| {
        end = end.saturating_add(*size);
        end <= number
    };
    RESERVE_SECTIONS.iter().copied().take_while(is_behind).count()
}

/// Number of parameters of a reserve that can move in steps.
pub const RESERVE_STEPS: usize = 13;

/// The place of parameter `number` among those of a reserve that can move in steps, if it is one.
pub fn step_number(number: usize) -> Option<usize> {
    RESERVE.get(number)?.step?;
    Some(RESERVE.iter().take(number).filter(|parameter| parameter.step.is_some()).count())
}

/// Number of parameters of a market.
pub const MARKET_PARAMETERS: usize = 12;

/// The parameters of a market.
pub const MARKET: [Parameter; MARKET_PARAMETERS] = [
    sideways("market.price_receiver", Unit::Identity, Effect::AtOnce),
    sideways("market.target_health_bps", Unit::Bps, Effect::AtOnce),
    sideways("market.min_position_micro_usd", Unit::MicroUsd, Effect::AtOnce),
    sideways("market.restart_grace_slots", Unit::Slots, Effect::AtOnce),
    sideways("market.min_bounty_micro_usd", Unit::MicroUsd, Effect::AtOnce),
    floor("timelock.delay", Unit::Seconds),
    sideways("timelock.window", Unit::Seconds, Effect::Nothing),
    ceiling("steps.cap_bps", Unit::Bps),
    ceiling("steps.outflow_bps", Unit::Bps),
    ceiling("steps.haircut_bps", Unit::Bps),
    ceiling("steps.max_ltv_bps", Unit::Bps),
    ceiling("steps.rate_bps", Unit::Bps),
];

impl Parameter {
    /// What it means that the value goes from `old` to `new`; `None` when it stays.
    pub fn change(&self, old: u64, new: u64) -> Option<Move> {
        let rank = |value: u64| if self.zero_is_none && value == 0 { u64::MAX } else { value };
        match rank(new).cmp(&rank(old)) {
            core::cmp::Ordering::Greater => Some(self.raised),
            core::cmp::Ordering::Less => Some(self.lowered),
            // A limit of zero and of u64::MAX are the same but for what is written.
            core::cmp::Ordering::Equal if old != new => Some(to(Meaning::Sideways, Effect::Nothing)),
            core::cmp::Ordering::Equal => None,
        }
    }
}

/// A set of parameters, by their numbers in [`RESERVE`] or [`MARKET`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set(pub u64);

const _: () = assert!(RESERVE_PARAMETERS <= 64 && MARKET_PARAMETERS <= 64);

impl Set {
    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether parameter `number` is among them.
    pub fn contains(self, number: usize) -> bool {
        u32::try_from(number).ok().and_then(|n| self.0.checked_shr(n)).is_some_and(|bits| bits & 1 == 1)
    }

    /// Their numbers, rising.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..64).filter(move |number| self.contains(*number))
    }

    fn insert(&mut self, number: usize) {
        let bit = u32::try_from(number).ok().and_then(|n| 1u64.checked_shl(n));
        self.0 |= bit.unwrap_or_default();
    }
}

/// What a change does, parameter by parameter. Each that changes is in one of the first three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Less can go wrong.
    pub tighter: Set,
    /// More can go wrong.
    pub looser: Set,
    /// Better for some and worse for others.
    pub sideways: Set,
    /// Vaults feel it along a ramp.
    pub ramped: Set,
    /// Vaults may feel it with the change.
    pub felt: Set,
}

impl Comparison {
    /// Every parameter that changes.
    pub fn changed(&self) -> Set {
        Set(self.tighter.0 | self.looser.0 | self.sideways.0)
    }
}

/// What changing `parameters` from `old` to `new` does. Of an identity the values say whether it changes: 0 in `old`, and 1
/// in `new` if it is another.
pub fn compare<const N: usize>(parameters: &[Parameter; N], old: &[u64; N], new: &[u64; N]) -> Comparison {
    let mut comparison = Comparison::default();
    for (number, (parameter, (old, new))) in parameters.iter().zip(old.iter().zip(new)).enumerate() {
        let Some(change) = parameter.change(*old, *new) else { continue };
        match change.meaning {
            Meaning::Tighter => comparison.tighter.insert(number),
            Meaning::Looser => comparison.looser.insert(number),
            Meaning::Sideways => comparison.sideways.insert(number),
        }
        match change.effect {
            Effect::Nothing => {}
            Effect::Ramp => comparison.ramped.insert(number),
            Effect::AtOnce => comparison.felt.insert(number),
        }
    }
    comparison
}

/// How far a parameter of each kind may move in one step; zero for not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepBounds {
    /// In basis points of the cap.
    pub cap_bps: u32,
    /// In basis points of the limit.
    pub outflow_bps: u32,
    /// In basis points of the value.
    pub haircut_bps: u32,
    /// In basis points of the value.
    pub max_ltv_bps: u32,
    /// In basis points a year.
    pub rate_bps: u32,
}

/// Least time between two steps of a parameter, in seconds: a day.
pub const STEP_INTERVAL: i64 = 86_400;

impl StepBounds {
    /// Whether going from `old` to `new` is one step of kind `step`. A part of a cap is rounded down.
    pub fn allow(&self, step: Step, old: u64, new: u64) -> bool {
        let part = |bps: u32| u128::from(old).saturating_mul(bps.into()).checked_div(ONE_BPS.into());
        let bound = match step {
            Step::Cap => part(self.cap_bps),
            Step::Outflow => part(self.outflow_bps),
            Step::Haircut => Some(self.haircut_bps.into()),
            Step::LoanToValue => Some(self.max_ltv_bps.into()),
            Step::Rate => Some(self.rate_bps.into()),
        };
        bound.is_some_and(|bound| u128::from(new.abs_diff(old)) <= bound)
    }
}

/// What may be changed without notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtOnce {
    /// As often as one likes.
    Free,
    /// As a step: the parameter rests for [`STEP_INTERVAL`] after it.
    Step,
}

/// Whether `parameter` may go from `old` to `new` at `now` without notice, when its last step was at `stepped_at` (0 for
/// never); `None` when it does not change. Only the risk steward steps in both directions (`both_ways`).
///
/// # Errors
/// `NeedsNotice` when only a queued change can do it; `StepTooLarge`; `StepTooSoon` within a day of its last step.
pub fn at_once(
    parameter: &Parameter,
    old: u64,
    new: u64,
    bounds: &StepBounds,
    both_ways: bool,
    stepped_at: i64,
    now: i64,
) -> Result<Option<AtOnce>> {
    let Some(change) = parameter.change(old, new) else { return Ok(None) };
    let tighter = change.meaning == Meaning::Tighter;
    if tighter && change.effect == Effect::Nothing {
        return Ok(Some(AtOnce::Free));
    }
    let Some(step) = parameter.step.filter(|_| tighter || both_ways) else { return Err(RiskError::NeedsNotice) };
    if !bounds.allow(step, old, new) {
        return Err(RiskError::StepTooLarge);
    }
    if stepped_at != 0 && now < stepped_at.saturating_add(STEP_INTERVAL) {
        return Err(RiskError::StepTooSoon);
    }
    Ok(Some(AtOnce::Step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn number(name: &str) -> usize {
        RESERVE.iter().position(|p| p.name == name).unwrap()
    }

    #[test]
    fn names_are_unique_and_sections_are_together() {
        let names: std::vec::Vec<_> = RESERVE.iter().chain(&MARKET).map(|p| p.name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        let mut sections: std::vec::Vec<_> = names.iter().map(|name| name.split_once('.').unwrap().0).collect();
        sections.dedup();
        let order = [
            "limits",
            "oracle",
            "collateral",
            "volatility",
            "group",
            "rates",
            "minted",
            "terms",
            "market",
            "timelock",
            "steps",
        ];
        assert_eq!(sections, order);
    }

    #[test]
    fn sections_and_steps_are_counted() {
        assert_eq!(RESERVE_SECTIONS.iter().sum::<usize>(), RESERVE_PARAMETERS);
        let prefix = |parameter: &Parameter| parameter.name.split_once('.').unwrap().0;
        for (i, pair) in RESERVE.windows(2).enumerate() {
            let begins = prefix(&pair[0]) != prefix(&pair[1]);
            assert_eq!(section(i) != section(i + 1), begins, "{}", pair[1].name);
        }
        assert_eq!((section(0), section(6), section(7), section(60)), (0, 0, 1, 7));
        let steps: std::vec::Vec<_> = (0..RESERVE_PARAMETERS).filter_map(step_number).collect();
        assert_eq!(steps, (0..RESERVE_STEPS).collect::<std::vec::Vec<_>>());
        assert_eq!((step_number(number("limits.depth")), step_number(61)), (None, None));
    }

    /// What no vault may feel is as short a list as the design has it.
    #[test]
    fn free_moves_are_these() {
        let free = |parameters: &'static [Parameter]| -> std::vec::Vec<&str> {
            let is_free = |m: Move| m == to(Meaning::Tighter, Effect::Nothing);
            parameters.iter().filter(|p| is_free(p.raised) || is_free(p.lowered)).map(|p| p.name).collect()
        };
        assert_eq!(
            free(&RESERVE),
            [
                "limits.deposit_cap",
                "limits.borrow_cap",
                "limits.isolated_debt_ceiling",
                "limits.swap_cap",
                "collateral.max_ltv_bps",
                "group.max_ltv_bps",
                "terms.insurance_floor_bps",
                "terms.isolated_debt",
            ]
        );
        let market = [
            "timelock.delay",
            "steps.cap_bps",
            "steps.outflow_bps",
            "steps.haircut_bps",
            "steps.max_ltv_bps",
            "steps.rate_bps",
        ];
        assert_eq!(free(&MARKET), market);
    }

    #[test]
    fn a_comparison_sorts_every_change() {
        let old = [5; RESERVE_PARAMETERS];
        assert_eq!(compare(&RESERVE, &old, &old), Comparison::default());
        for (i, parameter) in RESERVE.iter().enumerate() {
            for (value, expected) in [(6, parameter.raised), (4, parameter.lowered)] {
                let mut new = old;
                new[i] = value;
                let c = compare(&RESERVE, &old, &new);
                assert_eq!(c.changed().iter().collect::<std::vec::Vec<_>>(), [i]);
                assert_eq!(c.tighter.contains(i), expected.meaning == Meaning::Tighter);
                assert_eq!(c.looser.contains(i), expected.meaning == Meaning::Looser);
                assert_eq!(c.sideways.contains(i), expected.meaning == Meaning::Sideways);
                assert_eq!(c.ramped.contains(i), expected.effect == Effect::Ramp);
                assert_eq!(c.felt.contains(i), expected.effect == Effect::AtOnce);
            }
        }
        assert!(Set::default().is_empty() && !Set(2).is_empty());
        assert!(!Set(u64::MAX).contains(64) && Set(1 << 63).contains(63) && !Set(2).contains(0));
    }

    #[test]
    fn no_limit_is_above_every_limit() {
        let ceiling = &RESERVE[number("limits.isolated_debt_ceiling")];
        assert_eq!(ceiling.change(0, 5), Some(ceiling.lowered));
        assert_eq!(ceiling.change(5, 0), Some(ceiling.raised));
        assert_eq!(ceiling.change(0, 0), None);
        assert_eq!(ceiling.change(0, u64::MAX), Some(to(Meaning::Sideways, Effect::Nothing)));
        let cap = &RESERVE[number("limits.deposit_cap")];
        assert_eq!(cap.change(0, 5), Some(cap.raised));
    }

    const BOUNDS: StepBounds =
        StepBounds { cap_bps: 1_000, outflow_bps: 2_000, haircut_bps: 50, max_ltv_bps: 60, rate_bps: 70 };

    #[test]
    fn steps_are_bounded_by_their_kind() {
        for (step, old, most) in [
            (Step::Cap, 1_009, 100),
            (Step::Outflow, 1_000, 200),
            (Step::Haircut, 1_000, 50),
            (Step::LoanToValue, 1_000, 60),
            (Step::Rate, 1_000, 70),
        ] {
            for far in [old + most, old - most] {
                assert!(BOUNDS.allow(step, old, far), "{step:?} {far}");
            }
            for too_far in [old + most + 1, old - most - 1] {
                assert!(!BOUNDS.allow(step, old, too_far), "{step:?} {too_far}");
            }
            assert!(!StepBounds::default().allow(step, old, old + 1));
        }
        assert!(BOUNDS.allow(Step::Cap, u64::MAX, u64::MAX - u64::MAX / 10));
        assert!(!BOUNDS.allow(Step::Cap, 0, 1), "a tenth of nothing");
    }

    #[test]
    fn what_may_happen_at_once() {
        let at = |name: &str, old, new, both_ways, stepped_at, now| {
            at_once(&RESERVE[number(name)], old, new, &BOUNDS, both_ways, stepped_at, now)
        };
        let (free, step) = (Ok(Some(AtOnce::Free)), Ok(Some(AtOnce::Step)));
        assert_eq!(at("limits.deposit_cap", 100, 100, false, 0, 9), Ok(None));
        assert_eq!(at("limits.deposit_cap", 100, 0, false, 9, 9), free, "tightening needs no step");
        assert_eq!(at("limits.deposit_cap", 100, 101, false, 0, 9), Err(RiskError::NeedsNotice));
        assert_eq!(at("limits.deposit_cap", 100, 110, true, 0, 9), step);
        assert_eq!(at("limits.deposit_cap", 100, 111, true, 0, 9), Err(RiskError::StepTooLarge));
        assert_eq!(at("limits.deposit_cap", 100, 110, true, 9, 8 + STEP_INTERVAL), Err(RiskError::StepTooSoon));
        assert_eq!(at("limits.deposit_cap", 100, 110, true, 9, 9 + STEP_INTERVAL), step);
        // Tighter, but not for nothing: a step for everybody.
        assert_eq!(at("collateral.base_haircut_bps", 200, 250, false, 0, 9), step);
        assert_eq!(at("collateral.base_haircut_bps", 200, 251, false, 0, 9), Err(RiskError::StepTooLarge));
        assert_eq!(at("collateral.base_haircut_bps", 200, 199, false, 0, 9), Err(RiskError::NeedsNotice));
        assert_eq!(at("limits.hourly_outflow", 100, 80, false, 0, 9), step);
        assert_eq!(at("limits.hourly_outflow", 100, 79, false, 0, 9), Err(RiskError::StepTooLarge));
        // Sideways: only the steward, and only where there is a step.
        assert_eq!(at("rates.slope_bps", 100, 170, false, 0, 9), Err(RiskError::NeedsNotice));
        assert_eq!(at("rates.slope_bps", 100, 30, true, 0, 9), step);
        assert_eq!(at("oracle.dead_after", 100, 101, true, 0, 9), Err(RiskError::NeedsNotice));
        assert_eq!(at("oracle.max_age_new_risk", 100, 99, true, 0, 9), Err(RiskError::NeedsNotice));
        assert_eq!(at("collateral.liquidation_threshold_bps", 100, 99, true, 0, 9), Err(RiskError::NeedsNotice));
    }

    proptest! {
        /// In any span of a day a parameter moves at most one step against the protocol without notice, whatever is tried.
        #[test]
        fn a_day_has_one_step(tries in prop::collection::vec((0u64..200, 0i64..40_000), 1..60)) {
            let cap = &RESERVE[number("limits.deposit_cap")];
            let (mut value, mut now, mut stepped_at) = (100u64, 1, 0);
            let mut raises = std::vec::Vec::new();
            for (new, wait) in tries {
                now += wait;
                match at_once(cap, value, new, &BOUNDS, true, stepped_at, now) {
                    Ok(Some(AtOnce::Step)) => {
                        prop_assert!(new > value && new <= value + value / 10);
                        stepped_at = now;
                        raises.push(now);
                        value = new;
                    }
                    Ok(Some(AtOnce::Free)) => {
                        prop_assert!(new < value);
                        value = new;
                    }
                    _ => {}
                }
            }
            prop_assert!(raises.windows(2).all(|pair| pair[1] - pair[0] >= STEP_INTERVAL));
        }
    }
}
