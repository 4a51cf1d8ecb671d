//! `init_reserve`: accounts, prices and parameters. The mints it accepts are in [`crate::mints`].

use crate::governance::{noticed, refuse_outside_the_notice};
use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::rent::Rent;
use anchor_spl::token::spl_token;
use keel::KeelError;
use keel::events::{ChangeExecuted, ReserveCreated};
use keel::state::{Change, Kind, PendingChange, Reserve, ReserveConfig, Role};
use keel_client::{address, instruction, price_update, token};
use keel_risk::Fraction;
use keel_risk::haircut::Haircut;
use keel_risk::pool::Pool;
use keel_tests::check::event_among;
use keel_tests::{AssetSpec, Chain, ProgramTestChain, World};
use solana_account::Account;
use solana_instruction::Instruction;
use solana_signer::Signer;
use solana_system_interface::error::SystemError;

const PAYER: usize = 0;
const MARKET: usize = 1;
const PENDING: usize = 2;
const RENT_PAYER: usize = 3;
const MINT: usize = 4;
const RESERVE: usize = 5;
const LIQUIDITY: usize = 6;
const TOKEN_PROGRAM: usize = 7;
const SYSTEM_PROGRAM: usize = 8;
const REMAINING: usize = 9;

/// Queues and executes the listing of a new mint with the feeds, prices and decimals of the first asset.
fn candidate(w: &mut Bank, change: impl Fn(&mut ReserveConfig)) -> [Instruction; 2] {
    let a = w.assets[0].clone();
    let mint = w.create_mint(a.decimals, &a.token_program);
    let mut config = w.reserve(0).config.without_caps();
    change(&mut config);
    let (queue, queued) = w.queue_ix(mint, Change::List { config });
    [queue, instruction::init_reserve(w.governance.pubkey(), &queued, mint, a.token_program, &a.prices)]
}

/// The execution alone of such a listing, which is queued.
fn queued(w: &mut Bank) -> Instruction {
    let ([queue, list], governance) = (candidate(w, |_| {}), w.governance.insecure_clone());
    w.send(queue, &governance).unwrap();
    list
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
    let (mint, key) = (list[1].accounts[MINT].pubkey, list[1].accounts[RESERVE].pubkey);
    let governance = w.governance.insecure_clone();
    let nonce = w.market_state().next_change;
    let receipt = w.send_all(&list, &[&governance]).unwrap();

    let account = w.chain.account(&key).unwrap();
    assert_eq!(account.data.len(), Reserve::SPACE);
    let reserve = keel_client::account::reserve(&key, &account.owner, &account.data).unwrap();
    let config = w.reserve(0).config.without_caps();
    assert_eq!((reserve.version, reserve.decimals, reserve.kind), (Reserve::VERSION, 9, 1));
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

    assert_eq!((reserve.revisions, reserve.stepped_at), ([0; 8], [0; 16]));
    assert_eq!((reserve.settled_tokens, reserve.reserved), (0, [0; 312]));
    let event: ReserveCreated = event_among(&receipt, 3);
    assert_eq!((event.market, event.reserve, event.mint), (w.market, key, mint));
    let event: ChangeExecuted = event_among(&receipt, 3);
    let change = list[1].accounts[PENDING].pubkey;
    assert_eq!((event.market, event.change, event.nonce), (w.market, change, nonce));
    assert_eq!(w.chain.account(&change), None);
}

#[test]
fn effects_anyone_executes_and_lamports_at_the_addresses_do_not_block() {
    let mut w = bank();
    let payer = w.chain.funded();
    let list = with_account(&queued(&mut w), PAYER, payer.pubkey());
    for index in [RESERVE, LIQUIDITY] {
        w.chain.set_account(&list.accounts[index].pubkey, Account { lamports: 1_000_000, ..Account::default() });
    }
    let governance = w.governance.pubkey();
    let before = w.chain.account(&governance).unwrap();
    let reserve = list.accounts[RESERVE].pubkey;
    w.send(list, &payer).unwrap();
    // Whoever paid for the pending change has its rent back, and paid for nothing else.
    let lamports = before.lamports + Rent::default().minimum_balance(PendingChange::SPACE);
    assert_eq!(w.chain.account(&governance).unwrap(), Account { lamports, ..before });
    assert_eq!(w.chain.account(&reserve).unwrap().owner, keel::ID);
}

#[test]
fn effects_parameters_at_their_bounds() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    let most = |c: &mut ReserveConfig| {
        (c.limits.depth, c.limits.isolated_debt_ceiling) = (u64::MAX, u64::MAX);
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
    };
    let least = |c: &mut ReserveConfig| {
        (c.limits.depth, c.limits.isolated_debt_ceiling) = (0, 0);
        (c.oracle.max_age_new_risk, c.oracle.max_age_liquidation) = (1, 1);
        // The confidence of the prices is exactly 5 basis points.
        (c.oracle.max_confidence_new_risk_bps, c.oracle.max_confidence_liquidation_bps) = (5, 5);
        (c.oracle.confidence_multiple_bps, c.oracle.max_divergence_bps, c.oracle.dead_after) = (0, 1, 60);
        c.collateral = Default::default();
        c.rates = Default::default();
        c.rates.optimal_utilization_bps = 1;
    };
    // 1.1 * 0.98 * 0.85 = 0.9163.
    let bonus = |c: &mut ReserveConfig| c.collateral.max_bonus_health_bps = 9_164;
    for change in [most, least, bonus] {
        let list = candidate(&mut w, change);
        let reserve = list[1].accounts[RESERVE].pubkey;
        w.send_all(&list, &[&governance]).unwrap();
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
        w.refuse_all_case(case, &list, &[&governance], expected);
    }
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
            w.refuse_all_case(&format!("feed {feed}"), &list, &[&governance], reason);
            restore(&mut w);
        }
    }
    w.send_all(&list, &[&governance]).unwrap();
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
        w.refuse_all_case(&format!("{observation:?}"), &list, &[&governance], expected);
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
        w.send_all(&list, &[&governance]).unwrap();
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
    let valid = queued(&mut w);
    for count in [REMAINING, REMAINING + 1] {
        w.refuse(&truncated(&valid, count), &[&governance], KeelError::MissingAccount);
    }
    w.refuse(&swapped(&valid, REMAINING, REMAINING + 1), &[&governance], KeelError::PriceWrongFeed);

    // Pinned to the account of the listed asset: a copy at another address is not accepted.
    let pin = w.assets[0].prices[1];
    let [queue, pinned] = candidate(&mut w, |c| c.oracle.feeds[1].account = pin);
    w.send(queue, &governance).unwrap();
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
    let valid = queued(&mut w);
    let (listed, vault) = (w.assets[SOL].reserve, user.vault);
    refuse_imposters(&mut w, &valid, &signers, MARKET, &[("reserve", listed), ("vault", vault)]);
    let market = w.market;
    refuse_imposters(&mut w, &valid, &signers, PENDING, &[("market", market), ("reserve", listed), ("vault", vault)]);
    let elsewhere = other_market(&mut w, USDC, &user);
    let stranger = w.chain.funded().pubkey();
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
        ("somebody else's rent", RENT_PAYER, stranger, ErrorCode::ConstraintAddress),
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
    for index in [PENDING, RENT_PAYER] {
        // Governance pays and signs, and can only be locked for writing: another payer.
        let other_payer = w.chain.funded();
        let valid = with_account(&valid, PAYER, other_payer.pubkey());
        w.refuse(&read_only(&valid, index), &[&other_payer], ErrorCode::ConstraintMut);
    }
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
    let valid = queued(&mut w);
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
    let (a, config) = (w.assets[SOL].clone(), w.reserve(SOL).config);
    let again = w.list_ixs(a.mint, a.token_program, config, &a.prices);
    w.refuse_all(&again, &[&governance], SystemError::AccountAlreadyInUse);
}

/// What is listed is what was announced: another mint, another kind of change, before its time or after it.
#[test]
fn rejects_other_changes_than_a_listing_of_the_mint_in_its_time() {
    let mut w = noticed();
    let payer = w.chain.funded();
    let valid = with_account(&queued(&mut w), PAYER, payer.pubkey());
    let other = with_account(&queued(&mut w), PAYER, payer.pubkey());
    let (mint, market) = (valid.accounts[MINT].pubkey, w.market);
    let config = w.reserve(SOL).config.without_caps();
    // No change but a listing has a mint as its target.
    let role = w.queue(market, Change::Role { role: Role::Guardian, to: payer.pubkey() }).unwrap();
    refuse_outside_the_notice(&mut w, &valid, &payer);
    w.refuse(&with_account(&valid, PENDING, other.accounts[PENDING].pubkey), &[&payer], KeelError::WrongTarget);
    w.refuse(&with_account(&valid, PENDING, role.address()), &[&payer], KeelError::WrongTarget);
    let again = w.queue(mint, Change::List { config }).unwrap();
    w.send(valid.clone(), &payer).unwrap();
    let late = with_account(&valid, PENDING, again.address());
    w.refuse(&late, &[&payer], SystemError::AccountAlreadyInUse);
}
