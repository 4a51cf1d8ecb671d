//! The same life of a vault on both runtimes: LiteSVM, which the random tests run on, and Agave's bank.

use crate::support::*;
use keel::AmountSpec::{All, Exact};
use keel::events::{Liquidated, Moved};
use keel_tests::check::only_event;
use keel_tests::{AssetSpec, Chain, LiteChain, ProgramTestChain, World};
use solana_signer::Signer;

/// Deposit, borrow, liquidation, repayment, withdrawal: the amounts that moved.
fn live<C: Chain>(chain: C) -> Vec<u64> {
    let mut w = World::with(chain, &[AssetSpec::sol(), AssetSpec::usdc()]);
    w.supplier(USDC, w.assets[USDC].whole(100_000));
    let user = w.supplier(SOL, w.assets[SOL].whole(100));
    w.fund(&user.key(), USDC, 1_000_000_000);
    w.borrow(&user, USDC, w.assets[USDC].whole(14_000)).unwrap();
    w.pass(3_600);
    w.set_price(SOL, 160_00);
    w.set_price(USDC, 1_00);
    let keeper = w.chain.funded();
    w.fund(&keeper.pubkey(), USDC, 100_000_000_000);
    w.fund(&keeper.pubkey(), SOL, 0);
    let receipt = w.liquidate(&keeper, &user.vault, USDC, SOL, u64::MAX, 0).unwrap();
    let liquidated: Liquidated = only_event(&receipt);
    let part: Moved = only_event(&w.repay(&user, USDC, Exact(1_000_000)).unwrap());
    let rest: Moved = only_event(&w.repay(&user, USDC, All).unwrap());
    let out: Moved = only_event(&w.withdraw(&user, SOL, All).unwrap());
    assert!(w.vault(&user.vault).is_empty());
    vec![liquidated.repaid, liquidated.seized, liquidated.to_keeper, part.amount, rest.amount, out.amount]
}

#[test]
fn effects_are_the_same_on_both_runtimes() {
    let moved = live(ProgramTestChain::new());
    assert_eq!(live(LiteChain::new()), moved);
    // As in the liquidation tests, but for an hour's interest: 0.028 USDC.
    assert!(moved[0].abs_diff(10_061_188_453) < 1_000_000, "{moved:?}");
    assert_eq!(moved[1] + moved[5], 100_000_000_000);
}
