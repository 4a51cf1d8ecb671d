//! A DAO of the real SPL Governance program on a test's chain: a realm with a community and a council.
//!
//! A governance account of the realm is what Keel's roles point at. When a proposal has passed, the program signs for
//! that account whatever instruction the proposal holds. The account cannot pay, as it has data: where an instruction
//! creates accounts, the governance account's native treasury pays, for which the program signs too.

pub mod instruction;
pub mod types;

use crate::chain::{Chain, Failure, Receipt};
use crate::governance_program;
use crate::world::World;
use anchor_lang::prelude::Pubkey;
use keel_client::token::TOKEN_PROGRAM;
use keel_client::transaction::{self, Budget};
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;
use types::{Rules, State, Vote};

/// SPL Governance, where it is on the public chain.
pub const PROGRAM: Pubkey = Pubkey::from_str_const("GovER5Lthms3bLBqWub97yVrMmEogzX7xNjdXpPPCVZw");

/// SOL in the treasury of a new governance account.
const TREASURY_LAMPORTS: u64 = 10_000_000_000;

/// Bytes that a transaction can have.
const MAX_BYTES: usize = 1_232;

/// A realm. The world's governance keypair founds it and hands out its tokens; it signs nothing that the realm decides.
#[derive(Clone, Copy, Debug)]
pub struct Dao {
    /// The realm.
    pub realm: Pubkey,
    /// The community's token.
    pub community: Pubkey,
    /// The council's token: one for a member.
    pub council: Pubkey,
}

/// A proposal: what distinguishes it, and what it is made of.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Its realm.
    pub realm: Pubkey,
    /// The governance account that signs if it passes.
    pub governance: Pubkey,
    /// The token of those who vote.
    pub mint: Pubkey,
    /// Who proposed it.
    pub owner: Pubkey,
    /// Tells it apart from other proposals.
    pub seed: Pubkey,
    /// What it executes, one transaction each.
    pub instructions: Vec<Instruction>,
}

impl Dao {
    /// Puts the program on the chain and founds a realm.
    pub fn found<C: Chain>(w: &mut World<C>) -> Self {
        w.chain.set_program(&PROGRAM, governance_program());
        let community = w.create_mint(6, &TOKEN_PROGRAM);
        let council = w.create_mint(0, &TOKEN_PROGRAM);
        let create = instruction::create_realm("Keel", w.governance.pubkey(), community, council, u64::MAX);
        send(w, &[create], &[&w.governance.insecure_clone()]).unwrap();
        Self { realm: instruction::realm("Keel"), community, council }
    }

    /// Somebody with `votes` of `mint` deposited.
    pub fn voter<C: Chain>(&self, w: &mut World<C>, mint: Pubkey, votes: u64) -> Keypair {
        let voter = w.chain.funded();
        let deposit = instruction::deposit(self.realm, mint, voter.pubkey(), w.governance.pubkey(), votes);
        send(w, &[deposit], &[&w.governance.insecure_clone(), &voter]).unwrap();
        voter
    }

    /// A governance account with these rules, and ten SOL in its treasury.
    pub fn governance<C: Chain>(&self, w: &mut World<C>, rules: Rules) -> Pubkey {
        let (seed, founder) = (w.chain.keypair().pubkey(), w.governance.pubkey());
        let governance = instruction::governance(&self.realm, &seed);
        let treasury = instruction::treasury(&governance);
        let instructions = [
            // The realm's authority needs no votes for it, so it has no record of them either.
            instruction::create_governance(self.realm, seed, founder, founder, rules),
            instruction::create_native_treasury(governance, founder),
            solana_system_interface::instruction::transfer(&founder, &treasury, TREASURY_LAMPORTS),
        ];
        send(w, &instructions, &[&w.governance.insecure_clone()]).unwrap();
        governance
    }

    /// Proposes `instructions` to the holders of `mint`, one transaction each, and begins the vote.
    pub fn propose<C: Chain>(
        &self,
        w: &mut World<C>,
        governance: Pubkey,
        mint: Pubkey,
        owner: &Keypair,
        hold_up: u32,
        instructions: &[Instruction],
    ) -> Result<Proposal, Failure> {
        let proposal = Proposal {
            realm: self.realm,
            governance,
            mint,
            owner: owner.pubkey(),
            seed: w.chain.keypair().pubkey(),
            instructions: instructions.to_vec(),
        };
        let create = instruction::create_proposal(&proposal, "A change", "https://example.org/why");
        send(w, &[create], &[owner])?;
        for (n, inserted) in (0..).zip(instructions) {
            send(w, &[instruction::insert_transaction(&proposal, n, hold_up, inserted)], &[owner])?;
        }
        send(w, &[instruction::sign_off_proposal(&proposal)], &[owner])?;
        Ok(proposal)
    }
}

impl Proposal {
    /// Votes.
    pub fn vote<C: Chain>(&self, w: &mut World<C>, voter: &Keypair, vote: &Vote) -> Result<Receipt, Failure> {
        send(w, &[instruction::cast_vote(self, voter.pubkey(), vote)], &[voter])
    }

    /// Counts the votes.
    pub fn finalize<C: Chain>(&self, w: &mut World<C>) -> Result<Receipt, Failure> {
        let anybody = w.chain.funded();
        send(w, &[instruction::finalize_vote(self)], &[&anybody])
    }

    /// Executes the n-th transaction. Anybody can.
    pub fn execute<C: Chain>(&self, w: &mut World<C>, n: u16) -> Result<Receipt, Failure> {
        let anybody = w.chain.funded();
        let execute = instruction::execute_transaction(self, n, &self.instructions[usize::from(n)]);
        send(w, &[execute], &[&anybody])
    }

    /// How far it is.
    pub fn state<C: Chain>(&self, w: &mut World<C>) -> State {
        State::of(&w.chain.account(&self.address()).unwrap().data)
    }
}

/// Sends a transaction of the size that a public chain takes.
fn send<C: Chain>(w: &mut World<C>, instructions: &[Instruction], signers: &[&Keypair]) -> Result<Receipt, Failure> {
    let mut all = Budget { compute_units: 1_400_000, priority_fee: 1 }.instructions();
    all.extend_from_slice(instructions);
    let signed = transaction::sign(&all, &[], signers, Hash::default()).unwrap();
    let bytes = 1 + 64 * signed.signatures.len() + signed.message.serialize().len();
    assert!(bytes <= MAX_BYTES, "{bytes} bytes are more than a transaction can have ({MAX_BYTES})");
    w.chain.send(instructions, signers)
}
