//! `init_minted_reserve`.

use crate::minted::config;
use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::program_pack::Pack;
use anchor_spl::token::spl_token;
use keel::KeelError;
use keel::events::ReserveCreated;
use keel::state::{
    FeedConfig, HaircutState, Kind, LAYOUT_VERSION, LastPrice, MintedState, RateConfig, Reserve, ReserveConfig,
};
use keel_client::{address, instruction, token};
use keel_risk::pool::Pool;
use keel_tests::Chain;
use keel_tests::check::{Refusal, keys, only_event};
use solana_account::Account;
use solana_instruction::Instruction;
use solana_instruction::error::InstructionError;
use solana_signer::Signer;
use solana_system_interface::error::SystemError;

const PAYER: usize = 0;
const GOVERNANCE: usize = 1;
const MARKET: usize = 2;
const MINT: usize = 3;
const RESERVE: usize = 4;
const SWAP_RESERVE: usize = 5;
const TOKEN_PROGRAM: usize = 6;
const SYSTEM_PROGRAM: usize = 7;

fn build(w: &Bank, change: impl FnOnce(&mut ReserveConfig)) -> Instruction {
    let mut config = config();
    change(&mut config);
    let key = w.governance.pubkey();
    instruction::init_minted_reserve(key, key, w.market, w.assets[USDC].reserve, config)
}

#[test]
fn effects_creates_the_token_and_its_reserve() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    let (market, mint) = (w.market, address::minted_mint(&w.market));
    let key = address::reserve(&market, &mint);
    let (before, market_before) = (w.snapshot(&[]), w.market_state());
    let create = build(&w, |_| {});
    let receipt = w.send(create, &governance).unwrap();

    // Of the market, only the mint is other than before.
    assert_eq!(before.changed(&mut w), keys([market]));
    let mut expected = market_before;
    expected.minted_mint = mint;
    assert_eq!(bytemuck::bytes_of(&w.market_state()), bytemuck::bytes_of(&expected));

    let account = w.chain.account(&key).unwrap();
    assert_eq!(account.data.len(), Reserve::SPACE);
    let reserve = keel_client::account::reserve(&key, &account.owner, &account.data).unwrap();
    let bump = Pubkey::find_program_address(&[b"reserve", market.as_ref(), mint.as_ref()], &keel::ID).1;
    assert_eq!((reserve.version, reserve.bump, reserve.decimals, reserve.kind), (LAYOUT_VERSION, bump, 6, 2));
    assert_eq!((reserve.market, reserve.mint, reserve.token_program), (market, mint, token::TOKEN_PROGRAM));
    assert_eq!((reserve.liquidity, reserve.config), (mint, config()));
    let swap = MintedState { swap_reserve: w.assets[USDC].reserve, ..MintedState::default() };
    assert_eq!(reserve.minted, swap);
    let now = w.chain.clock().unix_timestamp;
    assert_eq!(reserve.pool(), Pool::new(Kind::Minted, now, &config().rate_terms()).unwrap());
    assert_eq!(reserve.haircut, HaircutState { moved_at: now, ..HaircutState::default() });
    assert_eq!(reserve.last_prices, [LastPrice::default(); 2]);

    // Nobody can freeze the token, and only the reserve mints it.
    let account = w.chain.account(&mint).unwrap();
    assert_eq!(account.owner, token::TOKEN_PROGRAM);
    let state = spl_token::state::Mint::unpack(&account.data).unwrap();
    assert_eq!((state.supply, state.decimals), (0, 6));
    assert_eq!(state.mint_authority, Some(key).into());
    assert!(state.freeze_authority.is_none());

    let event: ReserveCreated = only_event(&receipt);
    assert_eq!((event.market, event.reserve, event.mint), (market, key, mint));
}

#[test]
fn effects_payer_need_not_be_governance_and_lamports_at_the_addresses_do_not_block() {
    let mut w = bank();
    let (payer, governance) = (w.chain.funded(), w.governance.insecure_clone());
    let create = with_account(&build(&w, |_| {}), PAYER, payer.pubkey());
    let before = w.chain.account(&governance.pubkey());
    // More than the mint's rent, and less than the reserve's.
    for (index, lamports) in [(MINT, 10_000_000), (RESERVE, 1)] {
        w.chain.set_account(&create.accounts[index].pubkey, Account { lamports, ..Account::default() });
    }
    w.chain.send(std::slice::from_ref(&create), &[&payer, &governance]).unwrap();
    assert_eq!(w.chain.account(&governance.pubkey()), before);
    let mint = w.chain.account(&create.accounts[MINT].pubkey).unwrap();
    assert_eq!((mint.owner, mint.lamports), (token::TOKEN_PROGRAM, 10_000_000));
    assert_eq!(w.chain.account(&create.accounts[RESERVE].pubkey).unwrap().owner, keel::ID);
}

#[test]
fn effects_parameters_at_their_bounds() {
    let most = |c: &mut ReserveConfig| {
        (c.limits.borrow_cap, c.limits.swap_cap) = (u64::MAX, u64::MAX);
        (c.rates.base_bps, c.rates.optimal_utilization_bps, c.rates.reserve_factor_bps) = (100_000, 9_999, 5_000);
        (c.minted.swap_in_fee_bps, c.minted.swap_out_fee_bps) = (1_000, 1_000);
        (c.minted.redemption_max_health_bps, c.minted.redemption_half_life) = (30_000, 2_592_000);
        (c.minted.redemption_min_fee_bps, c.minted.redemption_max_fee_bps) = (9_999, 9_999);
        c.minted.redemption_volume_fee_bps = 100_000;
        (c.flash_fee_bps, c.insurance_floor_bps, c.isolated_debt) = (1_000, 10_000, 1);
    };
    // Nothing can be minted, swapped or redeemed.
    let least = |c: &mut ReserveConfig| {
        *c = ReserveConfig::default();
        (c.limits.hourly_outflow, c.limits.daily_outflow) = (1, 1);
        c.rates.optimal_utilization_bps = 1;
    };
    for change in [most, least] {
        let mut w = bank();
        let governance = w.governance.insecure_clone();
        let create = build(&w, change);
        let reserve = create.accounts[RESERVE].pubkey;
        w.send(create, &governance).unwrap();
        assert_eq!(w.chain.account(&reserve).unwrap().owner, keel::ID);
    }
}

#[test]
fn rejects_incoherent_parameters() {
    use KeelError::*;
    type Change = fn(&mut ReserveConfig);
    const FEED: FeedConfig = FeedConfig { feed_id: [1; 32], account: Pubkey::new_from_array([0; 32]) };
    let cases: [(&str, Change, KeelError); 31] = [
        ("a feed", |c| c.oracle.feeds[0] = FEED, ConfigMinted),
        ("a second feed", |c| c.oracle.feeds[1] = FEED, ConfigMinted),
        ("an oracle's bound", |c| c.oracle.max_age_liquidation = 1, ConfigMinted),
        ("a haircut", |c| c.collateral.max_haircut_bps = 1, ConfigMinted),
        ("a threshold", |c| c.collateral.liquidation_threshold_bps = 1, ConfigMinted),
        ("a bonus", |c| c.collateral.max_bonus_bps = 1, ConfigMinted),
        ("a protocol's share", |c| c.collateral.protocol_share_bps = 1, ConfigMinted),
        ("volatility", |c| c.volatility.multiple_bps = 1, ConfigMinted),
        ("concentration", |c| c.volatility.concentration_bps = 1, ConfigMinted),
        ("a debt ceiling of isolated collateral", |c| c.limits.isolated_debt_ceiling = 1, ConfigMinted),
        ("deposits", |c| c.limits.deposit_cap = 1, ConfigMinted),
        ("group weights", |c| (c.group.id, c.group.liquidation_threshold_bps) = (1, 9_000), ConfigMinted),
        ("group weights without a group", |c| c.group.max_bonus_bps = 1, ConfigMinted),
        ("slope", |c| c.rates.slope_bps = 1, ConfigMinted),
        ("excess slope", |c| c.rates.excess_slope_bps = 1, ConfigMinted),
        ("adaptive", |c| adaptive(&mut c.rates), ConfigMinted),
        ("swap in fee", |c| c.minted.swap_in_fee_bps = 1_001, ConfigMinted),
        ("swap out fee", |c| c.minted.swap_out_fee_bps = 1_001, ConfigMinted),
        ("redemption health", |c| c.minted.redemption_max_health_bps = 30_001, ConfigMinted),
        ("redemption fees reversed", |c| c.minted.redemption_min_fee_bps = 501, ConfigMinted),
        ("redemption fee", |c| c.minted.redemption_max_fee_bps = 10_000, ConfigMinted),
        ("volume fee", |c| c.minted.redemption_volume_fee_bps = 100_001, ConfigMinted),
        ("half-life too short", |c| c.minted.redemption_half_life = 59, ConfigMinted),
        ("half-life too long", |c| c.minted.redemption_half_life = 2_592_001, ConfigMinted),
        ("fee", |c| c.rates.base_bps = 100_001, ConfigRate),
        ("no rate model", |c| c.rates.model = 2, ConfigRate),
        ("reserve factor", |c| c.rates.reserve_factor_bps = 5_001, ConfigRate),
        ("flash fee", |c| c.flash_fee_bps = 1_001, ConfigFee),
        ("insurance floor", |c| c.insurance_floor_bps = 10_001, ConfigFee),
        ("outflow", |c| c.limits.daily_outflow = 0, ConfigOutflow),
        ("isolation", |c| c.isolated_debt = 2, ConfigIsolation),
    ];
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    for (case, change, expected) in cases {
        let create = build(&w, change);
        w.refuse_case(case, &create, &[&governance], expected);
    }
    // A debt of a group it may be.
    let create = build(&w, |c| c.group.id = 1);
    w.send(create, &governance).unwrap();
}

/// A rate that would do for a pooled reserve.
fn adaptive(rates: &mut RateConfig) {
    rates.model = RateConfig::ADAPTIVE;
    rates.steepness_bps = 40_000;
    (rates.min_at_target_bps, rates.initial_at_target_bps, rates.max_at_target_bps) = (10, 400, 20_000);
}

#[test]
fn rejects_other_than_governance() {
    let mut w = bank();
    let thief = w.chain.funded();
    let valid = build(&w, |_| {});
    let by_thief = with_account(&with_account(&valid, PAYER, thief.pubkey()), GOVERNANCE, thief.pubkey());
    w.refuse(&by_thief, &[&thief], KeelError::NotGovernance);
    let without = unsigned(&with_account(&valid, PAYER, thief.pubkey()), GOVERNANCE);
    w.refuse(&without, &[&thief], ErrorCode::AccountNotSigner);
}

#[test]
fn rejects_a_second_one() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    let create = build(&w, |_| {});
    w.send(create.clone(), &governance).unwrap();
    // The addresses are taken before the market is asked.
    w.refuse(&create, &[&governance], SystemError::AccountAlreadyInUse);
    // Were they not, it would still refuse: a token that lost its reserve has no second one.
    let reserve = create.accounts[RESERVE].pubkey;
    w.chain.set_account(&reserve, Account::default());
    w.refuse(&create, &[&governance], KeelError::MintedReserveExists);
}

#[test]
fn rejects_a_swap_reserve_that_is_not_a_pooled_one_of_this_market() {
    let mut w = bank();
    let (governance, user) = (w.governance.insecure_clone(), w.user());
    let valid = build(&w, |_| {});
    let elsewhere = other_market(&mut w, USDC, &user);
    let other = with_account(&valid, SWAP_RESERVE, elsewhere.reserve);
    w.refuse(&other, &[&governance], KeelError::WrongMarket);
    let mut minted = w.reserve(USDC);
    minted.kind = 2;
    w.set_reserve(USDC, &minted);
    w.refuse(&valid, &[&governance], KeelError::WrongReserveKind);
}

#[test]
fn rejects_wrong_accounts() {
    let mut w = bank();
    let (governance, user) = (w.governance.insecure_clone(), w.user());
    let signers = [&governance];
    let valid = build(&w, |_| {});
    let (market, reserve, vault) = (w.market, w.assets[SOL].reserve, user.vault);
    refuse_imposters(&mut w, &valid, &signers, MARKET, &[("reserve", reserve), ("vault", vault)]);
    refuse_imposters(&mut w, &valid, &signers, SWAP_RESERVE, &[("market", market), ("vault", vault)]);
    let elsewhere = other_market(&mut w, USDC, &user);
    let (listed_mint, other_mint) = (w.assets[SOL].mint, address::minted_mint(&elsewhere.market));
    let cases = [
        ("address for another market", MARKET, elsewhere.market, ErrorCode::ConstraintSeeds),
        ("mint of another market", MINT, other_mint, ErrorCode::ConstraintSeeds),
        ("a mint", MINT, listed_mint, ErrorCode::ConstraintSeeds),
        ("reserve of another mint", RESERVE, reserve, ErrorCode::ConstraintSeeds),
        ("any reserve", RESERVE, Pubkey::new_unique(), ErrorCode::ConstraintSeeds),
        ("token program", TOKEN_PROGRAM, token::TOKEN_2022_PROGRAM, ErrorCode::InvalidProgramId),
        ("system program", SYSTEM_PROGRAM, keel::ID, ErrorCode::InvalidProgramId),
    ];
    for (case, index, key, expected) in cases {
        w.refuse_case(case, &with_account(&valid, index, key), &signers, expected);
    }
    let read_only_cases = [
        (MARKET, ErrorCode::ConstraintMut.into()),
        (MINT, ErrorCode::ConstraintMut.into()),
        (RESERVE, Refusal::from(InstructionError::PrivilegeEscalation)),
    ];
    for (index, expected) in read_only_cases {
        w.refuse_case(&format!("account {index} read-only"), &read_only(&valid, index), &signers, expected);
    }
    for count in 1..=SYSTEM_PROGRAM {
        w.refuse_case("missing", &truncated(&valid, count), &signers, ErrorCode::AccountNotEnoughKeys);
    }
    w.send(valid, &governance).unwrap();
}
