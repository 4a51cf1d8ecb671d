//! What can go wrong on the client's side, and what the chain said when it refused.

use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use solana_signature::Signature;
use solana_transaction_error::TransactionError;
use std::fmt;

/// Why something could not be fetched, built, decoded or executed.
#[derive(Clone, Debug, thiserror::Error)]
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
    /// There is no such account.
    #[error("there is no {expected} at {key}")]
    NoAccount {
        /// Address that was looked at.
        key: Pubkey,
        /// What should be there.
        expected: &'static str,
    },
    /// The book has no such reserve.
    #[error("reserve {0} is not in the book of this market; fetch it and add it first")]
    UnknownReserve(Pubkey),
    /// An account that a computation needs was not fetched.
    #[error("price account {0} was not fetched")]
    MissingPrice(Pubkey),
    /// The program would refuse.
    #[error("{0}")]
    Refused(KeelError),
    /// The transaction could not be put together.
    #[error("cannot build the transaction: {0}")]
    Transaction(String),
    /// The chain executed the transaction, or tried to, and refused it.
    #[error("{0}")]
    Rejected(Box<Rejection>),
    /// The transaction was sent, was not included, and never will be.
    #[error(
        "transaction {0} was not included while its block hash was valid; it will not be anymore. Send it again, with a \
         higher priority fee"
    )]
    Expired(Signature),
    /// The node does not answer, or not what it should.
    #[error("{endpoint} does not answer: {reason}")]
    Unreachable {
        /// Where the question went.
        endpoint: String,
        /// What came back.
        reason: String,
    },
}

impl From<KeelError> for ClientError {
    fn from(error: KeelError) -> Self {
        Self::Refused(error)
    }
}

impl ClientError {
    /// Whether this is that refusal of Keel's, be it foreseen or said by the chain.
    pub fn is(&self, error: KeelError) -> bool {
        match self {
            Self::Refused(refused) => *refused == error,
            Self::Rejected(rejection) => rejection.is(error),
            _ => false,
        }
    }

    /// What the transaction logged, if it came to that.
    pub fn logs(&self) -> &[String] {
        match self {
            Self::Rejected(rejection) => &rejection.logs,
            _ => &[],
        }
    }
}

/// A transaction that the chain refused: which program did, and in its own words where it has any.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    /// The runtime's error.
    pub error: TransactionError,
    /// The instruction that failed, counted from zero; those of the compute budget are counted too.
    pub instruction: Option<u8>,
    /// The program that refused: the innermost one, where one called another.
    pub program: Option<Pubkey>,
    /// The error's name, from a program that is built with Anchor; for Keel's that of a [`KeelError`].
    pub name: Option<String>,
    /// The error's number.
    pub code: Option<u32>,
    /// What it means, in the program's own words, or else the runtime's.
    pub message: String,
    /// What the transaction logged up to there.
    pub logs: Vec<String>,
}

impl Rejection {
    /// From the runtime's error and the logs.
    pub fn new(error: TransactionError, logs: Vec<String>) -> Self {
        use solana_instruction::error::InstructionError;
        let (instruction, code) = match &error {
            TransactionError::InstructionError(index, InstructionError::Custom(code)) => (Some(*index), Some(*code)),
            TransactionError::InstructionError(index, _) => (Some(*index), None),
            _ => (None, None),
        };
        let program = logs.iter().find_map(|line| failed_program(line));
        let said = logs.iter().find_map(|line| anchor_error(line));
        let said = said.filter(|said| code == Some(said.code));
        let message = match &said {
            Some(said) => said.message.clone(),
            // Programs that are not built with Anchor say in their last line what is wrong, if they say anything.
            None => match logs.iter().rev().find_map(|line| line.strip_prefix("Program log: ")) {
                Some(hint) if instruction.is_some() => format!("{error}: {hint}"),
                _ => error.to_string(),
            },
        };
        Self { instruction, program, name: said.map(|said| said.name), code, message, error, logs }
    }

    /// Whether Keel refused with this error.
    pub fn is(&self, error: KeelError) -> bool {
        // Other programs count their errors from the same number.
        self.code == Some(u32::from(error)) && self.name.as_deref() == Some(error.name().as_str())
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, self.code, self.program) {
            (Some(name), Some(code), _) => write!(f, "{} ({name}, {code})", self.message),
            (_, _, Some(program)) if program != keel::ID => write!(f, "program {program} refused: {}", self.message),
            _ => write!(f, "{}", self.message),
        }
    }
}

impl From<Rejection> for ClientError {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(Box::new(rejection))
    }
}

struct Said {
    name: String,
    code: u32,
    message: String,
}

/// `... Error Code: Healthy. Error Number: 6100. Error Message: The vault is healthy.`
fn anchor_error(line: &str) -> Option<Said> {
    let (_, rest) = line.split_once("Error Code: ")?;
    let (name, rest) = rest.split_once(". Error Number: ")?;
    let (code, message) = rest.split_once(". Error Message: ")?;
    let message = message.strip_suffix('.').unwrap_or(message);
    Some(Said { name: name.into(), code: code.parse().ok()?, message: message.into() })
}

/// `Program KeeL... failed: custom program error: 0x17d4`
fn failed_program(line: &str) -> Option<Pubkey> {
    let (program, _) = line.strip_prefix("Program ")?.split_once(" failed: ")?;
    program.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use solana_instruction::error::InstructionError;

    fn custom(code: u32) -> TransactionError {
        TransactionError::InstructionError(2, InstructionError::Custom(code))
    }

    #[test]
    fn keel_speaks_in_its_own_words() {
        let logs = vec![
            format!("Program {} invoke [1]", keel::ID),
            "Program log: AnchorError thrown in programs/keel/src/lib.rs:1. Error Code: Healthy. Error Number: 6100. \
             Error Message: The vault is healthy and cannot be liquidated."
                .to_string(),
            format!("Program {} failed: custom program error: 0x17d4", keel::ID),
        ];
        let rejection = Rejection::new(custom(u32::from(KeelError::Healthy)), logs.clone());
        assert_eq!(rejection.to_string(), "The vault is healthy and cannot be liquidated (Healthy, 6100)");
        assert_eq!((rejection.instruction, rejection.program), (Some(2), Some(keel::ID)));
        let error = ClientError::from(rejection);
        assert!(error.is(KeelError::Healthy) && !error.is(KeelError::Unhealthy));
        assert_eq!(error.logs(), logs);
    }

    #[test]
    fn another_program_is_named() {
        let token = crate::token::TOKEN_PROGRAM;
        let logs = vec![
            format!("Program {} invoke [1]", keel::ID),
            format!("Program {token} invoke [2]"),
            "Program log: Error: insufficient funds".to_string(),
            format!("Program {token} failed: custom program error: 0x1"),
            format!("Program {} failed: custom program error: 0x1", keel::ID),
        ];
        let rejection = Rejection::new(custom(1), logs);
        assert_eq!(rejection.program, Some(token));
        let text = rejection.to_string();
        assert!(text.contains(&token.to_string()) && text.ends_with("insufficient funds"), "{text}");
        assert!(!rejection.is(KeelError::Overflow));
    }

    #[test]
    fn the_runtime_is_quoted_when_no_program_ran() {
        let rejection = Rejection::new(TransactionError::BlockhashNotFound, Vec::new());
        assert_eq!(rejection.to_string(), "Blockhash not found");
        assert_eq!((rejection.code, rejection.instruction), (None, None));
    }
}
