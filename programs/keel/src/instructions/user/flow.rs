use crate::errors::KeelError;
use crate::events::{Flow, Moved};
use crate::state::{Market, Reserve, Vault, pause, rights};
use crate::token::{self, Door};
use crate::valuation::{self, Acted, Cursor, Others, Valuation};
use anchor_lang::prelude::*;
use keel_risk::Fraction;
use keel_risk::price::{Moment, Purpose, Side, UnitPrice};
use keel_risk::units::Amount;

/// The accounts of `deposit`, `withdraw`, `borrow` and `repay`: one user, one vault, one reserve, one token account.
#[derive(Accounts)]
pub struct UserFlow<'info> {
    /// Owner or delegate of the vault, or, to deposit and repay, anyone; authority of `token_account` when tokens come in.
    pub user: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
    /// CHECK: must be the reserve's liquidity account, or the mint of a minted reserve.
    #[account(mut)]
    pub liquidity: UncheckedAccount<'info>,
    /// CHECK: where tokens come from or go to; the token program checks mint and authority.
    #[account(mut)]
    pub token_account: UncheckedAccount<'info>,
    /// CHECK: must be the reserve's mint.
    pub mint: UncheckedAccount<'info>,
    /// CHECK: must be the reserve's token program.
    pub token_program: UncheckedAccount<'info>,
}

impl<'info> UserFlow<'info> {
    /// All accounts belong together, and `action` is not paused. Returns where the reserve's tokens enter and leave.
    pub fn validate<'a>(&'a self, vault: &Vault, reserve: &Reserve, action: u32, now: i64) -> Result<Door<'a, 'info>> {
        let market = self.market.to_account_info().key;
        require_keys_eq!(vault.market, *market, KeelError::WrongMarket);
        require_keys_eq!(reserve.market, *market, KeelError::WrongMarket);
        self.market.load()?.require_running(action, now)?;
        Door::new(self.reserve.as_ref(), reserve, &self.liquidity, &self.mint, &self.token_program)
    }

    /// Only the owner and a delegate with `right` take out, and that delegate only to the owner, if not trusted further.
    pub fn require_payee(&self, vault: &Vault, right: u32, now: i64) -> Result<()> {
        vault.authorize(self.user.key, right, now)?;
        if vault.owner != *self.user.key && vault.delegate_rights & rights::PAY_ANYONE == 0 {
            require_keys_eq!(token::owner(&self.token_account)?, vault.owner, KeelError::DelegatePaysOwnerOnly);
        }
        Ok(())
    }

    pub fn log(&self, flow: Flow, amount: Amount, shares: Fraction) {
        emit!(Moved {
            flow,
            vault: *self.vault.to_account_info().key,
            reserve: *self.reserve.to_account_info().key,
            amount: amount.0,
            shares: shares.to_bits(),
        });
    }

    /// Initial health of at least 1 after the change, at prices for new risk. Returns the price of `reserve` on `side`,
    /// whose accepted observations are remembered first, so that new risk feels their volatility at once.
    pub fn require_initial_health(
        &self,
        vault: &Vault,
        reserve: &mut Reserve,
        side: Side,
        moment: &Moment,
        remaining: &[AccountInfo<'info>],
    ) -> Result<(Valuation, core::result::Result<UnitPrice, KeelError>)> {
        let receiver = valuation::receiver(&self.market)?;
        let mut cursor = Cursor::new(remaining);
        let readings = cursor.readings(reserve, &receiver)?;
        let price = reserve.new_risk_price(&readings, side, moment);
        // A price that is fresh but cannot be computed with, say for its exponent, is none to fall back on later.
        if price.is_ok() {
            reserve.remember_prices(&readings, Purpose::NewRisk, moment)?;
        }
        let key = self.reserve.to_account_info().key;
        let acted = [Acted { key, reserve, price }];
        let mut others = Others { cursor: &mut cursor, receiver: &receiver };
        let valuation = valuation::value(vault, &acted, &mut others, Purpose::NewRisk, moment)?;
        valuation.require_healthy()?;
        Ok((valuation, price))
    }
}

/// The bits of [`pause`] that a deposit of `reserve` needs one of: an addition to the collateral of a vault in debt only
/// takes risk away.
pub fn deposit_action(vault: &Vault, reserve: &Pubkey) -> u32 {
    let tops_up = vault.find(reserve).is_some() && vault.has(Side::Debt);
    if tops_up { pause::DEPOSIT | pause::TOP_UP } else { pause::DEPOSIT }
}
