//! What the roles do, and what anyone executes for them.

use super::{build, read_only};
use crate::book::Book;
use crate::error::ClientError;
use crate::{address, token};
use anchor_lang::prelude::Pubkey;
use anchor_lang::system_program;
use keel::state::{Change, MarketParams, Role};
use solana_instruction::Instruction;

/// Creates market `id`. Signed by payer and governance.
pub fn init_market(
    payer: Pubkey,
    governance: Pubkey,
    id: u16,
    params: MarketParams,
    guardian: Pubkey,
    risk_steward: Pubkey,
) -> Instruction {
    let accounts = keel::accounts::InitMarket {
        payer,
        governance,
        market: address::market(id),
        system_program: system_program::ID,
    };
    build(accounts, keel::instruction::InitMarket { id, params, guardian, risk_steward }, Vec::new())
}

/// A queued change, as far as its execution and its end need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The market.
    pub market: Pubkey,
    /// The change's number: [`Market::next_change`](keel::state::Market) when it was queued.
    pub nonce: u64,
    /// Who paid for its account, and gets that back.
    pub rent_payer: Pubkey,
}

impl Queued {
    /// The account that holds the change.
    pub fn address(&self) -> Pubkey {
        address::change(&self.market, self.nonce)
    }
}

/// Queues `change` of `target` (the market, a reserve, a mint to list, or the swap's reserve; see [`Change`]) under the
/// market's next number. Signed by payer and governance.
pub fn queue_change(governance: Pubkey, queued: &Queued, target: Pubkey, change: Change) -> Instruction {
    let accounts = keel::accounts::QueueChange {
        payer: queued.rent_payer,
        governance,
        market: queued.market,
        target,
        pending: queued.address(),
        system_program: system_program::ID,
    };
    build(accounts, keel::instruction::QueueChange { nonce: queued.nonce, change }, Vec::new())
}

/// Executes a queued change of a market or a role, or, if it is about one, of `reserve`. `prices` holds a price account per
/// feed if the reserve gets other feeds.
pub fn execute_change(queued: &Queued, reserve: Option<Pubkey>, prices: &[Pubkey]) -> Instruction {
    let accounts = keel::accounts::ExecuteChange {
        market: queued.market,
        reserve,
        pending: queued.address(),
        rent_payer: queued.rent_payer,
    };
    build(accounts, keel::instruction::ExecuteChange {}, read_only(prices))
}

/// Closes a queued change before it comes into force. Signed by governance or guardian.
pub fn veto_change(signer: Pubkey, queued: &Queued) -> Instruction {
    build(close_change(signer, queued), keel::instruction::VetoChange {}, Vec::new())
}

/// Closes a change that expired. Signed by anyone.
pub fn close_expired_change(signer: Pubkey, queued: &Queued) -> Instruction {
    build(close_change(signer, queued), keel::instruction::CloseExpiredChange {}, Vec::new())
}

fn close_change(signer: Pubkey, queued: &Queued) -> keel::accounts::CloseChange {
    let (market, rent_payer) = (queued.market, queued.rent_payer);
    keel::accounts::CloseChange { signer, market, pending: queued.address(), rent_payer }
}

/// Makes a change of the market or of `reserve` that is tighter and felt by no vault come into force at once. Signed by
/// governance, guardian or risk steward.
pub fn tighten(signer: Pubkey, market: Pubkey, reserve: Option<Pubkey>, change: Change) -> Instruction {
    build(keel::accounts::Tighten { signer, market, reserve }, keel::instruction::Tighten { change }, Vec::new())
}

/// Moves parameters of `reserve` by steps, at once. Signed by the risk steward.
pub fn step(risk_steward: Pubkey, market: Pubkey, reserve: Pubkey, change: Change) -> Instruction {
    let accounts = keel::accounts::Tighten { signer: risk_steward, market, reserve: Some(reserve) };
    build(accounts, keel::instruction::Step { change }, Vec::new())
}

/// Takes over a role that was offered to `signer`.
pub fn accept_role(signer: Pubkey, market: Pubkey, role: Role) -> Instruction {
    build(keel::accounts::AcceptRole { signer, market }, keel::instruction::AcceptRole { role }, Vec::new())
}

/// Brings a market or a reserve of an older layout up to date.
pub fn upgrade_layout(account: Pubkey) -> Instruction {
    build(keel::accounts::UpgradeLayout { account }, keel::instruction::UpgradeLayout {}, Vec::new())
}

/// Executes a queued listing of `mint`. `prices` holds a price account per feed. Signed by the payer.
pub fn init_reserve(
    payer: Pubkey,
    queued: &Queued,
    mint: Pubkey,
    token_program: Pubkey,
    prices: &[Pubkey],
) -> Instruction {
    let reserve = address::reserve(&queued.market, &mint);
    let accounts = keel::accounts::InitReserve {
        payer,
        market: queued.market,
        pending: queued.address(),
        rent_payer: queued.rent_payer,
        mint,
        reserve,
        liquidity: address::liquidity(&reserve),
        token_program,
        system_program: system_program::ID,
    };
    build(accounts, keel::instruction::InitReserve {}, read_only(prices))
}

/// Executes a queued listing of the market's own token, whose swap holds `swap_reserve`. Signed by the payer.
pub fn init_minted_reserve(payer: Pubkey, queued: &Queued, swap_reserve: Pubkey) -> Instruction {
    let market = queued.market;
    let mint = address::minted_mint(&market);
    let accounts = keel::accounts::InitMintedReserve {
        payer,
        market,
        pending: queued.address(),
        rent_payer: queued.rent_payer,
        mint,
        reserve: address::reserve(&market, &mint),
        swap_reserve,
        token_program: token::TOKEN_PROGRAM,
        system_program: system_program::ID,
    };
    build(accounts, keel::instruction::InitMintedReserve {}, Vec::new())
}

/// Pauses what `bits` say for `seconds`. Signed by governance or guardian.
pub fn set_pause(signer: Pubkey, market: Pubkey, bits: u32, seconds: u32) -> Instruction {
    build(keel::accounts::SetPause { signer, market }, keel::instruction::SetPause { bits, seconds }, Vec::new())
}

/// Executes a queued withdrawal of a reserve's insurance to the token account that the change names.
pub fn withdraw_insurance(
    book: &Book,
    queued: &Queued,
    reserve: Pubkey,
    token_account: Pubkey,
) -> Result<Instruction, ClientError> {
    let state = &book.listing(&reserve)?.reserve;
    let accounts = keel::accounts::WithdrawInsurance {
        market: book.market,
        pending: queued.address(),
        rent_payer: queued.rent_payer,
        reserve,
        liquidity: state.liquidity,
        token_account,
        mint: state.mint,
        token_program: state.token_program,
    };
    Ok(build(accounts, keel::instruction::WithdrawInsurance {}, Vec::new()))
}
