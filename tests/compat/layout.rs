//! Every field of an old account, by its value. The patterns name all fields, so that a new one must be given a value
//! here as well: zero, in accounts that are older than it.

use crate::fixtures::{self, CONFIG, Fixture};
use anchor_lang::prelude::Pubkey;
use keel::state::{
    FeedConfig, HaircutState, LastPrice, Market, OracleConfig, Position, Reserve, ReserveConfig, Vault, Words,
};
use keel_client::{address, price_update, token};

const GOVERNANCE: Pubkey = Pubkey::from_str_const("8uwEZGKBkMeZaSKuRwW177EJongrzZ6msBLAY8uX2m2b");
const MINT: Pubkey = Pubkey::from_str_const("GGphCVJKCBVzZ9MDFufPLpvz89eRLePEd6mjkdoJGcdV");
const NOBODY: Pubkey = Pubkey::new_from_array([0; 32]);

fn number(low: u64, high: u64) -> Words {
    Words { low, high }
}

/// Size and first bytes of each kind of account.
#[test]
fn sizes_and_discriminators_stay() {
    let check = |fixture: Fixture, space: usize, size: usize, discriminator: [u8; 8]| {
        assert_eq!((fixture.data.len(), space), (size, size), "{}", fixture.key);
        assert_eq!(fixture.data[..8], discriminator, "{}", fixture.key);
    };
    check(fixtures::market(), Market::SPACE, 672, [219, 190, 213, 55, 0, 227, 198, 154]);
    check(fixtures::reserve(), Reserve::SPACE, 1_168, [43, 242, 204, 202, 26, 247, 59, 127]);
    check(fixtures::vault(), Vault::SPACE, 1_360, [211, 8, 232, 43, 2, 152, 117, 119]);
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
        reserved,
    } = fixtures::decoded_market();
    assert_eq!((version, bump, id, target_health_bps), (1, 254, 0, 10_500));
    assert_eq!(governance, GOVERNANCE);
    assert_eq!(guardian, Pubkey::from_str_const("11157t3sqMV725NVRLrVQbAu98Jjfk1uCKehJnXXQs"));
    assert_eq!(risk_steward, Pubkey::from_str_const("1117mWrzzrZr312ebPDHu8tbfMwFNvCvMbr6WepCNG"));
    assert_eq!(price_receiver, price_update::PYTH_RECEIVER);
    assert_eq!((min_position_micro_usd, restart_grace_slots), (10_000_000, 100));
    assert_eq!(reserved, [0; 512]);
    assert_eq!(fixtures::market().key, address::market(0));
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
        updated_at,
        supply_shares,
        insurance_shares,
        debt_shares,
        supply_index,
        debt_index,
        borrow_rate,
        supply_growth_ratio,
        haircut: HaircutState { initial, maintenance },
        last_prices,
        config,
        reserved,
    } = fixtures::decoded_reserve();
    assert_eq!((version, bump, decimals, kind, reserved_header), (1, 255, 6, 1, [0; 4]));
    assert_eq!((market, mint, token_program), (fixtures::market().key, MINT, token::TOKEN_PROGRAM));
    assert_eq!(liquidity, Pubkey::from_str_const("EMkowJdxVyx8SrJBCSPTcnNn7Jn5ztCAnrWhYh3tiXVt"));
    assert_eq!((available, updated_at), (400_001_000_002, 1_700_086_400));
    assert_eq!(supply_shares, number(1_797_083_739_779_795_088, 31_250_047_097));
    assert_eq!(insurance_shares, number(1_797_083_739_779_795_088, 47_097));
    assert_eq!(debt_shares, number(9_077_578_287_343_815_111, 6_249_937_504));
    assert_eq!(supply_index, number(1_152_936_802_294_455_880, 0));
    assert_eq!(debt_index, number(1_153_006_681_041_194_146, 0));
    assert_eq!(borrow_rate, number(31_089_686_095_768_643, 0));
    assert_eq!(supply_growth_ratio, number(207_062_319_664_096_462, 0));
    let haircut = number(23_980_767_295_822_418, 0);
    assert_eq!((initial, maintenance), (haircut, haircut));
    assert_eq!(last_prices, [first_feed(), second_feed()]);
    assert_eq!(config, configured());
    assert_eq!(reserved, [0; 512]);
    assert_eq!(fixtures::reserve().key, address::reserve(&market, &mint));
    assert_eq!(liquidity, address::liquidity(&fixtures::reserve().key));
}

fn first_feed() -> LastPrice {
    LastPrice {
        price: 100_000_000,
        confidence: 50_000,
        ema_price: 100_000_000,
        ema_confidence: 50_000,
        publish_time: 1_700_000_000,
        posted_slot: 1_000,
        challenged_at: 0,
        exponent: -8,
        reserved: [0; 4],
    }
}

fn second_feed() -> LastPrice {
    LastPrice {
        price: 99_900_001,
        confidence: 40_002,
        ema_price: 99_900_003,
        ema_confidence: 40_004,
        publish_time: 1_700_000_001,
        posted_slot: 996,
        challenged_at: 1_700_086_400,
        exponent: -8,
        reserved: [0; 4],
    }
}

/// The configuration that the reserve was listed with, and its feeds.
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

#[test]
fn a_vault_reads_as_it_was_written() {
    let Vault { version, bump, index, flags, market, owner, positions, reserved } = fixtures::decoded_vault();
    assert_eq!((version, bump, index, flags), (1, 251, 0, 0));
    assert_eq!(market, fixtures::market().key);
    assert_eq!(owner, Pubkey::from_str_const("CyZRDWsx1GVwEwFdi81s7jpqiHKn7zwqbKMbseCSxVWE"));
    let position = |reserve: &str, low, high, side| Position {
        reserve: reserve.parse().unwrap(),
        shares: number(low, high),
        side,
        reserved: [0; 15],
    };
    // The first slot was used once, and is free again.
    let mut expected = [Position::default(); 16];
    expected[1] = position("6pHJQSt2qPqPQZXekznM3LqhRRKzh45hCxfikiP1PT8P", 0, 62_500_000_000, 1);
    let debt_shares = (9_077_578_287_343_815_111, 6_249_937_504);
    expected[2] = position("Dmdor2kiwF6DBhEc9FfZykZidH8aoTAecSU1kuK7fBCY", debt_shares.0, debt_shares.1, 2);
    assert_eq!(positions, expected);
    assert_eq!(reserved, [0; 256]);
    assert_eq!(fixtures::vault().key, address::vault(&market, &owner, 0));
}
