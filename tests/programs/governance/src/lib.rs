//! SPL Governance as it is published, with nothing added: this crate only makes its entrypoint a program file.
//!
//! It has a workspace and a lock file of its own. See `docs/decisions/0015-a-real-dao.md`.

pub use spl_governance;
