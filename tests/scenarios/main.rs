//! Lives of vaults and markets, from the first deposit to the last withdrawal.

mod bad_debt;
mod crash;
mod feeds;
mod interest;
mod locks;
mod support;
mod tokens;
