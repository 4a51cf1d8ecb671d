//! Oracles that die, disagree, or restart with the cluster.

use crate::support::*;
use anchor_lang::prelude::Pubkey;
use keel::AmountSpec::{All, Exact};
use keel::KeelError;
use keel::events::Liquidated;
use keel_client::price_update;
use keel_tests::check::only_event;
use keel_tests::world::{User, refused};
use keel_tests::{AssetSpec, Chain, ProgramTestChain, World};
use solana_keypair::Keypair;

/// A vault with 100 SOL and 500 dollars of an asset that nobody else has, and 14,000 USDC of debt. SOL has fallen to 160
/// dollars, so that HF = 0.833 * 16,500 / 14,000 = 0.98175, and the prices of SOL and USDC keep coming.
struct Attached {
    w: Bank,
    borrower: User,
    keeper: Keypair,
    junk: usize,
}

impl Attached {
    fn new(feeds: usize) -> Self {
        let (mut w, _, borrower) = lent();
        let junk = w.list(&AssetSpec { feeds, ..AssetSpec::new(6, 5_00) });
        w.fund(&borrower.key(), junk, 100_000_000);
        w.deposit(&borrower, junk, All).unwrap();
        w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
        w.set_price(SOL, 160_00);
        let keeper = keeper(&mut w, USDC, SOL, 100_000_000_000);
        Self { w, borrower, keeper, junk }
    }

    /// Time passes, and everything but the junk has a fresh price.
    fn pass(&mut self, seconds: i64) {
        self.w.pass(seconds);
        self.w.set_price(SOL, 160_00);
        self.w.set_price(USDC, 1_00);
    }

    fn liquidate(&mut self) -> Result<keel_tests::Receipt, keel_tests::Failure> {
        let vault = self.borrower.vault;
        self.w.liquidate(&self.keeper, &vault, USDC, SOL, u64::MAX, 0)
    }

    /// Puts something that is no price update where the keeper shows the junk's price.
    fn show_garbage(&mut self, feed: usize) {
        let key = self.w.assets[self.junk].prices[feed];
        self.w.chain.set_data(&key, &Pubkey::new_unique(), vec![0; 134]);
    }
}

/// A dead feed can neither cause nor block a liquidation: it takes a challenge and the time to answer it, and then the
/// asset counts at its last accepted price.
#[test]
fn a_dead_feed_is_challenged_and_the_liquidation_proceeds() {
    let mut a = Attached::new(1);
    let junk = a.junk;
    a.pass(121);
    refused(a.liquidate(), KeelError::PriceStale);
    // Time alone does not make it dead.
    a.pass(10_000);
    refused(a.liquidate(), KeelError::PriceStale);
    a.w.challenge(junk, 0).unwrap();
    refused(a.liquidate(), KeelError::PriceStale);
    a.pass(599);
    refused(a.liquidate(), KeelError::PriceStale);
    a.pass(1);
    let event: Liquidated = only_event(&a.liquidate().unwrap());
    // 500 dollars of junk, as at its last price. (Interest of three hours is in the sixth digit.)
    assert!((number(event.health_before) - 0.833 * 16_500.0 / 14_000.0).abs() < 1e-5);
    assert!((number(event.health_after) - 1.05).abs() < 1e-9);
    // And with another last price, at that one.
    let mut a = Attached::new(1);
    let junk = a.junk;
    a.w.set_price(junk, 1_00);
    a.w.refresh(junk).unwrap();
    a.w.challenge(junk, 0).unwrap();
    a.pass(600);
    let event: Liquidated = only_event(&a.liquidate().unwrap());
    assert!((number(event.health_before) - 0.833 * 16_100.0 / 14_000.0).abs() < 1e-5);
}

/// The last accepted price that counts for a dead feed may keep the vault healthy: the owner is not liquidated for it.
#[test]
fn a_dead_feed_does_not_cause_a_liquidation() {
    let mut a = Attached::new(1);
    let junk = a.junk;
    // 1,000 dollars of junk: 0.833 * 17,000 = 14,161.
    a.w.set_price(junk, 10_00);
    a.w.refresh(junk).unwrap();
    a.w.challenge(junk, 0).unwrap();
    a.pass(600);
    refused(a.liquidate(), KeelError::Healthy);
    // Nobody borrows against it, though: it counts as zero there.
    a.w.fund(&a.borrower.key(), SOL, 20_000_000_000);
    a.w.deposit(&a.borrower, SOL, All).unwrap();
    refused(a.w.borrow(&a.borrower, USDC, 200_000_000), KeelError::PriceStale);
}

/// Whoever answers the challenge takes away the fallback: then only the real price counts, for another 600 seconds at
/// least.
#[test]
fn an_answered_challenge_blocks_the_fallback() {
    let mut a = Attached::new(1);
    let junk = a.junk;
    a.w.challenge(junk, 0).unwrap();
    a.pass(590);
    // The feed lives, and the asset has risen: the vault is healthy.
    a.w.set_price(junk, 10_00);
    a.w.refresh(junk).unwrap();
    a.pass(10);
    refused(a.liquidate(), KeelError::Healthy);
    // The keeper hides the price: refused, however long ago the challenge was.
    a.show_garbage(0);
    refused(a.liquidate(), KeelError::PriceWrongOwner);
    a.pass(10_000);
    refused(a.liquidate(), KeelError::PriceWrongOwner);
}

/// Without a challenge, no garbage shown in the place of a live feed's account makes it count at an old price.
#[test]
fn garbage_for_a_live_feed_is_refused() {
    let mut a = Attached::new(1);
    let junk = a.junk;
    a.w.refresh(junk).unwrap();
    // The feed has risen since, and the keeper would rather not show it.
    let key = a.w.assets[junk].prices[0];
    let mut observation = a.w.observation(5_00);
    observation.publish_time -= 1;
    let replayed = price_update::encode(&price_update::update(a.w.assets[junk].feed_ids[0], &observation));
    let foreign = price_update::encode(&price_update::update([9; 32], &observation));
    let cases = [
        (price_update::PYTH_RECEIVER, replayed, KeelError::PriceReplayed),
        (price_update::PYTH_RECEIVER, foreign, KeelError::PriceWrongFeed),
        (price_update::PYTH_RECEIVER, vec![], KeelError::PriceMalformed),
        (Pubkey::new_unique(), vec![], KeelError::PriceWrongOwner),
    ];
    for (owner, data, expected) in cases {
        a.w.chain.set_data(&key, &owner, data);
        refused(a.liquidate(), expected);
    }
    a.w.set_price(junk, 5_00);
    a.liquidate().unwrap();
}

/// Once a feed is dead, hiding it is no advantage: a live price, if it comes back, can still be shown, and answers.
#[test]
fn a_feed_that_comes_back_counts_again() {
    let mut a = Attached::new(1);
    let junk = a.junk;
    a.w.challenge(junk, 0).unwrap();
    a.pass(600);
    a.w.set_price(junk, 20_00);
    refused(a.liquidate(), KeelError::Healthy);
    a.w.refresh(junk).unwrap();
    a.show_garbage(0);
    refused(a.liquidate(), KeelError::PriceWrongOwner);
}

/// Two feeds. New risk takes the lower for collateral and the higher for debt, and nothing while they diverge; a
/// liquidation takes the one that is better for the owner, even while they diverge.
#[test]
fn two_feeds_lower_higher_and_divergence() {
    let spec = |s: AssetSpec| AssetSpec { feeds: 2, ..s };
    let specs = [spec(AssetSpec::sol()), spec(AssetSpec::usdc())];
    let mut w = World::with(ProgramTestChain::new(), &specs);
    w.supplier(USDC, 100_000_000_000);
    let borrower = w.supplier(SOL, 100_000_000_000);
    w.fund(&borrower.key(), USDC, 0);
    let split = |w: &mut Bank, sol: [i64; 2], usdc: [i64; 2]| {
        for (asset, prices) in [(SOL, sol), (USDC, usdc)] {
            for (feed, cents) in prices.into_iter().enumerate() {
                let mut observation = w.observation(cents);
                (observation.confidence, observation.ema_confidence) = (0, 0);
                w.post(asset, feed, &observation);
            }
        }
    };
    // 100 * 198 * 0.735 / 1.01 = 14,408.91089...
    split(&mut w, [198_00, 200_00], [1_00, 1_01]);
    refused(w.borrow(&borrower, USDC, 14_408_910_892), KeelError::Unhealthy);
    split(&mut w, [200_00, 198_00], [1_01, 1_00]);
    refused(w.borrow(&borrower, USDC, 14_408_910_892), KeelError::Unhealthy);
    w.borrow(&borrower, USDC, 14_408_910_891).unwrap();

    // More than 3 % apart: no new risk, neither by the debt's feeds nor by the collateral's.
    split(&mut w, [200_00, 207_00], [1_00, 1_00]);
    refused(w.borrow(&borrower, USDC, 1), KeelError::PriceDivergence);
    split(&mut w, [200_00, 200_00], [1_00, 1_04]);
    refused(w.borrow(&borrower, USDC, 1), KeelError::PriceDivergence);
    refused(w.withdraw(&borrower, SOL, Exact(1)), KeelError::PriceDivergence);

    // Liquidation: SOL at the higher, USDC at the lower. 83.3 * P against 14,408.91: 172.98 dollars are needed.
    let keeper = keeper(&mut w, USDC, SOL, 100_000_000_000);
    split(&mut w, [100_00, 173_00], [1_00, 1_50]);
    refused(w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0), KeelError::Healthy);
    split(&mut w, [165_00, 100_00], [1_50, 1_00]);
    let event: Liquidated = only_event(&w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0).unwrap());
    assert!((number(event.health_before) - 83.3 * 165.0 / 14_408.910_891).abs() < 1e-9);
}

/// Two feeds, one dead: liquidations go by the other, new risk waits for both.
#[test]
fn two_feeds_one_dead() {
    let spec = AssetSpec { feeds: 2, ..AssetSpec::sol() };
    let mut w = World::with(ProgramTestChain::new(), &[spec, AssetSpec::usdc()]);
    w.supplier(USDC, 100_000_000_000);
    let borrower = w.supplier(SOL, 100_000_000_000);
    w.fund(&borrower.key(), USDC, 0);
    w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
    let keeper = keeper(&mut w, USDC, SOL, 100_000_000_000);
    let fall = |w: &mut Bank| {
        w.pass(130);
        w.set_price(USDC, 1_00);
        let observation = w.observation(160_00);
        w.post(SOL, 0, &observation);
    };
    fall(&mut w);
    refused(w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0), KeelError::PriceStale);
    // The live one is challenged, too, by somebody who wants to be rid of it; every price of it answers.
    w.challenge(SOL, 0).unwrap();
    w.challenge(SOL, 1).unwrap();
    for _ in 0..5 {
        fall(&mut w);
    }
    refused(w.borrow(&borrower, USDC, 1), KeelError::PriceStale);
    let event: Liquidated = only_event(&w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0).unwrap());
    assert!((number(event.health_before) - 83.3 * 160.0 / 14_000.0).abs() < 1e-4);
    let last = w.reserve(SOL).last_prices;
    assert_eq!((last[0].challenged_at, last[1].challenged_at != 0), (0, true));
    // Once it has answered, it cannot be left out.
    let garbage = w.assets[SOL].prices[0];
    w.set_price(SOL, 100_00);
    w.chain.set_data(&garbage, &Pubkey::new_unique(), vec![]);
    refused(w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0), KeelError::PriceWrongOwner);
}

/// Both feeds of an attached asset dead: the better of the two last accepted prices counts.
#[test]
fn two_feeds_both_dead() {
    let mut a = Attached::new(2);
    let junk = a.junk;
    let mut higher = a.w.observation(8_00);
    higher.publish_time += 1;
    a.w.post(junk, 1, &higher);
    a.w.refresh(junk).unwrap();
    for feed in 0..2 {
        a.w.challenge(junk, feed).unwrap();
    }
    a.pass(600);
    let event: Liquidated = only_event(&a.liquidate().unwrap());
    assert!((number(event.health_before) - 0.833 * 16_800.0 / 14_000.0).abs() < 1e-5);
}

/// One of an attached asset's two feeds is dead. Whoever challenges the other as well does not thereby get rid of it: it is
/// answered by anyone, without a price of the dead one.
#[test]
fn a_live_feed_answers_beside_a_dead_one() {
    let mut a = Attached::new(2);
    let junk = a.junk;
    // 1,000 dollars of junk by the feed that lives: 0.833 * 17,000 = 14,161.
    let live = |a: &mut Attached| {
        let observation = a.w.observation(10_00);
        a.w.post(junk, 0, &observation);
    };
    a.pass(300);
    live(&mut a);
    // Without a challenge to it, a feed that says nothing is no reason to go by the other alone.
    refused(a.w.refresh(junk), KeelError::PriceStale);
    for feed in 0..2 {
        a.w.challenge(junk, feed).unwrap();
    }
    a.pass(599);
    live(&mut a);
    a.w.refresh(junk).unwrap();
    let last = a.w.reserve(junk).last_prices;
    assert_eq!((last[0].price, last[0].challenged_at, last[1].price), (10_0000_0000, 0, 5_0000_0000));
    assert_ne!(last[1].challenged_at, 0);
    a.pass(1);
    // The vault is healthy by it, and hiding it does not help.
    refused(a.liquidate(), KeelError::Healthy);
    a.show_garbage(0);
    refused(a.liquidate(), KeelError::PriceWrongOwner);
    // A challenge to the only feed that could answer it leaves nothing to go by.
    refused(a.w.refresh(junk), KeelError::PriceWrongOwner);
    a.w.challenge(junk, 0).unwrap();
    refused(a.w.refresh(junk), KeelError::PriceStale);
}

/// After a restart of the cluster, prices from before count for nothing, liquidations wait for 100 slots, and whatever
/// needs no price goes on.
#[test]
fn a_cluster_restart() {
    let (mut w, lender, borrower) = lent();
    w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
    w.set_price(SOL, 160_00);
    w.pass(8);
    let keeper = keeper(&mut w, USDC, SOL, 100_000_000_000);
    w.refresh_prices();
    let restart = w.chain.clock().slot;
    w.chain.set_last_restart_slot(restart);
    w.pass(4);
    let liquidate = |w: &mut Bank| w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0);
    refused(w.borrow(&borrower, USDC, 1), KeelError::PriceBeforeRestart);
    refused(w.withdraw(&borrower, SOL, Exact(1)), KeelError::PriceBeforeRestart);
    refused(w.refresh(SOL), KeelError::PriceBeforeRestart);
    refused(liquidate(&mut w), KeelError::RestartGracePeriod);
    // Without a price: suppliers leave, owners save their vaults.
    w.withdraw(&lender, USDC, Exact(1_000_000_000)).unwrap();
    w.repay(&borrower, USDC, Exact(1_000_000)).unwrap();
    w.fund(&borrower.key(), SOL, 1_000_000);
    w.deposit(&borrower, SOL, All).unwrap();
    // Fresh prices are good for new risk at once, if there is room, and for liquidations after the wait.
    w.refresh_prices();
    refused(w.borrow(&borrower, USDC, 1), KeelError::Unhealthy);
    refused(liquidate(&mut w), KeelError::RestartGracePeriod);
    // 10 slots have passed; after another 36 seconds 100 have.
    w.pass(34);
    w.refresh_prices();
    refused(liquidate(&mut w), KeelError::RestartGracePeriod);
    w.pass(2);
    w.refresh_prices();
    assert_eq!(w.chain.clock().slot, restart + 100);
    liquidate(&mut w).unwrap();
}

/// The oracle of another asset is no business of a user who does not owe it.
#[test]
fn nobody_is_blocked_by_an_oracle_of_what_he_does_not_owe() {
    let (mut w, lender, borrower) = lent();
    let other = w.list(&AssetSpec::new(8, 1_000_00));
    let holder = w.supplier(other, 5_000_000_000);
    // The other asset's oracle is gone for good.
    let key = w.assets[other].prices[0];
    w.chain.set_data(&key, &Pubkey::new_unique(), vec![]);
    w.pass(50);
    for asset in [SOL, USDC] {
        w.set_price(asset, w.assets[asset].cents);
    }
    // Who has nothing of it notices nothing, and its holders without debt leave.
    w.borrow(&borrower, USDC, 10_000_000_000).unwrap();
    w.withdraw(&borrower, SOL, Exact(1_000_000_000)).unwrap();
    w.repay(&borrower, USDC, Exact(1_000_000_000)).unwrap();
    w.withdraw(&lender, USDC, Exact(1_000_000)).unwrap();
    w.withdraw(&holder, other, Exact(1)).unwrap();
    w.deposit(&holder, other, All).unwrap();
    // Who holds it as collateral beside enough of something else does not need it either.
    w.fund(&borrower.key(), other, 1_000_000);
    w.deposit(&borrower, other, All).unwrap();
    w.borrow(&borrower, USDC, 100_000_000).unwrap();
    w.withdraw(&borrower, SOL, Exact(1_000_000_000)).unwrap();
    w.withdraw(&borrower, other, All).unwrap();
    // Who borrows against nothing else is told the reason.
    w.fund(&holder.key(), USDC, 0);
    refused(w.borrow(&holder, USDC, 100_000_000), KeelError::PriceWrongOwner);
}

/// Who owes an asset whose oracle is dead cannot take on new risk, but can always repay.
#[test]
fn a_debt_without_a_price_blocks_new_risk_only() {
    let (mut w, _, borrower) = lent();
    let other = w.list(&AssetSpec::usdc());
    w.supplier(other, 1_000_000_000);
    w.fund(&borrower.key(), other, 0);
    w.borrow(&borrower, other, 500_000_000).unwrap();
    let key = w.assets[other].prices[0];
    w.chain.set_data(&key, &Pubkey::new_unique(), vec![]);
    refused(w.borrow(&borrower, USDC, 100_000_000), KeelError::PriceWrongOwner);
    refused(w.withdraw(&borrower, SOL, Exact(1)), KeelError::PriceWrongOwner);
    w.repay(&borrower, other, All).unwrap();
    w.borrow(&borrower, USDC, 100_000_000).unwrap();
}
