//! `swap_in`.

use crate::minted::*;
use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_spl::token::spl_token::error::TokenError;
use keel::KeelError;
use keel::events::Swapped;
use keel_client::{address, instruction, token};
use keel_tests::check::{keys, only_event};
use keel_tests::{AssetSpec, Chain, ProgramTestChain, World};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

fn build(w: &Bank, trader: &Keypair, assets: u64, min_tokens: u64) -> Instruction {
    instruction::swap_in(&w.book, trader.pubkey(), assets, min_tokens).unwrap()
}

/// A token for each USDC, as these cost more than a dollar, and a fee of 0.1 %.
#[test]
fn effects_mints_a_dollar_for_each_less_the_fee() {
    let (mut w, _, _) = minting();
    let trader = trader(&mut w, 2_000_000_000);
    w.set_price(USDC, 1_01);
    let swap = build(&w, &trader, 1_000_000_500, 0);
    let before = w.snapshot_of(swap.accounts.iter().map(|meta| meta.pubkey).filter(|key| *key != trader.pubkey()));
    let receipt = w.send(swap, &trader).unwrap();

    let (paid, received) = (w.token_account(&trader.pubkey(), USDC), w.token_account(&trader.pubkey(), KUSD));
    let (usdc, kusd) = (w.assets[USDC].reserve, w.assets[KUSD].reserve);
    let changed = [usdc, kusd, w.assets[KUSD].mint, w.liquidity_key(USDC), paid, received];
    assert_eq!(before.changed(&mut w), keys(changed));
    let (assets, tokens, fee) = (1_000_000_500, 999_000_499, 1_000_001);
    assert_eq!((w.balance(&trader.pubkey(), USDC), w.balance(&trader.pubkey(), KUSD)), (999_999_500, tokens));
    assert_eq!((supply(&mut w), w.liquidity(USDC)), (tokens, 100_000_000_000 + assets));
    // The swap is a supplier of USDC like any other.
    let (minted, pooled) = (w.reserve(KUSD), w.reserve(USDC));
    assert_eq!((minted.available, minted.minted.swap_shares.get()), (assets, u128::from(assets) << 60));
    assert_eq!(pooled.available, 100_000_000_000 + assets);
    assert_eq!(pooled.supply_shares.get(), u128::from(100_000_000_000 + assets) << 60);
    assert_eq!(pooled.last_prices[0].price, 1_0100_0000);
    let event: Swapped = only_event(&receipt);
    assert_eq!((event.user, event.minted), (trader.pubkey(), true));
    assert_eq!((event.minted_reserve, event.pooled_reserve), (kusd, usdc));
    assert_eq!((event.assets, event.tokens, event.fee), (assets, tokens, fee));
    // The fee is surplus.
    assert_reconciled(&mut w);
    assert_eq!(surplus_and_deficit(&mut w), (fee, 0));
}

#[test]
fn effects_a_fee_of_whole_units_is_not_rounded() {
    let (mut w, _, _) = minting();
    let trader = trader(&mut w, 1_000_000_000);
    w.set_price(USDC, 1_01);
    let receipt = w.send(build(&w, &trader, 1_000_000_000, 0), &trader).unwrap();
    let event: Swapped = only_event(&receipt);
    assert_eq!((event.tokens, event.fee), (999_000_000, 1_000_000));
}

/// After a year of interest a share of USDC is worth more than one, and what a deposit is rounded down by a unit less than was
/// paid. That is the first trader's, as it is no loss of anybody else.
#[test]
fn effects_rounding_is_no_loss() {
    for decimals in [6, 4] {
        let mut w = World::with(ProgramTestChain::new(), &[AssetSpec::sol(), AssetSpec::new(decimals, 1_01)]);
        let unit = 10u64.pow(6 - u32::from(decimals));
        w.supplier(USDC, 100_000_000_000 / unit);
        let borrower = w.supplier(SOL, 100_000_000_000);
        w.fund(&borrower.key(), USDC, 0);
        w.borrow(&borrower, USDC, 10_000_000_000 / unit).unwrap();
        w.list_minted(config(), USDC);
        w.configure(KUSD, |config| config.minted.swap_in_fee_bps = 0).unwrap();
        w.configure(KUSD, |config| config.minted.swap_out_fee_bps = 0).unwrap();
        let trader = trader(&mut w, 10_000_000_000 / unit);
        w.pass(365 * 86_400);
        w.refresh_prices();
        // A unit of USDC less, the first time.
        for tokens in [1_000_000_000 - unit, 1_000_000_000, 1_000_000_000] {
            let receipt = w.send(build(&w, &trader, 1_000_000_000 / unit, 0), &trader).unwrap();
            let event: Swapped = only_event(&receipt);
            assert_eq!((event.tokens, event.fee, event.assets), (tokens, 0, 1_000_000_000 / unit));
        }
        // All of it comes out again.
        w.set_price(USDC, 99);
        for tokens in [1_000_000_000, 2_000_000_000 - unit] {
            let out = instruction::swap_out(&w.book, trader.pubkey(), tokens, 0).unwrap();
            let event: Swapped = only_event(&w.send(out, &trader).unwrap());
            assert_eq!(event.assets, tokens / unit);
        }
        assert_eq!((supply(&mut w), w.reserve(KUSD).available), (0, 0));
        assert_eq!(surplus_and_deficit(&mut w), (0, 0));
    }
}

/// 0.98 dollars, give or take 0.00049; an average of 0.96 +- 0.01. The lowest of the four counts.
#[test]
fn effects_an_asset_below_par_counts_at_its_lower_price() {
    let (mut w, _, _) = minting();
    let trader = trader(&mut w, 2_000_000_000);
    let mut price = w.observation(98);
    for (confidence, average, average_confidence, value) in
        [(49_000, 9800_0000, 49_000, 979_510_000), (49_000, 9600_0000, 100_0000, 950_000_000)]
    {
        (price.confidence, price.ema_price, price.ema_confidence) = (confidence, average, average_confidence);
        w.post(USDC, 0, &price);
        let receipt = w.send(build(&w, &trader, 1_000_000_000, 0), &trader).unwrap();
        let event: Swapped = only_event(&receipt);
        assert_eq!(event.assets, 1_000_000_000);
        let before_fee = event.tokens + event.fee;
        assert!((value - 1..=value).contains(&before_fee), "{before_fee}");
        assert!(event.fee.abs_diff(value / 1_000) <= 1, "{}", event.fee);
    }
    assert_reconciled(&mut w);
}

#[test]
fn effects_never_more_than_par() {
    let (mut w, _, _) = minting();
    let trader = trader(&mut w, 3_000_001_500);
    for cents in [1_01, 1_50, 100_00] {
        w.set_price(USDC, cents);
        let receipt = w.send(build(&w, &trader, 1_000_000_500, 0), &trader).unwrap();
        assert_eq!(only_event::<Swapped>(&receipt).tokens, 999_000_499);
    }
    assert_reconciled(&mut w);
}

/// USDC of another number of decimals than the token.
#[test]
fn effects_scales_between_decimals() {
    for (decimals, assets, tokens) in [(9, 10_000_000_999, 9_990_000), (4, 100_000, 9_990_000)] {
        let mut w = World::with(ProgramTestChain::new(), &[AssetSpec::sol(), AssetSpec::new(decimals, 1_01)]);
        w.list_minted(config(), USDC);
        let trader = trader(&mut w, assets);
        let receipt = w.send(build(&w, &trader, assets, 0), &trader).unwrap();
        let event: Swapped = only_event(&receipt);
        // Ten whole ones less 0.1 %; what is less than a unit of the token is not minted.
        assert!((tokens - 1..=tokens).contains(&event.tokens), "{}", event.tokens);
        assert_eq!(event.tokens + event.fee, 10_000_000);
        assert_eq!((w.balance(&trader.pubkey(), USDC), w.reserve(KUSD).available), (0, 10_000_000));
    }
}

#[test]
fn effects_up_to_the_swap_cap_exactly() {
    let (mut w, _, _) = minting();
    w.configure(KUSD, |config| config.limits.swap_cap = 1_000_000_000).unwrap();
    let trader = trader(&mut w, 2_000_000_000);
    w.set_price(USDC, 1_01);
    w.refuse(&build(&w, &trader, 1_000_000_001, 0), &[&trader], KeelError::SwapCapExceeded);
    w.send(build(&w, &trader, 1_000_000_000, 0), &trader).unwrap();
    w.refuse(&build(&w, &trader, 10, 0), &[&trader], KeelError::SwapCapExceeded);
    // What is swapped out makes room.
    let back = instruction::swap_out(&w.book, trader.pubkey(), 500_000_000, 0).unwrap();
    w.send(back, &trader).unwrap();
    w.send(build(&w, &trader, 400_000_000, 0), &trader).unwrap();
}

#[test]
fn effects_up_to_the_deposit_cap_of_the_pooled_reserve() {
    let (mut w, _, _) = minting();
    w.configure(USDC, |config| config.limits.deposit_cap = 101_000_000_000).unwrap();
    let trader = trader(&mut w, 2_000_000_000);
    w.set_price(USDC, 1_01);
    w.refuse(&build(&w, &trader, 1_000_000_001, 0), &[&trader], KeelError::DepositCapExceeded);
    w.send(build(&w, &trader, 1_000_000_000, 0), &trader).unwrap();
}

#[test]
fn rejects_less_than_the_minimum() {
    let (mut w, _, _) = minting();
    let trader = trader(&mut w, 2_000_000_000);
    w.set_price(USDC, 1_01);
    for min_tokens in [999_000_500, u64::MAX] {
        w.refuse(&build(&w, &trader, 1_000_000_500, min_tokens), &[&trader], KeelError::OutputTooSmall);
    }
    w.send(build(&w, &trader, 1_000_000_500, 999_000_499), &trader).unwrap();
}

/// Nothing, and what the fee takes whole.
#[test]
fn rejects_what_mints_nothing() {
    let (mut w, _, _) = minting();
    let trader = trader(&mut w, 2_000_000_000);
    for assets in [0, 1] {
        w.refuse(&build(&w, &trader, assets, 0), &[&trader], KeelError::ZeroAmount);
    }
}

#[test]
fn rejects_traders_without_the_assets() {
    let (mut w, _, _) = minting();
    let trader = trader(&mut w, 1_000_000_000);
    w.refuse(&build(&w, &trader, 1_000_000_001, 0), &[&trader], TokenError::InsufficientFunds);
}

#[test]
fn rejects_unusable_prices() {
    let (mut w, _, _) = minting();
    let trader = trader(&mut w, 1_000_000_000);
    for reason in UNUSABLE {
        spoil(&mut w, USDC, 0, reason, NEW_RISK);
        w.refuse(&build(&w, &trader, 1_000_000_000, 0), &[&trader], reason);
        restore(&mut w);
    }
    w.send(build(&w, &trader, 1_000_000_000, 0), &trader).unwrap();
}

#[test]
fn rejects_diverging_feeds() {
    let usdc = AssetSpec { feeds: 2, ..AssetSpec::usdc() };
    let mut w = World::with(ProgramTestChain::new(), &[AssetSpec::sol(), usdc]);
    w.list_minted(config(), USDC);
    let trader = trader(&mut w, 1_000_000_000);
    let mut high = w.observation(1_00);
    (high.price, high.ema_price) = (1_0300_0001, 1_0300_0001);
    for feed in 0..2 {
        w.set_price(USDC, 1_00);
        w.post(USDC, feed, &high);
        w.refuse(&build(&w, &trader, 1_000_000_000, 0), &[&trader], KeelError::PriceDivergence);
    }
    (high.price, high.ema_price) = (1_0299_9999, 1_0299_9999);
    w.post(USDC, 1, &high);
    // Of two that agree the lower counts: 0.9995.
    let receipt = w.send(build(&w, &trader, 1_000_000_000, 0), &trader).unwrap();
    let event: Swapped = only_event(&receipt);
    let before_fee = event.tokens + event.fee;
    assert!((999_499_999..=999_500_000).contains(&before_fee), "{before_fee}");
}

/// Where the accounts of both directions stand.
const USER: usize = 0;
const MARKET: usize = 1;
const MINTED_RESERVE: usize = 2;
const POOLED_RESERVE: usize = 3;
const MINTED_MINT: usize = 4;
const POOLED_LIQUIDITY: usize = 5;
const USER_MINTED: usize = 6;
const USER_POOLED: usize = 7;
const POOLED_MINT: usize = 8;
const MINTED_TOKEN_PROGRAM: usize = 9;
const POOLED_TOKEN_PROGRAM: usize = 10;
const REMAINING: usize = 11;

/// Other accounts, by where they stand.
type Changes<'a> = &'a [(usize, Pubkey)];

/// Asserts that none of the accounts of `valid`, a swap of `trader`, can be exchanged.
#[track_caller]
pub fn refuse_wrong_swap_accounts(w: &mut Bank, valid: &Instruction, trader: &Keypair) {
    let signers = [trader];
    let user = w.user();
    let dai = w.list(&AssetSpec::usdc());
    let elsewhere = other_market(w, USDC, &user);
    let (market, usdc, kusd) = (w.market, w.assets[USDC].reserve, w.assets[KUSD].reserve);
    refuse_imposters(w, valid, &signers, MARKET, &[("vault", user.vault), ("reserve", usdc)]);
    for index in [MINTED_RESERVE, POOLED_RESERVE] {
        refuse_imposters(w, valid, &signers, index, &[("market", market), ("vault", user.vault)]);
    }
    let (dai_mint, dai_liquidity) = (w.assets[dai].mint, w.liquidity_key(dai));
    let token_2022 = token::TOKEN_2022_PROGRAM;
    use KeelError::*;
    let cases: [(&str, Changes, KeelError); 12] = [
        ("market", &[(MARKET, elsewhere.market)], WrongMarket),
        ("pooled for minted", &[(MINTED_RESERVE, w.assets[SOL].reserve)], WrongReserveKind),
        ("the pooled twice", &[(MINTED_RESERVE, usdc)], WrongReserveKind),
        ("the minted twice", &[(POOLED_RESERVE, kusd)], WrongSwapReserve),
        ("reserve of another market", &[(POOLED_RESERVE, elsewhere.reserve)], WrongSwapReserve),
        (
            "another dollar",
            &[(POOLED_RESERVE, w.assets[dai].reserve), (POOLED_LIQUIDITY, dai_liquidity), (POOLED_MINT, dai_mint)],
            WrongSwapReserve,
        ),
        ("minted mint", &[(MINTED_MINT, dai_mint)], WrongLiquidityAccount),
        ("liquidity", &[(POOLED_LIQUIDITY, dai_liquidity)], WrongLiquidityAccount),
        (
            "liquidity of another market",
            &[(POOLED_LIQUIDITY, address::liquidity(&elsewhere.reserve))],
            WrongLiquidityAccount,
        ),
        ("pooled mint", &[(POOLED_MINT, dai_mint)], WrongMint),
        ("minted token program", &[(MINTED_TOKEN_PROGRAM, token_2022)], WrongTokenProgram),
        ("pooled token program", &[(POOLED_TOKEN_PROGRAM, token_2022)], WrongTokenProgram),
    ];
    for (case, changes, expected) in cases {
        let changed = changes.iter().fold(valid.clone(), |changed, (index, key)| with_account(&changed, *index, *key));
        w.refuse_case(case, &changed, &signers, expected);
    }
    let (own_tokens, own_assets) = (w.token_account(&trader.pubkey(), KUSD), w.token_account(&trader.pubkey(), USDC));
    w.fund(&trader.pubkey(), USDC, 1_000_000_000);
    for (index, key) in [(USER_MINTED, own_assets), (USER_POOLED, own_tokens)] {
        w.refuse_case("tokens of another mint", &with_account(valid, index, key), &signers, TokenError::MintMismatch);
    }
    for index in [MINTED_RESERVE, POOLED_RESERVE, MINTED_MINT, POOLED_LIQUIDITY, USER_MINTED, USER_POOLED] {
        let case = format!("account {index} read-only");
        w.refuse_case(&case, &read_only(valid, index), &signers, ErrorCode::ConstraintMut);
    }
    let governance = w.governance.insecure_clone();
    w.refuse_case("unsigned", &unsigned(valid, USER), &[&governance], ErrorCode::AccountNotSigner);
    for count in 1..REMAINING {
        w.refuse_case("missing", &truncated(valid, count), &signers, ErrorCode::AccountNotEnoughKeys);
    }
    w.refuse_case("no price", &truncated(valid, REMAINING), &signers, KeelError::MissingAccount);
    let other_price = with_account(valid, REMAINING, w.assets[dai].prices[0]);
    w.refuse_case("price of another", &other_price, &signers, KeelError::PriceWrongFeed);
}

#[test]
fn rejects_wrong_accounts() {
    let (mut w, lender, _) = minting();
    let trader = swapper(&mut w, 1_000_000_500);
    let valid = build(&w, &trader, 500_000_000, 0);
    refuse_wrong_swap_accounts(&mut w, &valid, &trader);
    // Paying with the assets of others.
    w.fund(&lender.key(), USDC, 1_000_000_000);
    for assets in [w.token_account(&lender.key(), USDC), w.liquidity_key(USDC)] {
        w.refuse(&with_account(&valid, USER_POOLED, assets), &[&trader], TokenError::OwnerMismatch);
    }
    w.send(valid, &trader).unwrap();
}

#[test]
fn rejects_a_liquidity_account_that_fell_short() {
    let (mut w, _, _) = minting();
    let trader = trader(&mut w, 1_000_000_000);
    let full = w.liquidity(USDC);
    set_liquidity(&mut w, USDC, full - 1);
    w.refuse(&build(&w, &trader, 1_000_000_000, 0), &[&trader], KeelError::LiquidityMismatch);
}

/// More tokens than the books know of: somebody else can mint, which is never so. Nothing works then.
#[test]
fn rejects_a_mint_that_ran_ahead_of_the_books() {
    let (mut w, _, _) = minting();
    let trader = trader(&mut w, 1_000_000_000);
    let mint = w.assets[KUSD].mint;
    let mut account = w.chain.account(&mint).unwrap();
    account.data[36] += 1;
    w.chain.set_account(&mint, account);
    w.refuse(&build(&w, &trader, 1_000_000_000, 0), &[&trader], KeelError::LiquidityMismatch);
}
