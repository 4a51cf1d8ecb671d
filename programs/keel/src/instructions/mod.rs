//! One file per instruction. A handler validates its accounts, calls one function of the risk crate or of `state`,
//! settles the books (which checks their invariant), moves tokens and emits an event.

pub mod admin;
pub mod liquidation;
pub mod user;

use anchor_lang::prelude::*;
use keel_risk::units::{Amount, Quantity};

/// How much an action concerns.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountSpec {
    /// Exactly this many native units, or the action fails.
    Exact(u64),
    /// All there is: of the token account in a deposit, of the position otherwise.
    All,
}

impl From<AmountSpec> for Quantity {
    fn from(spec: AmountSpec) -> Self {
        match spec {
            AmountSpec::Exact(amount) => Self::Exact(Amount(amount)),
            AmountSpec::All => Self::All,
        }
    }
}
