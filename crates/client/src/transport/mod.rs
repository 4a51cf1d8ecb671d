//! Where a client's questions and transactions go: a cluster's RPC node, or a chain within this process.

#[cfg(feature = "in-process")]
mod in_process;
#[cfg(feature = "rpc")]
mod rpc;

#[cfg(feature = "in-process")]
pub use in_process::InProcess;
#[cfg(feature = "rpc")]
pub use rpc::Rpc;

use crate::error::{ClientError, Rejection};
use anchor_lang::prelude::Pubkey;
use keel_risk::price::Moment;
use solana_account::Account;
use solana_hash::Hash;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;

/// The chain's clock.
pub const CLOCK: Pubkey = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");
/// When the cluster last restarted.
pub const LAST_RESTART_SLOT: Pubkey = Pubkey::from_str_const("SysvarLastRestartS1ot1111111111111111111111");
/// Accounts that a node gives out in one answer.
pub const ACCOUNTS_PER_REQUEST: usize = 100;

/// A condition on the accounts of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// These bytes stand at this offset.
    Bytes {
        /// Where.
        offset: usize,
        /// Which, 128 at most.
        bytes: Vec<u8>,
    },
    /// The data is this long.
    Size(usize),
}

impl Filter {
    /// Whether an account's data fulfils this.
    pub fn matches(&self, data: &[u8]) -> bool {
        match self {
            Self::Bytes { offset, bytes } => data.get(*offset..).is_some_and(|tail| tail.starts_with(bytes)),
            Self::Size(size) => data.len() == *size,
        }
    }
}

/// What a transaction would do.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// Why it would be refused, if it would be.
    pub rejection: Option<Rejection>,
    /// What it logs.
    pub logs: Vec<String>,
    /// Compute units of the whole transaction.
    pub compute_units: u64,
    /// The accounts that were asked for, as they would be after it; `None` for those that would not exist. Empty when it
    /// would be refused.
    pub accounts: Vec<Option<Account>>,
}

/// The chain's slot and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// Slot.
    pub slot: u64,
    /// Unix seconds.
    pub now: i64,
    /// Slot of the last restart of the cluster, or 0.
    pub last_restart_slot: u64,
}

impl Time {
    /// The moment at which the program would judge prices.
    pub fn moment(&self) -> Moment {
        Moment { now: self.now, last_restart_slot: self.last_restart_slot }
    }

    /// From the accounts of the two sysvars.
    pub fn decode(clock: &Account, last_restart: &Account) -> Result<Self, ClientError> {
        let word = |account: &Account, key: Pubkey, at: usize| {
            let bytes = account.data.get(at..).and_then(|tail| tail.first_chunk::<8>()).copied();
            bytes.ok_or(ClientError::NoAccount { key, expected: "sysvar" })
        };
        Ok(Self {
            // Clock: slot, start of the epoch, epoch, leader schedule's epoch, Unix time.
            slot: u64::from_le_bytes(word(clock, CLOCK, 0)?),
            now: i64::from_le_bytes(word(clock, CLOCK, 32)?),
            last_restart_slot: u64::from_le_bytes(word(last_restart, LAST_RESTART_SLOT, 0)?),
        })
    }
}

/// A chain to ask and to send to.
///
/// # Errors
/// Every function fails with [`ClientError::Unreachable`] when there is no answer.
pub trait Transport {
    /// Accounts by address; `None` for those that do not exist.
    fn accounts(&self, keys: &[Pubkey]) -> Result<Vec<Option<Account>>, ClientError>;

    /// The accounts that `program` owns and that fulfil all filters, by address.
    fn program_accounts(&self, program: &Pubkey, filters: &[Filter]) -> Result<Vec<(Pubkey, Account)>, ClientError>;

    /// A block hash to build a transaction on.
    fn latest_blockhash(&self) -> Result<Hash, ClientError>;

    /// What `transaction` would do, and what `watch` would be after it. Needs no valid signatures and no current block
    /// hash.
    fn simulate(&self, transaction: &VersionedTransaction, watch: &[Pubkey]) -> Result<Simulation, ClientError>;

    /// Sends `transaction` and waits until it is confirmed.
    ///
    /// # Errors
    /// `Rejected` when it fails, `Expired` when it was never included.
    fn send(&self, transaction: &VersionedTransaction) -> Result<Signature, ClientError>;

    /// Lamports that make an account of `size` bytes exempt from rent.
    fn minimum_balance(&self, size: usize) -> Result<u64, ClientError>;

    /// What transactions that write these accounts recently paid per compute unit, in millionths of a lamport; one entry
    /// per slot that the node remembers.
    fn recent_priority_fees(&self, writable: &[Pubkey]) -> Result<Vec<u64>, ClientError>;

    /// Sends many transactions that do not depend on each other and waits until all are confirmed.
    ///
    /// # Errors
    /// As [`Self::send`], for the first that fails.
    fn send_all(&self, transactions: &[VersionedTransaction]) -> Result<(), ClientError> {
        transactions.iter().try_for_each(|transaction| self.send(transaction).map(|_| ()))
    }

    /// One account.
    fn account(&self, key: &Pubkey) -> Result<Option<Account>, ClientError> {
        Ok(self.accounts(&[*key])?.pop().flatten())
    }

    /// The chain's slot and time.
    fn time(&self) -> Result<Time, ClientError> {
        let accounts = self.accounts(&[CLOCK, LAST_RESTART_SLOT])?;
        let [Some(clock), Some(last_restart)] = accounts.as_slice() else {
            return Err(ClientError::NoAccount { key: CLOCK, expected: "sysvar" });
        };
        Time::decode(clock, last_restart)
    }
}

impl<T: Transport + ?Sized> Transport for std::rc::Rc<T> {
    fn accounts(&self, keys: &[Pubkey]) -> Result<Vec<Option<Account>>, ClientError> {
        (**self).accounts(keys)
    }

    fn program_accounts(&self, program: &Pubkey, filters: &[Filter]) -> Result<Vec<(Pubkey, Account)>, ClientError> {
        (**self).program_accounts(program, filters)
    }

    fn latest_blockhash(&self) -> Result<Hash, ClientError> {
        (**self).latest_blockhash()
    }

    fn simulate(&self, transaction: &VersionedTransaction, watch: &[Pubkey]) -> Result<Simulation, ClientError> {
        (**self).simulate(transaction, watch)
    }

    fn send(&self, transaction: &VersionedTransaction) -> Result<Signature, ClientError> {
        (**self).send(transaction)
    }

    fn minimum_balance(&self, size: usize) -> Result<u64, ClientError> {
        (**self).minimum_balance(size)
    }

    fn recent_priority_fees(&self, writable: &[Pubkey]) -> Result<Vec<u64>, ClientError> {
        (**self).recent_priority_fees(writable)
    }

    fn send_all(&self, transactions: &[VersionedTransaction]) -> Result<(), ClientError> {
        (**self).send_all(transactions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_look_at_bytes_and_length() {
        let bytes = |offset, bytes: &[u8]| Filter::Bytes { offset, bytes: bytes.to_vec() };
        assert!(bytes(1, &[2, 3]).matches(&[1, 2, 3]));
        assert!(!bytes(1, &[3]).matches(&[1, 2, 3]));
        assert!(!bytes(4, &[3]).matches(&[1, 2, 3]));
        assert!(!bytes(2, &[3, 4]).matches(&[1, 2, 3]));
        assert!(Filter::Size(3).matches(&[1, 2, 3]) && !Filter::Size(2).matches(&[1, 2, 3]));
    }

    #[test]
    fn time_is_read_from_the_sysvars() {
        let account = |data: Vec<u8>| Account { data, ..Account::default() };
        let mut clock = vec![0; 40];
        clock[..8].copy_from_slice(&7u64.to_le_bytes());
        clock[32..].copy_from_slice(&1_700_000_000i64.to_le_bytes());
        let restart = account(5u64.to_le_bytes().to_vec());
        let time = Time::decode(&account(clock.clone()), &restart).unwrap();
        assert_eq!(time, Time { slot: 7, now: 1_700_000_000, last_restart_slot: 5 });
        clock.truncate(39);
        assert!(Time::decode(&account(clock), &restart).is_err());
    }
}
