//! Acts on the chain and compares with the previews.

use crate::scene::{Stage, account_data};
use anchor_lang::prelude::Pubkey;
use keel::events::Liquidated;
use keel::state::{Side, Vault};
use keel::{AmountSpec, KeelError};
use keel_client::ClientError;
use keel_client::instruction::{self, Liquidation};
use keel_client::preview::Action;
use keel_risk::price::{Purpose, UnitPrice};
use keel_tests::check;
use rand_chacha::ChaCha8Rng;
use solana_instruction::Instruction;
use std::collections::BTreeMap;

/// How often something was compared.
#[derive(Default, Debug)]
pub struct Seen {
    pub vaults: u64,
    /// The health of an event was that of the preview.
    exact_health: u64,
    /// The program said that a vault is healthy, as the preview did.
    healthy: u64,
    /// A loan or withdrawal was accepted at the largest amount and refused at one more.
    boundaries: u64,
    /// Prices at which a vault stops being healthy.
    critical: u64,
    /// Actions whose accounts came out alike.
    accepted: BTreeMap<&'static str, u64>,
    /// Errors that came out alike.
    refused: BTreeMap<String, u64>,
}

impl Seen {
    /// A run that reached nothing would prove nothing.
    pub fn require_all(&self) {
        assert!(self.exact_health > self.vaults / 10, "{self:?}");
        assert!(self.healthy > self.vaults / 10, "{self:?}");
        assert!(self.critical > self.vaults, "{self:?}");
        assert!(self.boundaries > self.vaults / 4, "{self:?}");
        for action in ["Deposit", "Withdraw", "Borrow", "Repay"] {
            assert!(self.accepted.get(action).is_some_and(|count| *count > self.vaults / 20), "{action}: {self:?}");
        }
        let reached = |error: KeelError| self.refused.contains_key(&format!("{error:?}"));
        let all = [
            KeelError::Unhealthy,
            KeelError::PositionTooSmall,
            KeelError::InsufficientLiquidity,
            KeelError::OutflowLimitExceeded,
            KeelError::IsolatedCollateralMixed,
            KeelError::IsolatedDebtMixed,
            KeelError::IsolatedDebtCeilingExceeded,
            KeelError::InsufficientCollateral,
            KeelError::RepaymentExceedsDebt,
            KeelError::VaultInsolvent,
            KeelError::PriceStale,
        ];
        let missed: Vec<_> = all.into_iter().filter(|error| !reached(*error)).collect();
        assert!(missed.is_empty(), "{missed:?} never came up: {self:?}");
    }
}

/// Liquidates a random pair, if there is one: the event's health is the preview's, or both say that there is nothing to do.
pub fn liquidate(stage: &mut Stage, vault: &Vault, rng: &mut ChaCha8Rng, seen: &mut Seen) {
    let pair = stage.reserve_held(vault, Side::Debt, rng).zip(stage.reserve_held(vault, Side::Collateral, rng));
    let Some((debt, collateral)) = pair else { return };
    if vault.is_insolvent() {
        return;
    }
    let terms = Liquidation {
        keeper: stage.user.key(),
        vault: stage.user.vault,
        debt_reserve: stage.world.assets[debt].reserve,
        collateral_reserve: stage.world.assets[collateral].reserve,
        max_repay: u64::MAX,
        min_seize: 0,
    };
    let build = instruction::liquidate(&stage.world.book, vault, &terms).unwrap();
    let market = stage.world.market_state();
    let expected = stage.view(&market).value(vault, Purpose::Liquidation).map(|valuation| valuation.totals);
    let outcome = stage.world.chain.simulate(&[build], &[&stage.user.keypair]);
    match (expected, outcome) {
        (Ok(totals), Ok((receipt, _))) => {
            assert!(!totals.is_healthy(), "{totals:?}");
            let event = check::events::<Liquidated>(&receipt).pop().unwrap();
            assert_eq!(event.health_before, totals.health_factor().unwrap().to_bits());
            seen.exact_health += 1;
        }
        (Ok(totals), Err(failure)) if totals.is_healthy() => {
            // A feed that is dead counts in the valuation, and is no price to trade at.
            let code = failure.code().unwrap();
            let healthy = code == u32::from(KeelError::Healthy);
            assert!(healthy || is_price(code), "{failure:?}");
            seen.healthy += u64::from(healthy);
        }
        (Ok(_), Err(failure)) => {
            let code = failure.code().unwrap_or_else(|| panic!("{failure:#?}"));
            let other = [
                KeelError::NothingToSeize,
                KeelError::PartOfSmallPosition,
                KeelError::HealthNotRaised,
                KeelError::InsufficientLiquidity,
            ];
            assert!(is_price(code) || other.map(u32::from).contains(&code), "{failure:#?}");
        }
        (Err(ClientError::Refused(error)), Err(failure)) => {
            let code = failure.code().unwrap();
            assert!(code == u32::from(error) || is_price(code), "{error:?} {failure:#?}");
        }
        (expected, outcome) => panic!("{expected:?} {outcome:#?}"),
    }
}

/// A vault is healthy at the critical price of each of its assets, and not a unit beyond.
pub fn at_critical_prices(stage: &mut Stage, vault: &Vault, seen: &mut Seen) {
    let market = stage.world.market_state();
    let view = stage.view(&market);
    let Ok(holdings) = view.holdings(vault) else { return };
    let healthy = |key: &Pubkey, bits: u128| {
        let price = UnitPrice::from_bits(bits);
        // At absurd prices a value does not fit, which is no health.
        view.value_at(vault, key, price, Purpose::Liquidation).is_ok_and(|valuation| valuation.totals.is_healthy())
    };
    for holding in holdings {
        let Some(critical) = holding.critical.map(UnitPrice::to_bits) else { continue };
        let beyond = if holding.side == Side::Collateral { critical - 1 } else { critical + 1 };
        assert!(healthy(&holding.reserve, critical) || critical > u128::MAX / 2, "{holding:?}");
        assert!(!healthy(&holding.reserve, beyond), "{holding:?}");
        seen.critical += 1;
    }
}

fn is_price(code: u32) -> bool {
    (u32::from(KeelError::PriceWrongOwner)..=u32::from(KeelError::NoSuchFeed)).contains(&code)
}

/// The largest amount of an action, and one native unit more.
pub fn at_the_boundary(stage: &mut Stage, vault: &Vault, asset: usize, action: Action, seen: &mut Seen) {
    let market = stage.world.market_state();
    let key = stage.world.assets[asset].reserve;
    let (largest, reason) = stage.view(&market).largest(vault, &key, action).unwrap();
    let Some(reason) = reason else { panic!("no end to {action:?}: {largest}") };
    let accepted = largest > 0 && compare(stage, vault, asset, action, AmountSpec::Exact(largest), seen).is_none();
    let beyond = compare(stage, vault, asset, action, AmountSpec::Exact(largest + 1), seen);
    assert_eq!(beyond, Some(reason), "{action:?} of {largest} and one more");
    seen.boundaries += u64::from(accepted);
}

/// Previews an action, sends it, and compares. Returns the error that both refuse with.
pub fn compare(
    stage: &mut Stage,
    vault: &Vault,
    asset: usize,
    action: Action,
    amount: AmountSpec,
    seen: &mut Seen,
) -> Option<KeelError> {
    if action == Action::Deposit && amount == AmountSpec::All {
        return None;
    }
    let market = stage.world.market_state();
    let key = stage.world.assets[asset].reserve;
    let preview = stage.view(&market).preview(vault, &key, action, amount);
    let build = build(stage, vault, asset, action, amount);
    let outcome = stage.world.chain.simulate(&[build], &[&stage.user.keypair]);
    let refused = match &preview {
        Ok(preview) => preview.refused,
        Err(ClientError::Refused(error)) => Some(*error),
        Err(other) => panic!("{other}"),
    };
    match (refused, outcome) {
        (None, Ok((_, after))) => {
            let preview = preview.unwrap();
            let bytes = |key: &Pubkey| &after.get(key).unwrap().data;
            assert_eq!(bytes(&stage.user.vault), &account_data(&preview.vault), "{action:?} of {amount:?}: vault");
            assert_eq!(bytes(&key), &account_data(&preview.reserve), "{action:?} of {amount:?}: reserve");
            *seen.accepted.entry(name(action)).or_default() += 1;
        }
        (Some(error), Err(failure)) => {
            let got = failure.code();
            assert_eq!(got, Some(u32::from(error)), "{action:?} of {amount:?}: {error:?}, {:#?}", failure.logs);
            *seen.refused.entry(format!("{error:?}")).or_default() += 1;
        }
        (refused, outcome) => panic!("{action:?} of {amount:?}: {refused:?}, but {outcome:#?}"),
    }
    refused
}

fn name(action: Action) -> &'static str {
    match action {
        Action::Deposit => "Deposit",
        Action::Withdraw => "Withdraw",
        Action::Borrow => "Borrow",
        Action::Repay => "Repay",
    }
}

fn build(stage: &Stage, vault: &Vault, asset: usize, action: Action, amount: AmountSpec) -> Instruction {
    let (book, actor) = (&stage.world.book, stage.world.actor(&stage.user, asset));
    match (action, amount) {
        (Action::Deposit, _) => instruction::deposit(book, &actor, amount),
        (Action::Withdraw, _) => instruction::withdraw(book, vault, &actor, amount),
        (Action::Borrow, AmountSpec::Exact(exact)) => instruction::borrow(book, vault, &actor, exact),
        (Action::Borrow, AmountSpec::All) => {
            let mut build = instruction::borrow(book, vault, &actor, 0).unwrap();
            build.data = anchor_lang::InstructionData::data(&keel::instruction::Borrow { amount });
            return build;
        }
        (Action::Repay, _) => instruction::repay(book, vault, &actor, amount),
    }
    .unwrap()
}
