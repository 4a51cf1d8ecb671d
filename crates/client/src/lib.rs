//! What a wallet, a bot or a tool needs to use Keel.
//!
//! | module | what it does |
//! |---|---|
//! | [`address`] | derives the program's addresses |
//! | [`account`] | decodes accounts |
//! | [`book`] | the listed assets of a market and where their prices are; orders the accounts of an instruction |
//! | [`change`] | what a queued change does, parameter by parameter |
//! | [`instruction`] | builds every instruction |
//! | [`health`] | values a vault from fetched accounts, with the program's own code |
//! | [`preview`] | what an action would do to a vault |
//! | [`standing`] | what a reserve is like at a moment |
//! | [`token`] | associated token accounts, wrapped SOL |
//! | [`transaction`] | compute budget, lookup tables, versioned transactions |
//! | [`transport`] | where questions and transactions go: a cluster's RPC node, or a chain within this process |
//! | [`view`] | a market as fetched at one moment |
//! | [`actions`] | several actions on a vault in one transaction: open, deposit, borrow |
//! | [`sending`] | sends instructions: compute budget from a simulation, priority fee, dry runs |
//! | [`error`] | what can go wrong; what the chain said when it refused, in the program's own words |
//! | [`price_update`] | price accounts in Pyth's format, for local chains and tests |
//!
//! The flow: fetch a [`view::View`] of the market, put [`actions::Actions`] together, send them with a
//! [`sending::Sender`]. Bots that keep accounts in memory use a [`book::Book`] and [`instruction`] directly.
//!
//! Features: `rpc` (on by default) is the RPC node as a transport; `in-process` is LiteSVM as one, for tests.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod account;
pub mod actions;
pub mod address;
pub mod book;
pub mod change;
pub mod error;
pub mod health;
pub mod instruction;
pub mod preview;
pub mod price_update;
pub mod sending;
pub mod standing;
pub mod token;
pub mod transaction;
pub mod transport;
pub mod view;

pub use error::{ClientError, Rejection};
pub use keel;
pub use keel_risk;
