//! The bytes of SPL Governance's instructions, compared with what its own crate makes of them.
//!
//! `encoding.txt` is the output of `cargo run --example encodings` in `tests/programs/governance`, which uses the crate.

use anchor_lang::prelude::Pubkey;
use keel_tests::dao::types::{DaoError, Rules, State, Threshold, Tipping, Vote};
use keel_tests::dao::{Proposal, instruction as build};
use solana_instruction::{AccountMeta, Instruction};
use std::fmt::Write;

#[test]
fn instructions_are_those_of_the_crate() {
    let expected = include_str!("encoding.txt");
    let actual = instructions() + &numbers();
    for (line, (expected, actual)) in expected.lines().zip(actual.lines()).enumerate() {
        assert_eq!(actual, expected, "line {}", line + 1);
    }
    assert_eq!(actual.lines().count(), expected.lines().count());
}

/// The n-th sample address.
fn key(n: u8) -> Pubkey {
    Pubkey::new_from_array([n; 32])
}

fn instructions() -> String {
    let (payer, community, council, voter) = (key(1), key(2), key(3), key(4));
    let realm = build::realm("Keel");
    let governance = build::governance(&realm, &key(5));
    let record = build::record(&realm, &community, &voter);
    let executed = Instruction {
        program_id: key(7),
        accounts: vec![AccountMeta::new_readonly(governance, true), AccountMeta::new(key(8), false)],
        data: vec![1, 2, 3],
    };
    let instructions = vec![executed.clone()];
    let proposal = Proposal { realm, governance, mint: community, owner: voter, seed: key(6), instructions };
    let rules = Rules {
        community_threshold: Threshold::YesVotePercentage(60),
        min_community_weight_to_propose: 1_000_001,
        min_hold_up: 86_401,
        voting_time: 259_202,
        community_tipping: Tipping::Disabled,
        council_threshold: Threshold::Disabled,
        council_veto_threshold: Threshold::YesVotePercentage(66),
        min_council_weight_to_propose: 3,
        council_tipping: Tipping::Early,
        community_veto_threshold: Threshold::Disabled,
        cool_off: 3_604,
        proposals_without_deposit: 10,
    };
    let all = [
        ("create_realm", build::create_realm("Keel", payer, community, council, 1_000_001)),
        ("deposit_governing_tokens", build::deposit(realm, community, voter, payer, 1_000_002)),
        ("create_governance", build::create_governance(realm, key(5), voter, record, rules)),
        ("create_native_treasury", build::create_native_treasury(governance, payer)),
        ("create_proposal", build::create_proposal(&proposal, "A change", "https://example.org")),
        ("insert_transaction", build::insert_transaction(&proposal, 258, 86_401, &executed)),
        ("sign_off_proposal", build::sign_off_proposal(&proposal)),
        ("cast_vote approve", build::cast_vote(&proposal, voter, &Vote::yes())),
        ("cast_vote deny", build::cast_vote(&proposal, voter, &Vote::Deny)),
        ("finalize_vote", build::finalize_vote(&proposal)),
        ("execute_transaction", build::execute_transaction(&proposal, 258, &executed)),
    ];
    let mut text = String::new();
    for (name, instruction) in all {
        writeln!(text, "{name}\n  program {}", instruction.program_id).unwrap();
        for account in &instruction.accounts {
            let signs = if account.is_signer { " signer" } else { "" };
            let writable = if account.is_writable { " writable" } else { "" };
            writeln!(text, "  account {}{signs}{writable}", account.pubkey).unwrap();
        }
        let data: String = instruction.data.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(text, "  data {data}").unwrap();
    }
    writeln!(text, "treasury {}", build::treasury(&governance)).unwrap();
    text
}

fn numbers() -> String {
    let states = State::ALL.into_iter().map(|state| format!("state {state:?} {}\n", state as u8));
    let errors = DaoError::ALL.into_iter().map(|error| format!("error {error:?} {}\n", error as u32));
    states.chain(errors).collect()
}
