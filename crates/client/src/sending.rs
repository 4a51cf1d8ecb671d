//! Sends instructions: compute budget from a simulation, priority fee, lookup tables, signatures.

use crate::error::ClientError;
use crate::transaction::{self, Budget};
use crate::transport::{Simulation, Transport};
use anchor_lang::prelude::Pubkey;
use solana_account::Account;
use solana_instruction::Instruction;
use solana_message::AddressLookupTableAccount;
use solana_signature::Signature;
use solana_signer::Signer;

/// Most compute units that a transaction may ask for.
const MAX_COMPUTE_UNITS: u32 = 1_400_000;
/// What is added to the simulated compute units, in percent of them: indices and haircuts move until it is executed.
const MARGIN_PERCENT: u64 = 10;
/// And at least so many.
const MARGIN: u64 = 2_000;

/// How much to pay to be included first, in millionths of a lamport per compute unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Exactly this.
    Exact(u64),
    /// What most transactions on the same accounts recently paid, but never more than `most`.
    Recent {
        /// How many in a hundred paid no more than this one will.
        percentile: u8,
        /// Most to pay.
        most: u64,
    },
}

impl Default for Priority {
    fn default() -> Self {
        Self::Recent { percentile: 75, most: 200_000 }
    }
}

impl Priority {
    /// The price, where `recent` says what others paid; it is asked only if that matters.
    pub fn price(&self, recent: impl FnOnce() -> Result<Vec<u64>, ClientError>) -> Result<u64, ClientError> {
        match *self {
            Self::Exact(price) => Ok(price),
            Self::Recent { percentile, most } => {
                let mut fees = recent()?;
                fees.sort_unstable();
                let at = fees.len().saturating_mul(usize::from(percentile.min(100))) / 100;
                let fee = fees.get(at).or(fees.last()).copied();
                Ok(fee.unwrap_or_default().min(most))
            }
        }
    }
}

/// What was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The transaction.
    pub signature: Signature,
    /// What it declared.
    pub budget: Budget,
}

/// An account before and after a transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The account.
    pub key: Pubkey,
    /// As it is.
    pub before: Option<Account>,
    /// As it would be.
    pub after: Option<Account>,
}

/// A transaction that was tried without sending it.
#[derive(Clone, Debug)]
pub struct DryRun {
    /// What it would do.
    pub simulation: Simulation,
    /// The accounts that it would change.
    pub changed: Vec<Difference>,
}

/// Sends instructions for somebody.
pub struct Sender<'a> {
    /// Where to.
    pub transport: &'a dyn Transport,
    /// Who pays.
    pub payer: &'a dyn Signer,
    /// Lookup tables that may be used.
    pub tables: Vec<AddressLookupTableAccount>,
    /// How much to pay for priority.
    pub priority: Priority,
}

impl<'a> Sender<'a> {
    /// With `payer` paying, without lookup tables, at the usual priority.
    pub fn new(transport: &'a dyn Transport, payer: &'a dyn Signer) -> Self {
        Self { transport, payer, tables: Vec::new(), priority: Priority::default() }
    }

    /// Adds a lookup table, fetched.
    pub fn with_table(mut self, key: &Pubkey) -> Result<Self, ClientError> {
        let missing = ClientError::NoAccount { key: *key, expected: "lookup table" };
        let account = self.transport.account(key)?.ok_or(missing)?;
        self.tables.push(transaction::decode_lookup_table(key, &account.data)?);
        Ok(self)
    }

    /// What the instructions would do, and every account that they would change. Needs nobody's signature.
    pub fn dry_run(&self, instructions: &[Instruction]) -> Result<DryRun, ClientError> {
        let writable = self.writable(instructions);
        let before = self.transport.accounts(&writable)?;
        let simulation = self.simulate(instructions, &writable)?;
        let changed = writable
            .into_iter()
            .zip(before.into_iter().zip(simulation.accounts.iter().cloned()))
            .filter(|(_, (before, after))| before != after)
            .map(|(key, (before, after))| Difference { key, before, after })
            .collect();
        Ok(DryRun { simulation, changed })
    }

    /// Executes the instructions in one transaction. `signers` are those besides the payer.
    ///
    /// # Errors
    /// `Rejected` before anything is sent when the simulation fails, or when it fails on the chain after all.
    pub fn send(&self, instructions: &[Instruction], signers: &[&dyn Signer]) -> Result<Sent, ClientError> {
        let simulation = self.simulate(instructions, &[])?;
        if let Some(rejection) = simulation.rejection {
            return Err(rejection.into());
        }
        let units = simulation.compute_units;
        let units = units.saturating_add((units.saturating_mul(MARGIN_PERCENT) / 100).max(MARGIN));
        let compute_units = u32::try_from(units).unwrap_or(MAX_COMPUTE_UNITS).min(MAX_COMPUTE_UNITS);
        let recent = || self.transport.recent_priority_fees(&self.writable(instructions));
        let budget = Budget { compute_units, priority_fee: self.priority.price(recent)? };
        let all = with_budget(&budget, instructions);
        let blockhash = self.transport.latest_blockhash()?;
        let transaction = transaction::sign(&all, &self.tables, &self.signers(signers)?, blockhash)?;
        Ok(Sent { signature: self.transport.send(&transaction)?, budget })
    }

    fn simulate(&self, instructions: &[Instruction], watch: &[Pubkey]) -> Result<Simulation, ClientError> {
        // The price of a unit changes what instructions there are, and each of them costs units.
        let budget = Budget { compute_units: MAX_COMPUTE_UNITS, priority_fee: 1 };
        let payer = self.key()?;
        let transaction = transaction::unsigned(&with_budget(&budget, instructions), &self.tables, &payer)?;
        self.transport.simulate(&transaction, watch)
    }

    fn key(&self) -> Result<Pubkey, ClientError> {
        self.payer.try_pubkey().map_err(|error| ClientError::Transaction(error.to_string()))
    }

    /// The payer first, nobody twice.
    fn signers<'b>(&'b self, signers: &[&'b dyn Signer]) -> Result<Vec<&'b dyn Signer>, ClientError> {
        let mut all: Vec<&dyn Signer> = vec![self.payer];
        let mut keys = vec![self.key()?];
        for signer in signers {
            let key = signer.try_pubkey().map_err(|error| ClientError::Transaction(error.to_string()))?;
            if !keys.contains(&key) {
                keys.push(key);
                all.push(*signer);
            }
        }
        Ok(all)
    }

    /// The accounts that the instructions may write, the payer apart.
    fn writable(&self, instructions: &[Instruction]) -> Vec<Pubkey> {
        let mut keys: Vec<Pubkey> =
            instructions.iter().flat_map(|i| &i.accounts).filter(|meta| meta.is_writable).map(|m| m.pubkey).collect();
        keys.sort();
        keys.dedup();
        keys
    }
}

fn with_budget(budget: &Budget, instructions: &[Instruction]) -> Vec<Instruction> {
    budget.instructions().into_iter().chain(instructions.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_price_follows_what_others_paid() {
        let recent = |fees: &[u64]| Priority::default().price(|| Ok(fees.to_vec())).unwrap();
        assert_eq!(recent(&[]), 0);
        assert_eq!(recent(&[4, 1, 3, 2]), 4);
        assert_eq!(recent(&[0, 0, 0, 0, 0, 0, 9, 9]), 9);
        assert_eq!(recent(&[0, 0, 0, 0, 0, 0, 0, 9]), 0);
        assert_eq!(recent(&[u64::MAX]), 200_000);
        assert_eq!(Priority::Exact(7).price(|| unreachable!("nobody has to be asked")).unwrap(), 7);
    }
}
