//! Nothing loosens without notice: for every parameter, and by every way that somebody may try.
//!
//! | module | what |
//! |---|---|
//! | [`parameters`] | each parameter of a reserve and of a market, in both directions |
//! | [`ways`] | the ways around a delay: presigned transactions, listing again, old changes, many at once |
//! | [`health`] | what the risk crate calls safe lowers no vault's health |

mod health;
mod parameters;
mod support;
mod ways;
