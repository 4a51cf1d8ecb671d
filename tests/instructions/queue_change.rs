//! `queue_change`.

use crate::governance::*;
use crate::minted::{self, KUSD, minting};
use crate::support::*;
use anchor_lang::AnchorSerialize;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::rent::Rent;
use keel::KeelError;
use keel::events::ChangeQueued;
use keel::state::{Change, GroupConfig, MarketParams, PendingChange, ReserveConfig, Role};
use keel_client::instruction::{self, Queued};
use keel_client::{account, address};
use keel_tests::Chain;
use keel_tests::check::{keys, only_event};
use keel_tests::world::market_params;
use solana_account::Account;
use solana_instruction::Instruction;
use solana_signer::Signer;

const PAYER: usize = 0;
const GOVERNANCE: usize = 1;
const MARKET: usize = 2;
const TARGET: usize = 3;
const PENDING: usize = 4;
const SYSTEM_PROGRAM: usize = 5;

fn stored(w: &mut Bank, key: Pubkey) -> PendingChange {
    let a = w.chain.account(&key).unwrap();
    account::change(&key, &a.owner, &a.data).unwrap()
}

fn queue_ix(w: &mut Bank, target: Pubkey, change: Change) -> Instruction {
    w.queue_ix(target, change).0
}

/// A dismissal of nobody in particular, of which the market does not mind how many wait.
fn any(w: &Bank) -> (Pubkey, Change) {
    (w.market, Change::Role { role: Role::RiskSteward, to: Pubkey::default() })
}

#[test]
fn effects_announces_a_change() {
    let mut w = noticed();
    let (payer, governance, reserve) = (w.chain.funded(), w.governance.insecure_clone(), w.assets[SOL].reserve);
    let config = changed(&mut w, SOL, |c| {
        (c.limits.deposit_cap, c.collateral.max_ltv_bps, c.flash_fee_bps) = (5, 7_600, 9);
    });
    let change = Change::Reserve { config, ramp: 123_456 };
    let (mut market, now) = (w.market_state(), w.chain.clock().unix_timestamp);
    let queued = Queued { rent_payer: payer.pubkey(), ..w.next_change() };
    let before = w.snapshot(&[]);
    let unpaid = w.chain.account(&governance.pubkey());
    let queue = instruction::queue_change(governance.pubkey(), &queued, reserve, change);
    let receipt = w.chain.send(&[queue], &[&payer, &governance]).unwrap();

    let mut payload = Vec::new();
    change.serialize(&mut payload).unwrap();
    let len = u32::try_from(payload.len()).unwrap();
    payload.resize(512, 0);
    let (key, nonce) = (queued.address(), market.next_change);
    let seeds: [&[u8]; 3] = [b"change", w.market.as_ref(), &nonce.to_le_bytes()];
    let expected = PendingChange {
        version: 1,
        bump: Pubkey::find_program_address(&seeds, &keel::ID).1,
        reserved_header: [0; 2],
        len,
        nonce,
        market: w.market,
        target: reserve,
        rent_payer: payer.pubkey(),
        queued_at: now,
        earliest: now + DELAY,
        latest: now + DELAY + WINDOW,
        // Limits, collateral and terms.
        sections: 1 | 1 << 2 | 1 << 7,
        reserved_sections: 0,
        revisions: w.reserve(SOL).revisions,
        payload: payload.try_into().unwrap(),
        reserved: [0; 64],
    };
    assert_eq!(bytemuck::bytes_of(&stored(&mut w, key)), bytemuck::bytes_of(&expected));
    let account = w.chain.account(&key).unwrap();
    assert_eq!(account.data.len(), PendingChange::SPACE);
    assert_eq!(account.lamports, Rent::default().minimum_balance(PendingChange::SPACE));
    assert_eq!(w.chain.account(&governance.pubkey()), unpaid);
    // Of the market, only the next number is another.
    assert_eq!(before.changed(&mut w), keys([w.market]));
    market.next_change += 1;
    assert_eq!(bytemuck::bytes_of(&w.market_state()), bytemuck::bytes_of(&market));

    let event: ChangeQueued = only_event(&receipt);
    assert_eq!((event.market, event.change, event.target, event.nonce), (w.market, key, reserve, nonce));
    assert_eq!((event.earliest, event.latest), (now + DELAY, now + DELAY + WINDOW));
    let bit = |name| 1u64 << keel_risk::change::RESERVE.iter().position(|p| p.name == name).unwrap();
    let named = ["limits.deposit_cap", "collateral.max_ltv_bps", "terms.flash_fee_bps"].map(bit);
    assert_eq!([event.tighter, event.looser, event.sideways], named);
}

/// What each kind is about, and what it replaces.
#[test]
fn effects_every_kind_of_change_is_announced() {
    let mut w = noticed();
    let (market, sol, to) = (w.market, w.assets[SOL].reserve, w.chain.funded().pubkey());
    let params = MarketParams { window: 3_600, ..w.market_state().params() };
    let listing = w.reserve(SOL).config.without_caps();
    let config = changed(&mut w, SOL, |c| c.rates.base_bps = 9);
    let (reserve, state) = (w.reserve(SOL).revisions, w.market_state());
    let mut revisions = [0; 8];
    revisions[..4].copy_from_slice(&state.revisions());
    let (anything, new) = ([0; 8], Pubkey::new_unique());
    let role = |role| Change::Role { role, to };
    let cases = [
        (Change::Market(params), market, 1, revisions),
        (role(Role::Governance), market, 1 << 1, revisions),
        (role(Role::Guardian), market, 1 << 2, revisions),
        (role(Role::RiskSteward), market, 1 << 3, revisions),
        (any(&w).1, market, 1 << 3, revisions),
        (Change::List { config: listing }, new, 0, anything),
        (Change::ListMinted { config: minted::config().without_caps() }, sol, 0, anything),
        (Change::Reserve { config, ramp: 7 }, sol, 1 << 5, reserve),
        (Change::WithdrawInsurance { amount: u64::MAX, to }, sol, 0, anything),
    ];
    for (number, (change, target, sections, revisions)) in (state.next_change..).zip(cases) {
        let queued = w.queue(target, change).unwrap();
        let pending = stored(&mut w, queued.address());
        assert_eq!((queued.nonce, pending.nonce), (number, number));
        assert_eq!((pending.market, pending.target, pending.sections), (market, target, sections), "{change:?}");
        assert_eq!((pending.revisions, pending.change().unwrap()), (revisions, change));
    }
}

/// Vetoed or executed: the address of a change never comes back.
#[test]
fn effects_numbers_only_rise() {
    let mut w = bank();
    let (governance, first) = (w.governance.insecure_clone(), w.market_state().next_change);
    let (market, change) = any(&w);
    for number in first..first + 4 {
        assert_eq!(w.market_state().next_change, number);
        let queued = w.queue(market, change).unwrap();
        assert_eq!((queued.nonce, queued.address()), (number, address::change(&market, number)));
        let end = if number % 2 == 0 {
            instruction::veto_change(governance.pubkey(), &queued)
        } else {
            instruction::execute_change(&queued, None, &[])
        };
        w.send(end, &governance).unwrap();
        assert_eq!(w.chain.account(&queued.address()), None);
        for taken in first..=number {
            let again = Queued { nonce: taken, ..queued };
            let again = instruction::queue_change(governance.pubkey(), &again, market, change);
            w.refuse(&again, &[&governance], KeelError::WrongNonce);
        }
    }
    // Nor is a number left out.
    let ahead = Queued { nonce: first + 5, ..w.next_change() };
    let ahead = instruction::queue_change(governance.pubkey(), &ahead, market, change);
    w.refuse(&ahead, &[&governance], KeelError::WrongNonce);
}

/// Whoever sends lamports to the address of the next change does not keep it from being queued, and loses them.
#[test]
fn effects_lamports_at_the_address_do_not_block() {
    let mut w = bank();
    let next = w.next_change().address();
    w.chain.set_account(&next, Account { lamports: 1_000_000_000, ..Account::default() });
    let (market, change) = any(&w);
    let queued = w.queue(market, change).unwrap();
    assert_eq!((queued.address(), w.chain.account(&next).unwrap().owner), (next, keel::ID));
}

/// Without a delay it can be executed at once, and for as long as the window is.
#[test]
fn effects_without_a_delay_the_window_is_open_at_once() {
    let mut w = bank();
    let (market, change) = any(&w);
    let (queued, now) = (w.queue(market, change).unwrap(), w.chain.clock().unix_timestamp);
    let pending = stored(&mut w, queued.address());
    assert_eq!((pending.queued_at, pending.earliest, pending.latest), (now, now, now + WINDOW));
}

#[test]
fn rejects_other_than_governance() {
    let mut w = bank();
    let thief = w.chain.funded();
    let key = thief.pubkey();
    w.send(instruction::init_market(key, key, 1, market_params(), key, key), &thief).unwrap();
    let others = [w.guardian.insecure_clone(), w.risk_steward.insecure_clone(), thief];
    let mut config = w.reserve(SOL).config;
    config.limits.deposit_cap = 5;
    let (market, sol) = (w.market, w.assets[SOL].reserve);
    let changes = [
        (market, Change::Market(MarketParams { window: 3_600, ..market_params() })),
        (market, Change::Role { role: Role::Governance, to: key }),
        (Pubkey::new_unique(), Change::List { config: config.without_caps() }),
        (sol, Change::ListMinted { config: minted::config().without_caps() }),
        (sol, Change::Reserve { config, ramp: 0 }),
        (sol, Change::WithdrawInsurance { amount: 1, to: key }),
    ];
    for (target, change) in changes {
        let valid = queue_ix(&mut w, target, change);
        for other in &others {
            let by_other = with_account(&with_account(&valid, PAYER, other.pubkey()), GOVERNANCE, other.pubkey());
            w.refuse_case(&format!("{change:?}"), &by_other, &[other], KeelError::NotGovernance);
            // Named, but without its signature.
            let without = unsigned(&with_account(&valid, PAYER, other.pubkey()), GOVERNANCE);
            w.refuse(&without, &[other], ErrorCode::AccountNotSigner);
        }
        w.queue(target, change).unwrap();
    }
}

/// Every rule is in the tests of what executes; here is one of each kind, and that nothing is queued that breaks it.
#[test]
fn rejects_what_could_not_be_executed() {
    let (mut w, _, _) = minting();
    let governance = w.governance.insecure_clone();
    let group = GroupConfig {
        id: 3,
        max_ltv_bps: 9_000,
        liquidation_threshold_bps: 9_300,
        min_bonus_bps: 50,
        max_bonus_bps: 200,
        max_bonus_health_bps: 9_600,
    };
    w.configure(SOL, |c| c.group = group).unwrap();
    let (market, sol, kusd) = (w.market, w.assets[SOL].reserve, w.assets[KUSD].reserve);
    let new = Pubkey::new_unique();
    let of = |w: &mut Bank, asset, change: fn(&mut ReserveConfig)| {
        let config = changed(w, asset, change);
        Change::Reserve { config, ramp: 86_400 }
    };
    let lower = changed(&mut w, SOL, |c| c.collateral.liquidation_threshold_bps -= 1);
    let listing = |change: fn(&mut ReserveConfig)| {
        let mut config = keel_tests::AssetSpec::sol().config.without_caps();
        config.oracle.feeds[0].feed_id = [1; 32];
        change(&mut config);
        Change::List { config }
    };
    let minted = |change: fn(&mut ReserveConfig)| {
        let mut config = minted::config().without_caps();
        change(&mut config);
        Change::ListMinted { config }
    };
    let params = market_params();
    let cases = [
        (
            "market",
            market,
            Change::Market(MarketParams { target_health_bps: 1, ..params }),
            KeelError::ConfigTargetHealth,
        ),
        ("timelock", market, Change::Market(MarketParams { window: 1, ..params }), KeelError::ConfigGovernance),
        ("reserve", sol, of(&mut w, SOL, |c| c.rates.reserve_factor_bps = 5_001), KeelError::ConfigRate),
        ("its group", sol, of(&mut w, SOL, |c| c.group.id = 4), KeelError::ConfigGroup),
        ("its ramp", sol, Change::Reserve { config: lower, ramp: 86_399 }, KeelError::ConfigRamp),
        ("its kind", kusd, of(&mut w, KUSD, |c| c.limits.deposit_cap = 1), KeelError::ConfigMinted),
        ("listing", new, listing(|c| c.oracle.dead_after = 1), KeelError::ConfigOracle),
        ("listing of the other kind", new, listing(|c| *c = minted::config().without_caps()), KeelError::ConfigOracle),
        ("minted", sol, minted(|c| c.flash_fee_bps = 1_001), KeelError::ConfigFee),
        ("no insurance", sol, Change::WithdrawInsurance { amount: 0, to: new }, KeelError::ZeroAmount),
        (
            "no governance",
            market,
            Change::Role { role: Role::Governance, to: Pubkey::default() },
            KeelError::ZeroAddress,
        ),
        ("no guardian", market, Change::Role { role: Role::Guardian, to: Pubkey::default() }, KeelError::ZeroAddress),
    ];
    for (case, target, change, expected) in cases {
        let queue = queue_ix(&mut w, target, change);
        w.refuse_case(case, &queue, &[&governance], expected);
    }
    for (target, change) in
        [(new, listing(|_| {})), (sol, minted(|_| {})), (sol, Change::Reserve { config: lower, ramp: 86_400 })]
    {
        w.queue(target, change).unwrap();
    }
}

#[test]
fn rejects_a_change_that_changes_nothing() {
    let mut w = bank();
    let (governance, market, sol) = (w.governance.insecure_clone(), w.market, w.assets[SOL].reserve);
    let config = w.reserve(SOL).config;
    // Another ramp alone is no change.
    let same = [
        (market, Change::Market(market_params())),
        (sol, Change::Reserve { config, ramp: 0 }),
        (sol, Change::Reserve { config, ramp: 100_000 }),
    ];
    for (target, change) in same {
        let queue = queue_ix(&mut w, target, change);
        w.refuse(&queue, &[&governance], KeelError::NothingChanges);
    }
}

/// Caps have a notice of their own.
#[test]
fn rejects_a_listing_with_caps() {
    let mut w = bank();
    let (governance, sol) = (w.governance.insecure_clone(), w.assets[SOL].reserve);
    let (pooled, minted) = (w.reserve(SOL).config.without_caps(), minted::config().without_caps());
    let with = |mut config: ReserveConfig, change: fn(&mut ReserveConfig)| {
        change(&mut config);
        config
    };
    let cases = [
        Change::List { config: with(pooled, |c| c.limits.deposit_cap = 1) },
        Change::List { config: with(pooled, |c| c.limits.borrow_cap = 1) },
        Change::ListMinted { config: with(minted, |c| c.limits.borrow_cap = 1) },
        Change::ListMinted { config: with(minted, |c| c.limits.swap_cap = 1) },
    ];
    for change in cases {
        let queue = queue_ix(&mut w, sol, change);
        w.refuse_case(&format!("{change:?}"), &queue, &[&governance], KeelError::ListingWithCaps);
    }
}

#[test]
fn rejects_a_target_that_the_change_is_not_about() {
    let mut w = bank();
    let (governance, user) = (w.governance.insecure_clone(), w.user());
    let elsewhere = other_market(&mut w, SOL, &user);
    let (market, sol) = (w.market, w.assets[SOL].reserve);
    let pending = queue_params(&mut w, |p| p.window += 1).address();
    let (forged, zeroed) = (forged(&mut w, &sol), zeroed(&mut w, &sol));
    let config = changed(&mut w, SOL, |c| c.flash_fee_bps = 1);
    let of_market = [
        Change::Market(MarketParams { window: 3_600, ..market_params() }),
        Change::Role { role: Role::Guardian, to: user.key() },
    ];
    let of_reserve = [
        Change::Reserve { config, ramp: 0 },
        Change::ListMinted { config: minted::config().without_caps() },
        Change::WithdrawInsurance { amount: 1, to: user.key() },
    ];
    let nothing = Pubkey::new_unique();
    for target in [sol, user.vault, pending, forged, zeroed, nothing, elsewhere.market] {
        for change in of_market {
            let queue = queue_ix(&mut w, target, change);
            w.refuse_case(&format!("{target} {change:?}"), &queue, &[&governance], KeelError::WrongTarget);
        }
    }
    for target in [market, user.vault, pending, forged, zeroed, nothing] {
        for change in of_reserve {
            let queue = queue_ix(&mut w, target, change);
            w.refuse_case(&format!("{target} {change:?}"), &queue, &[&governance], KeelError::WrongTarget);
        }
    }
    for change in of_reserve {
        let queue = queue_ix(&mut w, elsewhere.reserve, change);
        w.refuse(&queue, &[&governance], KeelError::WrongMarket);
    }
}

#[test]
fn rejects_wrong_accounts() {
    let mut w = bank();
    let (user, payer, governance) = (w.user(), w.chain.funded(), w.governance.insecure_clone());
    let (market, change) = any(&w);
    let waiting = w.queue(market, change).unwrap().address();
    let valid = with_account(&queue_ix(&mut w, market, change), PAYER, payer.pubkey());
    let both = [&payer, &governance];
    let reserve = w.assets[SOL].reserve;
    refuse_imposters(
        &mut w,
        &valid,
        &both,
        MARKET,
        &[("reserve", reserve), ("vault", user.vault), ("change", waiting)],
    );
    for key in [waiting, Pubkey::new_unique(), reserve] {
        w.refuse(&with_account(&valid, PENDING, key), &both, ErrorCode::ConstraintSeeds);
    }
    // The number is the market's own.
    let elsewhere = other_market(&mut w, SOL, &user);
    w.refuse(&with_account(&valid, MARKET, elsewhere.market), &both, ErrorCode::ConstraintSeeds);
    w.refuse(&read_only(&valid, MARKET), &both, ErrorCode::ConstraintMut);
    w.refuse(&with_account(&valid, SYSTEM_PROGRAM, keel::ID), &both, ErrorCode::InvalidProgramId);
    w.refuse(&unsigned(&valid, PAYER), &[&user.keypair, &governance], ErrorCode::AccountNotSigner);
    for count in TARGET..=SYSTEM_PROGRAM {
        w.refuse(&truncated(&valid, count), &both, ErrorCode::AccountNotEnoughKeys);
    }
    w.chain.send(&[valid], &both).unwrap();
}
