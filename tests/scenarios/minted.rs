//! The market's own token from the first loan to the last repayment.

#[path = "../instructions/minted.rs"]
pub mod start;

use crate::support::*;
use keel::AmountSpec::{All, Exact};
use keel::events::{BadDebtRecognized, Liquidated, Redeemed, Swapped};
use keel::state::Side;
use keel_client::instruction;
use keel_risk::Fraction;
use keel_tests::Receipt;
use keel_tests::check::{events, only_event};
use keel_tests::world::User;
use solana_keypair::Keypair;
use solana_signer::Signer;
use start::*;

/// Asserts that the mint, the books of the token, and the vaults of `users`, who are all that have positions, agree; and
/// that the swap is a supplier of USDC beside them.
#[track_caller]
fn check(w: &mut Bank, users: &[&User]) {
    assert_reconciled(w);
    for asset in 0..w.assets.len() {
        let reserve = w.reserve(asset);
        assert_eq!(reserve.invariant(), Ok(()));
        let (mut supplied, mut owed) = (Fraction::from(reserve.insurance_shares), Fraction::ZERO);
        for user in users {
            let vault = w.vault(&user.vault);
            for (position, side) in vault.occupied().filter(|(p, _)| p.reserve == w.assets[asset].reserve) {
                let sum = if side == Side::Debt { &mut owed } else { &mut supplied };
                *sum = sum.checked_add(position.shares.into()).unwrap();
            }
        }
        assert_eq!(Fraction::from(reserve.debt_shares), owed, "asset {asset}");
        if asset == KUSD {
            continue; // whose supply are the tokens themselves
        }
        if asset == USDC {
            supplied = supplied.checked_add(w.reserve(KUSD).minted.swap_shares.into()).unwrap();
        }
        assert_eq!(Fraction::from(reserve.supply_shares), supplied, "asset {asset}");
        assert!(w.liquidity(asset) >= reserve.available);
    }
}

fn swap_out(w: &mut Bank, trader: &Keypair, tokens: u64) -> Receipt {
    let swap = instruction::swap_out(&w.book, trader.pubkey(), tokens, 0).unwrap();
    w.send(swap, trader).unwrap()
}

/// One vault owes tokens and USDC. SOL falls, keepers repay both; then it gaps, what is left covers neither, and the loss
/// of USDC hits the swap as well. The fees of others and the interest of the swap fill the deficit, the swap pays all who
/// want to leave, and redemptions take the rest home.
#[test]
fn a_crash_a_deficit_and_the_recovery() {
    let (mut w, lender, borrower) = minting();
    w.fund(&lender.key(), KUSD, 0);
    let second = holder(&mut w, 10_000_000_000);
    let users = [&lender, &borrower, &second];

    // 7,000 of either, 40,000 tokens of others, and 30,000 from the swap.
    let trader = swapper(&mut w, 30_000_000_000);
    w.set_price(USDC, 1_00);
    w.borrow(&lender, KUSD, 30_000_000_000).unwrap();
    w.borrow(&borrower, KUSD, 7_000_000_000).unwrap();
    w.borrow(&borrower, USDC, 7_000_000_000).unwrap();
    check(&mut w, &users);
    assert_eq!(supply(&mut w), 30_000_000_000 - 30_000_000 + 47_000_000_000);

    // 160 dollars: HF = 0.952. One keeper has 4,000 tokens, another restores the target in USDC.
    w.pass(3_600);
    w.set_price(SOL, 160_00);
    w.set_price(USDC, 1_00);
    let with_tokens = keeper(&mut w, KUSD, SOL, 0);
    let account = w.token_account(&with_tokens.pubkey(), KUSD);
    transfer(&mut w, &trader, KUSD, &account, 10_000_000_000);
    let receipt = w.liquidate(&with_tokens, &borrower.vault, KUSD, SOL, 4_000_000_000, 0).unwrap();
    let first: Liquidated = only_event(&receipt);
    assert_eq!(first.repaid, 4_000_000_000);
    check(&mut w, &users);
    let with_usdc = keeper(&mut w, USDC, SOL, 10_000_000_000);
    let receipt = w.liquidate(&with_usdc, &borrower.vault, USDC, SOL, u64::MAX, 0).unwrap();
    let restored: Liquidated = only_event(&receipt);
    assert!(restored.health_before > first.health_before);
    assert!((number(restored.health_after) - 1.05).abs() < 1e-6);
    check(&mut w, &users);

    // 60 dollars at once. All collateral goes for tokens, the rest of them is a deficit, less the fees so far.
    w.pass(60);
    w.set_price(SOL, 60_00);
    w.set_price(USDC, 1_00);
    let surplus = surplus_and_deficit(&mut w).0;
    assert!(surplus > 30_000_000, "{surplus}");
    let receipt = w.liquidate(&with_tokens, &borrower.vault, KUSD, SOL, u64::MAX, 0).unwrap();
    let last = events::<Liquidated>(&receipt).pop().unwrap();
    let loss = events::<BadDebtRecognized>(&receipt).pop().unwrap();
    assert_eq!((loss.reserve, loss.insured), (w.assets[KUSD].reserve, surplus));
    assert!(last.repaid > 1_000_000_000 && loss.deficit > 500_000_000 && loss.socialized == 0, "{}", loss.deficit);
    assert!(w.vault(&borrower.vault).is_insolvent());
    check(&mut w, &users);
    // The USDC it owed is lost to all suppliers, of whom the swap is nearly a quarter.
    let receipt = w.resolve(&borrower.vault, USDC).unwrap();
    let pooled: BadDebtRecognized = only_event(&receipt);
    assert!(pooled.socialized > 900_000_000 && pooled.deficit == 0, "{}", pooled.socialized);
    assert!(w.vault(&borrower.vault).is_empty());
    check(&mut w, &users);

    // The swap notices with the next who comes, and pays all the same.
    w.pass(60);
    w.set_price(USDC, 99);
    let before = w.balance(&trader.pubkey(), USDC);
    let receipt = swap_out(&mut w, &trader, 5_000_000_500);
    let swapped = events::<Swapped>(&receipt).pop().unwrap();
    let marked = events::<BadDebtRecognized>(&receipt).pop().unwrap();
    assert_eq!(swapped.assets, 5_000_000_500 - 5_000_001);
    assert_eq!(w.balance(&trader.pubkey(), USDC) - before, swapped.assets);
    assert!((marked.owed as f64 / pooled.socialized as f64 - 30.0 / 130.0).abs() < 1e-3, "{}", marked.owed);
    check(&mut w, &users);
    let (_, deficit) = surplus_and_deficit(&mut w);
    let expected = loss.deficit + marked.deficit - swapped.fee;
    // Interest of three minutes has filled a little of it.
    assert!(deficit <= expected && deficit > expected - 100_000, "{deficit} {expected}");

    // A year: 5 % of 40,000 are more than that.
    w.set_price(SOL, 250_00);
    w.set_price(USDC, 1_01);
    for _ in 0..12 {
        w.pass(365 * 7_200);
        w.refresh_prices();
        accrue(&mut w);
        check(&mut w, &users);
    }
    let (surplus, left) = surplus_and_deficit(&mut w);
    let earned = 40e9 * (0.05f64.exp() - 1.0);
    assert_eq!(left, 0);
    assert!((surplus as f64 - (earned - deficit as f64)).abs() < 1e6, "{surplus} {earned} {deficit}");

    // Somebody near the limit: 500 SOL at 250, then 200 dollars against 70,500: HF = 1.18.
    w.borrow(&second, KUSD, 60_000_000_000).unwrap();
    w.set_price(SOL, 200_00);
    w.fund(&trader.pubkey(), SOL, 0);
    let redemption = redeem(&mut w, &trader.pubkey(), &second.vault, SOL, 2_000_000_000);
    let redeemed: Redeemed = only_event(&w.send(redemption, &trader).unwrap());
    assert!(redeemed.repaid == 2_000_000_000 && redeemed.health_after > redeemed.health_before);
    check(&mut w, &users);

    // Everybody goes home. The tokens that were redeemed and what there was of fees have to be bought from the swap.
    let mut tokens = w.balance(&trader.pubkey(), KUSD);
    for user in [&second, &lender] {
        let owed = held(&mut w, user, KUSD);
        let missing = owed.saturating_sub(w.balance(&user.key(), KUSD));
        let account = w.token_account(&user.key(), KUSD);
        if missing > 0 {
            assert!(missing <= tokens, "{missing} {tokens}");
            transfer(&mut w, &trader, KUSD, &account, missing);
            tokens -= missing;
        }
        w.repay(user, KUSD, All).unwrap();
        check(&mut w, &users);
    }
    w.set_price(USDC, 99);
    swap_out(&mut w, &trader, tokens);
    check(&mut w, &users);
    assert_eq!(w.reserve(KUSD).debt_shares.get(), 0);
    // Governance mints the surplus and leaves through the swap as well.
    let (surplus, deficit) = surplus_and_deficit(&mut w);
    assert!(surplus > 0 && deficit == 0);
    let governance = w.governance.insecure_clone();
    for asset in [USDC, KUSD] {
        w.fund(&governance.pubkey(), asset, 0);
    }
    let to = w.token_account(&governance.pubkey(), KUSD);
    let mint = w.withdraw_insurance_ixs(KUSD, to, surplus);
    w.send_all(&mint, &[&governance]).unwrap();
    check(&mut w, &users);
    w.withdraw(&second, SOL, All).unwrap();
    w.withdraw(&lender, USDC, Exact(1_000_000_000)).unwrap();
    check(&mut w, &users);
}
