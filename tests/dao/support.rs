//! A market that a DAO governs and whose guardian is the DAO's council.

use anchor_lang::prelude::Pubkey;
use keel::state::{Change, pause};
use keel_client::instruction::Queued;
use keel_client::{address, instruction};
use keel_tests::bank::Bank;
use keel_tests::dao::instruction::treasury;
use keel_tests::dao::types::{Rules, State, Threshold, Tipping, Vote};
use keel_tests::dao::{Dao, Proposal};
use keel_tests::world::with_notice;
use keel_tests::{Chain, Failure, ProgramTestChain, Receipt, World};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// How long the community votes, and waits afterwards.
pub const VOTING: u32 = 259_200;
pub const HOLD_UP: u32 = 86_400;

/// Native units of the community's token: half of it, and what makes 60 % and 100 % of it.
pub const VOTES: [u64; 3] = [500_000, 300_000, 200_000];

/// A market that was never governed by a keypair.
pub struct Governed {
    pub w: Bank,
    pub dao: Dao,
    /// The market's `governance`: the community decides what it signs.
    pub governance: Pubkey,
    /// The market's `guardian`: two of three members of the council decide what it signs.
    pub guardian: Pubkey,
    pub community: [Keypair; 3],
    pub council: [Keypair; 3],
}

/// 60 % of all votes of the community, in three days, with a day before anything happens.
pub fn community_rules() -> Rules {
    Rules {
        community_threshold: Threshold::YesVotePercentage(60),
        min_community_weight_to_propose: 100_000,
        min_hold_up: HOLD_UP,
        voting_time: VOTING,
        community_tipping: Tipping::Disabled,
        council_threshold: Threshold::Disabled,
        council_veto_threshold: Threshold::Disabled,
        min_council_weight_to_propose: u64::MAX,
        council_tipping: Tipping::Disabled,
        community_veto_threshold: Threshold::Disabled,
        cool_off: 0,
        proposals_without_deposit: 10,
    }
}

/// Two of three members of the council, at once.
pub fn guardian_rules() -> Rules {
    Rules {
        community_threshold: Threshold::Disabled,
        min_community_weight_to_propose: u64::MAX,
        min_hold_up: 0,
        voting_time: 3_600,
        // The program rounds up: 66 % of three votes are two, 67 % would be three.
        council_threshold: Threshold::YesVotePercentage(66),
        min_council_weight_to_propose: 1,
        council_tipping: Tipping::Early,
        ..community_rules()
    }
}

/// Founds the DAO, which then creates the market by its first vote.
pub fn governed() -> Governed {
    let mut w = World::without_market(ProgramTestChain::new());
    let dao = Dao::found(&mut w);
    let community = VOTES.map(|votes| dao.voter(&mut w, dao.community, votes));
    let council = [1; 3].map(|votes| dao.voter(&mut w, dao.council, votes));
    let governance = dao.governance(&mut w, community_rules());
    let guardian = dao.governance(&mut w, guardian_rules());
    let mut governed = Governed { w, dao, governance, guardian, community, council };
    let steward = governed.w.risk_steward.pubkey();
    let create = instruction::init_market(treasury(&governance), governance, 0, with_notice(), guardian, steward);
    assert_eq!(governed.w.market, address::market(0));
    governed.decide(create).unwrap();
    governed
}

/// What queues the next change, signed by `governance`, whose treasury pays for the account.
pub fn queue(g: &mut Governed, governance: Pubkey, target: Pubkey, change: Change) -> (Instruction, Queued) {
    let queued = Queued { rent_payer: treasury(&governance), ..g.w.next_change() };
    (instruction::queue_change(governance, &queued, target, change), queued)
}

/// What pauses borrowing for a day, signed by `signer`.
pub fn stop_borrowing(g: &Governed, signer: Pubkey) -> Instruction {
    instruction::set_pause(signer, g.w.market, pause::BORROW, 86_400)
}

impl Governed {
    /// The community queues a change.
    pub fn announce(&mut self, target: Pubkey, change: Change) -> Queued {
        let (queue, queued) = queue(self, self.governance, target, change);
        self.decide(queue).unwrap();
        queued
    }

    /// Anybody executes a change.
    pub fn execute(&mut self, instruction: Instruction) -> Result<Receipt, Failure> {
        let anybody = self.w.chain.funded();
        self.w.send(instruction, &anybody)
    }

    /// The largest holder proposes, and the vote begins.
    pub fn propose(&mut self, instructions: &[Instruction]) -> Proposal {
        let Self { w, dao, governance, community, .. } = self;
        dao.propose(w, *governance, dao.community, &community[0], HOLD_UP, instructions).unwrap()
    }

    /// The community votes: one vote for each of its members, or none.
    pub fn vote(&mut self, proposal: &Proposal, votes: [Option<Vote>; 3]) {
        for (voter, vote) in self.community.iter().zip(votes) {
            if let Some(vote) = vote {
                proposal.vote(&mut self.w, voter, &vote).unwrap();
            }
        }
    }

    /// Proposes, votes with 80 % of all votes for it and the rest against it, and counts.
    pub fn pass(&mut self, instructions: &[Instruction]) -> Proposal {
        let proposal = self.propose(instructions);
        self.vote(&proposal, [Some(Vote::yes()), Some(Vote::yes()), Some(Vote::Deny)]);
        self.end(&proposal);
        assert_eq!(proposal.state(&mut self.w), State::Succeeded);
        proposal
    }

    /// Waits for the end of the community's vote, and counts.
    pub fn end(&mut self, proposal: &Proposal) {
        self.w.pass(i64::from(VOTING) + 1);
        proposal.finalize(&mut self.w).unwrap();
    }

    /// [`Self::pass`], and executes.
    pub fn decide(&mut self, instruction: Instruction) -> Result<Receipt, Failure> {
        let proposal = self.pass(&[instruction]);
        self.w.pass(i64::from(HOLD_UP));
        proposal.execute(&mut self.w, 0)
    }

    /// A member of the council proposes something to it, and these vote for it.
    pub fn alert(&mut self, instruction: &Instruction, voters: &[usize]) -> Proposal {
        let Self { w, dao, guardian, council, .. } = self;
        let instructions = std::slice::from_ref(instruction);
        let proposal = dao.propose(w, *guardian, dao.council, &council[0], 0, instructions).unwrap();
        for voter in voters {
            proposal.vote(w, &council[*voter], &Vote::yes()).unwrap();
        }
        proposal
    }
}
