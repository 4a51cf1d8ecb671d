//! What wallet users call.

mod borrow;
mod close_vault;
mod deposit;
mod flow;
mod open_vault;
mod repay;
mod withdraw;

pub use borrow::*;
pub use close_vault::*;
pub use deposit::*;
pub use flow::*;
pub use open_vault::*;
pub use repay::*;
pub use withdraw::*;
