//! Previews for browsers: the program's own valuation of vaults, as WebAssembly.
//!
//! [`answer`] takes the accounts as they were fetched and a question, and answers with JSON. It decodes and computes with
//! `keel-client`, as every other tool does, so that an interface shows what the program will do. Nothing is computed here.
//!
//! | module | what it does |
//! |---|---|
//! | [`request`] | reads accounts and question |
//! | [`answer()`] | asks the client library |
//! | [`json`] | writes the answer, without the formatting machinery of the standard library |
//! | [`abi`] | the three functions that JavaScript calls |
//!
//! Compiled for the machine itself the crate is the same function, with which the tests compare what WebAssembly says.
#![warn(missing_docs)]

pub mod abi;
mod answer;
pub mod json;
pub mod request;

pub use answer::answer;
