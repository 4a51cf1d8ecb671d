//! Follows the program's events, and the market's numbers, into a database, and answers questions about them.
//!
//! | module | what it does |
//! |---|---|
//! | [`source`] | what a chain has to answer; [`rpc`] is a node, tests play others |
//! | [`logs`] | which program said what in a transaction |
//! | [`event`] | the program's events |
//! | [`follow`] | reads the chain into the store, each event once |
//! | [`sample`] | what the reserves are like at a moment |
//! | [`store`] | the database |
//! | [`run`] | does all that until it is stopped |
//! | [`api`] | answers questions from the database; [`serve`] does by HTTP |
//!
//! `docs/developers/indexing.md` says what is promised, and what a larger installation would change.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod api;
pub mod event;
pub mod follow;
pub mod logs;
pub mod rpc;
pub mod run;
pub mod sample;
pub mod serve;
pub mod source;
pub mod store;

use solana_signature::Signature;
use std::path::PathBuf;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The node does not answer, or not what it should.
    #[error("the node does not answer as it should: {0}; it is asked again")]
    Source(String),
    /// The node does not know the newest transaction that was read.
    #[error(
        "the node does not list transaction {cursor} of slot {slot}, which was read before; if it is behind, this passes"
    )]
    Behind {
        /// The transaction.
        cursor: Signature,
        /// Its slot.
        slot: u64,
    },
    /// The node has another history.
    #[error(
        "the node lists older transactions than {cursor} of slot {slot}, which was read before, and not that one. If it is \
         behind, this passes; if it is of another chain, or the chain was begun anew, use another store"
    )]
    Contradiction {
        /// The transaction.
        cursor: Signature,
        /// Its slot.
        slot: u64,
    },
    /// The node lists a transaction and does not have it.
    #[error("the node lists transaction {0} and does not have it; it is asked again")]
    Unread(Signature),
    /// The store is of something else.
    #[error(
        "{path} is the store of another chain or market: chain, program and market there are {theirs}, here {ours}. Use \
         another file"
    )]
    OtherChain {
        /// The file.
        path: PathBuf,
        /// Genesis hash, program and market of the store.
        theirs: String,
        /// Those of the chain.
        ours: String,
    },
    /// Another version wrote the store.
    #[error(
        "{path} has layout {version}, and this version writes {ours}. Use another file: it is filled from the chain"
    )]
    Layout {
        /// The file.
        path: PathBuf,
        /// Its layout.
        version: i64,
        /// Today's.
        ours: i64,
    },
    /// The store has something that was never written there.
    #[error("the store is damaged: {0}. Remove it: it is filled from the chain")]
    Damaged(String),
    /// Another process writes the store.
    #[error("{0} is written by another process; stop it, or use another file")]
    Busy(PathBuf),
    /// The store cannot be locked.
    #[error("{0} cannot be locked: {1}")]
    Lock(PathBuf, std::io::Error),
    /// The answers cannot be served.
    #[error("cannot serve at {0}: {1}; choose another address with --listen")]
    Listen(String, std::io::Error),
    /// The database fails.
    #[error("the store: {0}")]
    Store(#[from] rusqlite::Error),
}

impl From<keel_client::ClientError> for IndexError {
    fn from(error: keel_client::ClientError) -> Self {
        Self::Source(error.to_string())
    }
}

#[cfg(test)]
mod tests;
