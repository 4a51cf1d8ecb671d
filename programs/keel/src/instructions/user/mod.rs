//! What wallet users call.

mod borrow;
mod close_vault;
mod deposit;
mod flash;
mod flow;
mod open_vault;
mod repay;
mod set_efficiency_group;
mod swap;
mod vault_life;
mod withdraw;

pub use borrow::*;
pub use close_vault::*;
pub use deposit::*;
pub use flash::*;
pub use flow::*;
pub use open_vault::*;
pub use repay::*;
pub use set_efficiency_group::*;
pub use swap::*;
pub use vault_life::*;
pub use withdraw::*;
