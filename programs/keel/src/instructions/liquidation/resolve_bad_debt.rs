use crate::errors::KeelError;
use crate::events::{BadDebtRecognized, CollateralForfeited};
use crate::state::{Market, Reserve, Vault, pause};
use crate::valuation::{self, Acted, Cursor, Others};
use anchor_lang::prelude::*;
use keel_risk::price::{Moment, Purpose, Side};

#[derive(Accounts)]
pub struct ResolveBadDebt<'info> {
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
}

impl<'info> ResolveBadDebt<'info> {
    fn validate(&self, vault: &Vault, reserve: &Reserve, now: i64) -> Result<()> {
        require_keys_eq!(vault.market, self.market.key(), KeelError::WrongMarket);
        require_keys_eq!(reserve.market, self.market.key(), KeelError::WrongMarket);
        Ok(self.market.load()?.require_running(pause::LIQUIDATE, now)?)
    }

    /// The vault owes more than its collateral is worth, and that is too little to seize.
    fn require_bad_debt(
        &self,
        vault: &Vault,
        reserve: &Reserve,
        side: Side,
        moment: &Moment,
        remaining: &[AccountInfo<'info>],
    ) -> Result<()> {
        let receiver = valuation::receiver(&self.market)?;
        let mut cursor = Cursor::new(remaining);
        let readings = cursor.readings(reserve, &receiver)?;
        let price = reserve.maintenance_price(&readings, side, moment);
        let key = self.reserve.to_account_info().key;
        let acted = [Acted { key, reserve, price }];
        let mut others = Others { cursor: &mut cursor, receiver: &receiver };
        let totals = valuation::value(vault, &acted, &mut others, Purpose::Liquidation, moment)?.totals;
        require!(totals.is_bad_debt(self.market.load()?.min_position()?), KeelError::NoBadDebt);
        Ok(())
    }

    pub fn handler(ctx: Context<'info, Self>) -> Result<()> {
        let accounts = &*ctx.accounts;
        let clock = Clock::get()?;
        let moment = valuation::moment(&clock)?;
        let key = accounts.reserve.to_account_info().key;
        let vault_key = accounts.vault.key();
        let (mut vault, mut reserve) = (accounts.vault.load_mut()?, accounts.reserve.load_mut()?);
        accounts.validate(&vault, &reserve, moment.now)?;
        let side = vault.find(key).and_then(|p| p.side()).ok_or(KeelError::NoSuchDebt)?;
        let mut pool = reserve.accrued_pool(moment.now)?;
        reserve.store(&pool);
        if !vault.is_insolvent() {
            valuation::require_past_restart(&accounts.market, &clock, &moment)?;
            accounts.require_bad_debt(&vault, &reserve, side, &moment, ctx.remaining_accounts)?;
            vault.flags |= Vault::INSOLVENT;
        }
        match side {
            Side::Debt => {
                let shares = vault.debt(key)?;
                let loss = pool.write_off(shares).map_err(KeelError::from)?;
                vault.remove_debt(key, shares)?;
                emit!(BadDebtRecognized::new(vault_key, *key, &loss, &pool));
            }
            Side::Collateral => {
                let shares = vault.collateral(key)?;
                pool.forfeit(shares).map_err(KeelError::from)?;
                vault.remove_collateral(key, shares)?;
                emit!(CollateralForfeited { vault: vault_key, reserve: *key, shares: shares.0.to_bits() });
            }
        }
        vault.clear_if_resolved();
        Ok(reserve.settle(pool)?)
    }
}
