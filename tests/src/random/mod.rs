//! A market full of users who do random things, for the stateful tests.
//!
//! | module | what it does |
//! |---|---|
//! | [`action`] | every instruction that a user can send |
//! | [`build`] | how it is built, alone or after others in one transaction |
//! | [`specs`] | what the market lists, and under which rules |
//! | [`arena`] | the market, the users, and what happens around them: prices, time, faults of the oracle |
//! | [`oracle`] | the feeds, and what they publish |
//! | [`changes`] | what governance has announced |
//! | [`layout`] | configurations as their bytes have them |
//! | [`draw`] | which step comes next: mostly plausible, often at a limit, sometimes absurd |
//! | [`view`] | all accounts at one moment, and the value of a vault then |
//!
//! A run is determined by its seed.

pub mod action;
pub mod arena;
pub mod build;
pub mod changes;
pub mod draw;
pub mod layout;
pub mod oracle;
pub mod specs;
pub mod view;

pub use action::{Action, FlowOf, VaultId};
pub use arena::{Arena, Move};
pub use changes::Announced;
pub use draw::Step;
pub use oracle::Fault;
pub use view::Snapshot;

/// The number in the environment variable `name`, or `default`.
pub fn from_env(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, which is not a number")),
        Err(_) => default,
    }
}
