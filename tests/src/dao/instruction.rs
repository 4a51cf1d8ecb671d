//! Addresses and instructions of SPL Governance, as far as the tests need them. Whoever acts pays.

use super::types::{
    FULL_SUPPLY, MaxWeight, RealmRules, Rules, StoredInstruction, TokenRules, TokenType, Vote, VoteType,
};
use super::{PROGRAM, Proposal};
use anchor_lang::prelude::{AnchorSerialize, Pubkey};
use keel_client::token::TOKEN_PROGRAM;
use solana_instruction::{AccountMeta, Instruction};

const SYSTEM: Pubkey = Pubkey::from_str_const("11111111111111111111111111111111");
const RENT: Pubkey = Pubkey::from_str_const("SysvarRent111111111111111111111111111111111");

/// The only option of every proposal here.
const OPTION: u8 = 0;

/// The program's instructions by number.
#[derive(Clone, Copy)]
enum Tag {
    CreateRealm = 0,
    DepositGoverningTokens = 1,
    CreateGovernance = 4,
    CreateProposal = 6,
    InsertTransaction = 9,
    SignOffProposal = 12,
    CastVote = 13,
    FinalizeVote = 14,
    ExecuteTransaction = 16,
    CreateNativeTreasury = 25,
}

fn derive(seeds: &[&[u8]]) -> Pubkey {
    Pubkey::find_program_address(seeds, &PROGRAM).0
}

/// The realm of this name.
pub fn realm(name: &str) -> Pubkey {
    derive(&[b"governance", name.as_bytes()])
}

fn realm_config(realm: &Pubkey) -> Pubkey {
    derive(&[b"realm-config", realm.as_ref()])
}

/// Where a realm keeps deposits of `mint`.
fn holding(realm: &Pubkey, mint: &Pubkey) -> Pubkey {
    derive(&[b"governance", realm.as_ref(), mint.as_ref()])
}

/// What a realm notes about a voter.
pub fn record(realm: &Pubkey, mint: &Pubkey, owner: &Pubkey) -> Pubkey {
    derive(&[b"governance", realm.as_ref(), mint.as_ref(), owner.as_ref()])
}

/// A governance account of a realm, told apart by `seed`.
pub fn governance(realm: &Pubkey, seed: &Pubkey) -> Pubkey {
    derive(&[b"account-governance", realm.as_ref(), seed.as_ref()])
}

/// The account that keeps the SOL of a governance account.
pub fn treasury(governance: &Pubkey) -> Pubkey {
    derive(&[b"native-treasury", governance.as_ref()])
}

impl Proposal {
    /// Its account.
    pub fn address(&self) -> Pubkey {
        derive(&[b"governance", self.governance.as_ref(), self.mint.as_ref(), self.seed.as_ref()])
    }

    /// The account of its n-th transaction.
    pub fn transaction(&self, n: u16) -> Pubkey {
        derive(&[b"governance", self.address().as_ref(), &[OPTION], &n.to_le_bytes()])
    }

    fn owner_record(&self) -> Pubkey {
        record(&self.realm, &self.mint, &self.owner)
    }
}

fn reads(key: Pubkey) -> AccountMeta {
    AccountMeta::new_readonly(key, false)
}

fn writes(key: Pubkey) -> AccountMeta {
    AccountMeta::new(key, false)
}

fn signs(key: Pubkey) -> AccountMeta {
    AccountMeta::new_readonly(key, true)
}

fn pays(key: Pubkey) -> AccountMeta {
    AccountMeta::new(key, true)
}

fn build(tag: Tag, arguments: impl AnchorSerialize, accounts: Vec<AccountMeta>) -> Instruction {
    let mut data = vec![tag as u8];
    arguments.serialize(&mut data).unwrap();
    Instruction { program_id: PROGRAM, accounts, data }
}

/// Creates a realm of two tokens; those of the council cannot be withdrawn.
pub fn create_realm(name: &str, authority: Pubkey, community: Pubkey, council: Pubkey, min_weight: u64) -> Instruction {
    let realm = realm(name);
    let token = |token_type| TokenRules { voter_weight_addin: false, max_voter_weight_addin: false, token_type };
    let rules = RealmRules {
        council: true,
        min_community_weight_to_create_governance: min_weight,
        max_community_weight: MaxWeight::SupplyFraction(FULL_SUPPLY),
        community_token: token(TokenType::Liquid),
        council_token: token(TokenType::Membership),
    };
    let accounts = vec![
        writes(realm),
        reads(authority),
        reads(community),
        writes(holding(&realm, &community)),
        pays(authority),
        reads(SYSTEM),
        reads(TOKEN_PROGRAM),
        reads(RENT),
        reads(council),
        writes(holding(&realm, &council)),
        writes(realm_config(&realm)),
    ];
    build(Tag::CreateRealm, (name.to_owned(), rules), accounts)
}

/// Mints `amount` votes to `owner`, deposited at once. Signed by the mint's authority and the owner.
pub fn deposit(realm: Pubkey, mint: Pubkey, owner: Pubkey, authority: Pubkey, amount: u64) -> Instruction {
    let accounts = vec![
        reads(realm),
        writes(holding(&realm, &mint)),
        writes(mint),
        signs(owner),
        signs(authority),
        writes(record(&realm, &mint, &owner)),
        pays(authority),
        reads(SYSTEM),
        reads(TOKEN_PROGRAM),
        reads(realm_config(&realm)),
    ];
    build(Tag::DepositGoverningTokens, amount, accounts)
}

/// Creates a governance account. Signed by the realm's authority, or by a voter with this `record`.
pub fn create_governance(realm: Pubkey, seed: Pubkey, authority: Pubkey, record: Pubkey, rules: Rules) -> Instruction {
    let accounts = vec![
        reads(realm),
        writes(governance(&realm, &seed)),
        reads(seed),
        reads(record),
        pays(authority),
        reads(SYSTEM),
        signs(authority),
        reads(realm_config(&realm)),
    ];
    build(Tag::CreateGovernance, rules, accounts)
}

/// Creates the account that keeps the SOL of a governance account.
pub fn create_native_treasury(governance: Pubkey, payer: Pubkey) -> Instruction {
    let accounts = vec![reads(governance), writes(treasury(&governance)), pays(payer), reads(SYSTEM)];
    build(Tag::CreateNativeTreasury, (), accounts)
}

/// Creates a proposal, as a draft. Signed by its owner.
pub fn create_proposal(proposal: &Proposal, name: &str, link: &str) -> Instruction {
    let owner = proposal.owner;
    let accounts = vec![
        reads(proposal.realm),
        writes(proposal.address()),
        writes(proposal.governance),
        writes(proposal.owner_record()),
        reads(proposal.mint),
        signs(owner),
        pays(owner),
        reads(SYSTEM),
        reads(realm_config(&proposal.realm)),
        writes(derive(&[b"proposal-deposit", proposal.address().as_ref(), owner.as_ref()])),
    ];
    let options = vec!["Approve".to_owned()];
    // Only a proposal that can be denied is executable.
    let arguments = (name.to_owned(), link.to_owned(), VoteType::SingleChoice, options, true, proposal.seed);
    build(Tag::CreateProposal, arguments, accounts)
}

/// Adds a transaction of one instruction to a draft, to be executed `hold_up` seconds after the vote at the earliest.
pub fn insert_transaction(proposal: &Proposal, n: u16, hold_up: u32, instruction: &Instruction) -> Instruction {
    let owner = proposal.owner;
    let accounts = vec![
        reads(proposal.governance),
        writes(proposal.address()),
        reads(proposal.owner_record()),
        signs(owner),
        writes(proposal.transaction(n)),
        pays(owner),
        reads(SYSTEM),
        reads(RENT),
    ];
    let stored = vec![StoredInstruction::from(instruction)];
    build(Tag::InsertTransaction, (OPTION, n, hold_up, stored), accounts)
}

/// Ends the draft and begins the vote. Signed by the owner.
pub fn sign_off_proposal(proposal: &Proposal) -> Instruction {
    let accounts = vec![
        reads(proposal.realm),
        reads(proposal.governance),
        writes(proposal.address()),
        signs(proposal.owner),
        reads(proposal.owner_record()),
    ];
    build(Tag::SignOffProposal, (), accounts)
}

/// Votes.
pub fn cast_vote(proposal: &Proposal, voter: Pubkey, vote: &Vote) -> Instruction {
    let voter_record = record(&proposal.realm, &proposal.mint, &voter);
    let accounts = vec![
        reads(proposal.realm),
        writes(proposal.governance),
        writes(proposal.address()),
        writes(proposal.owner_record()),
        writes(voter_record),
        signs(voter),
        writes(derive(&[b"governance", proposal.address().as_ref(), voter_record.as_ref()])),
        reads(proposal.mint),
        pays(voter),
        reads(SYSTEM),
        reads(realm_config(&proposal.realm)),
    ];
    build(Tag::CastVote, vote.clone(), accounts)
}

/// Counts the votes once their time is over. Signed by nobody in particular.
pub fn finalize_vote(proposal: &Proposal) -> Instruction {
    let accounts = vec![
        reads(proposal.realm),
        writes(proposal.governance),
        writes(proposal.address()),
        writes(proposal.owner_record()),
        reads(proposal.mint),
        reads(realm_config(&proposal.realm)),
    ];
    build(Tag::FinalizeVote, (), accounts)
}

/// Executes a transaction of a proposal that passed, which holds `instruction`. Nobody in particular signs: what the
/// instruction wants signed, the program signs for the governance account and its treasury.
pub fn execute_transaction(proposal: &Proposal, n: u16, instruction: &Instruction) -> Instruction {
    let mut accounts = vec![
        reads(proposal.governance),
        writes(proposal.address()),
        writes(proposal.transaction(n)),
        reads(instruction.program_id),
    ];
    accounts.extend(instruction.accounts.iter().map(|meta| AccountMeta { is_signer: false, ..meta.clone() }));
    build(Tag::ExecuteTransaction, (), accounts)
}
