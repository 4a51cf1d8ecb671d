//! What a liquidation refuses.

use super::*;
use anchor_lang::error::ErrorCode;
use anchor_spl::token::spl_token::error::TokenError;
use keel::AmountSpec::{All, Exact};
use keel::KeelError;
use keel_client::address;
use keel_risk::Fraction;
use keel_tests::AssetSpec;

#[test]
fn rejects_healthy_vaults() {
    // HF = 83.3 * 168.07 / 14,000 = 1.0000165.
    for cents in [200_00, 168_07] {
        let mut c = Case::at(cents);
        let liquidate = c.all();
        c.w.refuse(&liquidate, &[&c.keeper], KeelError::Healthy);
    }
    // A cent less is 0.999957.
    let mut c = Case::at(168_06);
    let liquidate = c.all();
    c.w.send(liquidate, &c.keeper).unwrap();
    // At the target health there is nothing more to do.
    let again = c.all();
    c.w.refuse(&again, &[&c.keeper], KeelError::Healthy);
}

#[test]
fn rejects_zero_and_nothing_liquid() {
    let mut c = Case::at(160_00);
    let nothing = c.build(USDC, SOL, 0, 0);
    c.w.refuse(&nothing, &[&c.keeper], KeelError::NothingToSeize);
    let other = c.w.supplier(USDC, 1_000_000_000_000);
    c.w.fund(&other.key(), SOL, 0);
    c.w.borrow(&other, SOL, 100_000_000_000).unwrap();
    let all_lent = c.all();
    c.w.refuse(&all_lent, &[&c.keeper], KeelError::NothingToSeize);
}

#[test]
fn rejects_less_than_min_seize() {
    let mut c = Case::at(160_00);
    for min_seize in [68_360_744_944, u64::MAX] {
        let liquidate = c.build(USDC, SOL, u64::MAX, min_seize);
        c.w.refuse(&liquidate, &[&c.keeper], KeelError::SlippageExceeded);
    }
}

#[test]
fn rejects_positions_that_the_vault_does_not_have() {
    let mut c = Case::at(160_00);
    let other = c.w.list(&AssetSpec::usdc());
    let key = c.keeper.pubkey();
    c.w.fund(&key, other, 1_000_000_000);
    let cases = [
        ("no such debt", other, SOL, KeelError::NoSuchDebt),
        ("no such collateral", USDC, other, KeelError::NoSuchCollateral),
        ("sides exchanged", SOL, USDC, KeelError::NoSuchDebt),
        ("the debt twice", USDC, USDC, KeelError::NoSuchCollateral),
        ("the collateral twice", SOL, SOL, KeelError::NoSuchCollateral),
    ];
    for (case, debt, collateral, expected) in cases {
        let liquidate = c.build(debt, collateral, u64::MAX, 0);
        c.w.refuse_case(case, &liquidate, &[&c.keeper], expected);
    }
    // A vault without debt.
    let supplier = c.w.supplier(SOL, 1_000_000_000);
    let liquidate = with_account(&c.all(), VAULT, supplier.vault);
    c.w.refuse(&liquidate, &[&c.keeper], KeelError::NoSuchDebt);
}

#[test]
fn rejects_unusable_prices_of_what_changes_hands() {
    let mut c = Case::at(160_00);
    for asset in [SOL, USDC] {
        for reason in UNUSABLE {
            spoil(&mut c.w, asset, 0, reason, LIQUIDATION);
            let liquidate = c.all();
            c.w.refuse_case(&format!("asset {asset}"), &liquidate, &[&c.keeper], reason);
            restore(&mut c.w);
        }
    }
    // Even if the feed is dead: the last accepted price is not for trading at.
    for asset in [SOL, USDC] {
        c.w.challenge(asset, 0).unwrap();
        c.w.pass(600);
        spoil(&mut c.w, asset, 0, KeelError::PriceStale, LIQUIDATION);
        let liquidate = c.all();
        c.w.refuse_case("dead", &liquidate, &[&c.keeper], KeelError::PriceStale);
        restore(&mut c.w);
    }
    let liquidate = c.all();
    c.w.send(liquidate, &c.keeper).unwrap();
}

#[test]
fn rejects_unusable_prices_of_other_positions_while_their_feed_may_live() {
    let mut c = Case::at(160_00);
    let other = c.w.list(&AssetSpec::usdc());
    c.w.fund(&c.borrower.key(), other, 20_000_000);
    c.w.deposit(&c.borrower, other, All).unwrap();
    for reason in UNUSABLE {
        spoil(&mut c.w, other, 0, reason, LIQUIDATION);
        let liquidate = c.all();
        c.w.refuse(&liquidate, &[&c.keeper], reason);
        restore(&mut c.w);
    }
    let liquidate = c.all();
    c.w.send(liquidate, &c.keeper).unwrap();
}

/// Liquidations wait for 100 slots after a restart, and then want prices posted since.
#[test]
fn rejects_the_slots_after_a_cluster_restart() {
    let mut c = Case::at(160_00);
    c.w.pass(400);
    let clock = c.w.chain.clock();
    c.w.chain.set_last_restart_slot(clock.slot - 99);
    c.w.refresh_prices();
    let liquidate = c.all();
    c.w.refuse(&liquidate, &[&c.keeper], KeelError::RestartGracePeriod);
    c.w.chain.set_last_restart_slot(clock.slot);
    c.w.refuse(&liquidate, &[&c.keeper], KeelError::RestartGracePeriod);
    c.w.chain.set_last_restart_slot(clock.slot - 100);
    c.w.send(liquidate, &c.keeper).unwrap();
}

#[test]
fn rejects_keepers_without_the_tokens() {
    let mut c = Case::at(160_00);
    c.keeper = keeper(&mut c.w, USDC, SOL, 10_061_188_452);
    let liquidate = c.all();
    c.w.refuse(&liquidate, &[&c.keeper], TokenError::InsufficientFunds);
    let less = c.build(USDC, SOL, 10_061_188_452, 0);
    c.w.send(less, &c.keeper).unwrap();
}

/// Debt whose index does not divide a unit: repaying one burns less than one, and collateral would be lost for nothing.
#[test]
fn rejects_liquidations_that_do_not_raise_health() {
    let mut c = Case::at(200_00);
    let mut usdc = c.w.reserve(USDC);
    usdc.debt_index = Fraction::from_integer(3).into();
    // Who owed 14,000 owes 42,000: of 100 SOL at 520 dollars HF = 43,316 / 42,000. At 500, 0.9917.
    c.w.set_reserve(USDC, &usdc);
    c.w.set_price(SOL, 500_00);
    let least = c.build(USDC, SOL, 1, 0);
    c.w.refuse(&least, &[&c.keeper], KeelError::HealthNotRaised);
    let more = c.build(USDC, SOL, 3, 0);
    c.w.send(more, &c.keeper).unwrap();
}

#[test]
fn rejects_wrong_accounts() {
    let mut c = Case::at(160_00);
    let valid = c.all();
    let signer = c.keeper.insecure_clone();
    let signers = [&signer];
    let (market, vault) = (c.w.market, c.borrower.vault);
    let (sol, usdc) = (c.w.assets[SOL].reserve, c.w.assets[USDC].reserve);
    refuse_imposters(&mut c.w, &valid, &signers, MARKET, &[("vault", vault), ("reserve", sol)]);
    refuse_imposters(&mut c.w, &valid, &signers, VAULT, &[("market", market), ("reserve", sol)]);
    for index in [DEBT_RESERVE, COLLATERAL_RESERVE] {
        refuse_imposters(&mut c.w, &valid, &signers, index, &[("market", market), ("vault", vault)]);
    }
    let elsewhere = other_market(&mut c.w, USDC, &c.borrower);
    let (sol_liquidity, usdc_liquidity) = (c.w.liquidity_key(SOL), c.w.liquidity_key(USDC));
    let (sol_mint, usdc_mint) = (c.w.assets[SOL].mint, c.w.assets[USDC].mint);
    let keepers = c.w.token_account(&c.keeper.pubkey(), USDC);
    let token_2022 = keel_client::token::TOKEN_2022_PROGRAM;
    use KeelError::*;
    let cases = [
        ("market", MARKET, elsewhere.market, WrongMarket),
        ("vault of another market", VAULT, elsewhere.vault, WrongMarket),
        ("debt reserve of another market", DEBT_RESERVE, elsewhere.reserve, WrongMarket),
        ("collateral reserve of another market", COLLATERAL_RESERVE, elsewhere.reserve, WrongMarket),
        ("liquidity of the other", DEBT_LIQUIDITY, sol_liquidity, WrongLiquidityAccount),
        ("liquidity of another market", DEBT_LIQUIDITY, address::liquidity(&elsewhere.reserve), WrongLiquidityAccount),
        ("keeper's tokens as liquidity", DEBT_LIQUIDITY, keepers, WrongLiquidityAccount),
        ("liquidity of the other", COLLATERAL_LIQUIDITY, usdc_liquidity, WrongLiquidityAccount),
        ("keeper's tokens as liquidity", COLLATERAL_LIQUIDITY, keepers, WrongLiquidityAccount),
        ("debt mint", DEBT_MINT, sol_mint, WrongMint),
        ("collateral mint", COLLATERAL_MINT, usdc_mint, WrongMint),
        ("debt token program", DEBT_TOKEN_PROGRAM, token_2022, WrongTokenProgram),
        ("collateral token program", COLLATERAL_TOKEN_PROGRAM, token_2022, WrongTokenProgram),
    ];
    for (case, index, key, expected) in cases {
        c.w.refuse_case(case, &with_account(&valid, index, key), &signers, expected);
    }
    let reserves_only = with_account(&with_account(&valid, DEBT_RESERVE, sol), COLLATERAL_RESERVE, usdc);
    c.w.refuse_case("reserves exchanged", &reserves_only, &signers, WrongLiquidityAccount);
    let keepers_sol = c.w.token_account(&c.keeper.pubkey(), SOL);
    c.w.fund(&signer.pubkey(), SOL, 100_000_000_000);
    for (index, key) in [(KEEPER_DEBT, keepers_sol), (KEEPER_COLLATERAL, keepers)] {
        c.w.refuse_case("other tokens", &with_account(&valid, index, key), &signers, TokenError::MintMismatch);
    }
    // Paying with the tokens of others.
    c.w.fund(&c.lender.key(), USDC, 20_000_000_000);
    for tokens in [c.w.token_account(&c.lender.key(), USDC), usdc_liquidity] {
        let stolen = with_account(&valid, KEEPER_DEBT, tokens);
        c.w.refuse_case("tokens of others", &stolen, &signers, TokenError::OwnerMismatch);
    }
    for index in
        [VAULT, DEBT_RESERVE, COLLATERAL_RESERVE, DEBT_LIQUIDITY, COLLATERAL_LIQUIDITY, KEEPER_DEBT, KEEPER_COLLATERAL]
    {
        c.w.refuse_case("read-only", &read_only(&valid, index), &signers, ErrorCode::ConstraintMut);
    }
    let governance = c.w.governance.insecure_clone();
    c.w.refuse_case("unsigned", &unsigned(&valid, KEEPER), &[&governance], ErrorCode::AccountNotSigner);
    for count in 1..REMAINING {
        c.w.refuse_case("missing", &truncated(&valid, count), &signers, ErrorCode::AccountNotEnoughKeys);
    }
    c.w.send(valid, &signer).unwrap();
}

#[test]
fn rejects_remaining_accounts_that_do_not_follow_the_slots() {
    let mut c = Case::at(160_00);
    let (third, fourth) = (c.w.list(&AssetSpec::usdc()), c.w.list(&AssetSpec { feeds: 2, ..AssetSpec::usdc() }));
    for asset in [third, fourth] {
        c.w.fund(&c.borrower.key(), asset, 1_000);
        c.w.deposit(&c.borrower, asset, All).unwrap();
    }
    // The prices of USDC and SOL; the third and its price; the fourth and its two.
    let valid = c.build(USDC, SOL, 1_000_000, 0);
    assert_eq!(valid.accounts.len(), REMAINING + 7);
    let swapped = swapped(&valid, REMAINING, REMAINING + 1);
    c.w.refuse(&swapped, &[&c.keeper], KeelError::PriceWrongFeed);
    let keeper = User { keypair: c.keeper.insecure_clone(), vault: c.borrower.vault };
    refuse_wrong_remaining(&mut c.w, &valid, &keeper, REMAINING, &[2, 4]);
    c.w.send(valid, &c.keeper).unwrap();
}

#[test]
fn rejects_an_insolvent_vault() {
    let mut c = Case::at(160_00);
    mark_insolvent(&mut c.w, &c.borrower);
    let liquidate = c.all();
    c.w.refuse(&liquidate, &[&c.keeper], KeelError::VaultInsolvent);
}

#[test]
fn rejects_liquidity_accounts_that_fell_short() {
    let mut c = Case::at(160_00);
    let liquidate = c.all();
    for asset in [SOL, USDC] {
        let full = c.w.liquidity(asset);
        set_liquidity(&mut c.w, asset, full - 1);
        c.w.refuse(&liquidate, &[&c.keeper], KeelError::LiquidityMismatch);
        set_liquidity(&mut c.w, asset, full);
    }
    c.w.send(liquidate, &c.keeper).unwrap();
    c.w.repay(&c.borrower, USDC, Exact(1)).unwrap();
}
