//! Every field of an account of layout 2, as in [`crate::layout`].

use crate::fixtures::{CONFIG, GUARDIAN_PAUSE, PARAMS, PAUSE, RAMP, SUCCESSORS, minted_config, v2, waiting};
use anchor_lang::AnchorSerialize;
use anchor_lang::prelude::Pubkey;
use keel::state::{
    FeedConfig, HaircutState, LastPrice, Market, MintedState, Offer, OracleConfig, OutflowCredit, OutflowState,
    PendingChange, RampState, RateState, Reserve, ReserveConfig, StepConfig, VolatilityState, Words,
};
use keel_client::{account, address, price_update, token};

const GOVERNANCE: Pubkey = Pubkey::from_str_const("8uwEZGKBkMeZaSKuRwW177EJongrzZ6msBLAY8uX2m2b");
const GUARDIAN: Pubkey = Pubkey::from_str_const("AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9");
const RISK_STEWARD: Pubkey = Pubkey::from_str_const("9hSR6S7WPtxmTojgo6GG3k4yDPecgJY292j7xrsUGWBu");
const MINT: Pubkey = Pubkey::from_str_const("GGphCVJKCBVzZ9MDFufPLpvz89eRLePEd6mjkdoJGcdV");
const MINTED_MINT: Pubkey = Pubkey::from_str_const("GNvqLbBdNfBNNVCVgwvevCmuaBgxciL5S9u9XZ3tHkV4");
const RENT_PAYER: Pubkey = Pubkey::from_str_const("9YgANv1Zth9Wae9LD1ZuFeT9mWNADtXrWGH5szh5itsa");
const NOBODY: Pubkey = Pubkey::new_from_array([0; 32]);

/// When the loans had run for a day: prices, redemptions and ramps are of then.
const DAY_ONE: i64 = 1_700_086_400;
/// When the steps were over and the books were closed.
const BOOKS: i64 = DAY_ONE + 12 + 177;
/// When the delay was set and the change queued.
const LAST: i64 = BOOKS + 3;

fn number(low: u64, high: u64) -> Words {
    Words { low, high }
}

#[test]
fn a_market_reads_as_it_was_written() {
    let Market {
        version,
        bump,
        id,
        target_health_bps,
        governance,
        guardian,
        risk_steward,
        price_receiver,
        min_position_micro_usd,
        restart_grace_slots,
        min_bounty_micro_usd,
        paused,
        guardian_paused,
        paused_until,
        guardian_pauses_from,
        minted_mint,
        guardian_paused_until,
        offers,
        next_change,
        delay,
        window,
        steps,
        revision,
        role_revisions,
        reserved_revisions,
        takes_from,
        reserved,
    } = account::market(&v2::market().key, &keel::ID, v2::market().data).unwrap();
    assert_eq!((version, bump, id, target_health_bps), (2, 254, 0, 10_501));
    assert_eq!((governance, guardian, risk_steward), (GOVERNANCE, GUARDIAN, RISK_STEWARD));
    assert_eq!(price_receiver, price_update::PYTH_RECEIVER);
    assert_eq!((min_position_micro_usd, restart_grace_slots, min_bounty_micro_usd), (10_000_002, 103, 1_000_004));
    assert_eq!((paused, PAUSE.0), (8 | 32, 8 | 32));
    assert_eq!((guardian_paused, GUARDIAN_PAUSE.0), (16 | 32, 16 | 32));
    assert_eq!((paused_until, guardian_paused_until), (BOOKS + 200_005, BOOKS + 100_070));
    assert_eq!(guardian_pauses_from, BOOKS + 100_070 + 259_200);
    assert_eq!(minted_mint, MINTED_MINT);
    // A second apart, and each once more than the one before.
    let offer = |number: i64, to| Offer { to, until: BOOKS + number + 604_864 };
    let [to_govern, to_guard, to_steward] = SUCCESSORS;
    assert_eq!(offers, [offer(0, to_govern), offer(1, to_guard), offer(2, to_steward)]);
    assert_eq!((next_change, delay, window), (17, 172_863, 604_864));
    let expected = StepConfig { cap_bps: 65, outflow_bps: 66, haircut_bps: 67, max_ltv_bps: 68, rate_bps: 69 };
    assert_eq!(steps, expected);
    assert_eq!((revision, role_revisions, reserved_revisions), (3, [1, 2, 3], 0));
    assert_eq!((takes_from, reserved), (0, [0; 320]));
    assert_eq!(v2::market().key, address::market(0));
    let market = account::market(&v2::market().key, &keel::ID, v2::market().data).unwrap();
    assert_eq!(market.params(), PARAMS);
}

#[test]
fn a_reserve_reads_as_it_was_written() {
    let Reserve {
        version,
        bump,
        decimals,
        kind,
        reserved_header,
        market,
        mint,
        token_program,
        liquidity,
        available,
        flash,
        updated_at,
        isolated_debt,
        supply_shares,
        insurance_shares,
        debt_shares,
        supply_index,
        debt_index,
        supply_growth_ratio,
        deficit,
        rate: RateState { borrow, at_target, drift, borrow_limit, at_target_limit, falling },
        haircut: HaircutState { maintenance, target, moved_at },
        volatility: VolatilityState { price, variance, deviation, sampled_at },
        outflow: OutflowState { hour, day, drained_at },
        threshold_ramp,
        group_threshold_ramp,
        minted: MintedState { swap_reserve, swap_shares, redemption_base, redemption_at },
        last_prices,
        config,
        revisions,
        stepped_at,
        settled_tokens,
        outflow_credit,
        reserved,
    } = decoded_reserve();
    assert_eq!((version, bump, decimals, kind, reserved_header), (2, 255, 6, 1, [0; 4]));
    assert_eq!((market, mint, token_program), (v2::market().key, MINT, token::TOKEN_PROGRAM));
    assert_eq!(liquidity, address::liquidity(&v2::reserve().key));
    assert_eq!((available, flash, updated_at, isolated_debt), (429_041_550_374, 0, BOOKS, 19_000_150_941));
    assert_eq!(supply_shares, number(1_859_220_852_986_546_186, 33_065_075_725));
    assert_eq!(insurance_shares, number(5_526_713_520_989_689_382, 30_959));
    assert_eq!(debt_shares, number(16_788_587_949_027_959_844, 6_249_937_502));
    assert_eq!(supply_index, number(1_152_930_646_997_018_532, 0));
    assert_eq!(debt_index, number(1_152_977_495_076_978_053, 0));
    assert_eq!(supply_growth_ratio, number(195_696_126_441_569_344, 0));
    assert_eq!(deficit, Words::default());
    assert_eq!(borrow, number(19_638_070_726_958_197, 0));
    assert_eq!(at_target, number(46_033_701_583_227_766, 0));
    assert_eq!((drift, falling), (number(7_167_643_115_698_890_185, 2), 1));
    assert_eq!(borrow_limit, number(2_065_722_367_307_264, 0));
    assert_eq!(at_target_limit, number(4_842_270_319_348_758, 0));
    assert_eq!(maintenance, number(57_696_416_370_545_965, 0));
    assert_eq!((target, moved_at), (number(58_701_409_426_476_298, 0), BOOKS));
    assert_eq!(price, number(16_915_884_010_280_753_530, 4_337));
    assert_eq!((variance, sampled_at), (number(1_320_901_491, 0), DAY_ONE - 5));
    assert_eq!(deviation, number(2_941_346_777_729_781, 0));
    assert_eq!(hour, number(11_529_215_342_089_189_760, 1_577_997_969));
    assert_eq!((day, drained_at), (number(9_223_433_343_570_359_456, 2_420_176_539), BOOKS));
    let falls_from = |from_bps| RampState { started_at: DAY_ONE, from_bps, duration: RAMP };
    assert_eq!((threshold_ramp, group_threshold_ramp), (falls_from(8_308), falls_from(9_409)));
    assert_eq!((swap_reserve, swap_shares), (NOBODY, Words::default()));
    assert_eq!((redemption_base, redemption_at), (Words::default(), 0));
    assert_eq!(last_prices, [first_feed(), second_feed()]);
    assert_eq!(config, configured());
    assert_eq!(revisions, [5, 0, 3, 0, 2, 5, 0, 0]);
    // A second apart; the fifth is the swap's cap, which a pooled reserve does not have, and three places are free.
    let at = |seconds: i64| DAY_ONE + seconds;
    let limits = [at(1), at(2), at(3), at(4), 0];
    assert_eq!(stepped_at[..5], limits);
    assert_eq!(stepped_at[5..8], [at(5), at(6), at(7)]);
    assert_eq!(stepped_at[8..], [at(8), at(9), at(10), at(11), at(12), 0, 0, 0]);
    assert_eq!((settled_tokens, outflow_credit, reserved), (0, OutflowCredit::default(), [0; 312]));
    assert_eq!(v2::reserve().key, address::reserve(&market, &mint));
}

fn decoded_reserve() -> Reserve {
    account::reserve(&v2::reserve().key, &keel::ID, v2::reserve().data).unwrap()
}

fn first_feed() -> LastPrice {
    LastPrice {
        price: 101_000_001,
        confidence: 50_002,
        ema_price: 101_000_003,
        ema_confidence: 50_004,
        publish_time: DAY_ONE - 5,
        posted_slot: 216_994,
        challenged_at: 0,
        exponent: -8,
        reserved: [0; 4],
    }
}

fn second_feed() -> LastPrice {
    LastPrice {
        price: 1_009_000_007,
        confidence: 400_008,
        ema_price: 1_009_000_009,
        ema_confidence: 400_010,
        publish_time: DAY_ONE - 11,
        posted_slot: 216_988,
        challenged_at: BOOKS,
        exponent: -9,
        reserved: [0; 4],
    }
}

/// The configuration of the reserve, with its feeds.
fn configured() -> ReserveConfig {
    let first = FeedConfig {
        feed_id: [
            0, 0, 0, 2, 145, 250, 236, 105, 216, 94, 42, 23, 79, 107, 56, 162, 20, 17, 30, 62, 29, 38, 95, 0, 169, 158,
            226, 113, 46, 23, 128, 229,
        ],
        account: Pubkey::from_str_const("11157t3sqMV725NVRLrVQbAu98Jjfk1uCKehJnXXQs"),
    };
    let second = FeedConfig {
        feed_id: [
            0, 0, 0, 3, 30, 202, 179, 86, 185, 44, 165, 66, 156, 67, 58, 14, 75, 81, 197, 96, 95, 10, 40, 248, 178,
            148, 124, 155, 162, 75, 215, 16,
        ],
        account: NOBODY,
    };
    ReserveConfig { oracle: OracleConfig { feeds: [first, second], ..CONFIG.oracle }, ..CONFIG }
}

/// Only what a pooled reserve leaves at zero; where the fields stand is the same.
#[test]
fn a_minted_reserve_reads_as_it_was_written() {
    let reserve = account::reserve(&v2::minted_reserve().key, &keel::ID, v2::minted_reserve().data).unwrap();
    assert_eq!((reserve.version, reserve.bump, reserve.decimals, reserve.kind), (2, 251, 6, 2));
    assert_eq!((reserve.market, reserve.mint), (v2::market().key, MINTED_MINT));
    assert_eq!((reserve.token_program, reserve.liquidity), (token::TOKEN_PROGRAM, MINTED_MINT));
    assert_eq!((reserve.available, reserve.updated_at), (19_999_999_999, DAY_ONE));
    assert_eq!(reserve.supply_shares, number(4_611_686_018_427_387_904, 2_449_500_000));
    assert_eq!(reserve.debt_shares, number(13_273_879_901_777_954_583, 1_187_509_433));
    assert_eq!(reserve.deficit, number(17_315_466_464_556_381_665, 18_561_287));
    let MintedState { swap_reserve, swap_shares, redemption_base, redemption_at } = reserve.minted;
    assert_eq!(swap_reserve, v2::reserve().key);
    assert_eq!(swap_shares, number(7_531_185_577_680_870_581, 1_249_990_109));
    assert_eq!((redemption_base, redemption_at), (number(57_129_249_366_880_615, 0), DAY_ONE));
    assert_eq!(reserve.config, minted_config());
    // Its caps were raised once.
    assert_eq!((reserve.revisions, reserve.stepped_at), ([1, 0, 0, 0, 0, 0, 0, 0], [0; 16]));
    assert_eq!((reserve.settled_tokens, reserve.reserved), (20_300_000_024, [0; 312]));
    assert_eq!(v2::minted_reserve().key, address::reserve(&reserve.market, &MINTED_MINT));
}

#[test]
fn a_change_reads_as_it_was_written() {
    let pending = account::change(&v2::change().key, &keel::ID, v2::change().data).unwrap();
    let PendingChange {
        version,
        bump,
        reserved_header,
        len,
        nonce,
        market,
        target,
        rent_payer,
        queued_at,
        earliest,
        latest,
        sections,
        reserved_sections,
        revisions,
        payload,
        reserved,
    } = pending;
    assert_eq!((version, bump, reserved_header, nonce), (1, 253, [0; 2], 16));
    assert_eq!((market, target, rent_payer), (v2::market().key, v2::reserve().key, RENT_PAYER));
    assert_eq!((queued_at, earliest, latest), (LAST, LAST + 172_863, LAST + 172_863 + 604_864));
    // Limits and terms.
    assert_eq!((sections, reserved_sections), (1 | 1 << 7, 0));
    assert_eq!(revisions, [5, 0, 3, 0, 2, 5, 0, 0]);
    let mut expected = Vec::new();
    waiting(configured()).serialize(&mut expected).unwrap();
    assert_eq!((len, expected.len()), (389, 389));
    assert_eq!(pending.change().unwrap(), waiting(configured()));
    expected.resize(512, 0);
    assert_eq!(payload[..], expected);
    assert_eq!(reserved, [0; 64]);
    assert_eq!(v2::change().key, address::change(&market, nonce));
}
