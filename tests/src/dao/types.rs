//! What SPL Governance's instructions and accounts are made of, as far as the tests need it.
//!
//! The program's own crate cannot be linked: its Solana libraries exclude those of this workspace. Names and order are
//! the crate's; `tests/dao/encoding.rs` compares the bytes with what the crate itself makes.

use anchor_lang::prelude::*;

/// How many votes a group of voters needs.
#[derive(AnchorSerialize, Clone, Copy, Debug)]
pub enum Threshold {
    /// Percent of all votes there are, not of the votes cast.
    YesVotePercentage(u8),
    /// The program knows it by name and refuses it.
    QuorumPercentage(u8),
    /// This group does not vote.
    Disabled,
}

/// Whether a vote ends before its time.
#[derive(AnchorSerialize, Clone, Copy, Debug)]
pub enum Tipping {
    /// Once nothing can change the outcome.
    Strict,
    /// Once the threshold is reached, with more votes for than against.
    Early,
    /// Never.
    Disabled,
}

/// The rules of a governance account: the crate's `GovernanceConfig`. Weights are in native units, times in seconds.
#[derive(AnchorSerialize, Clone, Copy, Debug)]
pub struct Rules {
    /// Votes of the community that a proposal needs.
    pub community_threshold: Threshold,
    /// Least deposit with which a member of the community proposes something.
    pub min_community_weight_to_propose: u64,
    /// Least time between the end of a vote and what it decided.
    pub min_hold_up: u32,
    /// How long a vote lasts.
    pub voting_time: u32,
    /// Whether the community's vote ends before that.
    pub community_tipping: Tipping,
    /// Votes of the council that a proposal to it needs.
    pub council_threshold: Threshold,
    /// Votes of the council that stop a proposal to the community.
    pub council_veto_threshold: Threshold,
    /// Least deposit with which a member of the council proposes something.
    pub min_council_weight_to_propose: u64,
    /// Whether the council's vote ends before its time.
    pub council_tipping: Tipping,
    /// Votes of the community that stop a proposal to the council.
    pub community_veto_threshold: Threshold,
    /// Time after `voting_time` in which one can only vote against.
    pub cool_off: u32,
    /// Proposals that can be open without a deposit of SOL.
    pub proposals_without_deposit: u8,
}

/// What becomes of a deposited token.
#[derive(AnchorSerialize, Clone, Copy, Debug)]
pub enum TokenType {
    /// It can be withdrawn.
    Liquid,
    /// It cannot be withdrawn, only revoked.
    Membership,
}

/// The rules of one token of a realm. No program but SPL Governance counts its votes.
#[derive(AnchorSerialize, Clone, Copy, Debug)]
pub struct TokenRules {
    /// Whether another program says how much a vote weighs.
    pub voter_weight_addin: bool,
    /// Whether another program says how many votes there are.
    pub max_voter_weight_addin: bool,
    /// What becomes of a deposit.
    pub token_type: TokenType,
}

/// How many votes of the community there are.
#[derive(AnchorSerialize, Clone, Copy, Debug)]
pub enum MaxWeight {
    /// This part of the supply; the whole of it is [`FULL_SUPPLY`].
    SupplyFraction(u64),
}

/// The whole supply, for [`MaxWeight::SupplyFraction`].
pub const FULL_SUPPLY: u64 = 10_000_000_000;

/// The rules of a realm: the crate's `RealmConfigArgs`.
#[derive(AnchorSerialize, Clone, Copy, Debug)]
pub struct RealmRules {
    /// Whether there is a council.
    pub council: bool,
    /// Least deposit with which a member of the community creates a governance account.
    pub min_community_weight_to_create_governance: u64,
    /// How many votes of the community there are.
    pub max_community_weight: MaxWeight,
    /// The community's token.
    pub community_token: TokenRules,
    /// The council's token.
    pub council_token: TokenRules,
}

/// What one can choose from.
#[derive(AnchorSerialize, Clone, Copy, Debug)]
pub enum VoteType {
    /// One of the options, or none of them.
    SingleChoice,
}

/// The part of a vote that goes to one option.
#[derive(AnchorSerialize, Clone, Copy, Debug)]
pub struct Choice {
    /// Zero: the program has no other rank yet.
    pub rank: u8,
    /// Percent of the vote.
    pub weight: u8,
}

/// A vote.
#[derive(AnchorSerialize, Clone, Debug)]
pub enum Vote {
    /// For these options.
    Approve(Vec<Choice>),
    /// Against all of them.
    Deny,
}

impl Vote {
    /// For a proposal with one option.
    pub fn yes() -> Self {
        Self::Approve(vec![Choice { rank: 0, weight: 100 }])
    }
}

/// An instruction as a proposal stores it.
#[derive(AnchorSerialize, Clone, Debug)]
pub struct StoredInstruction {
    /// Its program.
    pub program: Pubkey,
    /// Its accounts.
    pub accounts: Vec<StoredAccount>,
    /// Its data.
    pub data: Vec<u8>,
}

/// An account of a [`StoredInstruction`].
#[derive(AnchorSerialize, Clone, Copy, Debug)]
pub struct StoredAccount {
    /// Where it is.
    pub key: Pubkey,
    /// Whether it signs: for what SPL Governance signs for, this is true.
    pub signer: bool,
    /// Whether it changes.
    pub writable: bool,
}

impl From<&solana_instruction::Instruction> for StoredInstruction {
    fn from(instruction: &solana_instruction::Instruction) -> Self {
        let accounts = instruction.accounts.iter();
        Self {
            program: instruction.program_id,
            accounts: accounts
                .map(|meta| StoredAccount { key: meta.pubkey, signer: meta.is_signer, writable: meta.is_writable })
                .collect(),
            data: instruction.data.clone(),
        }
    }
}

/// How far a proposal is. States that no test reaches have no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It can be edited.
    Draft = 0,
    /// Votes are taken, or the votes have to be counted.
    Voting = 2,
    /// It passed.
    Succeeded = 3,
    /// It passed, and some of its transactions have been executed.
    Executing = 4,
    /// All of them have.
    Completed = 5,
    /// It did not pass.
    Defeated = 7,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Draft, Self::Voting, Self::Succeeded, Self::Executing, Self::Completed, Self::Defeated];

    /// The state in a proposal's account.
    pub fn of(data: &[u8]) -> Self {
        // After the account's type, its governance and its mint.
        let byte = data[1 + 32 + 32];
        Self::ALL.into_iter().find(|state| *state as u8 == byte).unwrap_or_else(|| panic!("a proposal in state {byte}"))
    }
}

/// SPL Governance's own errors, as far as tests name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DaoError {
    /// The voter has voted.
    VoteAlreadyExists = 519,
    /// The proposal has not passed, or everything in it has been executed.
    InvalidStateCannotExecuteTransaction = 524,
    /// The time after the vote has not passed.
    CannotExecuteTransactionWithinHoldUpTime = 525,
    /// The transaction has been executed, others of the proposal have not.
    TransactionAlreadyExecuted = 526,
    /// The transaction would wait less than the governance account demands.
    TransactionHoldUpTimeBelowRequiredMin = 528,
    /// Votes are still being taken.
    CannotFinalizeVotingInProgress = 535,
    /// Votes are not taken any more.
    ProposalVotingTimeExpired = 536,
}

impl DaoError {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::VoteAlreadyExists,
        Self::InvalidStateCannotExecuteTransaction,
        Self::CannotExecuteTransactionWithinHoldUpTime,
        Self::TransactionAlreadyExecuted,
        Self::TransactionHoldUpTimeBelowRequiredMin,
        Self::CannotFinalizeVotingInProgress,
        Self::ProposalVotingTimeExpired,
    ];
}

impl From<DaoError> for crate::check::Refusal {
    fn from(error: DaoError) -> Self {
        solana_instruction::error::InstructionError::Custom(error as u32).into()
    }
}
