//! `init_reserve`: accounts, prices and parameters. The mints it accepts are in [`crate::mints`].

use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_spl::token::spl_token;
use keel::KeelError;
use keel::events::ReserveCreated;
use keel::state::{Kind, LAYOUT_VERSION, Market, Reserve, ReserveConfig};
use keel_client::{address, instruction, price_update, token};
use keel_risk::Fraction;
use keel_risk::haircut::Haircut;
use keel_risk::pool::Pool;
use keel_tests::check::only_event;
use keel_tests::{AssetSpec, Chain, ProgramTestChain, World};
use solana_account::Account;
use solana_instruction::Instruction;
use solana_signer::Signer;
use solana_system_interface::error::SystemError;

const GOVERNANCE: usize = 1;
const MARKET: usize = 2;
const MINT: usize = 3;
const RESERVE: usize = 4;
const LIQUIDITY: usize = 5;
const TOKEN_PROGRAM: usize = 6;
const SYSTEM_PROGRAM: usize = 7;
const REMAINING: usize = 8;

/// The instruction that lists a new mint with the feeds, prices and decimals of the first asset.
fn candidate(w: &mut Bank, change: impl Fn(&mut ReserveConfig)) -> Instruction {
    let a = w.assets[0].clone();
    let mint = w.create_mint(a.decimals, &a.token_program);
    let mut config = w.reserve(0).config;
    change(&mut config);
    let key = w.governance.pubkey();
    instruction::init_reserve(key, key, w.market, mint, a.token_program, config, &a.prices)
}

fn two_feeds() -> Bank {
    World::with(ProgramTestChain::new(), &[AssetSpec { feeds: 2, ..AssetSpec::sol() }])
}

#[test]
fn effects_lists_an_asset() {
    let mut w = two_feeds();
    let mut seen = w.observation(200_00);
    for feed in 0..2 {
        seen.price += 1;
        seen.ema_price -= 1;
        w.post(0, feed, &seen);
    }
    let list = candidate(&mut w, |_| {});
    let (mint, key) = (list.accounts[MINT].pubkey, list.accounts[RESERVE].pubkey);
    let governance = w.governance.insecure_clone();
    let receipt = w.send(list, &governance).unwrap();

    let account = w.chain.account(&key).unwrap();
    assert_eq!(account.data.len(), Reserve::SPACE);
    let reserve = keel_client::account::reserve(&key, &account.owner, &account.data).unwrap();
    let config = w.reserve(0).config;
    assert_eq!((reserve.version, reserve.decimals, reserve.kind), (LAYOUT_VERSION, 9, 1));
    assert_eq!((reserve.market, reserve.mint), (w.market, mint));
    assert_eq!(reserve.token_program, token::TOKEN_PROGRAM);
    assert_eq!(reserve.liquidity, address::liquidity(&key));
    assert_eq!(reserve.config, config);
    let bump = Pubkey::find_program_address(&[b"reserve", w.market.as_ref(), mint.as_ref()], &keel::ID).1;
    assert_eq!(reserve.bump, bump);

    // Empty, both indices at 1, and the rate of an empty pool.
    let now = w.chain.clock().unix_timestamp;
    assert_eq!(reserve.pool(), Pool::new(Kind::Pooled, now, &config.rate_terms()).unwrap());
    assert_eq!(Fraction::from(reserve.supply_index), Fraction::ONE);
    assert_eq!(Fraction::from(reserve.debt_index), Fraction::ONE);
    assert_eq!((reserve.available, reserve.supply_shares.get(), reserve.debt_shares.get()), (0, 0, 0));
    assert_eq!(reserve.haircut(), Haircut::settled(Fraction::from_bps_ceil(200), now));

    // Both feeds have a last accepted price from the start.
    for (feed, last) in reserve.last_prices.iter().enumerate() {
        let price = 200_0000_0000 + 1 + i64::from(feed == 1);
        let ema = 200_0000_0000 - 1 - i64::from(feed == 1);
        assert_eq!((last.price, last.ema_price), (price, ema));
        assert_eq!((last.confidence, last.ema_confidence, last.exponent), (1000_0000, 1000_0000, -8));
        assert_eq!((last.publish_time, last.posted_slot, last.challenged_at), (now, seen.posted_slot, 0));
    }

    // The token account is the reserve's own.
    use anchor_lang::solana_program::program_pack::Pack;
    let liquidity = w.chain.account(&reserve.liquidity).unwrap();
    assert_eq!(liquidity.owner, token::TOKEN_PROGRAM);
    let tokens = spl_token::state::Account::unpack(&liquidity.data).unwrap();
    assert_eq!((tokens.mint, tokens.owner, tokens.amount), (mint, key, 0));
    assert!(tokens.delegate.is_none() && tokens.close_authority.is_none());

    let event: ReserveCreated = only_event(&receipt);
    assert_eq!((event.market, event.reserve, event.mint), (w.market, key, mint));
}

#[test]
fn effects_payer_need_not_be_governance_and_lamports_at_the_addresses_do_not_block() {
    let mut w = bank();
    let payer = w.chain.funded();
    let list = with_account(&candidate(&mut w, |_| {}), 0, payer.pubkey());
    for index in [RESERVE, LIQUIDITY] {
        w.chain.set_account(&list.accounts[index].pubkey, Account { lamports: 1_000_000, ..Account::default() });
    }
    let governance = w.governance.insecure_clone();
    let before = w.chain.account(&governance.pubkey()).unwrap();
    let reserve = list.accounts[RESERVE].pubkey;
    w.chain.send(&[list], &[&payer, &governance]).unwrap();
    assert_eq!(w.chain.account(&governance.pubkey()).unwrap(), before);
    assert_eq!(w.chain.account(&reserve).unwrap().owner, keel::ID);
}

#[test]
fn effects_parameters_at_their_bounds() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    let most = candidate(&mut w, |c| {
        c.limits.deposit_cap = u64::MAX;
        c.limits.borrow_cap = 0;
        (c.oracle.max_age_new_risk, c.oracle.max_age_liquidation) = (300, 900);
        (c.oracle.max_confidence_new_risk_bps, c.oracle.max_confidence_liquidation_bps) = (2_000, 2_000);
        (c.oracle.confidence_multiple_bps, c.oracle.max_divergence_bps) = (100_000, 2_000);
        c.oracle.dead_after = 3_600;
        (c.collateral.base_haircut_bps, c.collateral.max_haircut_bps) = (10_000, 10_000);
        (c.collateral.max_ltv_bps, c.collateral.liquidation_threshold_bps) = (9_999, 10_000);
        (c.collateral.min_bonus_bps, c.collateral.max_bonus_bps) = (2_500, 2_500);
        (c.collateral.max_bonus_health_bps, c.collateral.protocol_share_bps) = (9_999, 10_000);
        (c.rates.base_bps, c.rates.slope_bps, c.rates.excess_slope_bps) = (30_000, 30_000, 40_000);
        (c.rates.optimal_utilization_bps, c.rates.reserve_factor_bps) = (9_999, 5_000);
    });
    let least = candidate(&mut w, |c| {
        (c.limits.deposit_cap, c.limits.borrow_cap) = (0, 0);
        (c.oracle.max_age_new_risk, c.oracle.max_age_liquidation) = (1, 1);
        // The confidence of the prices is exactly 5 basis points.
        (c.oracle.max_confidence_new_risk_bps, c.oracle.max_confidence_liquidation_bps) = (5, 5);
        (c.oracle.confidence_multiple_bps, c.oracle.max_divergence_bps, c.oracle.dead_after) = (0, 1, 60);
        c.collateral = Default::default();
        c.rates = Default::default();
        c.rates.optimal_utilization_bps = 1;
    });
    // 1.1 * 0.98 * 0.85 = 0.9163.
    let bonus = candidate(&mut w, |c| c.collateral.max_bonus_health_bps = 9_164);
    for list in [most, least, bonus] {
        let reserve = list.accounts[RESERVE].pubkey;
        w.send(list, &governance).unwrap();
        assert_eq!(w.chain.account(&reserve).unwrap().data.len(), Reserve::SPACE);
    }
}

#[test]
fn rejects_incoherent_parameters() {
    use KeelError::*;
    type Change = fn(&mut ReserveConfig);
    let cases: [(&str, Change, KeelError); 31] = [
        ("no feed", |c| c.oracle.feeds[0].feed_id = [0; 32], ConfigOracle),
        ("age 0", |c| c.oracle.max_age_new_risk = 0, ConfigOracle),
        ("age for new risk", |c| (c.oracle.max_age_new_risk, c.oracle.max_age_liquidation) = (301, 900), ConfigOracle),
        ("age for liquidation", |c| c.oracle.max_age_liquidation = 901, ConfigOracle),
        ("ages reversed", |c| (c.oracle.max_age_new_risk, c.oracle.max_age_liquidation) = (61, 60), ConfigOracle),
        ("confidence 0", |c| c.oracle.max_confidence_new_risk_bps = 0, ConfigOracle),
        ("confidence", |c| c.oracle.max_confidence_liquidation_bps = 2_001, ConfigOracle),
        ("confidences reversed", |c| c.oracle.max_confidence_new_risk_bps = 1_001, ConfigOracle),
        ("confidence multiple", |c| c.oracle.confidence_multiple_bps = 100_001, ConfigOracle),
        ("divergence 0", |c| c.oracle.max_divergence_bps = 0, ConfigOracle),
        ("divergence", |c| c.oracle.max_divergence_bps = 2_001, ConfigOracle),
        ("dead too early", |c| c.oracle.dead_after = 59, ConfigOracle),
        ("dead too late", |c| c.oracle.dead_after = 3_601, ConfigOracle),
        ("haircuts reversed", |c| c.collateral.base_haircut_bps = 4_001, ConfigHaircut),
        ("haircut", |c| c.collateral.max_haircut_bps = 10_001, ConfigHaircut),
        ("ltv = threshold", |c| c.collateral.max_ltv_bps = 8_500, ConfigLoanToValue),
        ("ltv > threshold", |c| c.collateral.max_ltv_bps = 8_501, ConfigLoanToValue),
        ("threshold", |c| c.collateral.liquidation_threshold_bps = 10_001, ConfigLoanToValue),
        ("ltv without threshold", |c| c.collateral.liquidation_threshold_bps = 0, ConfigLoanToValue),
        ("bonus reversed", |c| c.collateral.min_bonus_bps = 1_001, ConfigBonus),
        ("bonus", |c| c.collateral.max_bonus_bps = 2_501, ConfigBonus),
        ("protocol's share", |c| c.collateral.protocol_share_bps = 10_001, ConfigBonus),
        ("health of the largest bonus", |c| c.collateral.max_bonus_health_bps = 10_000, ConfigBonus),
        ("bonus lowers health", |c| c.collateral.max_bonus_health_bps = 9_163, ConfigBonusLowersHealth),
        ("rates", |c| c.rates.excess_slope_bps = 99_001, ConfigRate),
        ("rates overflow", |c| c.rates.base_bps = u32::MAX, ConfigRate),
        ("kink at 0", |c| c.rates.optimal_utilization_bps = 0, ConfigRate),
        ("kink at 1", |c| c.rates.optimal_utilization_bps = 10_000, ConfigRate),
        ("reserve factor", |c| c.rates.reserve_factor_bps = 5_001, ConfigRate),
        ("all at their maximum", |c| c.rates.slope_bps = u32::MAX, ConfigRate),
        ("age at its maximum", |c| c.oracle.max_age_liquidation = u32::MAX, ConfigOracle),
    ];
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    for (case, change, expected) in cases {
        let list = candidate(&mut w, change);
        w.refuse_case(case, &list, &[&governance], expected);
    }
}

#[test]
fn rejects_other_than_governance() {
    let mut w = bank();
    let thief = w.chain.funded();
    let governance = w.governance.insecure_clone();
    let valid = candidate(&mut w, |_| {});
    let by_thief = with_account(&with_account(&valid, 0, thief.pubkey()), GOVERNANCE, thief.pubkey());
    w.refuse(&by_thief, &[&thief], KeelError::NotGovernance);
    // Named, but without its signature.
    let without = unsigned(&with_account(&valid, 0, thief.pubkey()), GOVERNANCE);
    w.refuse(&without, &[&thief], ErrorCode::AccountNotSigner);
    // The guardian is not governance either.
    let mut market = w.market_state();
    market.guardian = thief.pubkey();
    let mut account = w.chain.account(&w.market.clone()).unwrap();
    account.data[8..].copy_from_slice(bytemuck::bytes_of::<Market>(&market));
    let key = w.market;
    w.chain.set_account(&key, account);
    w.refuse(&by_thief, &[&thief], KeelError::NotGovernance);
    w.send(valid, &governance).unwrap();
}

#[test]
fn rejects_unusable_prices() {
    let mut w = two_feeds();
    let governance = w.governance.insecure_clone();
    let list = candidate(&mut w, |_| {});
    // A new reserve has no last accepted price that another could be older than.
    for reason in UNUSABLE.into_iter().filter(|reason| *reason != KeelError::PriceReplayed) {
        for feed in 0..2 {
            spoil(&mut w, 0, feed, reason, NEW_RISK);
            w.refuse_case(&format!("feed {feed}"), &list, &[&governance], reason);
            restore(&mut w);
        }
    }
    w.send(list, &governance).unwrap();
}

#[test]
fn rejects_prices_just_beyond_their_bounds() {
    use KeelError::*;
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    let list = candidate(&mut w, |_| {});
    let now = w.chain.clock().unix_timestamp;
    let at = w.observation(200_00);
    let beyond = [
        (price_of(at, |o| o.publish_time = now - 61), PriceStale),
        (price_of(at, |o| o.publish_time = i64::MIN), PriceStale),
        (price_of(at, |o| o.publish_time = now + 11), PriceFromFuture),
        (price_of(at, |o| o.publish_time = i64::MAX), PriceFromFuture),
        (price_of(at, |o| o.price = -1), PriceNotPositive),
        (price_of(at, |o| o.price = i64::MIN), PriceNotPositive),
        (price_of(at, |o| o.ema_price = 0), PriceNotPositive),
        (price_of(at, |o| o.ema_price = -1), PriceNotPositive),
        (price_of(at, |o| o.confidence = 4_0000_0001), PriceLowConfidence),
        (price_of(at, |o| o.confidence = u64::MAX), PriceLowConfidence),
        (price_of(at, |o| o.ema_confidence = 4_0000_0001), PriceLowConfidence),
        // 9 decimals: exponents from -29 to 9 can be computed.
        (price_of(at, |o| o.exponent = 10), PriceExponentOutOfRange),
        (price_of(at, |o| o.exponent = -30), PriceExponentOutOfRange),
        (price_of(at, |o| o.exponent = i32::MIN), PriceExponentOutOfRange),
        (price_of(at, |o| o.exponent = i32::MAX), PriceExponentOutOfRange),
        // 200 * 10^8 * 10^9 dollars per lamport and more do not fit.
        (price_of(at, |o| o.exponent = 9), Overflow),
    ];
    for (observation, expected) in beyond {
        w.post(0, 0, &observation);
        w.refuse_case(&format!("{observation:?}"), &list, &[&governance], expected);
    }
    let inside = [
        price_of(at, |o| o.publish_time = now - 60),
        price_of(at, |o| o.publish_time = now + 10),
        price_of(at, |o| (o.confidence, o.ema_confidence) = (4_0000_0000, 4_0000_0000)),
        price_of(at, |o| (o.price, o.ema_price, o.confidence, o.ema_confidence) = (1, 1, 0, 0)),
        price_of(at, |o| o.exponent = -29),
    ];
    for observation in inside {
        w.post(0, 0, &observation);
        let list = candidate(&mut w, |_| {});
        w.send(list, &governance).unwrap();
    }
}

fn price_of(
    mut observation: keel_risk::price::Observation,
    change: impl Fn(&mut keel_risk::price::Observation),
) -> keel_risk::price::Observation {
    change(&mut observation);
    observation
}

#[test]
fn rejects_price_accounts_that_are_missing_or_not_the_pinned_one() {
    let mut w = two_feeds();
    let governance = w.governance.insecure_clone();
    let valid = candidate(&mut w, |_| {});
    for count in [REMAINING, REMAINING + 1] {
        w.refuse(&truncated(&valid, count), &[&governance], KeelError::MissingAccount);
    }
    w.refuse(&swapped(&valid, REMAINING, REMAINING + 1), &[&governance], KeelError::PriceWrongFeed);

    // Pinned to the account of the listed asset: a copy at another address is not accepted.
    let pin = w.assets[0].prices[1];
    let pinned = candidate(&mut w, |c| c.oracle.feeds[1].account = pin);
    let copy = Pubkey::new_unique();
    let data = w.chain.account(&pin).unwrap().data;
    w.chain.set_data(&copy, &price_update::PYTH_RECEIVER, data);
    w.refuse(&with_account(&pinned, REMAINING + 1, copy), &[&governance], KeelError::PriceWrongAccount);
    w.send(pinned, &governance).unwrap();
    // The same copy will do where no account is pinned.
    w.send(with_account(&valid, REMAINING + 1, copy), &governance).unwrap();
}

#[test]
fn rejects_wrong_accounts() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    let signers = [&governance];
    let user = w.user();
    let valid = candidate(&mut w, |_| {});
    let (listed, vault) = (w.assets[SOL].reserve, user.vault);
    refuse_imposters(&mut w, &valid, &signers, MARKET, &[("reserve", listed), ("vault", vault)]);
    let elsewhere = other_market(&mut w, USDC, &user);
    let (listed_mint, listed_liquidity) = (w.assets[SOL].mint, w.liquidity_key(SOL));
    let not_a_mint = w.token_account(&governance.pubkey(), SOL);
    w.fund(&governance.pubkey(), SOL, 1);
    let forged_mint = forged(&mut w, &valid.accounts[MINT].pubkey);
    let cases = [
        ("address for another market", MARKET, elsewhere.market, ErrorCode::ConstraintSeeds),
        ("address for another mint", MINT, listed_mint, ErrorCode::ConstraintSeeds),
        ("mint of no token program", MINT, forged_mint, ErrorCode::AccountOwnedByWrongProgram),
        ("no mint", MINT, Pubkey::new_unique(), ErrorCode::AccountNotInitialized),
        ("reserve of another mint", RESERVE, listed, ErrorCode::ConstraintSeeds),
        ("any reserve", RESERVE, Pubkey::new_unique(), ErrorCode::ConstraintSeeds),
        ("liquidity of another reserve", LIQUIDITY, listed_liquidity, ErrorCode::ConstraintSeeds),
        ("any liquidity", LIQUIDITY, Pubkey::new_unique(), ErrorCode::ConstraintSeeds),
        ("token program", TOKEN_PROGRAM, keel::ID, ErrorCode::InvalidProgramId),
        ("system program", SYSTEM_PROGRAM, keel::ID, ErrorCode::InvalidProgramId),
    ];
    for (case, index, key, expected) in cases {
        w.refuse_case(case, &with_account(&valid, index, key), &signers, expected);
    }
    let no_mint = with_account(&valid, MINT, not_a_mint);
    w.refuse_case(
        "token account as mint",
        &no_mint,
        &signers,
        solana_instruction::error::InstructionError::InvalidAccountData,
    );
    for count in 1..REMAINING {
        w.refuse_case("missing", &truncated(&valid, count), &signers, ErrorCode::AccountNotEnoughKeys);
    }
    w.send(valid, &governance).unwrap();
}

/// The mint is SPL Token's, the token program named is Token-2022.
#[test]
fn rejects_the_other_token_program() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    let valid = candidate(&mut w, |_| {});
    let other = with_account(&valid, TOKEN_PROGRAM, token::TOKEN_2022_PROGRAM);
    let before = w.snapshot_of(valid.accounts.iter().map(|meta| meta.pubkey).filter(|key| *key != governance.pubkey()));
    let failure = w.send(other, &governance).unwrap_err();
    // Token-2022 refuses to initialize an account of a mint that is not its own, before the constraint is looked at.
    assert_eq!(
        keel_tests::check::Refusal::from(&failure),
        solana_instruction::error::InstructionError::IncorrectProgramId.into()
    );
    assert!(before.changed(&mut w).is_empty());
}

#[test]
fn rejects_an_asset_that_is_listed() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    let a = w.assets[SOL].clone();
    let (key, config) = (governance.pubkey(), w.reserve(SOL).config);
    let again = instruction::init_reserve(key, key, w.market, a.mint, a.token_program, config, &a.prices);
    w.refuse(&again, &[&governance], SystemError::AccountAlreadyInUse);
}
