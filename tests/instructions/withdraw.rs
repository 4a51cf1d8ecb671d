//! `withdraw`.

use crate::support::*;
use anchor_spl::token::spl_token::error::TokenError;
use keel::AmountSpec::{self, All, Exact};
use keel::KeelError;
use keel::events::{Flow, Moved};
use keel_client::instruction::{self, Actor};
use keel_risk::Fraction;
use keel_risk::units::{Amount, Quantity, SupplyShares};
use keel_tests::check::{Refusal, keys, only_event};
use keel_tests::world::User;
use keel_tests::{AssetSpec, Chain, ProgramTestChain, World};
use solana_instruction::Instruction;
use solana_instruction::error::InstructionError;

fn build(w: &mut Bank, user: &User, asset: usize, amount: AmountSpec) -> Instruction {
    let vault = w.vault(&user.vault);
    instruction::withdraw(&w.book, &vault, &w.actor(user, asset), amount).unwrap()
}

#[track_caller]
fn refuse(w: &mut Bank, user: &User, asset: usize, amount: AmountSpec, expected: impl Into<Refusal>) {
    let instruction = build(w, user, asset, amount);
    w.refuse(&instruction, &[&user.keypair], expected);
}

/// [`lent`] with a loan of 10,000 USDC.
fn indebted() -> (Bank, User, User) {
    let (mut w, lender, borrower) = lent();
    w.borrow(&borrower, USDC, w.assets[USDC].whole(10_000)).unwrap();
    (w, lender, borrower)
}

#[test]
fn effects_burns_shares_and_pays_tokens() {
    let mut w = bank();
    let (user, bystander) = (w.supplier(SOL, 5_000), w.supplier(SOL, 1_000));
    let before = w.snapshot(&[&user, &bystander]);
    let receipt = w.withdraw(&user, SOL, Exact(3_000)).unwrap();

    let (tokens, liquidity) = (w.token_account(&user.key(), SOL), w.liquidity_key(SOL));
    assert_eq!(before.changed(&mut w), keys([user.vault, w.assets[SOL].reserve, tokens, liquidity]));
    assert_eq!((w.balance(&user.key(), SOL), w.liquidity(SOL)), (3_000, 3_000));
    let reserve = w.reserve(SOL);
    assert_eq!((reserve.available, reserve.supply_shares.get()), (3_000, 3_000 << 60));
    let held = w.vault(&user.vault).collateral(&w.assets[SOL].reserve);
    assert_eq!(held, Ok(SupplyShares(Fraction::from_integer(2_000))));
    let event: Moved = only_event(&receipt);
    assert_eq!((event.flow, event.vault, event.reserve), (Flow::Withdraw, user.vault, w.assets[SOL].reserve));
    assert_eq!((event.amount, event.shares), (3_000, 3_000 << 60));
}

#[test]
fn effects_all_empties_the_position_and_frees_the_slot() {
    let mut w = bank();
    let user = w.supplier(SOL, 5_000);
    w.withdraw(&user, SOL, All).unwrap();
    assert_eq!((w.balance(&user.key(), SOL), w.liquidity(SOL)), (5_000, 0));
    assert!(w.vault(&user.vault).is_empty());
    let reserve = w.reserve(SOL);
    assert_eq!((reserve.available, reserve.supply_shares.get(), reserve.insurance_shares.get()), (0, 0, 0));
}

/// The exact amount of the whole position does what ALL does, and tokens may go to any account of the mint.
#[test]
fn effects_the_exact_whole_to_anybodys_account() {
    let mut w = bank();
    let (user, friend) = (w.supplier(SOL, 5_000), w.user());
    w.fund(&friend.key(), SOL, 1);
    let mut actor = w.actor(&user, SOL);
    actor.token_account = w.token_account(&friend.key(), SOL);
    let vault = w.vault(&user.vault);
    let withdraw = instruction::withdraw(&w.book, &vault, &actor, Exact(5_000)).unwrap();
    w.send(withdraw, &user.keypair).unwrap();
    assert_eq!(w.balance(&friend.key(), SOL), 5_001);
    assert!(w.vault(&user.vault).is_empty());
}

/// With interest, the amount is rounded down and the shares up: the protocol keeps the fraction.
#[test]
fn effects_pays_interest() {
    let (mut w, lender, _) = indebted();
    w.pass(90 * 86_400);
    let mut expected = w.reserve(USDC).pool();
    expected.accrue(w.chain.clock().unix_timestamp).unwrap();
    let key = w.assets[USDC].reserve;
    let held = w.vault(&lender.vault).collateral(&key).unwrap();
    let change = expected.withdraw(Quantity::Exact(Amount(777_777_777)), held).unwrap();
    expected.reprice(&w.reserve(USDC).config.rate_terms()).unwrap();
    w.withdraw(&lender, USDC, Exact(777_777_777)).unwrap();
    assert_eq!(w.reserve(USDC).pool(), expected);
    let left = w.vault(&lender.vault).collateral(&key).unwrap();
    assert_eq!(left.checked_add(change.shares), Ok(held));
    assert!(expected.supply_index.0 > Fraction::ONE);
    // Shares burned are worth at least what was paid, by less than one share's epsilon.
    let worth = change.shares.0.mul_ceil(expected.supply_index.0).unwrap();
    assert!(worth >= Fraction::from_integer(777_777_777));
    assert_eq!(worth.floor_to_u64(), Ok(777_777_777));
}

#[test]
fn effects_needs_no_price_without_debt() {
    let mut w = bank();
    let user = w.supplier(SOL, 5_000);
    let key = w.assets[SOL].prices[0];
    w.chain.set_data(&key, &keel::ID, vec![]);
    w.pass(1_000_000);
    w.withdraw(&user, SOL, Exact(1)).unwrap();
    // Accounts that are not needed are not looked at.
    let mut withdraw = build(&mut w, &user, SOL, All);
    withdraw.accounts.push(solana_instruction::AccountMeta::new_readonly(key, false));
    w.send(withdraw, &user.keypair).unwrap();
}

/// Collateral leaves down to an initial health of exactly 1.
#[test]
fn effects_down_to_initial_health_and_rejects_unhealthy() {
    let (mut w, _, borrower) = indebted();
    // Owed: 10,000 USDC at 1.0005, 10,005 dollars. A SOL carries 199.9 * 0.98 * 0.75 = 146.9265 dollars of limit, so
    // that 10,005 / 146.9265 = 68.095272125858... SOL have to stay.
    let most = w.assets[SOL].whole(100) - 68_095_272_126;
    let beyond = build(&mut w, &borrower, SOL, Exact(most + 1));
    w.refuse(&beyond, &[&borrower.keypair], KeelError::Unhealthy);
    refuse(&mut w, &borrower, SOL, All, KeelError::Unhealthy);
    let receipt = w.withdraw(&borrower, SOL, Exact(most)).unwrap();
    assert_eq!(only_event::<Moved>(&receipt).amount, most);
    assert_eq!(w.balance(&borrower.key(), SOL), most);
    let last_lamport = build(&mut w, &borrower, SOL, Exact(1));
    w.refuse(&last_lamport, &[&borrower.keypair], KeelError::Unhealthy);
}

/// The price that a withdrawal is judged by is the last accepted one from then on; those of other assets are only read.
#[test]
fn effects_remembers_the_price() {
    let (mut w, lender, borrower) = indebted();
    w.pass(20);
    w.set_price(SOL, 210_00);
    w.set_price(USDC, 1_01);
    let now = w.chain.clock().unix_timestamp;
    let before = w.snapshot(&[&lender, &borrower]);
    w.withdraw(&borrower, SOL, Exact(1)).unwrap();
    let (tokens, liquidity) = (w.token_account(&borrower.key(), SOL), w.liquidity_key(SOL));
    assert_eq!(before.changed(&mut w), keys([borrower.vault, w.assets[SOL].reserve, tokens, liquidity]));
    let last = w.reserve(SOL).last_prices[0];
    assert_eq!((last.price, last.publish_time), (210_0000_0000, now));
}

/// A price that is unusable counts as zero. What is safe without that asset goes on, what is not is refused with the
/// reason.
#[test]
fn effects_and_rejects_with_an_unusable_price_of_the_withdrawn_asset() {
    let (mut w, _, borrower) = indebted();
    // A second asset, worth enough on its own: 40,000 dollars.
    let second = w.list(&AssetSpec::usdc());
    w.fund(&borrower.key(), second, w.assets[second].whole(40_000));
    let sol_only = w.vault(&borrower.vault);
    for reason in UNUSABLE {
        spoil(&mut w, SOL, 0, reason, NEW_RISK);
        let withdraw = instruction::withdraw(&w.book, &sol_only, &w.actor(&borrower, SOL), Exact(1)).unwrap();
        w.refuse_case("alone", &withdraw, &[&borrower.keypair], reason);
        restore(&mut w);
    }
    w.deposit(&borrower, second, All).unwrap();
    for reason in UNUSABLE {
        spoil(&mut w, SOL, 0, reason, NEW_RISK);
        let last = w.reserve(SOL).last_prices[0];
        w.withdraw(&borrower, SOL, Exact(1_000_000_000)).unwrap();
        assert_eq!(w.reserve(SOL).last_prices[0], last, "{reason:?} was remembered as accepted");
        restore(&mut w);
    }
    // But not of the asset that carries the debt, nor of the debt itself.
    let most = Exact(w.assets[SOL].whole(79));
    w.withdraw(&borrower, SOL, most).unwrap();
    for (asset, feed) in [(second, "collateral"), (USDC, "debt")] {
        for reason in UNUSABLE {
            spoil(&mut w, asset, 0, reason, NEW_RISK);
            let amount = Exact(w.assets[second].whole(1_000));
            let withdraw = build(&mut w, &borrower, second, amount);
            w.refuse_case(feed, &withdraw, &[&borrower.keypair], reason);
            restore(&mut w);
        }
    }
    w.withdraw(&borrower, SOL, All).unwrap();
}

#[test]
fn rejects_zero() {
    let mut w = bank();
    let user = w.supplier(SOL, 5_000);
    refuse(&mut w, &user, SOL, Exact(0), KeelError::ZeroAmount);
}

#[test]
fn rejects_more_than_the_vault_holds() {
    let mut w = bank();
    let user = w.supplier(SOL, 5_000);
    w.supplier(SOL, 5_000);
    for amount in [5_001, u64::MAX] {
        refuse(&mut w, &user, SOL, Exact(amount), KeelError::InsufficientCollateral);
    }
    w.fund(&user.key(), USDC, 0);
    for amount in [Exact(1), All] {
        refuse(&mut w, &user, USDC, amount, KeelError::NoSuchCollateral);
    }
}

#[test]
fn rejects_withdrawing_a_debt() {
    let (mut w, _, borrower) = indebted();
    refuse(&mut w, &borrower, USDC, Exact(1), KeelError::NoSuchCollateral);
}

#[test]
fn rejects_more_than_is_liquid() {
    let (mut w, lender, _) = indebted();
    let left = w.assets[USDC].whole(90_000);
    refuse(&mut w, &lender, USDC, Exact(left + 1), KeelError::InsufficientLiquidity);
    refuse(&mut w, &lender, USDC, All, KeelError::InsufficientLiquidity);
    w.withdraw(&lender, USDC, Exact(left)).unwrap();
    assert_eq!((w.liquidity(USDC), w.reserve(USDC).available), (0, 0));
    refuse(&mut w, &lender, USDC, Exact(1), KeelError::InsufficientLiquidity);
}

#[test]
fn rejects_other_than_the_owner() {
    let mut w = bank();
    let (victim, thief) = (w.supplier(SOL, 5_000), w.user());
    w.fund(&thief.key(), SOL, 0);
    let actor = Actor::new(&w.book, thief.key(), victim.vault, w.assets[SOL].reserve).unwrap();
    let vault = w.vault(&victim.vault);
    let steal = instruction::withdraw(&w.book, &vault, &actor, Exact(1)).unwrap();
    w.refuse(&steal, &[&thief.keypair], KeelError::NotVaultOwner);
    let governance = w.governance.insecure_clone();
    let by_governance = with_account(&steal, flow::USER, solana_signer::Signer::pubkey(&governance));
    w.refuse(&by_governance, &[&governance], KeelError::NotVaultOwner);
    // The owner named, but not asked.
    let unsigned = unsigned(&with_account(&steal, flow::USER, victim.key()), flow::USER);
    w.refuse(&unsigned, &[&thief.keypair], anchor_lang::error::ErrorCode::AccountNotSigner);
}

#[test]
fn rejects_wrong_accounts() {
    let (mut w, _, borrower) = indebted();
    let valid = build(&mut w, &borrower, SOL, Exact(100));
    refuse_wrong_flow_accounts(&mut w, &valid, &borrower, SOL);
    w.send(valid, &borrower.keypair).unwrap();
}

#[test]
fn rejects_remaining_accounts_that_do_not_follow_the_slots() {
    let (mut w, _, borrower) = indebted();
    let (third, fourth) = (w.list(&AssetSpec::usdc()), w.list(&AssetSpec { feeds: 2, ..AssetSpec::usdc() }));
    for asset in [third, fourth] {
        w.fund(&borrower.key(), asset, 1_000);
        w.deposit(&borrower, asset, All).unwrap();
    }
    // SOL's price; USDC and its price; the third and its price; the fourth and its two.
    let valid = build(&mut w, &borrower, SOL, Exact(1));
    assert_eq!(valid.accounts.len(), flow::REMAINING + 8);
    refuse_wrong_remaining(&mut w, &valid, &borrower, flow::REMAINING, &[1, 3, 5]);
    w.send(valid, &borrower.keypair).unwrap();
}

#[test]
fn rejects_a_token_account_that_is_none() {
    let mut w = bank();
    let user = w.supplier(SOL, 5_000);
    let nothing = with_account(&build(&mut w, &user, SOL, Exact(1)), flow::TOKEN_ACCOUNT, user.vault);
    w.refuse(&nothing, &[&user.keypair], InstructionError::InvalidAccountData);
}

#[test]
fn rejects_an_insolvent_vault() {
    let mut w = bank();
    let user = w.supplier(SOL, 10);
    mark_insolvent(&mut w, &user);
    refuse(&mut w, &user, SOL, Exact(1), KeelError::VaultInsolvent);
}

/// The token account holds less than the books say: nothing leaves.
#[test]
fn rejects_a_liquidity_account_that_fell_short() {
    let mut w = World::with(ProgramTestChain::new(), &[AssetSpec::usdc()]);
    let user = w.supplier(0, 1_000);
    set_liquidity(&mut w, 0, 999);
    refuse(&mut w, &user, 0, Exact(500), KeelError::LiquidityMismatch);
    refuse(&mut w, &user, 0, Exact(1_000), TokenError::InsufficientFunds);
}
