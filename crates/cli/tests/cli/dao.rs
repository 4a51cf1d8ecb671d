//! What `--print-instruction` prints, put into proposals of the real SPL Governance.

use crate::support::parse;
use anchor_lang::AnchorDeserialize;
use anchor_lang::prelude::Pubkey;
use base64::Engine;
use keel_cli::assets::Labels;
use keel_cli::commands;
use keel_cli::context::Context;
use keel_cli::report::Report;
use keel_client::instruction;
use keel_client::keel::state::{Change, Role};
use keel_client::transport::InProcess;
use keel_tests::dao::Dao;
use keel_tests::dao::instruction::treasury;
use keel_tests::dao::types::{Rules, State, Threshold, Tipping, Vote};
use keel_tests::{AssetSpec, LiteChain, World};
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;

/// `InstructionData` of SPL Governance.
#[derive(AnchorDeserialize)]
struct Stored {
    program_id: Pubkey,
    accounts: Vec<StoredAccount>,
    data: Vec<u8>,
}

#[derive(AnchorDeserialize)]
struct StoredAccount {
    key: Pubkey,
    is_signer: bool,
    is_writable: bool,
}

/// What a proposal's interface makes of the text that is pasted into it.
fn pasted(report: &Report) -> Instruction {
    let text = report.json["instructions"][0]["proposal"].as_str().unwrap();
    assert!(report.text.contains(text), "people see the same");
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    let Stored { program_id, accounts, data } = Stored::try_from_slice(&bytes).unwrap();
    let meta = |StoredAccount { key, is_signer, is_writable }| AccountMeta { pubkey: key, is_signer, is_writable };
    Instruction { program_id, accounts: accounts.into_iter().map(meta).collect(), data }
}

/// Runs a command line on a copy of the chain as it is.
fn keel(w: &World<LiteChain>, signer: &Keypair, line: &str) -> Report {
    let cli = parse(line);
    let chain = InProcess::new(w.chain.svm.clone());
    let context = Context::on(Box::new(chain), Labels::default()).with(&cli.global);
    let context = context.signing(Box::new(signer.insecure_clone()));
    commands::run_on(&context, cli.command).unwrap_or_else(|error| panic!("keel {line}: {error:#}"))
}

/// One member decides, at once.
fn rules() -> Rules {
    Rules {
        community_threshold: Threshold::Disabled,
        min_community_weight_to_propose: u64::MAX,
        min_hold_up: 0,
        voting_time: 3_600,
        community_tipping: Tipping::Disabled,
        council_threshold: Threshold::YesVotePercentage(50),
        council_veto_threshold: Threshold::Disabled,
        min_council_weight_to_propose: 1,
        council_tipping: Tipping::Early,
        community_veto_threshold: Threshold::Disabled,
        cool_off: 0,
        proposals_without_deposit: 10,
    }
}

#[test]
fn what_is_printed_can_be_voted_on() {
    let mut spec = AssetSpec::sol();
    spec.config.oracle.feeds[0].account = Pubkey::new_unique();
    let mut w = World::with(LiteChain::new(), &[spec]);
    let dao = Dao::found(&mut w);
    let member = dao.voter(&mut w, dao.council, 1);
    let governance = dao.governance(&mut w, rules());
    let decide = |w: &mut World<LiteChain>, instruction: Instruction| {
        let proposal = dao.propose(w, governance, dao.council, &member, 0, &[instruction]).unwrap();
        proposal.vote(w, &member, &Vote::yes()).unwrap();
        w.pass(1);
        proposal.execute(w, 0).unwrap();
        assert_eq!(proposal.state(w), State::Completed);
    };

    // The DAO takes the market over.
    w.change_market(Change::Role { role: Role::Governance, to: governance }).unwrap();
    let accept = keel(&w, &member, "change accept-role governance --print-instruction");
    decide(&mut w, pasted(&accept));
    assert_eq!(w.market_state().governance, governance);

    // It announces a change, whose rent its treasury pays.
    let reserve = w.assets[0].reserve;
    let queue = format!(
        "change queue reserve {reserve} --set limits.deposit_cap=123.5 --print-instruction --payer {}",
        treasury(&governance)
    );
    let printed = keel(&w, &member, &queue);
    assert!(printed.text.contains("limits.deposit_cap"), "what it does is shown with it: {}", printed.text);
    let number = w.market_state().next_change;
    decide(&mut w, pasted(&printed));
    let listed = keel(&w, &member, "change list");
    assert_eq!((listed.json[0]["nonce"].as_u64(), listed.json[0]["status"].as_str()), (Some(number), Some("ready")));

    // Anybody executes it. What the command sends is what the chain takes.
    keel(&w, &member, &format!("change execute {number}"));
    let queued = instruction::Queued { market: w.market, nonce: number, rent_payer: treasury(&governance) };
    w.send(instruction::execute_change(&queued, Some(reserve), &[]), &member).unwrap();
    assert_eq!(w.reserve(0).config.limits.deposit_cap, 123_500_000_000);
}
