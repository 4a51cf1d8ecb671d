//! What governance calls, and the guardian.

mod init_market;
mod init_minted_reserve;
mod init_reserve;
mod set_pause;
mod update_market;
mod update_reserve;
mod withdraw_insurance;

pub use init_market::*;
pub use init_minted_reserve::*;
pub use init_reserve::*;
pub use set_pause::*;
pub use update_market::*;
pub use update_reserve::*;
pub use withdraw_insurance::*;
