//! What the integration tests share: chains that run the compiled program, and a world to build on them.
//!
//! Every test builds its own world. Instructions are built by `keel-client` only.

pub mod bank;
pub mod chain;
pub mod check;
pub mod random;
pub mod world;

pub use chain::{Chain, Failure, LiteChain, ProgramTestChain, Receipt};
pub use world::{Asset, AssetSpec, World};

/// The compiled program: the file that the environment variable `KEEL_SO` names.
pub fn program() -> Vec<u8> {
    let path = std::env::var("KEEL_SO").unwrap_or_else(|_| {
        panic!("KEEL_SO is not set: it names the compiled program. `cargo xtask test` builds the program and sets it")
    });
    std::fs::read(&path).unwrap_or_else(|error| panic!("KEEL_SO names {path}, which cannot be read: {error}"))
}
