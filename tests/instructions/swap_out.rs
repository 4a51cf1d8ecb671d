//! `swap_out`.

use crate::minted::*;
use crate::support::*;
use crate::swap_in::refuse_wrong_swap_accounts;
use anchor_lang::prelude::Pubkey;
use anchor_spl::token::spl_token::error::TokenError;
use keel::KeelError;
use keel::events::{BadDebtRecognized, Swapped};
use keel_client::instruction;
use keel_risk::units::SupplyShares;
use keel_tests::Chain;
use keel_tests::check::{events, keys, only_event};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

fn build(w: &Bank, trader: &Keypair, tokens: u64, min_assets: u64) -> Instruction {
    instruction::swap_out(&w.book, trader.pubkey(), tokens, min_assets).unwrap()
}

/// USDC is a little cheaper than a dollar: a whole one for each token, less a fee of 0.1 %.
#[test]
fn effects_burns_and_pays_a_dollar_for_each_less_the_fee() {
    let (mut w, _, _) = minting();
    let trader = swapper(&mut w, 1_000_000_500);
    w.set_price(USDC, 99);
    let swap = build(&w, &trader, 500_000_500, 0);
    let before = w.snapshot_of(swap.accounts.iter().map(|meta| meta.pubkey).filter(|key| *key != trader.pubkey()));
    let receipt = w.send(swap, &trader).unwrap();

    let (received, burned) = (w.token_account(&trader.pubkey(), USDC), w.token_account(&trader.pubkey(), KUSD));
    let (usdc, kusd) = (w.assets[USDC].reserve, w.assets[KUSD].reserve);
    let changed = [usdc, kusd, w.assets[KUSD].mint, w.liquidity_key(USDC), received, burned];
    assert_eq!(before.changed(&mut w), keys(changed));
    let (tokens, assets, fee) = (500_000_500, 499_500_499, 500_001);
    assert_eq!(w.balance(&trader.pubkey(), USDC), assets);
    assert_eq!((w.balance(&trader.pubkey(), KUSD), supply(&mut w)), (498_999_999, 498_999_999));
    let left = 1_000_000_500 - assets;
    let (minted, pooled) = (w.reserve(KUSD), w.reserve(USDC));
    assert_eq!((minted.available, minted.minted.swap_shares.get()), (left, u128::from(left) << 60));
    assert_eq!((pooled.available, w.liquidity(USDC)), (100_000_000_000 + left, 100_000_000_000 + left));
    assert_eq!(pooled.last_prices[0].price, 9900_0000);
    let event: Swapped = only_event(&receipt);
    assert_eq!((event.user, event.minted), (trader.pubkey(), false));
    assert_eq!((event.tokens, event.assets, event.fee), (tokens, assets, fee));
    assert_reconciled(&mut w);
    // Both fees, there and back.
    assert_eq!(surplus_and_deficit(&mut w), (1_000_001 + fee, 0));
}

#[test]
fn effects_a_fee_of_whole_units_is_not_rounded() {
    let (mut w, _, _) = minting();
    let trader = swapper(&mut w, 1_000_000_000);
    w.set_price(USDC, 99);
    let receipt = w.send(build(&w, &trader, 500_000_000, 0), &trader).unwrap();
    let event: Swapped = only_event(&receipt);
    assert_eq!((event.assets, event.fee), (499_500_000, 500_000));
}

/// 1.05 dollars, give or take 0.000525; then an average of 1.06 +- 0.01. The highest counts, and what that leaves with
/// the swap is surplus.
#[test]
fn effects_an_asset_above_par_counts_at_its_higher_price() {
    let (mut w, _, _) = minting();
    let trader = swapper(&mut w, 1_000_000_500);
    let mut price = w.observation(1_05);
    let mut paid = 0;
    for (average, average_confidence, high) in [(1_0500_0000, 52_500, 1.050525), (1_0600_0000, 100_0000, 1.07)] {
        (price.ema_price, price.ema_confidence) = (average, average_confidence);
        w.post(USDC, 0, &price);
        let receipt = w.send(build(&w, &trader, 300_000_500, 0), &trader).unwrap();
        let event: Swapped = only_event(&receipt);
        let exact = (300_000_500 - event.fee) as f64 / high;
        assert!(event.assets as f64 <= exact && event.assets as f64 > exact - 2.0, "{} {exact}", event.assets);
        paid += event.assets;
    }
    assert_reconciled(&mut w);
    // The next swap finds it.
    w.pass(1);
    w.send(build(&w, &trader, 1_000, 0), &trader).unwrap();
    let (surplus, deficit) = surplus_and_deficit(&mut w);
    let exact = 1_000_000_500 - paid - w.balance(&trader.pubkey(), KUSD);
    assert!(surplus.abs_diff(exact) < 1_010 && deficit == 0, "{surplus} {exact}");
}

#[test]
fn effects_never_more_than_one_for_each() {
    let (mut w, _, _) = minting();
    let trader = swapper(&mut w, 1_000_000_500);
    for cents in [99, 50, 1] {
        w.set_price(USDC, cents);
        let receipt = w.send(build(&w, &trader, 100_000_500, 0), &trader).unwrap();
        assert_eq!(only_event::<Swapped>(&receipt).assets, 99_900_499);
    }
    assert_reconciled(&mut w);
}

/// The tokens of borrowers buy what the swap holds, and no more.
#[test]
fn effects_as_far_as_the_swap_holds_any() {
    let (mut w, _, _) = minting();
    swapper(&mut w, 1_000_000_500);
    let holder = holder(&mut w, 5_000_000_000);
    w.fund(&holder.key(), USDC, 0);
    w.set_price(USDC, 99);
    // 1,001.001502 less 0.1 % are what it holds.
    for tokens in [1_001_001_503, 5_000_000_000] {
        let beyond = build(&w, &holder.keypair, tokens, 0);
        w.refuse(&beyond, &[&holder.keypair], KeelError::InsufficientLiquidity);
    }
    w.send(build(&w, &holder.keypair, 1_001_001_502, 0), &holder.keypair).unwrap();
    assert_eq!(w.balance(&holder.key(), USDC), 1_000_000_500);
    let reserve = w.reserve(KUSD);
    assert_eq!((reserve.available, reserve.minted.swap_shares.get()), (0, 0));
    w.refuse(&build(&w, &holder.keypair, 1_000, 0), &[&holder.keypair], KeelError::InsufficientLiquidity);
    assert_reconciled(&mut w);
}

/// Of what the swap holds, what is lent out cannot be paid.
#[test]
fn rejects_more_than_is_liquid() {
    let (mut w, lender, borrower) = minting();
    let trader = swapper(&mut w, 1_000_000_500);
    w.withdraw(&lender, USDC, keel::AmountSpec::All).unwrap();
    w.borrow(&borrower, USDC, 600_000_000).unwrap();
    w.set_price(USDC, 99);
    w.refuse(&build(&w, &trader, 500_000_000, 0), &[&trader], KeelError::InsufficientLiquidity);
    w.send(build(&w, &trader, 400_000_000, 0), &trader).unwrap();
}

#[test]
fn rejects_more_than_the_pooled_reserve_lets_out() {
    let (mut w, _, _) = minting();
    let trader = swapper(&mut w, 1_000_000_500);
    w.configure(USDC, |config| config.limits.hourly_outflow = 400_000_000).unwrap();
    w.set_price(USDC, 99);
    w.refuse(&build(&w, &trader, 400_500_000, 0), &[&trader], KeelError::OutflowLimitExceeded);
    w.send(build(&w, &trader, 400_000_000, 0), &trader).unwrap();
    w.refuse(&build(&w, &trader, 1_000_000, 0), &[&trader], KeelError::OutflowLimitExceeded);
    // An hour later the same may leave again.
    w.pass(3_600);
    w.refresh_prices();
    w.send(build(&w, &trader, 400_000_000, 0), &trader).unwrap();
}

/// The swap earns interest on what it holds like any supplier. It counts as soon as the lower price says that it is worth
/// more than par, and is surplus.
#[test]
fn effects_interest_of_what_the_swap_holds_is_surplus() {
    let (mut w, _, borrower) = minting();
    let trader = swapper(&mut w, 100_000_000_000);
    w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
    w.pass(365 * 86_400);
    w.refresh_prices();
    let now = w.chain.clock().unix_timestamp;
    let shares = SupplyShares(w.reserve(KUSD).minted.swap_shares.into());
    let held = w.reserve(USDC).pool().project(now).unwrap().supply.amount_of(shares).unwrap().0;
    // 7 % utilization: 0.875 % a year on 14,000, 90 % of it for suppliers, of whom the swap is half.
    let interest = held - 100_000_000_000;
    let exact = 14e9 * (0.00875f64.exp() - 1.0) * 0.9 / 2.0;
    assert!((interest as f64 - exact).abs() < 10.0, "{interest} {exact}");
    // At 0.99 dollars it might be worth less than what was paid for it.
    w.set_price(USDC, 99);
    w.send(build(&w, &trader, 1_000_500, 0), &trader).unwrap();
    assert_eq!(w.reserve(KUSD).available, 100_000_000_000 - 999_499);
    assert_eq!(surplus_and_deficit(&mut w).0, 100_000_000 + 1_001);
    w.set_price(USDC, 1_01);
    w.send(build(&w, &trader, 1_000_500, 0), &trader).unwrap();
    let (surplus, deficit) = surplus_and_deficit(&mut w);
    let earned = interest + 100_000_000 + 2 * 1_001;
    assert!(surplus.abs_diff(earned) <= 2 && deficit == 0, "{surplus} {earned}");
    assert_reconciled(&mut w);
}

/// 7 % of what suppliers have is lost, and so of what the swap holds: surplus pays, and the rest is a deficit.
#[test]
fn effects_a_loss_of_the_pooled_reserve_burns_surplus_and_then_is_a_deficit() {
    // Fees of 0.2 % and 10 % of 100,000.
    for (fee_bps, surplus) in [(20, 200_000_000), (1_000, 10_000_000_000)] {
        let (mut w, _, borrower) = minting();
        w.configure(KUSD, |config| config.minted.swap_in_fee_bps = fee_bps).unwrap();
        let trader = swapper(&mut w, 100_000_000_000);
        w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
        w.set_price(SOL, 9);
        w.resolve(&borrower.vault, USDC).unwrap();
        w.pass(1);
        w.refresh_prices();
        w.set_price(USDC, 99);
        let receipt = w.send(build(&w, &trader, 1_000_000_500, 0), &trader).unwrap();
        let loss = events::<BadDebtRecognized>(&receipt).pop().unwrap();
        assert_eq!((loss.vault, loss.reserve), (Pubkey::default(), w.assets[KUSD].reserve));
        // 14,000 of 200,000.
        let lost = 7_000_000_000;
        let insured = lost.min(surplus);
        assert!(loss.owed.abs_diff(lost) <= 2 && loss.insured.abs_diff(insured) <= 2, "{} {}", loss.owed, loss.insured);
        assert!(loss.deficit.abs_diff(lost - insured) <= 3 && loss.socialized == 0, "{}", loss.deficit);
        // Tokens are burned for a dollar each all the same.
        let event = events::<Swapped>(&receipt).pop().unwrap();
        assert_eq!(event.assets, 999_000_499);
        assert_eq!(w.reserve(KUSD).available, 100_000_000_000 - loss.owed - event.assets);
        assert_reconciled(&mut w);
        // The fee of this swap is the first to fill the deficit.
        let (left, deficit) = surplus_and_deficit(&mut w);
        let fee = event.fee;
        let expected = if insured < lost { (0, lost - insured - fee) } else { (surplus - lost + fee, 0) };
        assert!(left.abs_diff(expected.0) <= 3 && deficit.abs_diff(expected.1) <= 3, "{left} {deficit} {expected:?}");
    }
}

#[test]
fn rejects_less_than_the_minimum() {
    let (mut w, _, _) = minting();
    let trader = swapper(&mut w, 1_000_000_500);
    w.set_price(USDC, 99);
    for min_assets in [499_500_500, u64::MAX] {
        w.refuse(&build(&w, &trader, 500_000_500, min_assets), &[&trader], KeelError::OutputTooSmall);
    }
    w.send(build(&w, &trader, 500_000_500, 499_500_499), &trader).unwrap();
}

/// Nothing, and what the fee takes whole.
#[test]
fn rejects_what_pays_nothing() {
    let (mut w, _, _) = minting();
    let trader = swapper(&mut w, 1_000_000_500);
    for tokens in [0, 1] {
        w.refuse(&build(&w, &trader, tokens, 0), &[&trader], KeelError::ZeroAmount);
    }
}

#[test]
fn rejects_traders_without_the_tokens() {
    let (mut w, _, _) = minting();
    swapper(&mut w, 1_000_000_500);
    let poor = swapper(&mut w, 10_000_500);
    w.refuse(&build(&w, &poor, 10_000_500, 0), &[&poor], TokenError::InsufficientFunds);
}

#[test]
fn rejects_unusable_prices() {
    let (mut w, _, _) = minting();
    let trader = swapper(&mut w, 1_000_000_500);
    for reason in UNUSABLE {
        spoil(&mut w, USDC, 0, reason, NEW_RISK);
        w.refuse(&build(&w, &trader, 1_000_500, 0), &[&trader], reason);
        restore(&mut w);
    }
    w.send(build(&w, &trader, 1_000_500, 0), &trader).unwrap();
}

#[test]
fn rejects_wrong_accounts() {
    let (mut w, _, _) = minting();
    let trader = swapper(&mut w, 1_000_000_500);
    let valid = build(&w, &trader, 500_000_500, 0);
    refuse_wrong_swap_accounts(&mut w, &valid, &trader);
    w.send(valid, &trader).unwrap();
}
