//! Keel governed by a DAO of the real SPL Governance program: what a vote decides, the program signs.

mod community;
mod encoding;
mod guardian;
mod refusals;
mod roles;
mod support;
