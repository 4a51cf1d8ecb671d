//! `set_pause`.

use crate::minted::{KUSD, minting, redeem};
use crate::support::*;
use anchor_lang::error::ErrorCode;
use keel::AmountSpec::Exact;
use keel::KeelError;
use keel::events::PauseSet;
use keel::state::pause::{BORROW, DEPOSIT, FIRST, FLASH, LAST, LIQUIDATE, REDEEM, REPAY, SWAP, TOP_UP, WITHDRAW};
use keel_client::instruction::{self, Actor, Liquidation};
use keel_tests::check::{Refusal, keys, only_event, refused_with};
use keel_tests::world::market_params;
use keel_tests::{AssetSpec, Chain};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

const SIGNER: usize = 0;
const MARKET: usize = 1;
const DAY: u32 = 86_400;
const DAYS: i64 = 86_400;

fn build(w: &Bank, signer: &Keypair, bits: u32, seconds: u32) -> Instruction {
    instruction::set_pause(signer.pubkey(), w.market, bits, seconds)
}

/// Pauses by governance.
fn stop(w: &mut Bank, bits: u32, seconds: u32) {
    let governance = w.governance.insecure_clone();
    w.send(build(w, &governance, bits, seconds), &governance).unwrap();
}

/// What a pause can stop: a name, the bit that stops it, and what to send.
type Action = (&'static str, u32, Vec<Instruction>, Keypair);

/// Everything that a pause can stop, ready to be done.
fn stage() -> (Bank, Vec<Action>) {
    let (mut w, _, borrower) = minting();
    w.borrow(&borrower, USDC, 5_000_000_000).unwrap();
    let risky = w.list(&AssetSpec::sol());
    let indebted = |w: &mut Bank, collateral, debt, amount| {
        let user = w.supplier(collateral, w.assets[collateral].whole(100));
        w.fund(&user.key(), debt, 0);
        w.borrow(&user, debt, amount).unwrap();
        user
    };
    let (minter, unhealthy) =
        (indebted(&mut w, SOL, KUSD, 14_500_000_000), indebted(&mut w, risky, USDC, 14_000_000_000));
    let insolvent = indebted(&mut w, risky, USDC, 14_000_000_000);
    mark_insolvent(&mut w, &insolvent);
    w.set_price(risky, 160_00);
    let user = w.user();
    for (asset, amount) in [(SOL, 1_000), (USDC, 10_000_000_000), (KUSD, 0), (risky, 0)] {
        w.fund(&user.key(), asset, amount);
    }
    w.deposit(&user, USDC, Exact(1_000_000_000)).unwrap();
    let swap = instruction::swap_in(&w.book, user.key(), 2_000_000_000, 0).unwrap();
    w.send(swap, &user.keypair).unwrap();

    let (key, usdc) = (user.key(), w.assets[USDC].reserve);
    let (own, owing, bad) = (w.vault(&user.vault), w.vault(&borrower.vault), w.vault(&unhealthy.vault));
    let lost = w.vault(&insolvent.vault);
    let redeem = redeem(&mut w, &key, &minter.vault, SOL, 100_000_000);
    let book = &w.book;
    let (actor, debtor) = (w.actor(&user, USDC), w.actor(&borrower, USDC));
    let stranger = |asset| Actor { vault: borrower.vault, ..w.actor(&user, asset) };
    let flash = [instruction::flash_borrow, instruction::flash_repay];
    let flash = flash.map(|build| build(book, key, usdc, actor.token_account, 1_000).unwrap());
    let terms = Liquidation {
        keeper: key,
        vault: unhealthy.vault,
        debt_reserve: usdc,
        collateral_reserve: w.assets[risky].reserve,
        max_repay: 1_000_000_000,
        min_seize: 0,
    };
    let one = |instruction: Result<Instruction, keel_client::error::ClientError>| vec![instruction.unwrap()];
    let mut actions: Vec<Action> = [
        ("deposit", DEPOSIT, one(instruction::deposit(book, &actor, Exact(7)))),
        ("withdraw", WITHDRAW, one(instruction::withdraw(book, &own, &actor, Exact(7)))),
        ("swap in", SWAP, one(instruction::swap_in(book, key, 1_000_000, 0))),
        ("swap out", SWAP, one(instruction::swap_out(book, key, 1_000_000, 0))),
        ("redeem", REDEEM, vec![redeem]),
        ("flash loan", FLASH, flash.to_vec()),
        ("top up", TOP_UP, one(instruction::deposit(book, &stranger(SOL), Exact(7)))),
        ("repay", REPAY, one(instruction::repay(book, &owing, &stranger(USDC), Exact(7)))),
        ("liquidate", LIQUIDATE, one(instruction::liquidate(book, &bad, &terms))),
        ("resolve", LIQUIDATE, one(instruction::resolve_bad_debt(book, insolvent.vault, &lost, usdc))),
    ]
    .map(|(name, bit, instructions)| (name, bit, instructions, user.keypair.insecure_clone()))
    .into();
    let borrow = one(instruction::borrow(book, &owing, &debtor, 7));
    actions.push(("borrow", BORROW, borrow, borrower.keypair));
    (w, actions)
}

/// Every bit alone as far as that is allowed, and all of them.
#[test]
fn effects_each_bit_stops_exactly_its_actions() {
    let alone = [0, DEPOSIT, WITHDRAW, BORROW, SWAP, REDEEM, FLASH];
    let defence = [TOP_UP, REPAY].map(|bit| FIRST | LIQUIDATE | bit);
    let last = [FIRST, FIRST | LIQUIDATE, defence[0], defence[1], FIRST | LAST];
    for bits in alone.into_iter().chain(last) {
        let (mut w, actions) = stage();
        stop(&mut w, bits, DAY);
        for (name, bit, instructions, signer) in actions {
            let result = w.chain.send(&instructions, &[&signer]).map_err(|failure| Refusal::from(&failure));
            let expected = if bits & bit == 0 { Ok(()) } else { Err(KeelError::Paused.into()) };
            assert_eq!(result.map(|_| ()), expected, "{name} under {bits:#b}");
        }
    }
}

/// Nobody is locked in or out: what neither takes risk nor value is never paused.
#[test]
fn effects_everything_else_goes_on() {
    let (mut w, _, borrower) = lent();
    stop(&mut w, FIRST | LAST, DAY);
    let new = w.user();
    let state = w.vault(&borrower.vault);
    let group = instruction::set_efficiency_group(&w.book, borrower.key(), borrower.vault, &state, 1).unwrap();
    w.send(group, &borrower.keypair).unwrap();
    let delegate = instruction::set_delegate(borrower.key(), borrower.vault, new.key(), 1, i64::MAX);
    w.send(delegate, &borrower.keypair).unwrap();
    w.send(instruction::close_vault(new.key(), new.vault), &new.keypair).unwrap();
    w.send(instruction::offer_vault(borrower.key(), borrower.vault, new.key()), &borrower.keypair).unwrap();
    w.send(instruction::accept_vault(new.key(), borrower.vault), &new.keypair).unwrap();
    w.refresh(SOL).unwrap();
    w.challenge(SOL, 0).unwrap();
}

/// With deposits paused, what a vault in debt already holds can still be added to, by anyone; nothing new can.
#[test]
fn effects_vaults_in_debt_are_topped_up_while_deposits_are_paused() {
    let (mut w, lender, borrower) = lent();
    for user in [&lender, &borrower] {
        w.fund(&user.key(), SOL, 1_000);
        w.fund(&user.key(), USDC, 1_000);
    }
    stop(&mut w, DEPOSIT, DAY);
    // Without a debt there is nothing to be saved from.
    refused_with(w.deposit(&borrower, SOL, Exact(7)), KeelError::Paused);
    w.borrow(&borrower, USDC, 5_000_000_000).unwrap();
    w.deposit(&borrower, SOL, Exact(7)).unwrap();
    let actor = Actor { vault: borrower.vault, ..w.actor(&lender, SOL) };
    let help = instruction::deposit(&w.book, &actor, Exact(7)).unwrap();
    w.send(help, &lender.keypair).unwrap();
    let new = w.list(&AssetSpec::usdc());
    w.fund(&borrower.key(), new, 1_000);
    refused_with(w.deposit(&borrower, new, Exact(7)), KeelError::Paused);
    refused_with(w.deposit(&lender, USDC, Exact(7)), KeelError::Paused);
}

#[test]
fn effects_ends_by_itself_and_is_replaced() {
    let (mut w, _, borrower) = lent();
    let governance = w.governance.insecure_clone();
    let before = w.snapshot(&[&borrower]);
    let mut expected = w.market_state();
    let now = w.chain.clock().unix_timestamp;
    let receipt = w.send(build(&w, &governance, BORROW | SWAP, 1_000), &governance).unwrap();
    assert_eq!(before.changed(&mut w), keys([w.market]));
    (expected.paused, expected.paused_until) = (BORROW | SWAP, now + 1_000);
    assert_eq!(bytemuck::bytes_of(&w.market_state()), bytemuck::bytes_of(&expected));
    let event: PauseSet = only_event(&receipt);
    assert_eq!((event.market, event.by), (w.market, governance.pubkey()));
    assert_eq!((event.paused, event.until), (BORROW | SWAP, now + 1_000));

    w.pass(999);
    w.refresh_prices();
    refused_with(w.borrow(&borrower, USDC, 100_000_000), KeelError::Paused);
    w.pass(1);
    w.borrow(&borrower, USDC, 100_000_000).unwrap();
    // Another in its place, not in addition to it.
    stop(&mut w, BORROW, DAY);
    stop(&mut w, WITHDRAW, 60);
    w.borrow(&borrower, USDC, 1).unwrap();
    refused_with(w.withdraw(&borrower, SOL, Exact(1)), KeelError::Paused);
    // Or none.
    stop(&mut w, 0, 0);
    w.withdraw(&borrower, SOL, Exact(1)).unwrap();
}

/// Three days, and then three days without.
#[test]
fn effects_a_guardian_pauses_for_three_days_and_waits_as_long() {
    let (mut w, _, borrower) = lent();
    let guardian = w.guardian.insecure_clone();
    let refuse = |w: &mut Bank, bits, seconds| {
        let pause = build(w, &guardian, bits, seconds);
        w.refuse(&pause, &[&guardian], KeelError::NotPauser);
    };
    refuse(&mut w, BORROW, 3 * DAY + 1);
    refuse(&mut w, BORROW, u32::MAX);
    let before = w.snapshot(&[&borrower]);
    let (mut expected, now) = (w.market_state(), w.chain.clock().unix_timestamp);
    let receipt = w.send(build(&w, &guardian, FIRST | LAST, 3 * DAY), &guardian).unwrap();
    assert_eq!(before.changed(&mut w), keys([w.market]));
    (expected.guardian_paused, expected.guardian_paused_until) = (FIRST | LAST, now + 3 * DAYS);
    expected.guardian_pauses_from = now + 6 * DAYS;
    expected.takes_from = now + 3 * DAYS + 900;
    assert_eq!(bytemuck::bytes_of(&w.market_state()), bytemuck::bytes_of(&expected));
    let event: PauseSet = only_event(&receipt);
    assert_eq!((event.market, event.by), (w.market, guardian.pubkey()));
    assert_eq!((event.paused, event.until), (FIRST | LAST, now + 3 * DAYS));
    // Neither to extend it, nor for long after.
    for (days, seconds) in [(0, 0), (1, 0), (2, -1), (0, 1), (3, -1)] {
        w.pass(days * DAYS + seconds);
        w.refresh_prices();
        let paused = w.borrow(&borrower, USDC, 100_000_000);
        assert_eq!(paused.is_err(), w.chain.clock().unix_timestamp < now + 3 * DAYS);
        refuse(&mut w, BORROW, 60);
    }
    w.pass(1);
    w.send(build(&w, &guardian, BORROW, 60), &guardian).unwrap();
    // A short pause costs the same wait, counted from its end.
    w.pass(60 + 3 * DAYS - 1);
    refuse(&mut w, BORROW, 60);
    w.pass(1);
    w.send(build(&w, &guardian, BORROW, 60), &guardian).unwrap();
}

/// A guardian that saw that nothing is wrong ends its pause before its time, and waits as if it had not.
#[test]
fn effects_a_guardian_ends_its_own_pause_early() {
    let (mut w, _, borrower) = lent();
    let guardian = w.guardian.insecure_clone();
    w.send(build(&w, &guardian, BORROW, 1_000), &guardian).unwrap();
    let start = w.chain.clock().unix_timestamp;
    w.pass(10);
    refused_with(w.borrow(&borrower, USDC, 100_000_000), KeelError::Paused);
    let mut expected = w.market_state();
    let receipt = w.send(build(&w, &guardian, 0, 0), &guardian).unwrap();
    assert_eq!(only_event::<PauseSet>(&receipt).paused, 0);
    expected.guardian_paused = 0;
    assert_eq!(bytemuck::bytes_of(&w.market_state()), bytemuck::bytes_of(&expected));
    assert_eq!(expected.guardian_pauses_from, start + 1_000 + 3 * DAYS);
    w.borrow(&borrower, USDC, 100_000_000).unwrap();
    // Ending it again changes nothing, for however long.
    for seconds in [0, 60, u32::MAX] {
        w.send(build(&w, &guardian, 0, seconds), &guardian).unwrap();
        assert_eq!(bytemuck::bytes_of(&w.market_state()), bytemuck::bytes_of(&expected));
    }
    let again = build(&w, &guardian, BORROW, 60);
    w.refuse(&again, &[&guardian], KeelError::NotPauser);
    w.pass(1_000 + 3 * DAYS - 11);
    w.refuse(&again, &[&guardian], KeelError::NotPauser);
    w.pass(1);
    w.send(again, &guardian).unwrap();
}

/// What owners could not do while it was paused they can do for a quarter of an hour before anybody takes their collateral,
/// however the pause ends.
#[test]
fn effects_owners_come_first_after_a_pause() {
    /// A way in which a pause ends.
    type End = (&'static str, fn(&mut Bank));

    /// At the end of a pause of everything but `spared`.
    fn ended(spared: u32, end: fn(&mut Bank)) -> (Bank, Vec<Action>) {
        let (mut w, actions) = stage();
        stop(&mut w, (FIRST | LAST) & !spared, 1_000);
        end(&mut w);
        (w, actions)
    }
    let run = |w: &mut Bank, actions: &[Action], wanted: u32| -> Vec<Result<(), Refusal>> {
        w.refresh_prices();
        let wanted = actions.iter().filter(|(_, bit, ..)| bit & wanted != 0);
        let results = wanted.map(|(_, _, all, signer)| w.chain.send(all, &[signer]).map(drop).map_err(|f| (&f).into()));
        results.collect()
    };
    let takes = LIQUIDATE | REDEEM;
    let ends: [End; 3] = [
        ("by itself", |w| w.pass(1_000)),
        ("lifted", |w| {
            w.pass(100);
            stop(w, 0, 0);
        }),
        ("replaced", |w| {
            w.pass(100);
            stop(w, BORROW, DAY);
        }),
    ];
    for (case, end) in ends {
        for spared in [0, TOP_UP, REPAY] {
            let (mut w, actions) = ended(spared, end);
            assert_eq!(run(&mut w, &actions, TOP_UP | REPAY), [Ok(()), Ok(())], "{case}");
            w.pass(899);
            let paused = || Err(KeelError::Paused.into());
            assert_eq!(run(&mut w, &actions, takes), [paused(), paused(), paused()], "{case}");
            w.pass(1);
            assert_eq!(run(&mut w, &actions, takes), [Ok(()), Ok(()), Ok(())], "{case}");
        }
        // Who could save his vault all the time is not given more of it.
        let (mut w, actions) = ended(TOP_UP | REPAY, end);
        assert_eq!(run(&mut w, &actions, takes), [Ok(()), Ok(()), Ok(())], "{case}");
    }
}

/// Of two pauses, the last that keeps owners from acting counts, and ending it early shortens what is left of it.
#[test]
fn effects_the_last_pause_of_two_counts_for_owners() {
    let mut w = bank();
    let guardian = w.guardian.insecure_clone();
    let start = w.chain.clock().unix_timestamp;
    let from = |w: &mut Bank| w.market_state().takes_from - start;
    stop(&mut w, FIRST | LAST, 500);
    w.send(build(&w, &guardian, FIRST | LAST, 2_000), &guardian).unwrap();
    assert_eq!(from(&mut w), 2_000 + 900);
    w.pass(100);
    w.send(build(&w, &guardian, 0, 0), &guardian).unwrap();
    assert_eq!(from(&mut w), 500 + 900);
    stop(&mut w, FIRST, DAY);
    assert_eq!(from(&mut w), 100 + 900);
    // Pauses of other things change nothing about it.
    w.pass(50);
    stop(&mut w, 0, 0);
    assert_eq!(from(&mut w), 100 + 900);
}

/// What both pause adds up, and neither ends the other's pause.
#[test]
fn effects_pauses_of_governance_and_guardian_add_up() {
    let (mut w, _, borrower) = lent();
    let guardian = w.guardian.insecure_clone();
    w.borrow(&borrower, USDC, 1_000_000_000).unwrap();
    let running = |w: &mut Bank, can_borrow: bool, can_withdraw: bool| {
        w.refresh_prices();
        let (borrowed, withdrawn) = (w.borrow(&borrower, USDC, 1_000), w.withdraw(&borrower, SOL, Exact(1_000)));
        for (result, can) in [(borrowed, can_borrow), (withdrawn, can_withdraw)] {
            if can { drop(result.unwrap()) } else { refused_with(result, KeelError::Paused) }
        }
    };
    stop(&mut w, WITHDRAW, DAY);
    running(&mut w, true, false);
    let receipt = w.send(build(&w, &guardian, BORROW, 1_000), &guardian).unwrap();
    assert_eq!(only_event::<PauseSet>(&receipt).paused, BORROW | WITHDRAW);
    running(&mut w, false, false);
    // Governance ends its own and not the guardian's, and sets another.
    stop(&mut w, 0, 0);
    running(&mut w, false, true);
    stop(&mut w, WITHDRAW, 2_000);
    // The guardian's ends by itself, and not governance's with it.
    w.pass(999);
    running(&mut w, false, false);
    w.pass(1);
    running(&mut w, true, false);
    // Nor does the guardian end it.
    w.send(build(&w, &guardian, 0, 0), &guardian).unwrap();
    w.pass(999);
    running(&mut w, true, false);
    w.pass(1);
    running(&mut w, true, true);
}

#[test]
fn rejects_governance_beyond_thirty_days_and_others_altogether() {
    let mut w = bank();
    let (governance, guardian) = (w.governance.insecure_clone(), w.guardian.insecure_clone());
    let thief = w.chain.funded();
    for seconds in [30 * DAY + 1, u32::MAX] {
        let pause = build(&w, &governance, SWAP, seconds);
        w.refuse(&pause, &[&governance], KeelError::NotPauser);
    }
    let valid = build(&w, &governance, SWAP, 30 * DAY);
    // Not even the risk steward, who may tighten.
    let steward = w.risk_steward.insecure_clone();
    w.refuse(&with_account(&valid, SIGNER, steward.pubkey()), &[&steward], KeelError::NotPauser);
    for bits in [0, SWAP] {
        let pause = build(&w, &thief, bits, 60);
        w.refuse(&pause, &[&thief], KeelError::NotPauser);
    }
    // The governance of another market is a stranger here.
    let key = thief.pubkey();
    let create = instruction::init_market(key, key, 1, market_params(), key, key);
    w.send(create, &thief).unwrap();
    w.refuse(&with_account(&valid, SIGNER, thief.pubkey()), &[&thief], KeelError::NotPauser);
    w.refuse(&unsigned(&valid, SIGNER), &[&thief], ErrorCode::AccountNotSigner);
    let (user, reserve) = (w.user(), w.assets[SOL].reserve);
    refuse_imposters(&mut w, &valid, &[&governance], MARKET, &[("reserve", reserve), ("vault", user.vault)]);
    w.refuse(&read_only(&valid, MARKET), &[&governance], ErrorCode::ConstraintMut);
    w.refuse(&truncated(&valid, 1), &[&guardian, &governance], ErrorCode::AccountNotEnoughKeys);
    w.send(valid, &governance).unwrap();
}

#[test]
fn rejects_what_takes_risk_away_before_everything_else() {
    let mut w = bank();
    let (governance, guardian) = (w.governance.insecure_clone(), w.guardian.insecure_clone());
    let mut cases = vec![TOP_UP, REPAY, LIQUIDATE, LAST, 1 << 9, 1 << 31, FIRST | 1 << 9, u32::MAX];
    cases.extend([DEPOSIT, WITHDRAW, BORROW, SWAP, REDEEM, FLASH].map(|spared| (FIRST & !spared) | LIQUIDATE));
    for bits in cases {
        for signer in [&governance, &guardian] {
            let pause = build(&w, signer, bits, 60);
            w.refuse_case(&format!("{bits:#b}"), &pause, &[signer], KeelError::PauseOrder);
        }
    }
    w.send(build(&w, &guardian, FIRST | LIQUIDATE, 60), &guardian).unwrap();
}

/// Nobody is liquidated who is kept from repaying and from adding collateral.
#[test]
fn rejects_what_owners_defend_themselves_with_while_liquidations_run() {
    let mut w = bank();
    let (governance, guardian) = (w.governance.insecure_clone(), w.guardian.insecure_clone());
    for bits in [TOP_UP, REPAY, TOP_UP | REPAY].map(|defence| FIRST | defence) {
        for signer in [&governance, &guardian] {
            let pause = build(&w, signer, bits, 60);
            w.refuse_case(&format!("{bits:#b}"), &pause, &[signer], KeelError::PauseOrder);
        }
    }
}
