//! Where a follower reads the chain.

use crate::IndexError;
use solana_signature::Signature;

/// How sure it is that a transaction stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commitment {
    /// Most validators have voted for it. It may vanish.
    Confirmed,
    /// It stays.
    Finalized,
}

/// A transaction in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The transaction.
    pub signature: Signature,
    /// Where it was executed.
    pub slot: u64,
    /// Unix seconds, where the node knows them.
    pub time: Option<i64>,
    /// Whether it failed: then nothing of what it logged has happened.
    pub failed: bool,
    /// Whether it stays.
    pub finalized: bool,
}

/// A transaction that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// Where it was executed.
    pub slot: u64,
    /// Its logs, if the node kept them.
    pub logs: Option<Vec<String>>,
}

/// A chain, as far as one program is concerned. The follower asks one question at a time.
///
/// What a source has to promise, and an RPC node keeps: the finalized transactions never change, but for new ones at
/// their end and, if the node forgets, missing ones at their beginning. Nothing is promised of others: two pages of
/// confirmed transactions may be of two forks.
///
/// # Errors
/// Every function fails with [`IndexError::Source`] when there is no answer. The follower asks again later.
pub trait Source {
    /// What tells this chain from others: the hash of its beginning.
    fn genesis(&self) -> Result<String, IndexError>;

    /// The first slot of which transactions can be asked for.
    fn first_slot(&self) -> Result<u64, IndexError>;

    /// The newest slot that stays.
    fn finalized_slot(&self) -> Result<u64, IndexError>;

    /// Transactions that name the program, the last executed first: older than `before`, and newer than `until` if the
    /// source knows it. Empty when there are none left, and when the source does not know `before`.
    fn page(
        &self,
        commitment: Commitment,
        before: Option<Signature>,
        until: Option<Signature>,
    ) -> Result<Vec<Listed>, IndexError>;

    /// Transactions that succeeded, by signature; `None` for those that the source does not have.
    fn transactions(&self, signatures: &[Signature]) -> Result<Vec<Option<Executed>>, IndexError>;
}
