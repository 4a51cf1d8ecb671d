//! Where most tests start: SOL and USDC on Agave's bank, a lender, a borrower, a keeper.

use crate::chain::{Chain, ProgramTestChain};
use crate::world::{AssetSpec, User, World};
use keel_risk::units::Amount;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// A world on Agave's bank.
pub type Bank = World<ProgramTestChain>;

/// Number of the first asset of [`bank`]: 200 dollars.
pub const SOL: usize = 0;
/// Number of the second: 1 dollar.
pub const USDC: usize = 1;

/// SOL and USDC, nobody there yet.
pub fn bank() -> Bank {
    World::with(ProgramTestChain::new(), &[AssetSpec::sol(), AssetSpec::usdc()])
}

/// [`bank`] with a lender of 100,000 USDC and a user with 100 SOL (20,000 dollars) as collateral, who has an empty USDC
/// account.
pub fn lent() -> (Bank, User, User) {
    let mut w = bank();
    let lender = w.supplier(USDC, w.assets[USDC].whole(100_000));
    let borrower = w.supplier(SOL, w.assets[SOL].whole(100));
    w.fund(&borrower.key(), USDC, 0);
    (w, lender, borrower)
}

/// A keeper with `amount` native units of `debt` and an empty account for `collateral`.
pub fn keeper<C: Chain>(w: &mut World<C>, debt: usize, collateral: usize, amount: u64) -> Keypair {
    let keeper = w.chain.funded();
    w.fund(&keeper.pubkey(), debt, amount);
    w.fund(&keeper.pubkey(), collateral, 0);
    keeper
}

/// Overwrites the balance of a reserve's token account.
pub fn set_liquidity<C: Chain>(w: &mut World<C>, asset: usize, amount: u64) {
    let key = w.liquidity_key(asset);
    let mut account = w.chain.account(&key).unwrap();
    account.data[64..72].copy_from_slice(&amount.to_le_bytes());
    w.chain.set_account(&key, account);
}

/// Gives a reserve insurance: `amount` native units that belong to no vault.
pub fn insure<C: Chain>(w: &mut World<C>, asset: usize, amount: u64) {
    let mut reserve = w.reserve(asset);
    let mut pool = reserve.pool();
    let shares = pool.deposit(Amount(amount), Amount::MAX).unwrap().shares;
    pool.insurance_shares = pool.insurance_shares.checked_add(shares).unwrap();
    reserve.settle(pool).unwrap();
    w.set_reserve(asset, &reserve);
    let held = w.liquidity(asset);
    set_liquidity(w, asset, held + amount);
}
