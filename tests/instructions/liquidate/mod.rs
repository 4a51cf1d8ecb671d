//! `liquidate`.

mod effects;
mod kinds;
mod rejects;
mod shares;
mod small;

use crate::support::*;
use keel_client::instruction::{self, Liquidation};
use keel_tests::Chain;
use keel_tests::world::User;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Where the accounts stand.
const KEEPER: usize = 0;
const MARKET: usize = 1;
const VAULT: usize = 2;
const DEBT_RESERVE: usize = 3;
const COLLATERAL_RESERVE: usize = 4;
const DEBT_LIQUIDITY: usize = 5;
const COLLATERAL_LIQUIDITY: usize = 6;
const KEEPER_DEBT: usize = 7;
const KEEPER_COLLATERAL: usize = 8;
const DEBT_MINT: usize = 9;
const COLLATERAL_MINT: usize = 10;
const DEBT_TOKEN_PROGRAM: usize = 11;
const COLLATERAL_TOKEN_PROGRAM: usize = 12;
const REMAINING: usize = 13;

/// A vault with 100 SOL that owes 14,000 USDC, and a keeper with 1,000,000 USDC. At 0.98 * 0.85 = 0.833 the vault's
/// limit is 83.3 times the price of SOL: it is healthy from 168.07 dollars on, and in the close-out zone (95 %) from
/// 159.66 dollars down.
struct Case {
    w: Bank,
    lender: User,
    borrower: User,
    keeper: Keypair,
}

impl Case {
    /// SOL now costs `cents`.
    fn at(cents: i64) -> Self {
        let (mut w, lender, borrower) = lent();
        w.borrow(&borrower, USDC, w.assets[USDC].whole(14_000)).unwrap();
        w.set_price(SOL, cents);
        let keeper = keeper(&mut w, USDC, SOL, 1_000_000_000_000);
        Self { w, lender, borrower, keeper }
    }

    fn build(&mut self, debt: usize, collateral: usize, max_repay: u64, min_seize: u64) -> Instruction {
        let terms = Liquidation {
            keeper: self.keeper.pubkey(),
            vault: self.borrower.vault,
            debt_reserve: self.w.assets[debt].reserve,
            collateral_reserve: self.w.assets[collateral].reserve,
            max_repay,
            min_seize,
        };
        let vault = self.w.vault(&self.borrower.vault);
        instruction::liquidate(&self.w.book, &vault, &terms).unwrap()
    }

    /// Without limits.
    fn all(&mut self) -> Instruction {
        self.build(USDC, SOL, u64::MAX, 0)
    }

    /// The vault's debt in USDC and collateral in SOL, at the reserves' indices.
    fn position(&mut self) -> (u64, u64) {
        let vault = self.w.vault(&self.borrower.vault);
        let (sol, usdc) = (self.w.reserve(SOL).pool(), self.w.reserve(USDC).pool());
        let owed = usdc.debt_index.amount_owed(vault.debt_or_zero(&self.w.assets[USDC].reserve)).unwrap();
        let held = sol.supply_index.amount_of(vault.collateral_or_zero(&self.w.assets[SOL].reserve)).unwrap();
        (owed.0, held.0)
    }

    /// What the keeper has: USDC and SOL.
    fn keeper_balances(&mut self) -> (u64, u64) {
        let key = self.keeper.pubkey();
        (self.w.balance(&key, USDC), self.w.balance(&key, SOL))
    }

    /// The last accepted price of an asset is from this second.
    fn price_remembered(&mut self, asset: usize) -> bool {
        let now = self.w.chain.clock().unix_timestamp;
        self.w.reserve(asset).last_prices[0].publish_time == now
    }
}
