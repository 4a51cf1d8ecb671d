//! Where the tests of the minted token start.

use crate::support::*;
use anchor_lang::prelude::Pubkey;
use anchor_spl::token::spl_token;
use keel::state::{Limits, MintedConfig, RateConfig, ReserveConfig};
use keel_client::instruction::{self, Liquidation};
use keel_risk::Fraction;
use keel_tests::Chain;
use keel_tests::world::User;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Number of the minted token among the assets of [`minting`].
pub const KUSD: usize = 2;

/// A debt ceiling of a million tokens at 5 % a year, a swap of up to half a million at 0.1 % each way, redemptions from
/// vaults under a health of 1.2 at 0.5 to 5 %.
pub fn config() -> ReserveConfig {
    ReserveConfig {
        limits: Limits {
            borrow_cap: 1_000_000_000_000,
            hourly_outflow: u64::MAX,
            daily_outflow: u64::MAX,
            swap_cap: 500_000_000_000,
            ..Limits::default()
        },
        rates: RateConfig { base_bps: 500, optimal_utilization_bps: 8_000, ..RateConfig::default() },
        minted: MintedConfig {
            swap_in_fee_bps: 10,
            swap_out_fee_bps: 10,
            redemption_max_health_bps: 12_000,
            redemption_min_fee_bps: 50,
            redemption_max_fee_bps: 500,
            redemption_volume_fee_bps: 10_000,
            redemption_half_life: 43_200,
        },
        ..ReserveConfig::default()
    }
}

/// [`lent`] with a minted token whose swap holds USDC. The borrower has an empty account for it.
pub fn minting() -> (Bank, User, User) {
    let (mut w, lender, borrower) = lent();
    assert_eq!(w.list_minted(config(), USDC), KUSD);
    w.fund(&borrower.key(), KUSD, 0);
    (w, lender, borrower)
}

/// A user with `tokens`, borrowed against 100,000 dollars of SOL: far from any redemption.
pub fn holder(w: &mut Bank, tokens: u64) -> User {
    let user = w.supplier(SOL, 10_000_000_000_000_000 / w.assets[SOL].cents.unsigned_abs());
    w.fund(&user.key(), KUSD, 0);
    w.borrow(&user, KUSD, tokens).unwrap();
    user
}

/// A trader with `assets` of USDC, and an empty account for tokens.
pub fn trader(w: &mut Bank, assets: u64) -> Keypair {
    keeper(w, USDC, KUSD, assets)
}

/// A trader who minted tokens for `assets` while USDC was worth a little more than a dollar, as it still is.
pub fn swapper(w: &mut Bank, assets: u64) -> Keypair {
    let trader = trader(w, assets);
    w.set_price(USDC, 1_01);
    let swap = instruction::swap_in(&w.book, trader.pubkey(), assets, 0).unwrap();
    w.send(swap, &trader).unwrap();
    trader
}

/// Sends tokens from the associated account of `from` to a token account.
pub fn transfer(w: &mut Bank, from: &Keypair, asset: usize, to: &Pubkey, amount: u64) {
    let (source, program) = (w.token_account(&from.pubkey(), asset), w.assets[asset].token_program);
    let transfer = spl_token::instruction::transfer(&program, &source, to, &from.pubkey(), &[], amount).unwrap();
    w.send(transfer, from).unwrap();
}

/// What circulates now is what redemptions are a part of, as if it had been there a second ago.
pub fn settle_tokens(w: &mut Bank) {
    let mut reserve = w.reserve(KUSD);
    reserve.settled_tokens = reserve.pool().outstanding().unwrap().0;
    w.set_reserve(KUSD, &reserve);
}

/// Builds a redemption of the tokens of `redeemer`, who has an account for the collateral, after [`settle_tokens`].
pub fn redeem(w: &mut Bank, redeemer: &Pubkey, vault: &Pubkey, collateral: usize, max_repay: u64) -> Instruction {
    settle_tokens(w);
    let terms = Liquidation {
        keeper: *redeemer,
        vault: *vault,
        debt_reserve: w.assets[KUSD].reserve,
        collateral_reserve: w.assets[collateral].reserve,
        max_repay,
        min_seize: 0,
    };
    let state = w.vault(vault);
    instruction::redeem(&w.book, &state, &terms).unwrap()
}

/// Brings the books of the token to the present, a second later.
pub fn accrue(w: &mut Bank) {
    w.pass(1);
    let accrue = instruction::accrue_reserve(&w.book, w.assets[KUSD].reserve);
    let governance = w.governance.insecure_clone();
    w.send(accrue, &governance).unwrap();
}

/// Surplus and deficit of the token, in native units rounded down, after [`accrue`].
pub fn surplus_and_deficit(w: &mut Bank) -> (u64, u64) {
    accrue(w);
    let pool = w.reserve(KUSD).pool();
    (pool.insurance_shares.0.floor_to_u64().unwrap(), pool.deficit.floor_to_u64().unwrap())
}

/// The tokens that exist, as the mint says.
pub fn supply(w: &mut Bank) -> u64 {
    let mint = w.assets[KUSD].mint;
    let data = w.chain.account(&mint).unwrap().data;
    u64::from_le_bytes(data[36..44].try_into().unwrap())
}

/// Asserts that the mint and the books count the same tokens, and that all of them and the surplus are owed by vaults,
/// stand against what the swap holds, or are a recorded deficit.
#[track_caller]
pub fn assert_reconciled(w: &mut Bank) {
    let reserve = w.reserve(KUSD);
    assert_eq!(reserve.invariant(), Ok(()));
    assert_eq!(supply(w), reserve.pool().circulating().unwrap().0);
    assert_eq!(reserve.flash, 0);
    let mut pool = reserve.pool();
    // What came in since the last accrual is surplus with the next.
    pool.accrue(pool.updated_at + 1).unwrap();
    let backed = pool.assets().unwrap().checked_add(pool.deficit).unwrap();
    let unexplained = backed.checked_sub(pool.supply_shares.0).unwrap();
    assert!(unexplained < Fraction::from_bits(1 << 20), "{unexplained:?}");
}
