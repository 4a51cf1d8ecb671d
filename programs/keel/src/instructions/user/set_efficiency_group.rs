use crate::errors::KeelError;
use crate::events::GroupSet;
use crate::state::{Market, Reserve, Side, Vault, rights};
use crate::valuation::{self, Cursor, Others};
use anchor_lang::prelude::*;
use keel_risk::price::Purpose;

#[derive(Accounts)]
pub struct SetEfficiencyGroup<'info> {
    /// Owner or delegate.
    pub user: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
}

impl<'info> SetEfficiencyGroup<'info> {
    pub fn handler(ctx: Context<'info, Self>, group: u32) -> Result<()> {
        let accounts = &*ctx.accounts;
        let moment = valuation::moment(&Clock::get()?)?;
        let mut vault = accounts.vault.load_mut()?;
        require_keys_eq!(vault.market, accounts.market.key(), KeelError::WrongMarket);
        vault.authorize(accounts.user.key, rights::GROUP, moment.now)?;
        vault.require_solvent()?;
        vault.group = group;
        if vault.has(Side::Debt) {
            // An asset may have joined its group after it was borrowed.
            for position in vault.positions.iter_mut().filter(|p| p.side() == Some(Side::Debt)) {
                let info = ctx.remaining_accounts.iter().find(|info| *info.key == position.reserve);
                let reserve: AccountLoader<Reserve> = AccountLoader::try_from(info.ok_or(KeelError::MissingAccount)?)?;
                position.group = reserve.load()?.config.group.id;
            }
            let receiver = valuation::receiver(&accounts.market)?;
            let mut cursor = Cursor::new(ctx.remaining_accounts);
            let mut others = Others { cursor: &mut cursor, receiver: &receiver };
            valuation::value(&vault, &[], &mut others, Purpose::NewRisk, &moment)?.require_healthy()?;
        }
        emit!(GroupSet { vault: accounts.vault.key(), group });
        Ok(())
    }
}
