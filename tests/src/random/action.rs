//! Every instruction that a user can send.

use super::specs::{MINTED, SWAPPED};
use keel::AmountSpec;
use keel::state::{Change, Role};

/// A vault by the number of who opens it and its own. Whose it is can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VaultId {
    /// Number of the user from whose address the vault's follows.
    pub opener: usize,
    /// Index of the vault.
    pub index: usize,
}

/// Who moves how much of what in which vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowOf {
    /// Number of the user who signs, and whose tokens come in.
    pub user: usize,
    /// The vault.
    pub vault: VaultId,
    /// The asset.
    pub asset: usize,
    /// How much.
    pub amount: AmountSpec,
    /// To whom tokens go out.
    pub payee: usize,
}

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::large_enum_variant)] // a run holds a handful of them
pub enum Action {
    /// `open_vault`.
    Open { vault: VaultId },
    /// `close_vault`.
    Close { user: usize, vault: VaultId },
    /// `set_delegate`, to nobody where there is none.
    SetDelegate { user: usize, vault: VaultId, delegate: Option<usize>, rights: u32, until: i64 },
    /// `offer_vault`, to nobody where there is none.
    Offer { user: usize, vault: VaultId, to: Option<usize> },
    /// `accept_vault`.
    Accept { user: usize, vault: VaultId },
    /// `set_efficiency_group`.
    SetGroup { user: usize, vault: VaultId, group: u32 },
    /// `deposit`.
    Deposit(FlowOf),
    /// `withdraw`.
    Withdraw(FlowOf),
    /// `borrow`.
    Borrow(FlowOf),
    /// `repay`.
    Repay(FlowOf),
    /// `flash_borrow`.
    FlashBorrow { user: usize, asset: usize, amount: u64 },
    /// `flash_repay`.
    FlashRepay { user: usize, asset: usize, amount: u64 },
    /// `liquidate`, for tokens or for shares in another vault.
    Liquidate {
        keeper: usize,
        vault: VaultId,
        debt: usize,
        collateral: usize,
        max_repay: u64,
        min_seize: u64,
        into: Option<VaultId>,
    },
    /// `redeem`.
    Redeem { redeemer: usize, vault: VaultId, debt: usize, collateral: usize, max_repay: u64, min_seize: u64 },
    /// `swap_in`.
    SwapIn { user: usize, assets: u64, min_tokens: u64 },
    /// `swap_out`.
    SwapOut { user: usize, tokens: u64, min_assets: u64 },
    /// `set_pause`.
    SetPause { signer: usize, bits: u32, seconds: u32 },
    /// `queue_change` under the number `nonce`, of an asset's reserve, or of the market where there is none.
    Queue { signer: usize, nonce: u64, target: Option<usize>, change: Change },
    /// `execute_change` of the change with that number, as one of an asset's reserve or of the market.
    Execute { user: usize, nonce: u64, target: Option<usize> },
    /// `withdraw_insurance`: the same for a payment of an asset's insurance.
    WithdrawInsurance { user: usize, nonce: u64, asset: usize },
    /// `veto_change`.
    Veto { signer: usize, nonce: u64 },
    /// `close_expired_change`.
    CloseExpired { user: usize, nonce: u64 },
    /// `tighten`, of an asset's reserve or of the market.
    Tighten { signer: usize, target: Option<usize>, change: Change },
    /// `step`.
    Step { signer: usize, asset: usize, change: Change },
    /// `accept_role`.
    AcceptRole { user: usize, role: Role },
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
            Self::SetDelegate { .. } => "set_delegate",
            Self::Offer { .. } => "offer_vault",
            Self::Accept { .. } => "accept_vault",
            Self::SetGroup { .. } => "set_efficiency_group",
            Self::Deposit(_) => "deposit",
            Self::Withdraw(_) => "withdraw",
            Self::Borrow(_) => "borrow",
            Self::Repay(_) => "repay",
            Self::FlashBorrow { .. } => "flash_borrow",
            Self::FlashRepay { .. } => "flash_repay",
            Self::Liquidate { into: None, .. } => "liquidate",
            Self::Liquidate { .. } => "liquidate_for_shares",
            Self::Redeem { .. } => "redeem",
            Self::SwapIn { .. } => "swap_in",
            Self::SwapOut { .. } => "swap_out",
            Self::SetPause { .. } => "set_pause",
            Self::Queue { .. } => "queue_change",
            Self::Execute { .. } => "execute_change",
            Self::WithdrawInsurance { .. } => "withdraw_insurance",
            Self::Veto { .. } => "veto_change",
            Self::CloseExpired { .. } => "close_expired_change",
            Self::Tighten { .. } => "tighten",
            Self::Step { .. } => "step",
            Self::AcceptRole { .. } => "accept_role",
            Self::Refresh { .. } => "refresh_reserve",
            Self::Accrue { .. } => "accrue_reserve",
            Self::Challenge { .. } => "challenge_feed",
            Self::Resolve { .. } => "resolve_bad_debt",
        }
    }

    /// Number of the player who signs.
    pub fn signer(&self) -> usize {
        match *self {
            Self::Open { vault } => vault.opener,
            Self::Deposit(f) | Self::Withdraw(f) | Self::Borrow(f) | Self::Repay(f) => f.user,
            Self::Liquidate { keeper, .. } => keeper,
            Self::Redeem { redeemer, .. } => redeemer,
            Self::SetPause { signer, .. }
            | Self::Queue { signer, .. }
            | Self::Veto { signer, .. }
            | Self::Tighten { signer, .. }
            | Self::Step { signer, .. } => signer,
            Self::Close { user, .. }
            | Self::SetDelegate { user, .. }
            | Self::Offer { user, .. }
            | Self::Accept { user, .. }
            | Self::SetGroup { user, .. }
            | Self::FlashBorrow { user, .. }
            | Self::FlashRepay { user, .. }
            | Self::SwapIn { user, .. }
            | Self::SwapOut { user, .. }
            | Self::Execute { user, .. }
            | Self::WithdrawInsurance { user, .. }
            | Self::CloseExpired { user, .. }
            | Self::AcceptRole { user, .. }
            | Self::Refresh { user, .. }
            | Self::Accrue { user, .. }
            | Self::Challenge { user, .. }
            | Self::Resolve { user, .. } => user,
        }
    }

    /// The vault that may change; of a liquidation, the one that is liquidated.
    pub fn vault(&self) -> Option<VaultId> {
        match *self {
            Self::Open { vault }
            | Self::Close { vault, .. }
            | Self::SetDelegate { vault, .. }
            | Self::Offer { vault, .. }
            | Self::Accept { vault, .. }
            | Self::SetGroup { vault, .. }
            | Self::Liquidate { vault, .. }
            | Self::Redeem { vault, .. }
            | Self::Resolve { vault, .. } => Some(vault),
            Self::Deposit(f) | Self::Withdraw(f) | Self::Borrow(f) | Self::Repay(f) => Some(f.vault),
            Self::SwapIn { .. }
            | Self::SwapOut { .. }
            | Self::FlashBorrow { .. }
            | Self::FlashRepay { .. }
            | Self::SetPause { .. }
            | Self::Refresh { .. }
            | Self::Accrue { .. }
            | Self::Challenge { .. } => None,
            Self::Queue { .. }
            | Self::Execute { .. }
            | Self::WithdrawInsurance { .. }
            | Self::Veto { .. }
            | Self::CloseExpired { .. }
            | Self::Tighten { .. }
            | Self::Step { .. }
            | Self::AcceptRole { .. } => None,
        }
    }

    /// The assets whose reserves may change. What counts against an isolated collateral's ceiling is none of it.
    pub fn assets(&self) -> Vec<usize> {
        match *self {
            Self::Open { .. }
            | Self::Close { .. }
            | Self::SetDelegate { .. }
            | Self::Offer { .. }
            | Self::Accept { .. }
            | Self::SetGroup { .. }
            | Self::SetPause { .. }
            | Self::Queue { .. }
            | Self::Veto { .. }
            | Self::CloseExpired { .. }
            | Self::AcceptRole { .. } => vec![],
            // Whatever it names, a dismissal of the risk steward concerns the market.
            Self::Tighten { change: Change::Role { .. }, .. } => vec![],
            Self::Execute { target, .. } | Self::Tighten { target, .. } => target.into_iter().collect(),
            Self::Deposit(f) | Self::Withdraw(f) | Self::Borrow(f) | Self::Repay(f) => vec![f.asset],
            Self::Liquidate { debt, collateral, .. } | Self::Redeem { debt, collateral, .. } => vec![debt, collateral],
            Self::SwapIn { .. } | Self::SwapOut { .. } => vec![MINTED, SWAPPED],
            Self::FlashBorrow { asset, .. }
            | Self::FlashRepay { asset, .. }
            | Self::WithdrawInsurance { asset, .. }
            | Self::Refresh { asset, .. }
            | Self::Accrue { asset, .. }
            | Self::Challenge { asset, .. }
            | Self::Step { asset, .. }
            | Self::Resolve { asset, .. } => vec![asset],
        }
    }
}
