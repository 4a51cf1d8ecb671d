//! Prints what SPL Governance's own instruction builders make of sample arguments, and the numbers of its errors.
//!
//! `tests/dao/encoding.txt` is this output: the tests compare with it what `tests/src/dao` builds.

use std::fmt::Write;

use spl_governance::error::GovernanceError;
use spl_governance::instruction as build;
use spl_governance::solana_program::instruction::{AccountMeta, Instruction};
use spl_governance::solana_program::pubkey::Pubkey;
use spl_governance::state::enums::{MintMaxVoterWeightSource, ProposalState, VoteThreshold, VoteTipping};
use spl_governance::state::governance::{GovernanceConfig, get_governance_address};
use spl_governance::state::native_treasury::get_native_treasury_address;
use spl_governance::state::proposal::{VoteType, get_proposal_address};
use spl_governance::state::proposal_transaction::{InstructionData, get_proposal_transaction_address};
use spl_governance::state::realm::{GoverningTokenConfigAccountArgs, get_realm_address};
use spl_governance::state::realm_config::GoverningTokenType;
use spl_governance::state::token_owner_record::get_token_owner_record_address;
use spl_governance::state::vote_record::{Vote, VoteChoice};

fn main() {
    print!("{}{}", instructions(), numbers());
}

/// The n-th sample address.
fn key(n: u8) -> Pubkey {
    Pubkey::new_from_array([n; 32])
}

fn instructions() -> String {
    let program: Pubkey = "GovER5Lthms3bLBqWub97yVrMmEogzX7xNjdXpPPCVZw".parse().unwrap();
    let (payer, community, council, voter) = (key(1), key(2), key(3), key(4));
    let realm = get_realm_address(&program, "Keel");
    let governance = get_governance_address(&program, &realm, &key(5));
    let proposal = get_proposal_address(&program, &governance, &community, &key(6));
    let record = get_token_owner_record_address(&program, &realm, &community, &voter);
    let transaction = get_proposal_transaction_address(&program, &proposal, &[0], &258u16.to_le_bytes());
    let executed = Instruction {
        program_id: key(7),
        accounts: vec![AccountMeta::new_readonly(governance, true), AccountMeta::new(key(8), false)],
        data: vec![1, 2, 3],
    };
    let membership = GoverningTokenConfigAccountArgs {
        token_type: GoverningTokenType::Membership,
        ..GoverningTokenConfigAccountArgs::default()
    };
    let config = GovernanceConfig {
        community_vote_threshold: VoteThreshold::YesVotePercentage(60),
        min_community_weight_to_create_proposal: 1_000_001,
        min_transaction_hold_up_time: 86_401,
        voting_base_time: 259_202,
        community_vote_tipping: VoteTipping::Disabled,
        council_vote_threshold: VoteThreshold::Disabled,
        council_veto_vote_threshold: VoteThreshold::YesVotePercentage(66),
        min_council_weight_to_create_proposal: 3,
        council_vote_tipping: VoteTipping::Early,
        community_veto_vote_threshold: VoteThreshold::Disabled,
        voting_cool_off_time: 3_604,
        deposit_exempt_proposal_count: 10,
    };
    let vote = |vote| {
        build::cast_vote(
            &program,
            &realm,
            &governance,
            &proposal,
            &record,
            &record,
            &voter,
            &community,
            &voter,
            None,
            None,
            vote,
        )
    };
    let all = [
        (
            "create_realm",
            build::create_realm(
                &program,
                &payer,
                &community,
                &payer,
                Some(council),
                None,
                Some(membership),
                "Keel".into(),
                1_000_001,
                MintMaxVoterWeightSource::FULL_SUPPLY_FRACTION,
            ),
        ),
        (
            "deposit_governing_tokens",
            build::deposit_governing_tokens(
                &program, &realm, &community, &voter, &payer, &payer, 1_000_002, &community,
            ),
        ),
        (
            "create_governance",
            build::create_governance(&program, &realm, Some(&key(5)), &record, &voter, &voter, None, config),
        ),
        ("create_native_treasury", build::create_native_treasury(&program, &governance, &payer)),
        (
            "create_proposal",
            build::create_proposal(
                &program,
                &governance,
                &record,
                &voter,
                &voter,
                None,
                &realm,
                "A change".into(),
                "https://example.org".into(),
                &community,
                VoteType::SingleChoice,
                vec!["Approve".into()],
                true,
                &key(6),
            ),
        ),
        (
            "insert_transaction",
            build::insert_transaction(
                &program,
                &governance,
                &proposal,
                &record,
                &voter,
                &voter,
                0,
                258,
                86_401,
                vec![InstructionData::from(executed.clone())],
            ),
        ),
        (
            "sign_off_proposal",
            build::sign_off_proposal(&program, &realm, &governance, &proposal, &voter, Some(&record)),
        ),
        ("cast_vote approve", vote(Vote::Approve(vec![VoteChoice { rank: 0, weight_percentage: 100 }]))),
        ("cast_vote deny", vote(Vote::Deny)),
        ("finalize_vote", build::finalize_vote(&program, &realm, &governance, &proposal, &record, &community, None)),
        (
            "execute_transaction",
            build::execute_transaction(
                &program,
                &governance,
                &proposal,
                &transaction,
                &executed.program_id,
                // What signs there is signed for by the program, so it does not sign outside.
                &[AccountMeta::new_readonly(governance, false), executed.accounts[1].clone()],
            ),
        ),
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
    writeln!(text, "treasury {}", get_native_treasury_address(&program, &governance)).unwrap();
    text
}

fn numbers() -> String {
    let states = [
        ProposalState::Draft,
        ProposalState::Voting,
        ProposalState::Succeeded,
        ProposalState::Executing,
        ProposalState::Completed,
        ProposalState::Defeated,
    ];
    let errors = [
        GovernanceError::VoteAlreadyExists,
        GovernanceError::InvalidStateCannotExecuteTransaction,
        GovernanceError::CannotExecuteTransactionWithinHoldUpTime,
        GovernanceError::TransactionAlreadyExecuted,
        GovernanceError::TransactionHoldUpTimeBelowRequiredMin,
        GovernanceError::CannotFinalizeVotingInProgress,
        GovernanceError::ProposalVotingTimeExpired,
    ];
    let mut text = String::new();
    for state in states {
        writeln!(text, "state {state:?} {}", state.clone() as u8).unwrap();
    }
    for error in errors {
        writeln!(text, "error {error:?} {}", error.clone() as u32).unwrap();
    }
    text
}
