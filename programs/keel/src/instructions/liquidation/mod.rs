//! What keepers call. None of these needs a permission.

mod challenge_feed;
mod liquidate;
mod redeem;
mod refresh_reserve;
mod resolve_bad_debt;

pub use challenge_feed::*;
pub use liquidate::*;
pub use redeem::*;
pub use refresh_reserve::*;
pub use resolve_bad_debt::*;
