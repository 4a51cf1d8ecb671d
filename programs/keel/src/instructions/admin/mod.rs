//! What governance calls.

mod init_market;
mod init_reserve;

pub use init_market::*;
pub use init_reserve::*;
