use keel::AmountSpec::{All, Exact};
use keel_tests::world::User;
use keel_tests::*;

fn run<C: Chain>(chain: C) {
    let mut w = World::with(chain, &[AssetSpec::sol(), AssetSpec::usdc()]);
    let (sol, usdc) = (0, 1);
    let lender = w.supplier(usdc, w.assets[usdc].whole(100_000));
    let user: User = w.supplier(sol, w.assets[sol].whole(100));
    w.fund(&user.key(), usdc, 0);
    let r = w.borrow(&user, usdc, w.assets[usdc].whole(14_000)).unwrap();
    println!("borrow {}", r.compute_units);
    w.pass(3600);
    w.set_price(sol, 160_00);
    w.refresh_prices();
    let keeper = w.chain.funded();
    use solana_signer::Signer;
    w.fund(&keeper.pubkey(), usdc, 100_000_000_000);
    w.fund(&keeper.pubkey(), sol, 0);
    let r = w.liquidate(&keeper, &user.vault, usdc, sol, u64::MAX, 0).unwrap();
    println!("liquidate {} {:#?}", r.compute_units, r.logs);
    let r = w.repay(&user, usdc, Exact(1_000_000)).unwrap();
    println!("repay {}", r.compute_units);
    let r = w.withdraw(&user, sol, Exact(1_000_000)).unwrap();
    println!("withdraw {}", r.compute_units);
    w.fund(&user.key(), sol, 50);
    let r = w.deposit(&user, sol, All).unwrap();
    println!("deposit {} {:#?}", r.compute_units, r.logs);
    let _ = lender;
}

#[test]
fn lite() {
    run(LiteChain::new());
}

#[test]
fn banks() {
    run(ProgramTestChain::new());
}
