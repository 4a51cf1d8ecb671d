//! The ways around a delay that have been tried elsewhere.

use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::state::{Change, MarketParams, Role};
use keel_client::instruction::{self, Queued};
use keel_client::{account, address, token, transaction};
use keel_tests::check::refused_with;
use keel_tests::{Chain, ProgramTestChain, World};
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_system_interface::error::SystemError;
use solana_system_interface::instruction as system;
use solana_transaction::versioned::VersionedTransaction;

fn config_with_cap(w: &mut Lite, cap: u64) -> Change {
    let mut config = w.reserve(POOLED).config;
    config.limits.deposit_cap = cap;
    Change::Reserve { config, ramp: 0 }
}

fn execute_ix(w: &Lite, queued: &Queued) -> Instruction {
    instruction::execute_change(queued, Some(w.assets[POOLED].reserve), &[])
}

/// Queues a cap.
fn queue_cap(w: &mut Lite, cap: u64) -> Queued {
    let (change, reserve) = (config_with_cap(w, cap), w.assets[POOLED].reserve);
    w.queue(reserve, change).unwrap()
}

fn cap(w: &mut Lite) -> u64 {
    w.reserve(POOLED).config.limits.deposit_cap
}

/// An old loosening that waited out its notice does not undo the tightening that came after it.
#[test]
fn an_old_change_does_not_undo_a_newer_one() {
    let mut w = noticed();
    let governance = w.governance.insecure_clone();
    let (older, newer) = (queue_cap(&mut w, 5_000_000), queue_cap(&mut w, 2_000_000));
    w.pass(DELAY);
    let (execute_older, execute_newer) = (execute_ix(&w, &older), execute_ix(&w, &newer));
    w.send(execute_newer, &governance).unwrap();
    w.refuse_case("older", &execute_older, &[&governance], KeelError::ChangeSuperseded);
    // Nor when everything is back to what it was when it was queued.
    let tighten = config_with_cap(&mut w, 1_000_000);
    let (guardian, reserve) = (w.guardian.insecure_clone(), w.assets[POOLED].reserve);
    let tighten = instruction::tighten(guardian.pubkey(), w.market, Some(reserve), tighten);
    w.send(tighten, &guardian).unwrap();
    w.refuse_case("older", &execute_older, &[&governance], KeelError::ChangeSuperseded);
    assert_eq!(cap(&mut w), 1_000_000);
}

/// In an incident: whatever waits to loosen a section dies with the section's tightening.
#[test]
fn a_tightening_ends_what_waits_to_loosen_the_same() {
    let mut w = noticed();
    let (governance, guardian) = (w.governance.insecure_clone(), w.guardian.insecure_clone());
    let queued = queue_cap(&mut w, 5_000_000);
    w.pass(DELAY);
    let (change, reserve) = (config_with_cap(&mut w, 0), w.assets[POOLED].reserve);
    w.send(instruction::tighten(guardian.pubkey(), w.market, Some(reserve), change), &guardian).unwrap();
    let execute = execute_ix(&w, &queued);
    w.refuse_case("waiting", &execute, &[&governance], KeelError::ChangeSuperseded);
    assert_eq!(cap(&mut w), 0);
}

/// Many changes in one transaction wait each for itself, also when the first of them shortens the delay.
#[test]
fn several_changes_in_one_transaction_wait_each() {
    let mut w = noticed();
    let governance = w.governance.insecure_clone();
    let shorter = Change::Market(MarketParams { delay: 86_400, ..w.market_state().params() });
    let (queue_shorter, first) = w.queue_ix(w.market, shorter);
    let second = Queued { nonce: first.nonce + 1, ..first };
    let (change, reserve) = (config_with_cap(&mut w, 5_000_000), w.assets[POOLED].reserve);
    let queue_cap = instruction::queue_change(governance.pubkey(), &second, reserve, change);
    let run = [instruction::execute_change(&first, None, &[]), execute_ix(&w, &second)];
    let all = [&[queue_shorter.clone(), queue_cap.clone()], run.as_slice()].concat();
    w.refuse_all_case("all at once", &all, &[&governance], KeelError::ChangeTooEarly);
    w.send_all(&[queue_shorter, queue_cap], &[&governance]).unwrap();
    w.pass(86_400);
    // The shorter delay is not in force, and what was queued before it keeps its own.
    for execute in &run {
        w.refuse_case("after a day", execute, &[&governance], KeelError::ChangeTooEarly);
    }
    w.pass(DELAY - 86_400);
    w.send_all(&run, &[&governance]).unwrap();
    assert_eq!((w.market_state().delay, cap(&mut w)), (86_400, 5_000_000));
    // From now on changes wait a day, and a delay of none is none of them.
    let none = Change::Market(MarketParams { delay: 0, ..w.market_state().params() });
    let (queue, _) = w.queue_ix(w.market, none);
    w.refuse_case("no delay", &queue, &[&governance], KeelError::ConfigGovernance);
    queue_cap_and_wait(&mut w, 86_400);
}

fn queue_cap_and_wait(w: &mut Lite, delay: i64) {
    let (queued, governance) = (queue_cap(w, 9_000_000), w.governance.insecure_clone());
    let execute = execute_ix(w, &queued);
    w.pass(delay - 1);
    w.refuse_case("early", &execute, &[&governance], KeelError::ChangeTooEarly);
    w.pass(1);
    w.send(execute, &governance).unwrap();
}

/// The market and a reserve are created once: neither is set up again with other values.
#[test]
fn nothing_is_initialized_again() {
    let mut w = noticed();
    let governance = w.governance.insecure_clone();
    let again = w.init_market_ix(0, keel_tests::world::market_params());
    w.refuse_case("market", &again, &[&governance], SystemError::AccountAlreadyInUse);
    let (asset, config) = (w.assets[POOLED].clone(), w.reserve(POOLED).config);
    let list = w.list_ixs(asset.mint, asset.token_program, config, &asset.prices);
    let [queue, init] = list;
    w.send(queue, &governance).unwrap();
    w.pass(DELAY);
    w.refresh_prices();
    w.refuse_case("reserve", &init, &[&governance], SystemError::AccountAlreadyInUse);
    let swap = w.assets[POOLED].reserve;
    let queued = w.queue(swap, Change::ListMinted { config: minted().without_caps() }).unwrap();
    w.pass(DELAY);
    let init = instruction::init_minted_reserve(governance.pubkey(), &queued, swap);
    w.refuse_case("minted", &init, &[&governance], SystemError::AccountAlreadyInUse);
    // An upgraded account is not upgraded again either.
    for account in [w.market, asset.reserve] {
        let upgrade = instruction::upgrade_layout(account);
        w.refuse_case("upgrade", &upgrade, &[&governance], KeelError::NothingToUpgrade);
    }
}

/// A closed change does not come back: not at its address, and not as what somebody else writes there.
#[test]
fn a_closed_change_does_not_come_back() {
    let mut w = noticed();
    let (governance, guardian) = (w.governance.insecure_clone(), w.guardian.insecure_clone());
    let queued = queue_cap(&mut w, 5_000_000);
    w.send(instruction::veto_change(guardian.pubkey(), &queued), &guardian).unwrap();
    w.pass(DELAY);
    let execute = execute_ix(&w, &queued);
    w.refuse_case("closed", &execute, &[&governance], ErrorCode::AccountOwnedByWrongProgram);
    assert_ne!(w.next_change().address(), queued.address());
    // Queueing under the old number fails.
    let (change, reserve) = (config_with_cap(&mut w, 5_000_000), w.assets[POOLED].reserve);
    let again = instruction::queue_change(governance.pubkey(), &queued, reserve, change);
    w.refuse_case("old number", &again, &[&governance], KeelError::WrongNonce);
    // Lamports at the address make no change of it.
    let lamports = system::transfer(&governance.pubkey(), &queued.address(), 10_000_000);
    w.send(lamports, &governance).unwrap();
    w.refuse_case("lamports", &execute, &[&governance], ErrorCode::AccountOwnedByWrongProgram);
    assert_eq!(cap(&mut w), 1_000_000);
}

/// A listed asset cannot be deposited or borrowed before a second change, which cannot be queued before the first is
/// executed: never within one notice.
#[test]
fn listing_takes_two_notices() {
    let mut w = noticed();
    let governance = w.governance.insecure_clone();
    let mint = w.create_mint(9, &token::TOKEN_PROGRAM);
    let (config, prices) = (w.reserve(POOLED).config, w.assets[POOLED].prices.clone());
    let reserve = address::reserve(&w.market, &mint);
    let (queue, _) = w.queue_ix(mint, Change::List { config });
    w.refuse_case("with caps", &queue, &[&governance], KeelError::ListingWithCaps);
    let [queue, init] = w.list_ixs(mint, token::TOKEN_PROGRAM, config, &prices);
    w.send(queue, &governance).unwrap();
    // The caps' own notice cannot begin yet.
    let (caps, _) = w.queue_ix(reserve, Change::Reserve { config, ramp: 0 });
    w.refuse_case("caps", &caps, &[&governance], KeelError::WrongTarget);
    w.pass(DELAY);
    w.refresh_prices();
    w.send(init, &governance).unwrap();
    let queued = w.queue(reserve, Change::Reserve { config, ramp: 0 }).unwrap();
    let execute = instruction::execute_change(&queued, Some(reserve), &[]);
    w.pass(DELAY - 1);
    w.refuse_case("caps", &execute, &[&governance], KeelError::ChangeTooEarly);
    w.pass(1);
    w.send(execute, &governance).unwrap();
}

/// Who takes over governance with notice still has to give notice of everything else.
#[test]
fn a_new_governance_waits_like_the_old() {
    let mut w = noticed();
    let taker = w.chain.funded();
    let queued = w.queue(w.market, Change::Role { role: Role::Governance, to: taker.pubkey() }).unwrap();
    w.pass(DELAY);
    let accept = instruction::accept_role(taker.pubkey(), w.market, Role::Governance);
    w.send_all(&[instruction::execute_change(&queued, None, &[]), accept], &[&taker]).unwrap();
    assert_eq!(w.market_state().governance, taker.pubkey());
    let change = config_with_cap(&mut w, 5_000_000);
    let next = Queued { rent_payer: taker.pubkey(), ..w.next_change() };
    let reserve = w.assets[POOLED].reserve;
    let all = [instruction::queue_change(taker.pubkey(), &next, reserve, change), execute_ix(&w, &next)];
    w.refuse_all_case("at once", &all, &[&taker], KeelError::ChangeTooEarly);
    let (old, next) = (w.governance.insecure_clone(), w.next_change());
    let by_old = instruction::queue_change(old.pubkey(), &next, reserve, change);
    w.refuse_case("by the old", &by_old, &[&old], KeelError::NotGovernance);
}

/// Nonce account number `number` of `owner`, and the hash that it holds.
fn nonce_account(chain: &mut ProgramTestChain, owner: &Keypair, number: u8) -> (Pubkey, Hash) {
    let nonce = Keypair::new_from_array([number; 32]);
    let create = system::create_nonce_account(&owner.pubkey(), &nonce.pubkey(), &owner.pubkey(), 10_000_000);
    chain.send(&create, &[owner, &nonce]).unwrap();
    // Version, state and authority come before it.
    let data = chain.account(&nonce.pubkey()).unwrap().data;
    (nonce.pubkey(), Hash::new_from_array(data[40..72].try_into().unwrap()))
}

/// A transaction that is good until its nonce is used, however long that takes.
fn presigned(instructions: &[Instruction], owner: &Keypair, (nonce, hash): (Pubkey, Hash)) -> VersionedTransaction {
    let mut all = vec![system::advance_nonce_account(&nonce, &owner.pubkey())];
    all.extend_from_slice(instructions);
    transaction::sign(&all, &[], &[owner], hash).unwrap()
}

/// What governance's signers were tricked into signing a month ago gives the same notice as what they sign today: the delay
/// begins when a change is queued on chain.
#[test]
fn a_presigned_change_waits_from_the_moment_it_is_queued() {
    let mut w = World::with(ProgramTestChain::new(), &[spec()]);
    w.change_market(Change::Market(params())).unwrap();
    let governance = w.governance.insecure_clone();
    let nonces = [101, 102].map(|number| nonce_account(&mut w.chain, &governance, number));
    let mut config = w.reserve(POOLED).config;
    config.limits.deposit_cap = 5_000_000;
    let reserve = w.assets[POOLED].reserve;
    let (queue, queued) = w.queue_ix(reserve, Change::Reserve { config, ramp: 0 });
    let execute = instruction::execute_change(&queued, Some(reserve), &[]);
    let all = presigned(&[queue.clone(), execute.clone()], &governance, nonces[0]);
    let first = presigned(&[queue], &governance, nonces[1]);
    w.chain.next_blockhash();
    w.pass(30 * 86_400);
    refused_with(w.chain.send_signed(all), KeelError::ChangeTooEarly);
    // The signatures of a month ago are good, and what they bring is a notice.
    w.chain.send_signed(first).unwrap();
    let (key, now) = (queued.address(), w.chain.clock().unix_timestamp);
    let account = w.chain.account(&key).unwrap();
    assert_eq!(account::change(&key, &account.owner, &account.data).unwrap().earliest, now + DELAY);
    w.pass(DELAY - 1);
    w.refuse(&execute, &[&governance], KeelError::ChangeTooEarly);
    w.pass(1);
    w.send(execute, &governance).unwrap();
    assert_eq!(w.reserve(POOLED).config.limits.deposit_cap, 5_000_000);
}
