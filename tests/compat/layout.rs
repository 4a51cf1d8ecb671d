//! Every field of an old account, by its value. The patterns name all fields, so that a new one must be given a value
//! here as well: zero, in accounts that are older than it.

use crate::fixtures::{self, CONFIG, DELEGATE, DELEGATION, Fixture, OFFERED_TO, PAUSE, RAMP};
use anchor_lang::prelude::Pubkey;
use keel::state::{
    FeedConfig, HaircutState, LastPrice, Market, MintedState, Offer, OracleConfig, OutflowCredit, OutflowState,
    PendingChange, Position, RampState, RateState, Reserve, ReserveConfig, StepConfig, Vault, VolatilityState, Words,
};
use keel_client::{address, price_update, token};

const GOVERNANCE: Pubkey = Pubkey::from_str_const("8uwEZGKBkMeZaSKuRwW177EJongrzZ6msBLAY8uX2m2b");
const GUARDIAN: Pubkey = Pubkey::from_str_const("GGphCVJKCBVzZ9MDFufPLpvz89eRLePEd6mjkdoJGcdV");
const MINT: Pubkey = Pubkey::from_str_const("14fK7Kjsq8MaESnAH77C9WXqxZz7s874KDvLy4HTbxjR");
const MINTED_MINT: Pubkey = Pubkey::from_str_const("GNvqLbBdNfBNNVCVgwvevCmuaBgxciL5S9u9XZ3tHkV4");
const RISK_STEWARD: Pubkey = Pubkey::new_from_array([101; 32]);
const NOBODY: Pubkey = Pubkey::new_from_array([0; 32]);

/// When the loans had run for a day: prices, redemptions and ramps are of then.
const DAY_ONE: i64 = 1_700_086_400;
/// When the fixtures were taken.
const LAST: i64 = DAY_ONE + 177;

fn number(low: u64, high: u64) -> Words {
    Words { low, high }
}

/// 1 as an index.
fn one() -> Words {
    number(1 << 60, 0)
}

/// Size and first bytes of each kind of account.
#[test]
fn sizes_and_discriminators_stay() {
    let check = |fixture: Fixture, space: usize, size: usize, discriminator: [u8; 8]| {
        assert_eq!((fixture.data.len(), space), (size, size), "{}", fixture.key);
        assert_eq!(fixture.data[..8], discriminator, "{}", fixture.key);
    };
    check(fixtures::market(), Market::SPACE, 736, [219, 190, 213, 55, 0, 227, 198, 154]);
    check(fixtures::reserve(), Reserve::SPACE, 1_640, [43, 242, 204, 202, 26, 247, 59, 127]);
    check(fixtures::minted_reserve(), Reserve::SPACE, 1_640, [43, 242, 204, 202, 26, 247, 59, 127]);
    check(fixtures::v2::market(), Market::SPACE, 736, [219, 190, 213, 55, 0, 227, 198, 154]);
    check(fixtures::v2::reserve(), Reserve::SPACE, 1_640, [43, 242, 204, 202, 26, 247, 59, 127]);
    check(fixtures::v2::minted_reserve(), Reserve::SPACE, 1_640, [43, 242, 204, 202, 26, 247, 59, 127]);
    check(fixtures::v2::change(), PendingChange::SPACE, 760, [232, 183, 176, 196, 15, 195, 115, 147]);
    check(fixtures::vault(), Vault::SPACE, 1_344, [211, 8, 232, 43, 2, 152, 117, 119]);
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
    } = fixtures::decoded_market();
    assert_eq!((version, bump, id, target_health_bps), (1, 254, 0, 10_501));
    assert_eq!((governance, guardian, risk_steward), (GOVERNANCE, GUARDIAN, RISK_STEWARD));
    assert_eq!(price_receiver, price_update::PYTH_RECEIVER);
    assert_eq!((min_position_micro_usd, restart_grace_slots, min_bounty_micro_usd), (10_000_002, 103, 1_000_004));
    assert_eq!((paused, PAUSE.0, guardian_paused), (8 | 32, 8 | 32, 0));
    assert_eq!((paused_until, guardian_pauses_from), (LAST + 200_005, LAST + 200_005 + 259_200));
    assert_eq!(minted_mint, MINTED_MINT);
    // Reserved at that time.
    assert_eq!((guardian_paused_until, next_change, delay, window), (0, 0, 0, 0));
    assert_eq!((offers, steps), ([Offer::default(); 3], StepConfig::default()));
    assert_eq!((revision, role_revisions, reserved_revisions), (0, [0; 3], 0));
    assert_eq!((takes_from, reserved), (0, [0; 320]));
    assert_eq!(fixtures::market().key, address::market(0));
    assert_eq!(minted_mint, address::minted_mint(&fixtures::market().key));
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
    } = fixtures::decoded_reserve();
    assert_eq!((version, bump, decimals, kind, reserved_header), (1, 253, 6, 1, [0; 4]));
    assert_eq!((market, mint, token_program), (fixtures::market().key, MINT, token::TOKEN_PROGRAM));
    assert_eq!(liquidity, Pubkey::from_str_const("5CTRut3thfrmSfZ9z7g1PimahgkDx7ZapR82jgvqz6Xq"));
    assert_eq!((available, flash, updated_at, isolated_debt), (429_029_415_615, 0, LAST, 19_000_150_941));
    assert_eq!(supply_shares, number(3_135_031_006_192_425_640, 33_064_317_302));
    assert_eq!(insurance_shares, number(5_321_663_741_563_837_750, 30_955));
    assert_eq!(debt_shares, number(16_781_334_454_385_197_764, 6_249_937_502));
    assert_eq!(supply_index, number(1_152_930_645_852_702_451, 0));
    assert_eq!(debt_index, number(1_152_977_487_822_800_684, 0));
    assert_eq!(supply_growth_ratio, number(195_700_615_281_547_681, 0));
    assert_eq!(deficit, Words::default());
    assert_eq!(borrow, number(19_638_549_230_222_289, 0));
    assert_eq!(at_target, number(46_034_385_601_725_206, 0));
    assert_eq!((drift, falling), (number(7_167_331_470_465_117_697, 2), 1));
    assert_eq!(borrow_limit, number(2_065_742_005_884_640, 0));
    assert_eq!(at_target_limit, number(4_842_270_319_348_758, 0));
    assert_eq!(maintenance, number(57_761_364_281_972_162, 0));
    assert_eq!((target, moved_at), (number(58_700_680_464_261_868, 0), LAST));
    assert_eq!(price, number(16_915_884_010_280_753_530, 4_337));
    assert_eq!((variance, sampled_at), (number(1_320_901_491, 0), DAY_ONE - 5));
    assert_eq!(deviation, number(2_941_346_777_729_781, 0));
    assert_eq!(hour, number(3_458_764_809_841_260_928, 1_638_721_993));
    assert_eq!((day, drained_at), (number(13_194_546_916_793_915_392, 2_429_806_489), LAST));
    let falls_from = |from_bps| RampState { started_at: DAY_ONE, from_bps, duration: RAMP };
    assert_eq!((threshold_ramp, group_threshold_ramp), (falls_from(8_308), falls_from(9_409)));
    assert_eq!((swap_reserve, swap_shares), (NOBODY, Words::default()));
    assert_eq!((redemption_base, redemption_at), (Words::default(), 0));
    assert_eq!(last_prices, [first_feed(), second_feed()]);
    assert_eq!(config, configured());
    assert_eq!((revisions, stepped_at, settled_tokens), ([0; 8], [0; 16], 0));
    assert_eq!((outflow_credit, reserved), (OutflowCredit::default(), [0; 312]));
    assert_eq!(fixtures::reserve().key, address::reserve(&market, &mint));
    assert_eq!(liquidity, address::liquidity(&fixtures::reserve().key));
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
        challenged_at: LAST,
        exponent: -9,
        reserved: [0; 4],
    }
}

/// The configuration of the reserve, with its feeds.
fn configured() -> ReserveConfig {
    let first = FeedConfig {
        feed_id: [
            0, 0, 0, 4, 36, 92, 128, 96, 78, 107, 113, 129, 134, 55, 164, 9, 230, 96, 99, 7, 4, 86, 140, 182, 222, 109,
            94, 226, 224, 15, 50, 98,
        ],
        account: Pubkey::from_str_const("1119DWteoLSdjvrT6g6L8C2PfDD2faiTQUpsjY2RiF"),
    };
    let second = FeedConfig {
        feed_id: [
            0, 0, 0, 5, 111, 0, 2, 23, 43, 141, 255, 79, 90, 50, 116, 14, 39, 25, 4, 215, 225, 136, 250, 142, 108, 237,
            81, 206, 21, 6, 19, 159,
        ],
        account: NOBODY,
    };
    ReserveConfig { oracle: OracleConfig { feeds: [first, second], ..CONFIG.oracle }, ..CONFIG }
}

/// Only what a pooled reserve leaves at zero; where the fields stand is the same.
#[test]
fn a_minted_reserve_reads_as_it_was_written() {
    let reserve = fixtures::decoded_minted_reserve();
    assert_eq!((reserve.version, reserve.bump, reserve.decimals, reserve.kind), (1, 251, 6, 2));
    assert_eq!((reserve.market, reserve.mint), (fixtures::market().key, MINTED_MINT));
    assert_eq!((reserve.token_program, reserve.liquidity), (token::TOKEN_PROGRAM, MINTED_MINT));
    assert_eq!((reserve.available, reserve.updated_at), (20_000_000_000, DAY_ONE));
    assert_eq!(reserve.supply_shares, number(4_611_686_018_427_387_904, 2_449_500_000));
    assert_eq!(reserve.insurance_shares, Words::default());
    assert_eq!(reserve.debt_shares, number(13_273_879_901_777_954_583, 1_187_509_433));
    assert_eq!((reserve.supply_index, reserve.debt_index), (one(), number(1_153_095_561_511_095_997, 0)));
    assert_eq!(reserve.deficit, number(17_315_466_464_556_381_665, 18_561_287));
    assert_eq!(reserve.rate, RateState { borrow: number(63_525_974_903_837_269, 0), ..RateState::default() });
    let MintedState { swap_reserve, swap_shares, redemption_base, redemption_at } = reserve.minted;
    assert_eq!(swap_reserve, fixtures::reserve().key);
    assert_eq!(swap_shares, number(7_531_185_577_680_870_581, 1_249_990_109));
    assert_eq!((redemption_base, redemption_at), (number(28_854_592_029_635_820, 0), DAY_ONE));
    assert_eq!(reserve.last_prices, [LastPrice::default(); 2]);
    assert_eq!(reserve.config, fixtures::minted_config());
    assert_eq!((reserve.revisions, reserve.stepped_at), ([0; 8], [0; 16]));
    assert_eq!((reserve.settled_tokens, reserve.reserved), (0, [0; 312]));
    assert_eq!(fixtures::minted_reserve().key, address::reserve(&reserve.market, &MINTED_MINT));
}

#[test]
fn a_vault_reads_as_it_was_written() {
    let Vault {
        version,
        bump,
        index,
        flags,
        market,
        owner,
        delegate,
        offered_to,
        isolated_reserve,
        delegate_until,
        delegate_rights,
        group,
        positions,
        reserved,
    } = fixtures::decoded_vault();
    assert_eq!((version, bump, index, flags), (1, 246, 0, 0));
    assert_eq!(market, fixtures::market().key);
    assert_eq!(owner, Pubkey::from_str_const("E7GmtgA33hCcuuzFsUq2MD2GXf8dNb3e8SocH1huLxMw"));
    assert_eq!((delegate, offered_to), (DELEGATE, OFFERED_TO));
    assert_eq!((delegate_rights, delegate_until), (1 | 4, 1_700_999_999));
    assert_eq!((delegate_rights, delegate_until), DELEGATION);
    assert_eq!((isolated_reserve, group), (fixtures::reserve().key, 34));
    let position = |fixture: Fixture, shares, side, group, isolated_debt| Position {
        reserve: fixture.key,
        shares,
        side,
        reserved: [0; 3],
        group,
        isolated_debt,
    };
    // The second slot was used once, and is free again.
    let mut expected = [Position::default(); 16];
    let held = number(6_497_319_265_084_025_088, 3_064_276_457);
    expected[0] = position(fixtures::reserve(), held, 1, 34, 0);
    let owed = number(13_273_879_901_777_954_583, 1_187_509_433);
    expected[2] = position(fixtures::minted_reserve(), owed, 2, 61, 19_000_150_941);
    assert_eq!(positions, expected);
    assert_eq!(reserved, [0; 128]);
    assert_eq!(fixtures::vault().key, address::vault(&market, &owner, 0));
}
