//! How an instruction is built, alone or after others in one transaction.

use super::action::{Action, FlowOf, VaultId};
use super::arena::Arena;
use anchor_lang::InstructionData;
use anchor_lang::prelude::Pubkey;
use keel::AmountSpec;
use keel::state::Vault;
use keel_client::instruction::{self, Actor, Liquidation, Queued};
use keel_risk::Fraction;
use keel_risk::units::SupplyShares;
use solana_instruction::Instruction;

impl Action {
    /// The instruction, with the remaining accounts that the vault asks for as it is in `state`: the present one, or what
    /// earlier instructions of the same transaction make of it.
    pub fn build(&self, arena: &Arena, state: &impl Fn(VaultId) -> Vault) -> Instruction {
        let book = &arena.world.book;
        let reserve = |asset: usize| arena.world.assets[asset].reserve;
        let signer = arena.players[self.signer()].key();
        let key = |user: Option<usize>| user.map_or(Pubkey::default(), |user| arena.players[user].key());
        let actor = |f: &FlowOf, owner: usize| Actor {
            user: signer,
            vault: arena.vault_key(f.vault),
            reserve: reserve(f.asset),
            token_account: arena.players[owner].tokens[f.asset],
        };
        let terms = |vault, debt, collateral, max_repay, min_seize| Liquidation {
            keeper: signer,
            vault: arena.vault_key(vault),
            debt_reserve: reserve(debt),
            collateral_reserve: reserve(collateral),
            max_repay,
            min_seize,
        };
        let target = |target: Option<usize>| target.map_or(book.market, reserve);
        match *self {
            Self::Open { vault } => {
                instruction::open_vault(signer, signer, book.market, u16::try_from(vault.index).unwrap())
            }
            Self::Close { vault, .. } => instruction::close_vault(signer, arena.vault_key(vault)),
            Self::SetDelegate { vault, delegate, rights, until, .. } => {
                instruction::set_delegate(signer, arena.vault_key(vault), key(delegate), rights, until)
            }
            Self::Offer { vault, to, .. } => instruction::offer_vault(signer, arena.vault_key(vault), key(to)),
            Self::Accept { vault, .. } => instruction::accept_vault(signer, arena.vault_key(vault)),
            Self::SetGroup { vault, group, .. } => {
                let key = arena.vault_key(vault);
                instruction::set_efficiency_group(book, signer, key, &state(vault), group).unwrap()
            }
            Self::Deposit(f) => instruction::deposit(book, &actor(&f, f.user), f.amount).unwrap(),
            Self::Withdraw(f) => instruction::withdraw(book, &state(f.vault), &actor(&f, f.payee), f.amount).unwrap(),
            Self::Borrow(f) => {
                let mut borrow = instruction::borrow(book, &state(f.vault), &actor(&f, f.payee), 0).unwrap();
                borrow.data = keel::instruction::Borrow { amount: f.amount }.data();
                borrow
            }
            Self::Repay(f) => instruction::repay(book, &state(f.vault), &actor(&f, f.user), f.amount).unwrap(),
            Self::FlashBorrow { user, asset, amount } => {
                let tokens = arena.players[user].tokens[asset];
                instruction::flash_borrow(book, signer, reserve(asset), tokens, amount).unwrap()
            }
            Self::FlashRepay { user, asset, amount } => {
                let tokens = arena.players[user].tokens[asset];
                instruction::flash_repay(book, signer, reserve(asset), tokens, amount).unwrap()
            }
            Self::Liquidate { vault, debt, collateral, max_repay, min_seize, into, .. } => {
                let terms = terms(vault, debt, collateral, max_repay, min_seize);
                match into.map(|id| arena.vault_key(id)) {
                    Some(into) => instruction::liquidate_for_shares(book, &state(vault), &terms, into).unwrap(),
                    None => instruction::liquidate(book, &state(vault), &terms).unwrap(),
                }
            }
            Self::Redeem { vault, debt, collateral, max_repay, min_seize, .. } => {
                let terms = terms(vault, debt, collateral, max_repay, min_seize);
                instruction::redeem(book, &state(vault), &terms).unwrap()
            }
            Self::SwapIn { assets, min_tokens, .. } => instruction::swap_in(book, signer, assets, min_tokens).unwrap(),
            Self::SwapOut { tokens, min_assets, .. } => {
                instruction::swap_out(book, signer, tokens, min_assets).unwrap()
            }
            Self::SetPause { bits, seconds, .. } => instruction::set_pause(signer, book.market, bits, seconds),
            Self::Queue { nonce, target: of, change, .. } => {
                let queued = Queued { market: book.market, nonce, rent_payer: signer };
                instruction::queue_change(signer, &queued, target(of), change)
            }
            Self::Execute { nonce, target, .. } => {
                let prices = arena.prices_of_change(nonce);
                instruction::execute_change(&arena.queued(nonce, signer), target.map(reserve), &prices)
            }
            Self::WithdrawInsurance { nonce, asset, .. } => {
                let to = arena.payee(nonce).unwrap_or(arena.players[self.signer()].tokens[asset]);
                instruction::withdraw_insurance(book, &arena.queued(nonce, signer), reserve(asset), to).unwrap()
            }
            Self::Veto { nonce, .. } => instruction::veto_change(signer, &arena.queued(nonce, signer)),
            Self::CloseExpired { nonce, .. } => instruction::close_expired_change(signer, &arena.queued(nonce, signer)),
            Self::Tighten { target, change, .. } => {
                instruction::tighten(signer, book.market, target.map(reserve), change)
            }
            Self::Step { asset, change, .. } => instruction::step(signer, book.market, reserve(asset), change),
            Self::AcceptRole { role, .. } => instruction::accept_role(signer, book.market, role),
            Self::Refresh { asset, .. } => instruction::refresh_reserve(book, reserve(asset)).unwrap(),
            Self::Accrue { asset, .. } => instruction::accrue_reserve(book, reserve(asset)),
            Self::Challenge { asset, feed, .. } => instruction::challenge_feed(reserve(asset), feed),
            Self::Resolve { vault, asset, .. } => {
                instruction::resolve_bad_debt(book, arena.vault_key(vault), &state(vault), reserve(asset)).unwrap()
            }
        }
    }

    /// The vault as far as the next instruction's accounts depend on it, if this one succeeds: a deposit may have opened a
    /// position, ALL has closed it.
    fn foresee(&self, arena: &Arena, vault: &mut Vault) {
        let key = |asset: usize| arena.world.assets[asset].reserve;
        match *self {
            Self::Deposit(f) if vault.find(&key(f.asset)).is_none() => {
                // Refused if there is no room; then so is the transaction.
                let _ = vault.add_collateral(&key(f.asset), 0, SupplyShares(Fraction::ONE));
            }
            Self::Repay(FlowOf { asset, amount: AmountSpec::All, .. }) => {
                let _ = vault.remove_debt(&key(asset), vault.debt_or_zero(&key(asset)));
            }
            _ => {}
        }
    }
}

/// The instructions of one transaction. All concern one vault, if any.
pub fn transaction(arena: &Arena, actions: &[Action]) -> Vec<Instruction> {
    let mut foreseen: Option<(VaultId, Vault)> = None;
    let mut built = Vec::with_capacity(actions.len());
    for action in actions {
        let state = |id: VaultId| match foreseen {
            Some((changed, vault)) if changed == id => vault,
            _ => arena.state.vault(id).copied().unwrap_or_else(closed),
        };
        built.push(action.build(arena, &state));
        if actions.len() > 1
            && let Some(id) = action.vault()
        {
            let mut vault = state(id);
            action.foresee(arena, &mut vault);
            foreseen = Some((id, vault));
        }
    }
    built
}

/// What stands in for a vault that is not open.
fn closed() -> Vault {
    bytemuck::Zeroable::zeroed()
}
