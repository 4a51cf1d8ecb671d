//! Token-2022, and SOL itself.

use crate::support::*;
use anchor_lang::solana_program::program_pack::Pack;
use anchor_spl::token::spl_token;
use keel::AmountSpec::{All, Exact};
use keel_client::{instruction, token};
use keel_tests::{AssetSpec, Chain, ProgramTestChain, World};
use solana_signer::Signer;

/// A market in which both assets are Token-2022's, and one in which they are of different programs.
#[test]
fn token_2022_from_deposit_to_liquidation() {
    let of_2022 = |spec: AssetSpec| AssetSpec { token_program: token::TOKEN_2022_PROGRAM, ..spec };
    let markets = [
        [of_2022(AssetSpec::sol()), of_2022(AssetSpec::usdc())],
        [AssetSpec::sol(), of_2022(AssetSpec::usdc())],
        [of_2022(AssetSpec::sol()), AssetSpec::usdc()],
    ];
    for specs in markets {
        let mut w = World::with(ProgramTestChain::new(), &specs);
        let lender = w.supplier(USDC, 100_000_000_000);
        let borrower = w.supplier(SOL, 100_000_000_000);
        w.fund(&borrower.key(), USDC, 0);
        w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
        w.set_price(SOL, 160_00);
        let keeper = keeper(&mut w, USDC, SOL, 20_000_000_000);
        w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0).unwrap();
        // The same numbers as with SPL Token.
        assert_eq!(w.balance(&keeper.pubkey(), SOL), 68_360_744_943);
        assert_eq!(w.balance(&keeper.pubkey(), USDC), 20_000_000_000 - 10_061_188_453);
        w.repay(&borrower, USDC, All).unwrap();
        w.withdraw(&borrower, SOL, All).unwrap();
        w.withdraw(&lender, USDC, All).unwrap();
        assert_eq!(w.balance(&lender.key(), USDC), 100_000_000_000);
        assert_sound(&mut w, &[&lender, &borrower]);
    }
}

/// Lists wrapped SOL instead of a token like it.
fn with_native_sol() -> Bank {
    let mut w = World::new(ProgramTestChain::new());
    let mint = spl_token::state::Mint { decimals: 9, is_initialized: true, ..Default::default() };
    let mut data = vec![0; spl_token::state::Mint::LEN];
    mint.pack_into_slice(&mut data);
    w.chain.set_data(&token::WRAPPED_SOL, &token::TOKEN_PROGRAM, data);
    w.try_list(&AssetSpec::sol(), token::WRAPPED_SOL).unwrap();
    w.list(&AssetSpec::usdc());
    w
}

/// A wallet never holds wrapped SOL: it is wrapped in the transaction that deposits or repays it, and unwrapped in the
/// one that withdraws or borrows it.
#[test]
fn native_sol_in_one_transaction_each_way() {
    let mut w = with_native_sol();
    let payer = w.chain.funded();
    let user = w.user();
    let lamports = |w: &mut Bank| w.chain.account(&user.key()).unwrap().lamports;
    let signers = [&payer, &user.keypair];
    let sol = 1_000_000_000;

    // Deposit 10 SOL. The token account is closed again, so that not even its rent is missing.
    let before = lamports(&mut w);
    let mut deposit = token::wrap_sol(&user.key(), 10 * sol);
    deposit.push(instruction::deposit(&w.book, &w.actor(&user, SOL), Exact(10 * sol)).unwrap());
    deposit.push(token::unwrap_sol(&user.key()));
    w.chain.send(&deposit, &signers).unwrap();
    assert_eq!(lamports(&mut w), before - 10 * sol);
    assert_eq!(w.liquidity(SOL), 10 * sol);
    let liquidity = w.liquidity_key(SOL);
    let rent = anchor_lang::solana_program::rent::Rent::default().minimum_balance(165);
    assert_eq!(w.chain.account(&liquidity).unwrap().lamports, 10 * sol + rent);

    // Withdraw 4.
    let vault = w.vault(&user.vault);
    let withdraw = [
        token::create_associated(&user.key(), &user.key(), &token::WRAPPED_SOL, &token::TOKEN_PROGRAM),
        instruction::withdraw(&w.book, &vault, &w.actor(&user, SOL), Exact(4 * sol)).unwrap(),
        token::unwrap_sol(&user.key()),
    ];
    w.chain.send(&withdraw, &signers).unwrap();
    assert_eq!(lamports(&mut w), before - 6 * sol);
    assert_eq!(held(&mut w, &user, SOL), 6 * sol);

    // Another user borrows 3 SOL against dollars, and repays them with interest.
    let borrower = w.supplier(USDC, 1_000_000_000);
    let start = w.chain.account(&borrower.key()).unwrap().lamports;
    let vault = w.vault(&borrower.vault);
    let borrow = [
        token::create_associated(&borrower.key(), &borrower.key(), &token::WRAPPED_SOL, &token::TOKEN_PROGRAM),
        instruction::borrow(&w.book, &vault, &w.actor(&borrower, SOL), 3 * sol).unwrap(),
        token::unwrap_sol(&borrower.key()),
    ];
    w.chain.send(&borrow, &[&payer, &borrower.keypair]).unwrap();
    assert_eq!(w.chain.account(&borrower.key()).unwrap().lamports, start + 3 * sol);
    w.pass(365 * 86_400);
    // Whatever is wrapped too much comes back.
    let mut repay = token::wrap_sol(&borrower.key(), 4 * sol);
    repay.push(w.repay_ix(&borrower, SOL, All));
    repay.push(token::unwrap_sol(&borrower.key()));
    w.chain.send(&repay, &[&payer, &borrower.keypair]).unwrap();
    // Half of the SOL was lent, at 0.1 * 0.5 / 0.8 a year.
    let interest = start - w.chain.account(&borrower.key()).unwrap().lamports;
    assert!((interest as f64 / 3e9 - (0.0625f64.exp() - 1.0)).abs() < 1e-6, "{interest}");
    assert_eq!(w.liquidity(SOL), 6 * sol + interest);

    // The first user takes all of it home.
    let vault = w.vault(&user.vault);
    let withdraw = [
        token::create_associated(&user.key(), &user.key(), &token::WRAPPED_SOL, &token::TOKEN_PROGRAM),
        instruction::withdraw(&w.book, &vault, &w.actor(&user, SOL), All).unwrap(),
        token::unwrap_sol(&user.key()),
    ];
    w.chain.send(&withdraw, &signers).unwrap();
    let gain = lamports(&mut w) - before;
    assert!(gain.abs_diff(interest * 9 / 10) < 10, "{gain} of {interest}");
    assert_sound(&mut w, &[&user, &borrower]);
}

/// Lamports sent to the liquidity account of SOL are nobody's: no index moves, and no claim.
#[test]
fn lamports_cannot_be_donated_into_an_index() {
    let mut w = with_native_sol();
    let user = w.user();
    let mut deposit = token::wrap_sol(&user.key(), 1_000);
    deposit.push(instruction::deposit(&w.book, &w.actor(&user, SOL), Exact(1_000)).unwrap());
    w.chain.send(&deposit, &[&user.keypair]).unwrap();
    let liquidity = w.liquidity_key(SOL);
    let donate = [
        solana_system_interface::instruction::transfer(&user.key(), &liquidity, 1_000_000),
        spl_token::instruction::sync_native(&token::TOKEN_PROGRAM, &liquidity).unwrap(),
    ];
    w.chain.send(&donate, &[&user.keypair]).unwrap();
    assert_eq!((w.liquidity(SOL), w.reserve(SOL).available), (1_001_000, 1_000));
    w.withdraw(&user, SOL, All).unwrap();
    assert_eq!(w.balance(&user.key(), SOL), 1_000);
    assert_eq!((w.liquidity(SOL), w.reserve(SOL).available), (1_000_000, 0));
}
