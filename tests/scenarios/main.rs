//! Lives of vaults and markets, from the first deposit to the last withdrawal.

mod adaptive;
mod bad_debt;
mod capital_free;
mod crash;
mod exchange;
mod feeds;
mod haircuts;
mod interest;
mod isolation;
mod limits;
mod locks;
mod minted;
mod outlook;
mod price_accounts;
mod redemption_fee;
mod support;
mod tokens;
mod views;
