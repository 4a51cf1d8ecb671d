//! `flash_borrow`.

use crate::minted::*;
use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_spl::token::spl_token::error::TokenError;
use keel::AmountSpec::Exact;
use keel::KeelError;
use keel::state::ReserveConfig;
use keel_client::{address, instruction};
use keel_tests::check::{Refusal, refused_with};
use keel_tests::{Chain, mock_pool};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::collections::BTreeSet;

/// Flash loans of USDC and the token, for somebody who has `fees` of USDC for the fee, and an account for either.
pub struct Flash {
    pub w: Bank,
    pub user: Keypair,
}

impl Flash {
    /// USDC at a fee of 0.09 %, the token at 0.05 %.
    pub fn new(fees: u64) -> Self {
        let (mut w, _, _) = minting();
        w.configure(USDC, |config| config.flash_fee_bps = 9).unwrap();
        w.configure(KUSD, |config| config.flash_fee_bps = 5).unwrap();
        let user = trader(&mut w, fees);
        Self { w, user }
    }

    pub fn borrow(&self, asset: usize, amount: u64) -> Instruction {
        let (key, reserve) = (self.user.pubkey(), self.w.assets[asset].reserve);
        instruction::flash_borrow(&self.w.book, key, reserve, self.w.token_account(&key, asset), amount).unwrap()
    }

    pub fn repay(&self, asset: usize, amount: u64) -> Instruction {
        let (key, reserve) = (self.user.pubkey(), self.w.assets[asset].reserve);
        instruction::flash_repay(&self.w.book, key, reserve, self.w.token_account(&key, asset), amount).unwrap()
    }

    pub fn send(&mut self, instructions: &[Instruction]) {
        self.w.chain.send(instructions, &[&self.user]).unwrap();
    }

    /// Asserts that a transaction fails with exactly `expected`, and changes nothing.
    #[track_caller]
    pub fn refuse(&mut self, instructions: &[Instruction], expected: impl Into<Refusal>) {
        let user = self.user.pubkey();
        let named = instructions.iter().flat_map(|i| &i.accounts).map(|meta| meta.pubkey).filter(|key| *key != user);
        let before = self.w.snapshot_of(named);
        refused_with(self.w.chain.send(instructions, &[&self.user]), expected);
        assert_eq!(before.changed(&mut self.w), BTreeSet::new());
    }
}

/// Where the accounts of `flash_borrow` and `flash_repay` stand.
const USER: usize = 0;
const MARKET: usize = 1;
const RESERVE: usize = 2;
const LIQUIDITY: usize = 3;
const TOKEN_ACCOUNT: usize = 4;
const MINT: usize = 5;
const TOKEN_PROGRAM: usize = 6;
const INSTRUCTIONS: usize = 7;

/// Asserts that none of the accounts of one of two instructions, a loan and its repayment, can be exchanged.
#[track_caller]
pub fn refuse_wrong_flash_accounts(f: &mut Flash, valid: &[Instruction; 2], which: usize) {
    let owner = f.w.user();
    let elsewhere = other_market(&mut f.w, USDC, &owner);
    let (sol_liquidity, sol_mint) = (f.w.liquidity_key(SOL), f.w.assets[SOL].mint);
    f.w.fund(&f.user.pubkey(), SOL, 100_000_000_000);
    let other_tokens = f.w.token_account(&f.user.pubkey(), SOL);
    use KeelError::*;
    let cases: [(usize, Pubkey, Refusal); 10] = [
        (MARKET, elsewhere.market, WrongMarket.into()),
        (MARKET, owner.vault, ErrorCode::AccountDiscriminatorMismatch.into()),
        (LIQUIDITY, sol_liquidity, WrongLiquidityAccount.into()),
        (LIQUIDITY, address::liquidity(&elsewhere.reserve), WrongLiquidityAccount.into()),
        (LIQUIDITY, f.w.token_account(&f.user.pubkey(), USDC), WrongLiquidityAccount.into()),
        (MINT, sol_mint, WrongMint.into()),
        (TOKEN_PROGRAM, keel_client::token::TOKEN_2022_PROGRAM, WrongTokenProgram.into()),
        (TOKEN_ACCOUNT, other_tokens, TokenError::MintMismatch.into()),
        (INSTRUCTIONS, owner.vault, ErrorCode::ConstraintAddress.into()),
        (INSTRUCTIONS, f.w.market, ErrorCode::ConstraintAddress.into()),
    ];
    let with = |changed: Instruction| {
        let mut both = valid.clone();
        both[which] = changed;
        both
    };
    for (index, key, expected) in cases {
        f.refuse(&with(with_account(&valid[which], index, key)), expected);
    }
    for index in [RESERVE, LIQUIDITY, TOKEN_ACCOUNT] {
        // Read-only in one instruction alone is no matter: a transaction has one list of accounts.
        let both = [read_only(&valid[0], index), read_only(&valid[1], index)];
        f.refuse(&both, ErrorCode::ConstraintMut);
    }
    f.refuse(&with(truncated(&valid[which], INSTRUCTIONS)), ErrorCode::AccountNotEnoughKeys);
    // Signed by another than the user, who is named.
    let governance = f.w.governance.insecure_clone();
    let unsigned = [unsigned(&valid[0], USER), unsigned(&valid[1], USER)];
    refused_with(f.w.chain.send(&unsigned, &[&governance]), ErrorCode::AccountNotSigner);
}

/// Half of all USDC. After the transaction the books are as before it, but for the fee: 45,000,000.45 units.
#[test]
fn effects_lends_until_the_repayment() {
    let mut f = Flash::new(45_000_001);
    let before = f.w.reserve(USDC);
    let amount = 50_000_000_500;
    f.send(&[f.borrow(USDC, amount), f.repay(USDC, amount)]);
    let after = f.w.reserve(USDC);
    assert_eq!(after.available, before.available + 45_000_001);
    assert_eq!((after.flash, after.debt_shares), (0, before.debt_shares));
    assert_eq!((after.supply_shares, after.insurance_shares), (before.supply_shares, before.insurance_shares));
    assert_eq!((after.supply_index, after.debt_index), (before.supply_index, before.debt_index));
    assert_eq!((after.rate, after.outflow), (before.rate, before.outflow));
    assert_eq!((f.w.liquidity(USDC), f.w.balance(&f.user.pubkey(), USDC)), (after.available, 0));
}

/// What is lent is there to be used, if only to be deposited and withdrawn again.
#[test]
fn effects_the_loan_can_be_used() {
    let mut f = Flash::new(0);
    let user = f.w.user();
    f.user = user.keypair.insecure_clone();
    f.w.fund(&user.key(), USDC, 100_000_000);
    let amount = 80_000_000_500;
    let (vault, actor) = (f.w.vault(&user.vault), f.w.actor(&user, USDC));
    let deposit = instruction::deposit(&f.w.book, &actor, Exact(amount)).unwrap();
    let withdraw = instruction::withdraw(&f.w.book, &vault, &actor, Exact(amount)).unwrap();
    f.send(&[f.borrow(USDC, amount), deposit, withdraw, f.repay(USDC, amount)]);
    assert_eq!(f.w.balance(&user.key(), USDC), 100_000_000 - 72_000_001);
}

/// All that is liquid, and not a unit more.
#[test]
fn effects_all_that_is_liquid_and_rejects_more() {
    let mut f = Flash::new(1_000_000_000);
    f.w.supplier(USDC, 500);
    let all = 100_000_000_500;
    for amount in [all + 1, u64::MAX] {
        f.refuse(&[f.borrow(USDC, amount), f.repay(USDC, amount)], KeelError::InsufficientLiquidity);
    }
    f.send(&[f.borrow(USDC, all), f.repay(USDC, all)]);
    assert_eq!(f.w.balance(&f.user.pubkey(), USDC), 1_000_000_000 - 90_000_001);
}

/// Borrow cap and outflow limits are not for what is back before the transaction ends.
#[test]
fn effects_limits_of_loans_do_not_count() {
    let mut f = Flash::new(1_000_000_000);
    let smallest = |config: &mut ReserveConfig| {
        (config.limits.borrow_cap, config.limits.hourly_outflow, config.limits.daily_outflow) = (1, 1, 1);
    };
    f.w.configure(USDC, smallest).unwrap();
    f.send(&[f.borrow(USDC, 100_000_000_000), f.repay(USDC, 100_000_000_000)]);
}

/// One after the other, and two of different reserves at once, closed in any order.
#[test]
fn effects_several_loans() {
    let mut f = Flash::new(1_000_000_000);
    let (usdc, kusd) = (10_000_000_500, 500_000_001_000);
    let swapper = swapper(&mut f.w, 1_000_000_000);
    let tokens = f.w.token_account(&f.user.pubkey(), KUSD);
    transfer(&mut f.w, &swapper, KUSD, &tokens, 500_000_000);
    f.send(&[f.borrow(USDC, usdc), f.repay(USDC, usdc), f.borrow(USDC, usdc), f.repay(USDC, usdc)]);
    f.send(&[f.borrow(USDC, usdc), f.borrow(KUSD, kusd), f.repay(KUSD, kusd), f.repay(USDC, usdc)]);
    f.send(&[f.borrow(USDC, usdc), f.borrow(KUSD, kusd / 2), f.repay(USDC, usdc), f.repay(KUSD, kusd / 2)]);
    let user = f.user.pubkey();
    assert_eq!(f.w.balance(&user, USDC), 1_000_000_000 - 4 * 9_000_001);
    assert_eq!(f.w.balance(&user, KUSD), 500_000_000 - 250_000_001 - 125_000_001);
    assert_reconciled(&mut f.w);
}

/// A minted reserve creates what it lends, as far as its ceiling leaves room beside what is owed. The fee is burned.
#[test]
fn effects_a_minted_loan_within_its_ceiling() {
    let mut f = Flash::new(0);
    f.w.configure(KUSD, |config| config.limits.borrow_cap = 20_000_000_500).unwrap();
    let holder = holder(&mut f.w, 5_000_000_000);
    f.user = holder.keypair.insecure_clone();
    let amount = 15_000_000_500;
    for more in [amount + 1, 20_000_000_500] {
        f.refuse(&[f.borrow(KUSD, more), f.repay(KUSD, more)], KeelError::BorrowCapExceeded);
    }
    f.send(&[f.borrow(KUSD, amount), f.repay(KUSD, amount)]);
    let left = 5_000_000_000 - 7_500_001;
    assert_eq!((f.w.balance(&holder.key(), KUSD), supply(&mut f.w)), (left, left));
    assert_eq!(f.w.reserve(KUSD).debt_shares.get(), 5_000_000_000 << 60);
    assert_reconciled(&mut f.w);
}

#[test]
fn rejects_loans_that_are_not_repaid() {
    let mut f = Flash::new(1_000_000_000);
    let amount = 10_000_000_000;
    let (borrow, repay) = (f.borrow(USDC, amount), f.repay(USDC, amount));
    let mut other_program = repay.clone();
    other_program.program_id = keel_mock_pool::ID;
    f.w.chain.set_program(&keel_mock_pool::ID, mock_pool());
    let cases: [&[Instruction]; 8] = [
        std::slice::from_ref(&borrow),
        // Earlier ones, even if they are of this amount.
        &[borrow.clone(), repay.clone(), borrow.clone()],
        // Of another amount.
        &[borrow.clone(), f.repay(USDC, amount - 1)],
        &[borrow.clone(), f.repay(USDC, amount + 1)],
        &[borrow.clone(), f.repay(USDC, 0)],
        // Of another reserve.
        &[borrow.clone(), f.repay(KUSD, amount)],
        // Something that is none.
        &[borrow.clone(), f.borrow(USDC, amount)],
        &[borrow.clone(), other_program],
    ];
    for instructions in cases {
        f.refuse(instructions, KeelError::FlashLoanNotRepaid);
    }
    f.refuse(&[repay.clone(), borrow.clone()], KeelError::NoFlashLoan);
    // The reserve has to be in its place among the accounts.
    let mut elsewhere = swapped(&repay, RESERVE, TOKEN_ACCOUNT);
    elsewhere.accounts.push(repay.accounts[RESERVE].clone());
    f.refuse(&[borrow.clone(), elsewhere], KeelError::FlashLoanNotRepaid);
    f.send(&[borrow, repay]);
}

/// A promised repayment that fails takes the loan with it.
#[test]
fn rejects_users_without_the_fee() {
    let mut f = Flash::new(9_000_000);
    let amount = 10_000_000_500;
    let loan = [f.borrow(USDC, amount), f.repay(USDC, amount)];
    f.refuse(&loan, TokenError::InsufficientFunds);
    let key = f.user.pubkey();
    f.w.fund(&key, USDC, 1);
    f.send(&loan);
}

#[test]
fn rejects_a_second_loan_of_the_reserve() {
    let mut f = Flash::new(1_000_000_000);
    let (first, second) = (10_000_000_000, 20_000_000_000);
    let both = [f.borrow(USDC, first), f.borrow(USDC, second), f.repay(USDC, second), f.repay(USDC, first)];
    f.refuse(&both, KeelError::FlashLoanOpen);
    // One repayment is not for two loans, either.
    let twice = [f.borrow(USDC, first), f.borrow(USDC, first), f.repay(USDC, first)];
    f.refuse(&twice, KeelError::FlashLoanOpen);
}

#[test]
fn rejects_other_programs_as_callers() {
    let mut f = Flash::new(1_000_000_000);
    f.w.chain.set_program(&keel_mock_pool::ID, mock_pool());
    let amount = 10_000_000_000;
    let nested = keel_mock_pool::forwarded(&f.borrow(USDC, amount));
    f.refuse(&[nested.clone(), f.repay(USDC, amount)], KeelError::FlashLoanNested);
    f.refuse(&[nested], KeelError::FlashLoanNested);
}

#[test]
fn rejects_zero() {
    let mut f = Flash::new(1_000_000_000);
    f.refuse(&[f.borrow(USDC, 0), f.repay(USDC, 0)], KeelError::ZeroAmount);
}

#[test]
fn rejects_wrong_accounts() {
    let mut f = Flash::new(1_000_000_000);
    let valid = [f.borrow(USDC, 10_000_000_000), f.repay(USDC, 10_000_000_000)];
    refuse_wrong_flash_accounts(&mut f, &valid, 0);
    f.send(&valid);
}
