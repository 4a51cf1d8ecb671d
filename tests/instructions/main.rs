//! One module per instruction: what it does, and every reason for which it refuses.

mod borrow;
mod challenge_feed;
mod close_vault;
mod codes;
mod deposit;
mod init_market;
mod init_reserve;
mod life;
mod liquidate;
mod mints;
mod open_vault;
mod refresh_reserve;
mod repay;
mod resolve_bad_debt;
mod support;
mod withdraw;
