//! Budgets, dry runs, refusals.

use keel::{AmountSpec, KeelError};
use keel_client::actions::Actions;
use keel_client::sending::{Priority, Sender};
use keel_client::transport::Transport;
use keel_client::view::View;
use keel_client::{ClientError, address, instruction, token, transaction};
use keel_tests::Desk;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_signer::null_signer::NullSigner;
use solana_transaction_error::TransactionError;

const SOL: u64 = 1_000_000_000;

fn opening(desk: &Desk, borrowed: u64) -> Vec<Instruction> {
    let view = View::fetch(&*desk.chain, &desk.market).unwrap();
    let actions = Actions::opening(&view, desk.user(), 0).deposit(&desk.sol, AmountSpec::Exact(SOL)).unwrap();
    actions.borrow(&desk.usd, borrowed).unwrap().instructions()
}

#[test]
fn the_budget_follows_from_a_simulation() {
    let desk = Desk::open();
    let mut sender = Sender::new(&*desk.chain, &desk.user);
    sender.priority = Priority::Exact(7);
    let instructions = opening(&desk, 100_000_000);
    let simulated = sender.dry_run(&instructions).unwrap().simulation.compute_units;
    let sent = sender.send(&instructions, &[]).unwrap();
    assert_eq!(sent.budget.priority_fee, 7);
    let declared = u64::from(sent.budget.compute_units);
    assert!(declared > simulated && declared < simulated + simulated / 5, "{declared} for {simulated}");
}

#[test]
fn a_dry_run_changes_nothing_and_says_what_would() {
    let desk = Desk::open();
    let payer = NullSigner::new(&desk.user());
    let run = Sender::new(&*desk.chain, &payer).dry_run(&opening(&desk, 100_000_000)).unwrap();
    assert!(run.simulation.rejection.is_none(), "{:?}", run.simulation.logs);
    let vault = address::vault(&desk.market, &desk.user(), 0);
    let changed: Vec<_> = run.changed.iter().map(|difference| difference.key).collect();
    for key in [vault, desk.sol, desk.usd, address::liquidity(&desk.usd), desk.user()] {
        assert!(changed.contains(&key), "{key} would change");
    }
    let opened = run.changed.iter().find(|difference| difference.key == vault).unwrap();
    assert!(opened.before.is_none() && opened.after.is_some());
    let wrapped = token::associated_address(&desk.user(), &token::WRAPPED_SOL, &token::TOKEN_PROGRAM);
    assert!(!changed.contains(&wrapped), "it is created and closed again");
    assert!(desk.chain.account(&vault).unwrap().is_none(), "nothing was sent");
}

#[test]
fn keels_refusal_comes_with_name_code_and_sentence() {
    let desk = Desk::open();
    let error = Sender::new(&*desk.chain, &desk.user).send(&opening(&desk, 190_000_000), &[]).unwrap_err();
    assert!(error.is(KeelError::Unhealthy));
    assert_eq!(
        error.to_string(),
        "The vault's health factor would be under 1. Borrow or withdraw less, or deposit more (Unhealthy, 6016)"
    );
    assert!(error.logs().iter().any(|line| line.contains("Error Code: Unhealthy")));
}

#[test]
fn another_programs_refusal_names_it() {
    let desk = Desk::open();
    let from = token::associated_address(&desk.governance.pubkey(), &desk.usd_mint, &token::TOKEN_PROGRAM);
    let close = anchor_spl::token::spl_token::instruction::close_account(
        &token::TOKEN_PROGRAM,
        &from,
        &desk.user(),
        &desk.user(),
        &[],
    );
    let error = Sender::new(&*desk.chain, &desk.user).send(&[close.unwrap()], &[]).unwrap_err();
    let ClientError::Rejected(rejection) = &error else { panic!("{error}") };
    assert_eq!((rejection.program, rejection.instruction), (Some(token::TOKEN_PROGRAM), Some(2)));
    assert!(error.to_string().contains(&token::TOKEN_PROGRAM.to_string()), "{error}");
}

#[test]
fn a_signature_that_is_missing_is_noticed() {
    let desk = Desk::open();
    let somebody = NullSigner::new(&desk.user());
    let open = instruction::open_vault(desk.user(), desk.user(), desk.market, 0);
    let error = Sender::new(&*desk.chain, &somebody).send(&[open], &[]).unwrap_err();
    let ClientError::Rejected(rejection) = error else { panic!("{error}") };
    assert_eq!(rejection.error, TransactionError::SignatureFailure);
}

#[test]
fn others_sign_too_and_nobody_twice() {
    let desk = Desk::open();
    let owner = Keypair::new();
    let open = instruction::open_vault(desk.user(), owner.pubkey(), desk.market, 3);
    Sender::new(&*desk.chain, &desk.user).send(&[open], &[&owner, &desk.user, &owner]).unwrap();
    assert!(desk.chain.account(&address::vault(&desk.market, &owner.pubkey(), 3)).unwrap().is_some());
}

#[test]
fn a_lookup_table_makes_transactions_shorter() {
    let desk = Desk::open();
    let view = View::fetch(&*desk.chain, &desk.market).unwrap();
    let sender = Sender::new(&*desk.chain, &desk.user);
    let (instructions, table) =
        transaction::create_lookup_table(&desk.user(), &view.book.lookup_addresses(), view.time.slot - 1);
    // LiteSVM knows no old slots by itself.
    desk.chain.with(|svm| {
        use anchor_lang::compat::solana_sysvar::slot_hashes::SlotHashes;
        svm.set_sysvar(&SlotHashes::new(&[(view.time.slot - 1, Default::default())]));
    });
    for instruction in instructions {
        sender.send(&[instruction], &[]).unwrap();
    }
    desk.pass(2);
    let instructions = opening(&desk, 100_000_000);
    let without = transaction::unsigned(&instructions, &[], &desk.user()).unwrap();
    let with = transaction::unsigned(&instructions, std::slice::from_ref(&table), &desk.user()).unwrap();
    let length = |message: &solana_message::VersionedMessage| message.serialize().len();
    assert!(length(&with.message) + 200 < length(&without.message));
    sender.with_table(&table.key).unwrap().send(&instructions, &[]).unwrap();
}
