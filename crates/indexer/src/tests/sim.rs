//! A chain with forks, outages and pages, played in memory.

use super::{Event, RESERVE};
use crate::IndexError;
use crate::source::{Commitment, Executed, Listed, Source};
use anchor_lang::Event as _;
use anchor_lang::prelude::Pubkey;
use base64::Engine;
use keel::events::FlashLoan;
use solana_signature::Signature;
use std::cell::{RefCell, RefMut};
use std::rc::Rc;

const STRANGER: Pubkey = Pubkey::new_from_array([9; 32]);

/// What a transaction does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Does {
    /// Events of the program.
    pub events: u64,
    /// Whether it fails after them.
    pub fails: bool,
    /// Whether the node leaves out the end of its logs: the events are before.
    pub truncated: bool,
    /// Whether another program logs what looks like an event of ours.
    pub forges: bool,
}

#[derive(Clone, Debug)]
pub struct Transaction {
    pub signature: Signature,
    pub does: Does,
    /// How often it was executed on another fork before: what comes of it depends on that.
    pub fork: u64,
    number: u64,
}

#[derive(Clone, Debug)]
pub struct Block {
    pub slot: u64,
    pub transactions: Vec<Transaction>,
}

pub type Meanwhile = Box<dyn FnMut(&mut Chain)>;

/// The state, to be changed by tests.
pub struct Chain {
    pub blocks: Vec<Block>,
    /// How many of them are final.
    pub finalized: usize,
    pub page: usize,
    /// Answers until the node fails, and how many fail then.
    pub outage: Option<(u32, u32)>,
    /// Slots below are forgotten.
    pub first_slot: u64,
    /// Transactions that the node lists and does not have.
    pub hidden: Vec<Signature>,
    /// Whether lists have what is not final, whatever was asked for.
    pub lists_all: bool,
    /// Answers about a transaction are of another fork: it is in this slot there.
    pub other_fork: Option<u64>,
    pub questions: u64,
    /// Called before each answer.
    pub meanwhile: Option<Meanwhile>,
    count: u64,
}

#[derive(Clone)]
pub struct Sim(Rc<RefCell<Chain>>);

pub fn amount(number: u64, fork: u64, index: u64) -> u64 {
    number * 10_000 + fork * 100 + index
}

impl Transaction {
    fn amounts(&self) -> impl Iterator<Item = (u64, u64)> {
        let (number, fork) = (self.number, self.fork);
        (0..self.does.events).map(move |index| (index, amount(number, fork, index)))
    }

    fn logs(&self) -> Vec<String> {
        let line = |amount| {
            let event = FlashLoan { reserve: RESERVE, amount, fee: 0 };
            format!("Program data: {}", base64::engine::general_purpose::STANDARD.encode(event.data()))
        };
        let mut logs = Vec::new();
        if self.does.forges {
            logs.extend([format!("Program {STRANGER} invoke [1]"), line(7), format!("Program {STRANGER} success")]);
        }
        for (_, amount) in self.amounts() {
            logs.extend([format!("Program {} invoke [1]", keel::ID), line(amount)]);
            logs.push(format!("Program {} success", keel::ID));
        }
        if self.does.truncated {
            logs.extend(["Log truncated".to_string(), line(8)]);
        }
        logs
    }
}

impl Chain {
    /// A new transaction.
    pub fn transaction(&mut self, does: Does) -> Transaction {
        self.count += 1;
        let mut bytes = [0; 64];
        bytes[..8].copy_from_slice(&self.count.to_be_bytes());
        // Signatures say nothing about the order.
        bytes[0] = (self.count.wrapping_mul(151) % 251) as u8;
        Transaction { signature: Signature::from(bytes), does, fork: 0, number: self.count }
    }

    /// Adds a block with new transactions.
    pub fn add(&mut self, slot: u64, does: &[Does]) -> Vec<Signature> {
        let transactions: Vec<_> = does.iter().map(|does| self.transaction(*does)).collect();
        let signatures = transactions.iter().map(|transaction| transaction.signature).collect();
        self.blocks.push(Block { slot, transactions });
        signatures
    }

    pub fn tip(&self) -> u64 {
        self.blocks.last().map_or(1, |block| block.slot)
    }

    /// Drops the blocks from `from` on, which must not be final, and returns what was in them.
    pub fn fork(&mut self, from: usize) -> Vec<Transaction> {
        assert!(from >= self.finalized);
        let dropped = self.blocks.split_off(from).into_iter().flat_map(|block| block.transactions);
        dropped.map(|transaction| Transaction { fork: transaction.fork + 1, ..transaction }).collect()
    }

    pub fn finalize_all(&mut self) {
        self.finalized = self.blocks.len();
    }

    /// Everything that an indexer should know, oldest first.
    pub fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for (number, block) in self.blocks.iter().enumerate() {
            for transaction in block.transactions.iter().filter(|transaction| !transaction.does.fails) {
                events.extend(transaction.amounts().map(|(index, amount)| Event {
                    signature: transaction.signature.to_string(),
                    slot: block.slot,
                    index,
                    amount: amount.to_string(),
                    is_final: number < self.finalized,
                }));
            }
        }
        events
    }

    /// The transactions whose logs the node has cut.
    pub fn truncated(&self) -> Vec<String> {
        let all = self.blocks.iter().flat_map(|block| &block.transactions);
        all.filter(|one| one.does.truncated && !one.does.fails).map(|one| one.signature.to_string()).collect()
    }

    /// Newest first.
    fn listed(&self, commitment: Commitment) -> Vec<Listed> {
        let shown =
            if commitment == Commitment::Finalized && !self.lists_all { self.finalized } else { self.blocks.len() };
        let blocks = self.blocks.iter().enumerate().take(shown).rev().filter(|(_, b)| b.slot >= self.first_slot);
        let list = |(number, block): (usize, &Block)| {
            let (slot, finalized) = (block.slot, number < self.finalized);
            let one = move |one: &Transaction| Listed {
                signature: one.signature,
                slot,
                time: Some(slot as i64),
                failed: one.does.fails,
                finalized,
            };
            block.transactions.iter().rev().map(one).collect::<Vec<_>>()
        };
        blocks.flat_map(list).collect()
    }
}

impl Sim {
    pub fn new() -> Self {
        Self(Rc::new(RefCell::new(Chain {
            blocks: Vec::new(),
            finalized: 0,
            page: 1_000,
            outage: None,
            first_slot: 0,
            hidden: Vec::new(),
            lists_all: false,
            other_fork: None,
            questions: 0,
            meanwhile: None,
            count: 0,
        })))
    }

    pub fn with<T>(&self, change: impl FnOnce(&mut Chain) -> T) -> T {
        change(&mut self.0.borrow_mut())
    }

    /// The chain, after what happens meanwhile.
    fn asked(&self) -> Result<RefMut<'_, Chain>, IndexError> {
        let mut chain = self.0.borrow_mut();
        chain.questions += 1;
        if let Some(mut meanwhile) = chain.meanwhile.take() {
            meanwhile(&mut chain);
            chain.meanwhile = Some(meanwhile);
        }
        match &mut chain.outage {
            Some((0, 0)) => chain.outage = None,
            Some((0, failing)) => {
                *failing -= 1;
                return Err(IndexError::Source("it is out".into()));
            }
            Some((until, _)) => *until -= 1,
            None => {}
        }
        Ok(chain)
    }
}

impl Source for Sim {
    fn genesis(&self) -> Result<String, IndexError> {
        Ok("beginning".into())
    }

    fn first_slot(&self) -> Result<u64, IndexError> {
        Ok(self.asked()?.first_slot)
    }

    fn finalized_slot(&self) -> Result<u64, IndexError> {
        let chain = self.asked()?;
        Ok(chain.finalized.checked_sub(1).map_or(0, |last| chain.blocks[last].slot))
    }

    fn page(
        &self,
        commitment: Commitment,
        before: Option<Signature>,
        until: Option<Signature>,
    ) -> Result<Vec<Listed>, IndexError> {
        let chain = self.asked()?;
        let mut listed = chain.listed(commitment);
        if let Some(before) = before {
            let at = listed.iter().position(|one| one.signature == before);
            listed.drain(..at.map_or(listed.len(), |at| at + 1));
        }
        if let Some(at) = listed.iter().position(|one| Some(one.signature) == until) {
            listed.truncate(at);
        }
        listed.truncate(chain.page);
        Ok(listed)
    }

    fn transactions(&self, signatures: &[Signature]) -> Result<Vec<Option<Executed>>, IndexError> {
        let chain = self.asked()?;
        let find = |signature: &Signature| {
            let all = chain.blocks.iter().flat_map(|block| block.transactions.iter().map(move |one| (block.slot, one)));
            let mut kept =
                all.filter(|(slot, one)| *slot >= chain.first_slot && !chain.hidden.contains(&one.signature));
            let (slot, found) = kept.find(|(_, one)| one.signature == *signature)?;
            let slot = chain.other_fork.unwrap_or(slot);
            (!found.does.fails).then(|| Executed { slot, logs: Some(found.logs()) })
        };
        Ok(signatures.iter().map(find).collect())
    }
}
