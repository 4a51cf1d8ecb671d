//! What can go wrong on the client's side.

use anchor_lang::prelude::Pubkey;

/// Why something could not be built or decoded.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The account holds something else.
    #[error("account {key} is not a {expected} of Keel: {reason}")]
    WrongAccount {
        /// Address of the account.
        key: Pubkey,
        /// What it should be.
        expected: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The book has no such reserve.
    #[error("reserve {0} is not in the book of this market; fetch it and add it first")]
    UnknownReserve(Pubkey),
    /// An account that a computation needs was not fetched.
    #[error("price account {0} was not fetched")]
    MissingPrice(Pubkey),
    /// The program would refuse.
    #[error("{0}")]
    Refused(keel::KeelError),
    /// The transaction could not be put together.
    #[error("cannot build the transaction: {0}")]
    Transaction(String),
}

impl From<keel::KeelError> for ClientError {
    fn from(error: keel::KeelError) -> Self {
        Self::Refused(error)
    }
}
