//! Several actions on a vault in one transaction.

use keel::{AmountSpec, KeelError};
use keel_client::actions::Actions;
use keel_client::sending::{Sender, Sent};
use keel_client::transport::Transport;
use keel_client::view::{self, View};
use keel_client::{ClientError, address, token};
use keel_risk::price::{Purpose, Side};
use keel_tests::Desk;
use solana_instruction::Instruction;

const SOL: u64 = 1_000_000_000;
const USD: u64 = 1_000_000;

fn view(desk: &Desk) -> View {
    View::fetch(&*desk.chain, &desk.market).unwrap()
}

fn send(desk: &Desk, instructions: &[Instruction]) -> Result<Sent, ClientError> {
    Sender::new(&*desk.chain, &desk.user).send(instructions, &[])
}

fn dollars(desk: &Desk) -> u64 {
    let key = token::associated_address(&desk.user(), &desk.usd_mint, &token::TOKEN_PROGRAM);
    let account = desk.chain.account(&key).unwrap();
    account.map_or(0, |account| u64::from_le_bytes(*account.data[64..].first_chunk().unwrap()))
}

fn has_wrapped_sol(desk: &Desk) -> bool {
    let key = token::associated_address(&desk.user(), &token::WRAPPED_SOL, &token::TOKEN_PROGRAM);
    desk.chain.account(&key).unwrap().is_some()
}

fn lamports(desk: &Desk) -> u64 {
    desk.chain.account(&desk.user()).unwrap().unwrap().lamports
}

/// Opens a vault with 10 SOL that owes 1,000 dollars, in one transaction.
fn opened(desk: &Desk) {
    let view = view(desk);
    let actions = Actions::opening(&view, desk.user(), 0).deposit(&desk.sol, AmountSpec::Exact(10 * SOL)).unwrap();
    send(desk, &actions.borrow(&desk.usd, 1_000 * USD).unwrap().instructions()).unwrap();
}

#[test]
fn a_vault_is_opened_filled_and_borrowed_against_at_once() {
    let desk = Desk::open();
    let before = lamports(&desk);
    opened(&desk);
    assert_eq!(dollars(&desk), 1_000 * USD);
    assert!(!has_wrapped_sol(&desk), "the account that SOL was wrapped in is closed");
    let spent = before - lamports(&desk);
    assert!((10 * SOL..10 * SOL + SOL / 20).contains(&spent), "rent of a vault and a token account: {spent}");
    let vault = view::vault(&*desk.chain, &address::vault(&desk.market, &desk.user(), 0)).unwrap();
    let totals = view(&desk).totals(&vault, Purpose::Liquidation).unwrap();
    assert!(totals.debt.0 >= keel_risk::Fraction::from_integer(1_000) && totals.is_healthy());
}

#[test]
fn a_vault_is_emptied_and_closed_at_once() {
    let desk = Desk::open();
    opened(&desk);
    desk.pass(30);
    let key = address::vault(&desk.market, &desk.user(), 0);
    let (view, vault) = (view(&desk), view::vault(&*desk.chain, &key).unwrap());
    let owed = view.amount(vault.find(&desk.usd).unwrap(), Side::Debt).unwrap().0;
    assert!(owed > 1_000 * USD, "interest: {owed}");
    // The interest has to come from somewhere: borrow against a second vault.
    let second = Actions::opening(&view, desk.user(), 1).deposit(&desk.sol, AmountSpec::Exact(SOL)).unwrap();
    send(&desk, &second.borrow(&desk.usd, 20 * USD).unwrap().instructions()).unwrap();
    let actions = Actions::on(&view, desk.user(), key, &vault).repay(&desk.usd, AmountSpec::All).unwrap();
    let actions = actions.withdraw(&desk.sol, AmountSpec::All).unwrap().close();
    send(&desk, &actions.instructions()).unwrap();
    assert!(desk.chain.account(&key).unwrap().is_none(), "closed");
    assert!(!has_wrapped_sol(&desk));
}

#[test]
fn sol_is_repaid_from_lamports_and_the_rest_comes_back() {
    let desk = Desk::open();
    opened(&desk);
    // A vault that owes SOL against dollars.
    let view_ = view(&desk);
    let actions = Actions::opening(&view_, desk.user(), 1).deposit(&desk.usd, AmountSpec::All).unwrap();
    send(&desk, &actions.borrow(&desk.sol, SOL).unwrap().instructions()).unwrap();
    let key = address::vault(&desk.market, &desk.user(), 1);
    let vault = view::vault(&*desk.chain, &key).unwrap();
    let (before, view) = (lamports(&desk), view(&desk));
    let actions = Actions::on(&view, desk.user(), key, &vault).repay(&desk.sol, AmountSpec::All).unwrap();
    send(&desk, &actions.instructions()).unwrap();
    let spent = before - lamports(&desk);
    assert!((SOL..SOL + SOL / 1_000).contains(&spent), "one SOL, interest and a fee: {spent}");
    assert!(!view::vault(&*desk.chain, &key).unwrap().has(Side::Debt));
}

#[test]
fn wrapped_sol_can_stay_wrapped() {
    let desk = Desk::open();
    let view = view(&desk);
    let actions = Actions::opening(&view, desk.user(), 0).deposit(&desk.sol, AmountSpec::Exact(SOL)).unwrap();
    send(&desk, &actions.keeping_wrapped().instructions()).unwrap();
    assert!(has_wrapped_sol(&desk));
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    let desk = Desk::open();
    let view = view(&desk);
    let actions = || Actions::opening(&view, desk.user(), 0);
    let refused = |result: Result<Actions<'_>, ClientError>| result.err().unwrap();
    assert!(refused(actions().withdraw(&desk.sol, AmountSpec::All)).is(KeelError::NoSuchCollateral));
    assert!(refused(actions().repay(&desk.sol, AmountSpec::All)).is(KeelError::NoSuchDebt));
    let deposited = actions().deposit(&desk.sol, AmountSpec::Exact(SOL)).unwrap();
    // The order of the accounts would be wrong, and the program would refuse: borrowing what is collateral.
    assert!(refused(deposited.borrow(&desk.sol, 1)).is(KeelError::ReserveHeldAsCollateral));
    let unknown = keel_client::keel::ID;
    assert!(matches!(refused(actions().borrow(&unknown, 1)), ClientError::UnknownReserve(key) if key == unknown));
}
