//! `init_minted_reserve`.

use crate::governance::{noticed, refuse_outside_the_notice};
use crate::minted::config;
use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::program_pack::Pack;
use anchor_lang::solana_program::rent::Rent;
use anchor_spl::token::spl_token;
use keel::KeelError;
use keel::events::{ChangeExecuted, ReserveCreated};
use keel::state::{
    Change, FeedConfig, HaircutState, Kind, LastPrice, MintedState, PendingChange, RateConfig, Reserve, ReserveConfig,
};
use keel_client::{address, instruction, token};
use keel_risk::pool::Pool;
use keel_tests::Chain;
use keel_tests::check::{event_among, keys};
use solana_account::Account;
use solana_instruction::Instruction;
use solana_instruction::error::InstructionError;
use solana_signer::Signer;
use solana_system_interface::error::SystemError;

const PAYER: usize = 0;
const MARKET: usize = 1;
const PENDING: usize = 2;
const RENT_PAYER: usize = 3;
const MINT: usize = 4;
const RESERVE: usize = 5;
const SWAP_RESERVE: usize = 6;
const TOKEN_PROGRAM: usize = 7;
const SYSTEM_PROGRAM: usize = 8;

/// Queues and executes the creation of the token.
fn build(w: &mut Bank, change: impl FnOnce(&mut ReserveConfig)) -> [Instruction; 2] {
    let mut config = config().without_caps();
    change(&mut config);
    let swap_reserve = w.assets[USDC].reserve;
    let (queue, queued) = w.queue_ix(swap_reserve, Change::ListMinted { config });
    [queue, instruction::init_minted_reserve(w.governance.pubkey(), &queued, swap_reserve)]
}

/// The execution alone of what is queued.
fn queued(w: &mut Bank) -> Instruction {
    let ([queue, create], governance) = (build(w, |_| {}), w.governance.insecure_clone());
    w.send(queue, &governance).unwrap();
    create
}

#[test]
fn effects_creates_the_token_and_its_reserve() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    let (market, mint) = (w.market, address::minted_mint(&w.market));
    let key = address::reserve(&market, &mint);
    let (before, market_before) = (w.snapshot(&[]), w.market_state());
    let create = build(&mut w, |_| {});
    let receipt = w.send_all(&create, &[&governance]).unwrap();

    // Of the market, only the mint is other than before, and the number of the next change.
    assert_eq!(before.changed(&mut w), keys([market]));
    let mut expected = market_before;
    expected.minted_mint = mint;
    expected.next_change += 1;
    assert_eq!(bytemuck::bytes_of(&w.market_state()), bytemuck::bytes_of(&expected));

    let account = w.chain.account(&key).unwrap();
    assert_eq!(account.data.len(), Reserve::SPACE);
    let reserve = keel_client::account::reserve(&key, &account.owner, &account.data).unwrap();
    let bump = Pubkey::find_program_address(&[b"reserve", market.as_ref(), mint.as_ref()], &keel::ID).1;
    assert_eq!((reserve.version, reserve.bump, reserve.decimals, reserve.kind), (Reserve::VERSION, bump, 6, 2));
    assert_eq!((reserve.market, reserve.mint, reserve.token_program), (market, mint, token::TOKEN_PROGRAM));
    assert_eq!((reserve.liquidity, reserve.config), (mint, config().without_caps()));
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

    assert_eq!((reserve.revisions, reserve.stepped_at), ([0; 8], [0; 16]));
    assert_eq!((reserve.settled_tokens, reserve.reserved), (0, [0; 312]));
    let event: ReserveCreated = event_among(&receipt, 3);
    assert_eq!((event.market, event.reserve, event.mint), (market, key, mint));
    let event: ChangeExecuted = event_among(&receipt, 3);
    let change = create[1].accounts[PENDING].pubkey;
    assert_eq!((event.market, event.change, event.nonce), (market, change, market_before.next_change));
    assert_eq!(w.chain.account(&change), None);
}

#[test]
fn effects_anyone_executes_and_lamports_at_the_addresses_do_not_block() {
    let mut w = bank();
    let (payer, governance) = (w.chain.funded(), w.governance.pubkey());
    let create = with_account(&queued(&mut w), PAYER, payer.pubkey());
    let before = w.chain.account(&governance).unwrap();
    // More than the mint's rent, and less than the reserve's.
    for (index, lamports) in [(MINT, 10_000_000), (RESERVE, 1)] {
        w.chain.set_account(&create.accounts[index].pubkey, Account { lamports, ..Account::default() });
    }
    w.send(create.clone(), &payer).unwrap();
    // Whoever paid for the pending change has its rent back, and paid for nothing else.
    let lamports = before.lamports + Rent::default().minimum_balance(PendingChange::SPACE);
    assert_eq!(w.chain.account(&governance).unwrap(), Account { lamports, ..before });
    let mint = w.chain.account(&create.accounts[MINT].pubkey).unwrap();
    assert_eq!((mint.owner, mint.lamports), (token::TOKEN_PROGRAM, 10_000_000));
    assert_eq!(w.chain.account(&create.accounts[RESERVE].pubkey).unwrap().owner, keel::ID);
}

#[test]
fn effects_parameters_at_their_bounds() {
    let most = |c: &mut ReserveConfig| {
        (c.limits.hourly_outflow, c.limits.daily_outflow) = (u64::MAX, u64::MAX);
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
        let create = build(&mut w, change);
        let reserve = create[1].accounts[RESERVE].pubkey;
        w.send_all(&create, &[&governance]).unwrap();
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
        let create = build(&mut w, change);
        w.refuse_all_case(case, &create, &[&governance], expected);
    }
    // A debt of a group it may be.
    let create = build(&mut w, |c| c.group.id = 1);
    w.send_all(&create, &[&governance]).unwrap();
}

/// A rate that would do for a pooled reserve.
fn adaptive(rates: &mut RateConfig) {
    rates.model = RateConfig::ADAPTIVE;
    rates.steepness_bps = 40_000;
    (rates.min_at_target_bps, rates.initial_at_target_bps, rates.max_at_target_bps) = (10, 400, 20_000);
}

#[test]
fn rejects_a_second_one() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    let (first, second) = (queued(&mut w), queued(&mut w));
    w.send(first, &governance).unwrap();
    // The addresses are taken before the market is asked.
    w.refuse(&second, &[&governance], SystemError::AccountAlreadyInUse);
    // Were they not, it would still refuse: a token that lost its reserve has no second one.
    let reserve = second.accounts[RESERVE].pubkey;
    w.chain.set_account(&reserve, Account::default());
    w.refuse(&second, &[&governance], KeelError::MintedReserveExists);
}

#[test]
fn rejects_a_swap_reserve_that_is_not_a_pooled_one_of_this_market() {
    let mut w = bank();
    let (governance, user) = (w.governance.insecure_clone(), w.user());
    let valid = queued(&mut w);
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
    let valid = queued(&mut w);
    let (market, reserve, vault) = (w.market, w.assets[SOL].reserve, user.vault);
    refuse_imposters(&mut w, &valid, &signers, MARKET, &[("reserve", reserve), ("vault", vault)]);
    refuse_imposters(&mut w, &valid, &signers, PENDING, &[("market", market), ("reserve", reserve), ("vault", vault)]);
    refuse_imposters(&mut w, &valid, &signers, SWAP_RESERVE, &[("market", market), ("vault", vault)]);
    let elsewhere = other_market(&mut w, USDC, &user);
    let (listed_mint, other_mint) = (w.assets[SOL].mint, address::minted_mint(&elsewhere.market));
    let cases = [
        ("address for another market", MARKET, elsewhere.market, ErrorCode::ConstraintSeeds),
        ("mint of another market", MINT, other_mint, ErrorCode::ConstraintSeeds),
        ("a mint", MINT, listed_mint, ErrorCode::ConstraintSeeds),
        ("reserve of another mint", RESERVE, reserve, ErrorCode::ConstraintSeeds),
        ("any reserve", RESERVE, Pubkey::new_unique(), ErrorCode::ConstraintSeeds),
        ("somebody else's rent", RENT_PAYER, user.key(), ErrorCode::ConstraintAddress),
        ("token program", TOKEN_PROGRAM, token::TOKEN_2022_PROGRAM, ErrorCode::InvalidProgramId),
        ("system program", SYSTEM_PROGRAM, keel::ID, ErrorCode::InvalidProgramId),
    ];
    for (case, index, key, expected) in cases {
        w.refuse_case(case, &with_account(&valid, index, key), &signers, expected);
    }
    // Governance pays and signs, and can only be locked for writing: another payer.
    let payer = w.chain.funded();
    let by_payer = with_account(&valid, PAYER, payer.pubkey());
    for index in [MARKET, PENDING, RENT_PAYER, MINT] {
        let case = format!("account {index} read-only");
        w.refuse_case(&case, &read_only(&by_payer, index), &[&payer], ErrorCode::ConstraintMut);
    }
    w.refuse(&read_only(&valid, RESERVE), &signers, InstructionError::PrivilegeEscalation);
    for count in 1..=SYSTEM_PROGRAM {
        w.refuse_case("missing", &truncated(&valid, count), &signers, ErrorCode::AccountNotEnoughKeys);
    }
    w.send(valid, &governance).unwrap();
}

/// What is created is what was announced: another reserve for the swap, another kind of change, before its time or after it.
#[test]
fn rejects_other_changes_than_a_listing_with_this_swap_in_its_time() {
    let mut w = noticed();
    let payer = w.chain.funded();
    let valid = with_account(&queued(&mut w), PAYER, payer.pubkey());
    let (sol, usdc) = (w.assets[SOL].reserve, w.assets[USDC].reserve);
    let other = w.queue(sol, Change::ListMinted { config: config().without_caps() }).unwrap();
    let withdrawal = Change::WithdrawInsurance { amount: 1, to: payer.pubkey() };
    let (kind, listing) = (w.queue(usdc, withdrawal).unwrap(), w.reserve(USDC).config.without_caps());
    let pooled = w.queue(usdc, Change::List { config: listing }).unwrap();
    refuse_outside_the_notice(&mut w, &valid, &payer);
    let cases = [(other, KeelError::WrongTarget), (kind, KeelError::WrongChange), (pooled, KeelError::WrongChange)];
    for (change, expected) in cases {
        w.refuse(&with_account(&valid, PENDING, change.address()), &[&payer], expected);
    }
    let swap = with_account(&valid, SWAP_RESERVE, sol);
    w.refuse(&swap, &[&payer], KeelError::WrongTarget);
    w.send(valid, &payer).unwrap();
}
