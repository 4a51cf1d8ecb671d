//! Every instruction that a user can send, and how it is built.

use super::arena::Arena;
use super::specs::{MINTED, SWAPPED};
use anchor_lang::InstructionData;
use keel::AmountSpec;
use keel::state::Vault;
use keel_client::instruction::{self, Actor, Liquidation};
use solana_instruction::Instruction;

/// A vault by its owner's number and its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VaultId {
    /// Number of the user.
    pub owner: usize,
    /// Index of the vault.
    pub index: usize,
}

/// Who moves how much of what in which vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowOf {
    /// Number of the user who signs, and whose tokens move.
    pub user: usize,
    /// The vault.
    pub vault: VaultId,
    /// The asset.
    pub asset: usize,
    /// How much.
    pub amount: AmountSpec,
}

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `open_vault`.
    Open { vault: VaultId },
    /// `close_vault`.
    Close { user: usize, vault: VaultId },
    /// `deposit`.
    Deposit(FlowOf),
    /// `withdraw`.
    Withdraw(FlowOf),
    /// `borrow`.
    Borrow(FlowOf),
    /// `repay`.
    Repay(FlowOf),
    /// `liquidate`.
    Liquidate { keeper: usize, vault: VaultId, debt: usize, collateral: usize, max_repay: u64, min_seize: u64 },
    /// `redeem`.
    Redeem { redeemer: usize, vault: VaultId, debt: usize, collateral: usize, max_repay: u64, min_seize: u64 },
    /// `swap_in`.
    SwapIn { user: usize, assets: u64, min_tokens: u64 },
    /// `swap_out`.
    SwapOut { user: usize, tokens: u64, min_assets: u64 },
    /// `withdraw_insurance`, to the signer.
    WithdrawInsurance { signer: usize, asset: usize, amount: u64 },
    /// `refresh_reserve` with prices.
    Refresh { user: usize, asset: usize },
    /// `refresh_reserve` without.
    Accrue { user: usize, asset: usize },
    /// `challenge_feed`.
    Challenge { user: usize, asset: usize, feed: u8 },
    /// `resolve_bad_debt`.
    Resolve { user: usize, vault: VaultId, asset: usize },
}

impl Action {
    /// Its name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open_vault",
            Self::Close { .. } => "close_vault",
            Self::Deposit(_) => "deposit",
            Self::Withdraw(_) => "withdraw",
            Self::Borrow(_) => "borrow",
            Self::Repay(_) => "repay",
            Self::Liquidate { .. } => "liquidate",
            Self::Redeem { .. } => "redeem",
            Self::SwapIn { .. } => "swap_in",
            Self::SwapOut { .. } => "swap_out",
            Self::WithdrawInsurance { .. } => "withdraw_insurance",
            Self::Refresh { .. } => "refresh_reserve",
            Self::Accrue { .. } => "accrue_reserve",
            Self::Challenge { .. } => "challenge_feed",
            Self::Resolve { .. } => "resolve_bad_debt",
        }
    }

    /// Number of the player who signs.
    pub fn signer(&self) -> usize {
        match *self {
            Self::Open { vault } => vault.owner,
            Self::Deposit(f) | Self::Withdraw(f) | Self::Borrow(f) | Self::Repay(f) => f.user,
            Self::Liquidate { keeper, .. } => keeper,
            Self::Redeem { redeemer, .. } => redeemer,
            Self::WithdrawInsurance { signer, .. } => signer,
            Self::Close { user, .. }
            | Self::SwapIn { user, .. }
            | Self::SwapOut { user, .. }
            | Self::Refresh { user, .. }
            | Self::Accrue { user, .. }
            | Self::Challenge { user, .. }
            | Self::Resolve { user, .. } => user,
        }
    }

    /// The vault that may change.
    pub fn vault(&self) -> Option<VaultId> {
        match *self {
            Self::Open { vault }
            | Self::Close { vault, .. }
            | Self::Liquidate { vault, .. }
            | Self::Redeem { vault, .. }
            | Self::Resolve { vault, .. } => Some(vault),
            Self::Deposit(f) | Self::Withdraw(f) | Self::Borrow(f) | Self::Repay(f) => Some(f.vault),
            Self::SwapIn { .. }
            | Self::SwapOut { .. }
            | Self::WithdrawInsurance { .. }
            | Self::Refresh { .. }
            | Self::Accrue { .. }
            | Self::Challenge { .. } => None,
        }
    }

    /// The assets whose reserves may change.
    pub fn assets(&self) -> Vec<usize> {
        match *self {
            Self::Open { .. } | Self::Close { .. } => vec![],
            Self::Deposit(f) | Self::Withdraw(f) | Self::Borrow(f) | Self::Repay(f) => vec![f.asset],
            Self::Liquidate { debt, collateral, .. } | Self::Redeem { debt, collateral, .. } => vec![debt, collateral],
            Self::SwapIn { .. } | Self::SwapOut { .. } => vec![MINTED, SWAPPED],
            Self::WithdrawInsurance { asset, .. }
            | Self::Refresh { asset, .. }
            | Self::Accrue { asset, .. }
            | Self::Challenge { asset, .. }
            | Self::Resolve { asset, .. } => vec![asset],
        }
    }

    /// The instruction, with the remaining accounts that the vault asks for now.
    pub fn build(&self, arena: &Arena) -> Instruction {
        let book = &arena.world.book;
        let reserve = |asset: usize| arena.world.assets[asset].reserve;
        let signer = arena.players[self.signer()].key();
        let actor = |f: &FlowOf| Actor {
            user: signer,
            vault: arena.vault_key(f.vault),
            reserve: reserve(f.asset),
            token_account: arena.players[f.user].tokens[f.asset],
        };
        let state = |id: VaultId| arena.state.vault(id).copied().unwrap_or_else(closed);
        match *self {
            Self::Open { vault } => {
                instruction::open_vault(signer, signer, book.market, u16::try_from(vault.index).unwrap())
            }
            Self::Close { vault, .. } => instruction::close_vault(signer, arena.vault_key(vault)),
            Self::Deposit(f) => instruction::deposit(book, &actor(&f), f.amount).unwrap(),
            Self::Withdraw(f) => instruction::withdraw(book, &state(f.vault), &actor(&f), f.amount).unwrap(),
            Self::Borrow(f) => {
                let mut borrow = instruction::borrow(book, &state(f.vault), &actor(&f), 0).unwrap();
                borrow.data = keel::instruction::Borrow { amount: f.amount }.data();
                borrow
            }
            Self::Repay(f) => instruction::repay(book, &state(f.vault), &actor(&f), f.amount).unwrap(),
            Self::Liquidate { vault, debt, collateral, max_repay, min_seize, .. } => {
                let terms = Liquidation {
                    keeper: signer,
                    vault: arena.vault_key(vault),
                    debt_reserve: reserve(debt),
                    collateral_reserve: reserve(collateral),
                    max_repay,
                    min_seize,
                };
                instruction::liquidate(book, &state(vault), &terms).unwrap()
            }
            Self::Redeem { vault, debt, collateral, max_repay, min_seize, .. } => {
                let terms = Liquidation {
                    keeper: signer,
                    vault: arena.vault_key(vault),
                    debt_reserve: reserve(debt),
                    collateral_reserve: reserve(collateral),
                    max_repay,
                    min_seize,
                };
                instruction::redeem(book, &state(vault), &terms).unwrap()
            }
            Self::SwapIn { assets, min_tokens, .. } => instruction::swap_in(book, signer, assets, min_tokens).unwrap(),
            Self::SwapOut { tokens, min_assets, .. } => {
                instruction::swap_out(book, signer, tokens, min_assets).unwrap()
            }
            Self::WithdrawInsurance { signer: officer, asset, amount } => {
                let to = arena.players[officer].tokens[asset];
                instruction::withdraw_insurance(book, signer, reserve(asset), to, amount).unwrap()
            }
            Self::Refresh { asset, .. } => instruction::refresh_reserve(book, reserve(asset)).unwrap(),
            Self::Accrue { asset, .. } => instruction::accrue_reserve(book, reserve(asset)),
            Self::Challenge { asset, feed, .. } => instruction::challenge_feed(reserve(asset), feed),
            Self::Resolve { vault, asset, .. } => {
                instruction::resolve_bad_debt(book, arena.vault_key(vault), &state(vault), reserve(asset)).unwrap()
            }
        }
    }
}

/// What stands in for a vault that is not open.
fn closed() -> Vault {
    bytemuck::Zeroable::zeroed()
}
