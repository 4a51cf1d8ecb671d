//! Keepers without capital: they borrow the debt until the end of the transaction, liquidate, sell what they seized and
//! repay.

use crate::minted::start::*;
use crate::support::*;
use anchor_spl::token::spl_token::error::TokenError;
use keel_client::instruction::{self, Liquidation};
use keel_client::token;
use keel_client::transaction::{self, Budget};
use keel_mock_pool::{Direction, Pair, PoolError, Price};
use keel_tests::check::{Refusal, refused_with};
use keel_tests::world::User;
use keel_tests::{Chain, pool};
use solana_instruction::Instruction;
use solana_instruction::error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::collections::BTreeSet;

/// What is borrowed, repaid for the vault and returned with a fee, and how much SOL is sold for it: at 160 dollars the
/// bounty is 8.712 %, so that 67.945003 SOL are seized for 10,000.0005.
const LOAN: u64 = 10_000_000_500;
const SOLD: u64 = 67_945_000_000;

/// A vault with 100 SOL, now worth 160 dollars each, that owes 14,000 of `debt`; a pool that sells `debt` for SOL; and a
/// keeper with nothing but lamports, who has not even token accounts.
struct Market {
    w: Bank,
    debt: usize,
    borrower: User,
    pool: Pair,
    keeper: Keypair,
}

impl Market {
    /// The pool pays `price` dollars.
    fn new(debt: usize, price: u64) -> Self {
        let (mut w, _, borrower) = minting();
        w.configure(USDC, |config| config.flash_fee_bps = 9).unwrap();
        w.configure(KUSD, |config| config.flash_fee_bps = 5).unwrap();
        w.borrow(&borrower, debt, 14_000_000_000).unwrap();
        let price = Price { numerator: price, denominator: 1_000 };
        let pool = if debt == KUSD {
            let pool = pool::open(&mut w, SOL, KUSD, price, (0, 0));
            let trader = swapper(&mut w, 20_100_000_000);
            transfer(&mut w, &trader, KUSD, &pool.quote.account_of(&pool.address()), 20_000_000_000);
            pool
        } else {
            pool::open(&mut w, SOL, debt, price, (0, 20_000_000_000))
        };
        w.set_price(SOL, 160_00);
        w.publish_table();
        let keeper = w.chain.funded();
        Self { w, debt, borrower, pool, keeper }
    }

    fn transaction(&mut self, min_out: u64) -> Vec<Instruction> {
        let (key, vault) = (self.keeper.pubkey(), self.w.vault(&self.borrower.vault));
        let (debt, sol) = (&self.w.assets[self.debt], &self.w.assets[SOL]);
        let tokens = self.w.token_account(&key, self.debt);
        let terms = Liquidation {
            keeper: key,
            vault: self.borrower.vault,
            debt_reserve: debt.reserve,
            collateral_reserve: sol.reserve,
            max_repay: LOAN,
            min_seize: SOLD,
        };
        let book = &self.w.book;
        vec![
            token::create_associated(&key, &key, &debt.mint, &debt.token_program),
            token::create_associated(&key, &key, &sol.mint, &sol.token_program),
            instruction::flash_borrow(book, key, debt.reserve, tokens, LOAN).unwrap(),
            instruction::liquidate(book, &vault, &terms).unwrap(),
            self.pool.swap(key, Direction::BaseToQuote, SOLD, min_out),
            instruction::flash_repay(book, key, debt.reserve, tokens, LOAN).unwrap(),
        ]
    }

    /// Asserts that the transaction fails with exactly `expected` and leaves everything as it was.
    #[track_caller]
    fn refuse(&mut self, transaction: &[Instruction], expected: impl Into<Refusal>) {
        let key = self.keeper.pubkey();
        let named = transaction.iter().flat_map(|i| &i.accounts).map(|meta| meta.pubkey).filter(|named| *named != key);
        let before = self.w.snapshot_of(named);
        let tables = self.w.tables.clone();
        refused_with(self.w.chain.send_with_tables(transaction, &[&self.keeper], &tables), expected);
        assert_eq!(before.changed(&mut self.w), BTreeSet::new());
        assert_eq!(self.w.chain.account(&self.w.token_account(&key, self.debt)), None);
    }
}

/// The bytes of a transaction with its compute budget, as it would be sent.
fn length(m: &Market, instructions: &[Instruction]) -> usize {
    let mut all = Budget { compute_units: 400_000, priority_fee: 1 }.instructions();
    all.extend_from_slice(instructions);
    let signed = transaction::sign(&all, &m.w.tables, &[&m.keeper], Default::default()).unwrap();
    1 + 64 * signed.signatures.len() + signed.message.serialize().len()
}

/// 67.945 SOL at 160 dollars, less the loan and its fee of 0.09 or 0.05 %.
fn keeps_the_bounty(debt: usize, fee: u64) {
    let mut m = Market::new(debt, 160);
    let (borrower_owes, key) = (held(&mut m.w, &m.borrower, debt), m.keeper.pubkey());
    let transaction = m.transaction(0);
    assert!(length(&m, &transaction) <= 1_232, "{}", length(&m, &transaction));
    let tables = m.w.tables.clone();
    let receipt = m.w.chain.send_with_tables(&transaction, &[&m.keeper], &tables).unwrap();
    assert!(receipt.compute_units < 200_000, "{}", receipt.compute_units);

    assert_eq!(m.w.balance(&key, debt), 10_871_200_000 - LOAN - fee);
    // What was seized beyond what was sold, too.
    assert!((3_000..4_000).contains(&m.w.balance(&key, SOL)), "{}", m.w.balance(&key, SOL));
    assert_eq!(held(&mut m.w, &m.borrower, debt), borrower_owes - LOAN);
    let reserve = m.w.reserve(debt);
    assert_eq!((reserve.flash, reserve.invariant()), (0, Ok(())));
    assert_reconciled(&mut m.w);
    // The fee is insurance of the reserve that lent.
    m.w.pass(1);
    m.w.refresh_prices();
    let earned = m.w.reserve(debt).accrued_pool(m.w.chain.clock().unix_timestamp).unwrap().insurance_shares.0;
    assert!(earned.floor_to_u64().unwrap() >= fee);
}

#[test]
fn a_keeper_without_capital_keeps_the_bounty_of_a_pooled_debt() {
    keeps_the_bounty(USDC, 9_000_001);
}

#[test]
fn a_keeper_without_capital_keeps_the_bounty_of_a_minted_debt() {
    keeps_the_bounty(KUSD, 5_000_001);
}

/// A pool that pays 147 dollars does not return the loan; at 148 the keeper is left with little. Nothing at all happens in
/// the first case, whether the pool refuses or the repayment does.
#[test]
fn nothing_happens_when_the_pool_pays_too_little() {
    for debt in [USDC, KUSD] {
        let mut m = Market::new(debt, 147);
        let transaction = m.transaction(0);
        m.refuse(&transaction, TokenError::InsufficientFunds);
        let transaction = m.transaction(LOAN);
        m.refuse(&transaction, InstructionError::Custom(PoolError::SlippageExceeded.into()));
        // A better price, and the same transaction goes through.
        let governance = m.w.governance.insecure_clone();
        let better = m.pool.set_price(governance.pubkey(), Price { numerator: 148, denominator: 1_000 });
        m.w.send(better, &governance).unwrap();
        let tables = m.w.tables.clone();
        m.w.chain.send_with_tables(&transaction, &[&m.keeper], &tables).unwrap();
        let kept = m.w.balance(&m.keeper.pubkey(), debt);
        assert!((40_000_000..60_000_000).contains(&kept), "{kept}");
    }
}

/// Somebody else liquidated a moment before: the seizure that the sale needs is refused, and the loan with it.
#[test]
fn nothing_happens_when_another_keeper_was_first() {
    let mut m = Market::new(USDC, 160);
    let transaction = m.transaction(0);
    let first = keeper(&mut m.w, USDC, SOL, 20_000_000_000);
    m.w.liquidate(&first, &m.borrower.vault, USDC, SOL, u64::MAX, 0).unwrap();
    m.refuse(&transaction, keel::KeelError::Healthy);
}
