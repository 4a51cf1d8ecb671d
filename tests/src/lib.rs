//! What the integration tests share: chains that run the compiled program, and a world to build on them.
//!
//! Every test builds its own world. Instructions are built by `keel-client` only.

pub mod bank;
pub mod chain;
pub mod check;
pub mod dao;
pub mod desk;
pub mod pool;
pub mod random;
pub mod world;

pub use chain::{Chain, Failure, LiteChain, ProgramTestChain, Receipt};
pub use desk::Desk;
pub use world::{Asset, AssetSpec, World};

/// The compiled program: the file that the environment variable `KEEL_SO` names.
pub fn program() -> Vec<u8> {
    compiled("KEEL_SO")
}

/// The compiled exchange ([`keel_mock_pool`]): the file that `KEEL_MOCK_POOL_SO` names.
pub fn mock_pool() -> Vec<u8> {
    compiled("KEEL_MOCK_POOL_SO")
}

/// The compiled SPL Governance: the file that `KEEL_GOVERNANCE_SO` names.
pub fn governance_program() -> Vec<u8> {
    compiled("KEEL_GOVERNANCE_SO")
}

fn compiled(variable: &str) -> Vec<u8> {
    let path = std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: it names a compiled program. `cargo xtask test` builds the programs and sets it")
    });
    std::fs::read(&path).unwrap_or_else(|error| panic!("{variable} names {path}, which cannot be read: {error}"))
}
