//! Acts on the chain and compares with the previews.

use crate::scene::{Stage, WEALTH, account_data};
use anchor_lang::prelude::Pubkey;
use keel::events::Liquidated;
use keel::state::{Side, Vault};
use keel::{AmountSpec, KeelError, Receive};
use keel_client::ClientError;
use keel_client::instruction::{self, Liquidation};
use keel_client::preview::{Accounts, Action};
use keel_risk::Fraction;
use keel_risk::health::Totals;
use keel_risk::price::{Purpose, UnitPrice};
use keel_tests::check;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use solana_instruction::Instruction;
use std::collections::BTreeMap;

/// How often something was compared.
#[derive(Default, Debug)]
pub struct Seen {
    pub vaults: u64,
    /// A liquidation came out alike.
    liquidations: u64,
    /// Of these, those in shares, those that left something of both positions, and those that wrote debt off.
    in_shares: u64,
    part: u64,
    bad_debt: u64,
    /// Errors of liquidations that came out alike.
    not_liquidated: BTreeMap<String, u64>,
    /// Least amounts that bring a vault to a health.
    least: BTreeMap<&'static str, u64>,
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
        assert!(self.liquidations > self.vaults / 10, "{self:?}");
        assert!(self.in_shares > self.liquidations / 4, "{self:?}");
        assert!(self.part > self.vaults / 100 && self.bad_debt > 0, "{self:?}");
        // Which of the errors of prices come up depends on the seed.
        for error in ["Healthy", "VaultInsolvent", "NothingToSeize", "Price"] {
            assert!(self.not_liquidated.keys().any(|name| name.starts_with(error)), "{error}: {self:?}");
        }
        for action in ["Deposit", "Repay"] {
            assert!(self.least.get(action).is_some_and(|count| *count > self.vaults / 100), "{action}: {self:?}");
        }
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

/// Liquidates a random pair, if there is one: the event, the vault and both reserves are those of the preview, or both refuse
/// with the same error.
pub fn liquidate(stage: &mut Stage, vault: &Vault, rng: &mut ChaCha8Rng, seen: &mut Seen) {
    let Some((debt, collateral)) = stage.pair(vault, rng) else { return };
    let (debt_reserve, collateral_reserve) = (stage.world.assets[debt].reserve, stage.world.assets[collateral].reserve);
    let max_repay = stage.most_repaid(debt, rng);
    let market = stage.world.market_state();
    let view = stage.view(&market);
    let receive = if rng.random_bool(0.5) { Receive::Tokens } else { Receive::Shares };
    let preview = view.liquidate(vault, &debt_reserve, &collateral_reserve, max_repay, receive);
    let keeper = stage.keeper.key();
    let terms =
        Liquidation { keeper, vault: stage.user.vault, debt_reserve, collateral_reserve, max_repay, min_seize: 0 };
    let book = &stage.world.book;
    let build = match receive {
        Receive::Tokens => instruction::liquidate(book, vault, &terms),
        Receive::Shares => instruction::liquidate_for_shares(book, vault, &terms, stage.keeper.vault),
    };
    match (preview, stage.world.chain.simulate(&[build.unwrap()], &[&stage.keeper.keypair])) {
        (Ok(preview), Ok((receipt, after))) => {
            let (plan, health) =
                (&preview.plan, |totals: &Totals| totals.health_factor().map_or(u128::MAX, Fraction::to_bits));
            let expected = Liquidated {
                vault: terms.vault,
                keeper,
                debt_reserve,
                collateral_reserve,
                repaid: plan.repay.0,
                seized: plan.seize.0,
                to_keeper: plan.to_keeper.0,
                in_shares: receive == Receive::Shares,
                bonus: plan.bonus.to_bits(),
                health_before: health(&preview.before),
                health_after: health(&preview.after),
            };
            let event = check::events::<Liquidated>(&receipt).pop().unwrap();
            assert_eq!(encoded(&event), encoded(&expected), "{preview:?}");
            let bytes = |key: &Pubkey| &after.get(key).unwrap().data;
            assert_eq!(bytes(&terms.vault), &account_data(&preview.vault), "{terms:?}: vault");
            assert_eq!(bytes(&debt_reserve), &account_data(&preview.debt_reserve), "{terms:?}: debt");
            assert_eq!(bytes(&collateral_reserve), &account_data(&preview.collateral_reserve), "{terms:?}: collateral");
            assert!(preview.bounty() <= preview.cost() && preview.received <= preview.seized);
            seen.liquidations += 1;
            seen.in_shares += u64::from(receive == Receive::Shares);
            seen.part += u64::from(!plan.repays_all && !plan.seizes_all);
            seen.bad_debt += u64::from(preview.vault.is_insolvent());
        }
        (Err(ClientError::Refused(error)), Err(failure)) => {
            assert_eq!(failure.code(), Some(u32::from(error)), "{terms:?}: {error:?}, {:#?}", failure.logs);
            *seen.not_liquidated.entry(format!("{error:?}")).or_default() += 1;
        }
        (preview, outcome) => panic!("{terms:?}: {preview:?}, but {outcome:#?}"),
    }
}

fn encoded(event: &Liquidated) -> Vec<u8> {
    anchor_lang::Event::data(event)
}

/// The least deposit or repayment that brings a vault to a health does so, on the chain, and one native unit less does not.
pub fn at_the_least(stage: &mut Stage, vault: &Vault, asset: usize, action: Action, health: Fraction, seen: &mut Seen) {
    let market = stage.world.market_state();
    let key = stage.world.assets[asset].reserve;
    let Ok(least) = stage.view(&market).least(vault, &key, action, health) else { return };
    let Some(least) = least.filter(|least| (1..=WEALTH).contains(least)) else { return };
    for (amount, is_enough) in [(least, true), (least - 1, false)] {
        if amount == 0 {
            continue;
        }
        assert_eq!(compare(stage, vault, asset, action, AmountSpec::Exact(amount), seen), None);
        let preview = stage.view(&market).preview(vault, &key, action, AmountSpec::Exact(amount)).unwrap();
        let mut book = stage.world.book.clone();
        book.update(preview.reserve);
        let after = Accounts { book: &book, ..stage.view(&market) }.value(&preview.vault, Purpose::Liquidation);
        let reached = after.unwrap().totals.health_factor().is_none_or(|reached| reached >= health);
        assert_eq!(reached, is_enough, "{action:?} of {amount}");
    }
    *seen.least.entry(name(action)).or_default() += 1;
}

/// A vault is healthy at the critical price of each of its assets, and not a unit beyond.
pub fn at_critical_prices(stage: &mut Stage, vault: &Vault, seen: &mut Seen) {
    let market = stage.world.market_state();
    let view = stage.view(&market);
    let amounts = view.amounts(vault).unwrap();
    assert_eq!(amounts.len(), vault.occupied().count());
    let Ok(holdings) = view.holdings(vault) else { return };
    assert!(holdings.iter().map(|h| (h.reserve, h.side, h.amount)).eq(amounts));
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
