//! Builds Solana programs with the packages of a Linux distribution.
//!
//! The official tools download their own compiler. Where only a package registry and a distribution can be reached,
//! this crate compiles the same program with the distribution's rustc and LLVM. How, and why this way, is written in
//! `docs/decisions/0001-bytecode-from-distribution-packages.md`.

pub mod driver;
pub mod ir;
pub mod link;
mod lock;
pub mod lower;
pub mod overlay;
pub mod profile;
pub mod symbols;
pub mod sysroot;
pub mod toolchain;
pub mod verify;
pub mod wrapper;
