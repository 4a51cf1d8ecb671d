//! Proofs by going through everything: all states of an instance of a few bits, of the code that runs with 60.
//!
//! | module | what is enumerated |
//! |---|---|
//! | [`rounding`] | every row of the table at the head of the crate, over all operands of a few bits |
//! | [`books`] | all books of two fractional bits with every action; all sequences of two users' actions with four |
//! | [`liquidation`] | all vaults up to a few dozen units, every repayment, and every way to split it |

mod books;
mod liquidation;
mod rounding;
