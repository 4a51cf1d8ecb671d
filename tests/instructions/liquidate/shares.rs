//! Liquidations that pay in supply shares, into a vault of the keeper's.

use super::*;
use anchor_lang::prelude::Pubkey;
use keel::AmountSpec::{All, Exact};
use keel::KeelError;
use keel::events::Liquidated;
use keel::state::Side;
use keel_risk::Fraction;
use keel_tests::AssetSpec;
use keel_tests::check::{Refusal, keys, only_event};

/// What the keeper of a vault at 160 dollars repays, and what is seized for it; of that, what the keeper gets.
const REPAID: u64 = 10_061_188_453;
const SEIZED: u64 = 68_969_446_845;
const TO_KEEPER: u64 = 68_360_744_943;

/// A [`Case`] whose keeper has a vault.
struct Shares {
    c: Case,
    keeper: User,
}

impl Shares {
    fn at(cents: i64) -> Self {
        let mut c = Case::at(cents);
        let keeper = c.w.user();
        c.w.fund(&keeper.key(), USDC, 1_000_000_000_000);
        c.w.fund(&keeper.key(), SOL, 0);
        c.keeper = keeper.keypair.insecure_clone();
        Self { c, keeper }
    }

    /// Without limits, into the vault at `to`.
    fn paid_to(&mut self, to: Pubkey) -> Instruction {
        self.terms(to, u64::MAX, 0)
    }

    fn terms(&mut self, to: Pubkey, max_repay: u64, min_seize: u64) -> Instruction {
        let terms = Liquidation {
            keeper: self.keeper.key(),
            vault: self.c.borrower.vault,
            debt_reserve: self.c.w.assets[USDC].reserve,
            collateral_reserve: self.c.w.assets[SOL].reserve,
            max_repay,
            min_seize,
        };
        let vault = self.c.w.vault(&self.c.borrower.vault);
        instruction::liquidate_for_shares(&self.c.w.book, &vault, &terms, to).unwrap()
    }

    #[track_caller]
    fn refuse(&mut self, to: Pubkey, expected: impl Into<Refusal>) {
        let liquidate = self.paid_to(to);
        self.c.w.refuse(&liquidate, &[&self.keeper.keypair], expected);
    }

    /// What the vault at `key` has in SOL.
    fn sol_in(&mut self, key: &Pubkey) -> u64 {
        let shares = self.c.w.vault(key).collateral_or_zero(&self.c.w.assets[SOL].reserve);
        self.c.w.reserve(SOL).pool().supply_index.amount_of(shares).unwrap().0
    }
}

/// All SOL is lent: no token can be paid out, and the same liquidation as ever is possible in shares.
#[test]
fn effects_at_full_utilization() {
    let mut s = Shares::at(160_00);
    let other = s.c.w.supplier(USDC, 1_000_000_000_000);
    s.c.w.fund(&other.key(), SOL, 0);
    s.c.w.borrow(&other, SOL, 100_000_000_000).unwrap();
    let tokens = s.c.all();
    s.c.w.refuse(&tokens, &[&s.keeper.keypair], KeelError::NothingToSeize);

    let to = s.keeper.vault;
    let liquidate = s.paid_to(to);
    let before = s.c.w.snapshot(&[&s.c.lender, &s.c.borrower, &s.keeper]);
    let receipt = s.c.w.send(liquidate, &s.keeper.keypair).unwrap();
    let paid = s.c.w.token_account(&s.keeper.key(), USDC);
    let (sol, usdc) = (s.c.w.assets[SOL].reserve, s.c.w.assets[USDC].reserve);
    let changed = [s.c.borrower.vault, to, sol, usdc, s.c.w.liquidity_key(USDC), paid];
    assert_eq!(before.changed(&mut s.c.w), keys(changed));
    assert_eq!(s.c.position(), (14_000_000_000 - REPAID, 100_000_000_000 - SEIZED));
    assert_eq!(s.c.keeper_balances(), (1_000_000_000_000 - REPAID, 0));
    // The shares change hands; none is minted or burned.
    let vault = s.c.w.vault(&to);
    assert_eq!(vault.collateral(&sol).unwrap().0, Fraction::from_integer(TO_KEEPER));
    let pool = s.c.w.reserve(SOL).pool();
    assert_eq!(pool.insurance_shares.0, Fraction::from_integer(SEIZED - TO_KEEPER));
    assert_eq!((pool.supply_shares.0, pool.available.0), (Fraction::from_integer(100_000_000_000), 0));
    let event: Liquidated = only_event(&receipt);
    assert!(event.in_shares);
    assert_eq!((event.repaid, event.seized, event.to_keeper), (REPAID, SEIZED, TO_KEEPER));
    // Once somebody repays, they are tokens.
    s.c.w.repay(&other, SOL, All).unwrap();
    s.c.w.withdraw(&s.keeper, SOL, All).unwrap();
    assert_eq!(s.c.keeper_balances().1, TO_KEEPER);
}

#[test]
fn effects_adds_to_a_position_of_the_keeper() {
    let mut s = Shares::at(160_00);
    s.c.w.fund(&s.keeper.key(), SOL, 5_000_000_000);
    s.c.w.deposit(&s.keeper, SOL, All).unwrap();
    let to = s.keeper.vault;
    let liquidate = s.paid_to(to);
    s.c.w.send(liquidate, &s.keeper.keypair).unwrap();
    let vault = s.c.w.vault(&to);
    assert_eq!(vault.occupied().count(), 1);
    assert_eq!(s.sol_in(&to), 5_000_000_000 + TO_KEEPER);
}

/// Whoever holds the asset already may be given more of it, by anyone, as with a deposit.
#[test]
fn effects_adds_to_a_position_of_somebody_else() {
    let mut s = Shares::at(160_00);
    let friend = s.c.w.supplier(SOL, 1_000_000_000);
    let liquidate = s.paid_to(friend.vault);
    s.c.w.send(liquidate, &s.keeper.keypair).unwrap();
    assert_eq!(s.sol_in(&friend.vault), 1_000_000_000 + TO_KEEPER);
    assert!(s.c.w.vault(&s.keeper.vault).is_empty());
}

/// After a year of interest a share is worth more than one: the keeper gets the same amount in fewer of them.
#[test]
fn effects_shares_are_worth_the_amount() {
    let mut s = Shares::at(160_00);
    let other = s.c.w.supplier(USDC, 1_000_000_000_000);
    s.c.w.fund(&other.key(), SOL, 0);
    s.c.w.borrow(&other, SOL, 80_000_000_000).unwrap();
    s.c.w.pass(365 * 86_400);
    s.c.w.set_price(SOL, 150_00);
    s.c.w.refresh_prices();
    let to = s.keeper.vault;
    let liquidate = s.paid_to(to);
    let receipt = s.c.w.send(liquidate, &s.keeper.keypair).unwrap();
    let event: Liquidated = only_event(&receipt);
    let pool = s.c.w.reserve(SOL).pool();
    assert!(pool.supply_index.0 > Fraction::ratio_floor(107, 100).unwrap());
    let held = s.sol_in(&to);
    assert!((event.to_keeper - 1..=event.to_keeper).contains(&held), "{held} {}", event.to_keeper);
    assert_eq!(pool.check(), Ok(()));
}

#[test]
fn rejects_less_than_min_seize() {
    let mut s = Shares::at(160_00);
    let to = s.keeper.vault;
    let more = s.terms(to, u64::MAX, TO_KEEPER + 1);
    s.c.w.refuse(&more, &[&s.keeper.keypair], KeelError::SlippageExceeded);
    let exact = s.terms(to, u64::MAX, TO_KEEPER);
    s.c.w.send(exact, &s.keeper.keypair).unwrap();
}

#[test]
fn rejects_the_vault_that_is_liquidated() {
    let mut s = Shares::at(160_00);
    let own = s.c.borrower.vault;
    s.refuse(own, KeelError::SameVault);
}

#[test]
fn rejects_what_is_no_vault() {
    let mut s = Shares::at(160_00);
    let key = s.keeper.key();
    let (vault, reserve) = (s.keeper.vault, s.c.w.assets[SOL].reserve);
    let unrelated = s.c.w.list(&AssetSpec::usdc());
    let cases = [
        ("tokens", s.c.w.token_account(&key, SOL)),
        ("nothing", Pubkey::new_unique()),
        ("another reserve", s.c.w.assets[unrelated].reserve),
        ("a forged vault", forged(&mut s.c.w, &vault)),
        ("zeros of the program's", zeroed(&mut s.c.w, &vault)),
        ("zeros as long as a reserve", zeroed(&mut s.c.w, &reserve)),
    ];
    for (case, to) in cases {
        let liquidate = s.paid_to(to);
        s.c.w.refuse_case(case, &liquidate, &[&s.keeper.keypair], KeelError::NotAVault);
    }
}

#[test]
fn rejects_a_new_position_in_the_vault_of_another() {
    let mut s = Shares::at(160_00);
    let (empty, lender) = (s.c.w.user(), s.c.lender.vault);
    for to in [empty.vault, lender] {
        s.refuse(to, KeelError::OnlyOwnerOpensPositions);
    }
}

#[test]
fn rejects_a_vault_that_owes_the_asset() {
    let mut s = Shares::at(160_00);
    s.c.w.supplier(SOL, 10_000_000_000);
    s.c.w.deposit(&s.keeper, USDC, Exact(10_000_000_000)).unwrap();
    s.c.w.borrow(&s.keeper, SOL, 1_000_000_000).unwrap();
    let to = s.keeper.vault;
    s.refuse(to, KeelError::ReserveHeldAsDebt);
    assert!(s.c.w.vault(&to).has(Side::Debt));
}

#[test]
fn rejects_a_vault_of_another_market() {
    let mut s = Shares::at(160_00);
    let elsewhere = other_market(&mut s.c.w, SOL, &s.keeper);
    s.refuse(elsewhere.vault, KeelError::WrongMarket);
}

#[test]
fn rejects_an_insolvent_vault_of_the_keeper() {
    let mut s = Shares::at(160_00);
    mark_insolvent(&mut s.c.w, &s.keeper);
    let to = s.keeper.vault;
    s.refuse(to, KeelError::VaultInsolvent);
}

/// Isolated collateral comes into an empty vault only, in this way, too.
#[test]
fn rejects_isolated_collateral_beside_other() {
    let mut s = Shares::at(160_00);
    s.c.w.configure(SOL, |config| config.limits.isolated_debt_ceiling = 20_000_000_000).unwrap();
    s.c.w.deposit(&s.keeper, USDC, Exact(1_000_000)).unwrap();
    let to = s.keeper.vault;
    s.refuse(to, KeelError::IsolatedCollateralMixed);
    s.c.w.withdraw(&s.keeper, USDC, All).unwrap();
    let liquidate = s.paid_to(to);
    s.c.w.send(liquidate, &s.keeper.keypair).unwrap();
    assert_eq!(s.sol_in(&to), TO_KEEPER);
}
