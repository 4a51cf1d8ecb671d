//! `upgrade_layout`. The bytes that earlier versions wrote are in `tests/compat`.

use crate::governance::*;
use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use bytemuck::{Pod, Zeroable};
use keel::KeelError;
use keel::events::LayoutUpgraded;
use keel::state::{Change, DEFAULT_WINDOW, Market, MarketParams, Offer, Reserve, StepConfig};
use keel_client::instruction;
use keel_tests::Chain;
use keel_tests::check::{keys, only_event};
use keel_tests::world::market_params;
use solana_signer::Signer;

const ACCOUNT: usize = 0;

/// Overwrites an account of the program.
fn overwrite<T: Pod>(w: &mut Bank, key: Pubkey, state: &T) {
    let mut account = w.chain.account(&key).unwrap();
    account.data[8..].copy_from_slice(bytemuck::bytes_of(state));
    w.chain.set_account(&key, account);
}

/// As layout 1 had it: what came later is zero.
fn outdate_market(w: &mut Bank) -> Market {
    let state = Market {
        version: 1,
        guardian_paused_until: 0,
        offers: [Offer::default(); 3],
        next_change: 0,
        delay: 0,
        window: 0,
        steps: StepConfig::default(),
        revision: 0,
        role_revisions: [0; 3],
        ..w.market_state()
    };
    let key = w.market;
    overwrite(w, key, &state);
    state
}

fn outdate_reserve(w: &mut Bank, asset: usize) -> Reserve {
    let state = Reserve { version: 1, revisions: [0; 8], stepped_at: Zeroable::zeroed(), ..w.reserve(asset) };
    w.set_reserve(asset, &state);
    state
}

/// A market gets a window, and no delay, as before; a reserve gets nothing but the number of the layout.
#[test]
fn effects_brings_accounts_up_to_date() {
    let (mut w, lender, borrower) = lent();
    let anybody = w.chain.funded();
    let (market, reserve) = (outdate_market(&mut w), outdate_reserve(&mut w, SOL));
    let before = w.snapshot(&[&lender, &borrower]);
    let receipt = w.send(instruction::upgrade_layout(w.market), &anybody).unwrap();
    assert_eq!(before.changed(&mut w), keys([w.market]));
    let expected = Market { version: 2, window: DEFAULT_WINDOW, ..market };
    assert_eq!(bytemuck::bytes_of(&w.market_state()), bytemuck::bytes_of(&expected));
    assert_eq!(only_event::<LayoutUpgraded>(&receipt).account, w.market);

    let (before, key) = (w.snapshot(&[&lender, &borrower]), w.assets[SOL].reserve);
    let receipt = w.send(instruction::upgrade_layout(key), &anybody).unwrap();
    assert_eq!(before.changed(&mut w), keys([key]));
    let expected = Reserve { version: 2, ..reserve };
    assert_eq!(bytemuck::bytes_of(&w.reserve(SOL)), bytemuck::bytes_of(&expected));
    assert_eq!(only_event::<LayoutUpgraded>(&receipt).account, key);
}

/// What concerns governance asks for today's layout, of the market first, then of the reserve.
#[test]
fn effects_governance_waits_for_it() {
    let mut w = bank();
    let (governance, steward) = (w.governance.insecure_clone(), w.risk_steward.insecure_clone());
    outdate_market(&mut w);
    outdate_reserve(&mut w, SOL);
    let (market, reserve) = (w.market, w.assets[SOL].reserve);
    let config = changed(&mut w, SOL, |c| c.limits.deposit_cap = 5);
    let (of_reserve, of_market) =
        (Change::Reserve { config, ramp: 0 }, Change::Market(MarketParams { delay: 86_400, ..market_params() }));
    let key = governance.pubkey();
    let (queue_reserve, queued) = w.queue_ix(reserve, of_reserve);
    let concerning_market = [
        w.queue_ix(market, of_market).0,
        queue_reserve.clone(),
        instruction::tighten(key, market, None, of_market),
        instruction::tighten(key, market, Some(reserve), of_reserve),
    ];
    for instruction in &concerning_market {
        w.refuse(instruction, &[&governance], KeelError::LayoutOutdated);
    }
    w.send(instruction::upgrade_layout(market), &governance).unwrap();
    let tighten = instruction::tighten(key, market, Some(reserve), of_reserve);
    for instruction in [&queue_reserve, &tighten] {
        w.refuse(instruction, &[&governance], KeelError::LayoutOutdated);
    }
    let step = instruction::step(steward.pubkey(), market, reserve, of_reserve);
    w.refuse(&step, &[&steward], KeelError::LayoutOutdated);
    w.send(instruction::upgrade_layout(reserve), &governance).unwrap();
    w.send_all(&[queue_reserve, execute_ix(&w, SOL, &queued)], &[&governance]).unwrap();
    assert_eq!(w.reserve(SOL).config.limits.deposit_cap, 5);
}

#[test]
fn rejects_what_is_up_to_date_or_has_no_older_layout() {
    let mut w = bank();
    let (anybody, user) = (w.chain.funded(), w.user());
    let change = queue_params(&mut w, |p| p.window += 1).address();
    for key in [w.market, w.assets[SOL].reserve, user.vault, change] {
        w.refuse(&instruction::upgrade_layout(key), &[&anybody], KeelError::NothingToUpgrade);
    }
    // Once; and a version that there never was is none.
    outdate_market(&mut w);
    w.send(instruction::upgrade_layout(w.market), &anybody).unwrap();
    w.refuse(&instruction::upgrade_layout(w.market), &[&anybody], KeelError::NothingToUpgrade);
    for version in [0, 3, u8::MAX] {
        let (market, reserve) = (Market { version, ..w.market_state() }, Reserve { version, ..w.reserve(SOL) });
        let keys = [w.market, w.assets[SOL].reserve];
        overwrite(&mut w, keys[0], &market);
        overwrite(&mut w, keys[1], &reserve);
        for key in keys {
            w.refuse(&instruction::upgrade_layout(key), &[&anybody], KeelError::NothingToUpgrade);
        }
    }
}

#[test]
fn rejects_wrong_accounts() {
    let mut w = bank();
    let (anybody, market) = (w.chain.funded(), w.market);
    outdate_market(&mut w);
    let valid = instruction::upgrade_layout(market);
    let (forged, zeroed) = (forged(&mut w, &market), zeroed(&mut w, &market));
    for key in [forged, Pubkey::new_unique(), w.assets[SOL].mint] {
        w.refuse(&with_account(&valid, ACCOUNT, key), &[&anybody], ErrorCode::ConstraintOwner);
    }
    w.refuse(&with_account(&valid, ACCOUNT, zeroed), &[&anybody], KeelError::NothingToUpgrade);
    w.refuse(&read_only(&valid, ACCOUNT), &[&anybody], ErrorCode::ConstraintMut);
    w.refuse(&truncated(&valid, ACCOUNT), &[&anybody], ErrorCode::AccountNotEnoughKeys);
    w.send(valid, &anybody).unwrap();
}
