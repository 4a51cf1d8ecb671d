use super::{UserFlow, signer_of};
use crate::errors::KeelError;
use crate::events::Flow;
use crate::instructions::AmountSpec;
use crate::{token, valuation};
use anchor_lang::prelude::*;
use keel_risk::price::Side;
use keel_risk::units::Amount;

/// Mints debt shares to the vault, rounded up, and pays tokens to the user. Initial health must hold after, and the
/// debt be worth at least the market's minimum position.
pub fn borrow<'info>(ctx: Context<'info, UserFlow<'info>>, amount: AmountSpec) -> Result<()> {
    let AmountSpec::Exact(amount) = amount else {
        return Err(KeelError::BorrowNeedsAmount.into());
    };
    let accounts = &*ctx.accounts;
    let moment = valuation::moment(&Clock::get()?)?;
    let key = accounts.reserve.to_account_info().key;
    let (tokens, signer, available, change) = {
        let (mut vault, mut reserve) = (accounts.vault.load_mut()?, accounts.reserve.load_mut()?);
        accounts.validate(&vault, &reserve)?;
        accounts.require_owner(&vault)?;
        vault.require_solvent()?;
        let mut pool = reserve.accrued_pool(moment.now)?;
        let change = pool.borrow(Amount(amount), Amount(reserve.config.limits.borrow_cap)).map_err(KeelError::from)?;
        reserve.settle(pool)?;
        vault.add_debt(key, change.shares)?;
        let remaining = ctx.remaining_accounts;
        let price = accounts.require_initial_health(&vault, &mut reserve, Side::Debt, &moment, remaining)??;
        let owed = pool.debt_index.amount_owed(vault.debt(key)?).map_err(KeelError::from)?;
        let value = price.value_ceil(owed).map_err(KeelError::from)?;
        require!(value >= accounts.market.load()?.min_position()?, KeelError::PositionTooSmall);
        (accounts.tokens(&reserve), signer_of(&reserve), reserve.available, change)
    };
    let reserve = accounts.reserve.to_account_info();
    token::pay(&tokens, &accounts.liquidity, &accounts.token_account, &reserve, &signer, amount)?;
    token::require_backed(&accounts.liquidity, available)?;
    accounts.log(Flow::Borrow, change.amount, change.shares.0);
    Ok(())
}
