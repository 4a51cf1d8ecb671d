//! What happened, for whoever follows the program from outside. Amounts in native units, times in Unix seconds.

use crate::state::Role;
use anchor_lang::prelude::*;
use keel_risk::pool::{Loss, Pool};

/// A market exists.
#[event]
pub struct MarketCreated {
    pub market: Pubkey,
    pub governance: Pubkey,
    pub id: u16,
}

/// A market lists an asset.
#[event]
pub struct ReserveCreated {
    pub market: Pubkey,
    pub reserve: Pubkey,
    pub mint: Pubkey,
}

/// A vault exists.
#[event]
pub struct VaultOpened {
    pub market: Pubkey,
    pub vault: Pubkey,
    pub owner: Pubkey,
    pub index: u16,
}

/// A vault is gone.
#[event]
pub struct VaultClosed {
    pub market: Pubkey,
    pub vault: Pubkey,
    pub owner: Pubkey,
}

/// What moved in `deposit`, `withdraw`, `borrow` and `repay`.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Deposit,
    Withdraw,
    Borrow,
    Repay,
}

/// A user moved tokens. `shares` are supply shares for deposit and withdraw, debt shares for borrow and repay, as 60-bit
/// fixed point.
#[event]
pub struct Moved {
    pub flow: Flow,
    pub vault: Pubkey,
    pub reserve: Pubkey,
    pub amount: u64,
    pub shares: u128,
}

/// A keeper liquidated. Health factors are 60-bit fixed point; `u128::MAX` stands for a vault without debt.
#[event]
pub struct Liquidated {
    pub vault: Pubkey,
    pub keeper: Pubkey,
    pub debt_reserve: Pubkey,
    pub collateral_reserve: Pubkey,
    pub repaid: u64,
    pub seized: u64,
    pub to_keeper: u64,
    /// Whether the keeper received supply shares instead of tokens.
    pub in_shares: bool,
    pub bonus: u128,
    pub health_before: u128,
    pub health_after: u128,
}

/// A debt was written off: `owed = insured + socialized + deficit`, up to one native unit of rounding.
#[event]
pub struct BadDebtRecognized {
    pub vault: Pubkey,
    pub reserve: Pubkey,
    pub owed: u64,
    pub insured: u64,
    pub socialized: u64,
    pub deficit: u64,
    pub supply_index: u128,
}

impl BadDebtRecognized {
    /// `pool` after the loss.
    pub fn new(vault: Pubkey, reserve: Pubkey, loss: &Loss, pool: &Pool) -> Self {
        Self {
            vault,
            reserve,
            owed: loss.owed.0,
            insured: loss.insured.0,
            socialized: loss.socialized.0,
            deficit: loss.deficit.0,
            supply_index: pool.supply_index.0.to_bits(),
        }
    }
}

/// The rest of an insolvent vault's collateral became insurance.
#[event]
pub struct CollateralForfeited {
    pub vault: Pubkey,
    pub reserve: Pubkey,
    pub shares: u128,
}

/// Somebody asked for proof that a feed is alive; any accepted price answers.
#[event]
pub struct FeedChallenged {
    pub reserve: Pubkey,
    pub feed: u8,
}

/// A reserve accrued interest and moved its haircut. Indices and haircuts are 60-bit fixed point.
#[event]
pub struct ReserveRefreshed {
    pub reserve: Pubkey,
    pub supply_index: u128,
    pub debt_index: u128,
    pub available: u64,
    pub maintenance_haircut: u128,
    pub haircut_target: u128,
}

/// A change waits for its notice to pass. The sets are parameters by their numbers in [`keel_risk::change`], as bits.
#[event]
pub struct ChangeQueued {
    pub market: Pubkey,
    pub change: Pubkey,
    pub target: Pubkey,
    pub nonce: u64,
    pub earliest: i64,
    pub latest: i64,
    pub tighter: u64,
    pub looser: u64,
    pub sideways: u64,
}

/// A queued change came into force.
#[event]
pub struct ChangeExecuted {
    pub market: Pubkey,
    pub change: Pubkey,
    pub nonce: u64,
}

/// A queued change will not come into force: it was vetoed, or it expired.
#[event]
pub struct ChangeClosed {
    pub market: Pubkey,
    pub change: Pubkey,
    pub nonce: u64,
    pub by: Pubkey,
    pub vetoed: bool,
}

/// A role can be accepted.
#[event]
pub struct RoleOffered {
    pub market: Pubkey,
    pub role: Role,
    pub to: Pubkey,
    pub until: i64,
}

/// Somebody, or nobody, has a role from now on.
#[event]
pub struct RoleGiven {
    pub market: Pubkey,
    pub role: Role,
    pub to: Pubkey,
}

/// A market or reserve has today's layout.
#[event]
pub struct LayoutUpgraded {
    pub account: Pubkey,
}

/// A market has other parameters.
#[event]
pub struct MarketConfigured {
    pub market: Pubkey,
}

/// A reserve has another configuration.
#[event]
pub struct ReserveConfigured {
    pub reserve: Pubkey,
}

/// Somebody paused something, or ended a pause. `paused` is all that is paused now, by governance or guardian, as bits of
/// [`crate::state::pause`]; `until` is when this pause ends.
#[event]
pub struct PauseSet {
    pub market: Pubkey,
    pub by: Pubkey,
    pub paused: u32,
    pub until: i64,
}

/// Governance took insurance above the floor out of a reserve.
#[event]
pub struct InsuranceWithdrawn {
    pub reserve: Pubkey,
    pub amount: u64,
    pub shares: u128,
}

/// The minted token was created for the swap's asset, or burned for it. Amounts in native units of each.
#[event]
pub struct Swapped {
    pub user: Pubkey,
    pub minted_reserve: Pubkey,
    pub pooled_reserve: Pubkey,
    pub minted: bool,
    pub tokens: u64,
    pub assets: u64,
    pub fee: u64,
}

/// Tokens were burned for collateral of a vault: the redeemer was paid a part of what was seized, the rest became insurance.
/// The fee is 60-bit fixed point; half of it stayed with the vault.
#[event]
pub struct Redeemed {
    pub vault: Pubkey,
    pub redeemer: Pubkey,
    pub collateral_reserve: Pubkey,
    pub repaid: u64,
    pub seized: u64,
    pub paid: u64,
    pub fee: u128,
    pub health_before: u128,
    pub health_after: u128,
}

/// A flash loan was repaid with its fee.
#[event]
pub struct FlashLoan {
    pub reserve: Pubkey,
    pub amount: u64,
    pub fee: u64,
}

/// A vault has another delegate, or none.
#[event]
pub struct DelegateSet {
    pub vault: Pubkey,
    pub delegate: Pubkey,
    pub rights: u32,
    pub until: i64,
}

/// A vault is in another efficiency group.
#[event]
pub struct GroupSet {
    pub vault: Pubkey,
    pub group: u32,
}

/// A vault has another owner.
#[event]
pub struct VaultTransferred {
    pub vault: Pubkey,
    pub from: Pubkey,
    pub to: Pubkey,
}
