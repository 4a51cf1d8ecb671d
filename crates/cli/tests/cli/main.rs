//! The commands against the compiled program: in process, and the binary against an embedded chain.

mod chain;
mod change;
mod dao;
mod doctor;
mod documents;
mod migrate;
mod support;
mod vault;
