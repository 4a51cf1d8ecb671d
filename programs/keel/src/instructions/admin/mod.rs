//! What the roles of a market call, and whoever executes what they queued.

mod accept_role;
mod close_change;
mod execute_change;
mod init_market;
mod init_minted_reserve;
mod init_reserve;
mod queue_change;
mod set_pause;
mod tighten;
mod upgrade_layout;
mod withdraw_insurance;

pub use accept_role::*;
pub use close_change::*;
pub use execute_change::*;
pub use init_market::*;
pub use init_minted_reserve::*;
pub use init_reserve::*;
pub use queue_change::*;
pub use set_pause::*;
pub use tighten::*;
pub use upgrade_layout::*;
pub use withdraw_insurance::*;
