use crate::errors::KeelError;
use crate::events::{Flow, Moved};
use crate::state::{Market, Reserve, Vault};
use crate::token::{ReserveSigner, TokenAccounts};
use crate::valuation::{self, Acted, Cursor, Others};
use anchor_lang::prelude::*;
use keel_risk::Fraction;
use keel_risk::price::{Moment, Purpose, Side, UnitPrice};
use keel_risk::units::Amount;

/// The accounts of `deposit`, `withdraw`, `borrow` and `repay`: one user, one vault, one reserve, one token account.
#[derive(Accounts)]
pub struct UserFlow<'info> {
    /// Owner of the vault, or, to deposit and repay, anyone; authority of `token_account` when tokens come in.
    pub user: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
    /// CHECK: must be the reserve's liquidity account.
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
    /// All accounts belong together.
    pub fn validate(&self, vault: &Vault, reserve: &Reserve) -> Result<()> {
        let market = self.market.to_account_info().key;
        require_keys_eq!(vault.market, *market, KeelError::WrongMarket);
        require_keys_eq!(reserve.market, *market, KeelError::WrongMarket);
        require_keys_eq!(*self.liquidity.key, reserve.liquidity, KeelError::WrongLiquidityAccount);
        require_keys_eq!(*self.mint.key, reserve.mint, KeelError::WrongMint);
        require_keys_eq!(*self.token_program.key, reserve.token_program, KeelError::WrongTokenProgram);
        Ok(())
    }

    /// Only the owner takes out.
    pub fn require_owner(&self, vault: &Vault) -> Result<()> {
        require_keys_eq!(vault.owner, *self.user.key, KeelError::NotVaultOwner);
        Ok(())
    }

    pub fn tokens<'a>(&'a self, reserve: &Reserve) -> TokenAccounts<'a, 'info> {
        TokenAccounts { mint: &self.mint, program: &self.token_program, decimals: reserve.decimals }
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
    /// whose accepted observations are remembered.
    pub fn require_initial_health(
        &self,
        vault: &Vault,
        reserve: &mut Reserve,
        side: Side,
        moment: &Moment,
        remaining: &[AccountInfo<'info>],
    ) -> Result<core::result::Result<UnitPrice, KeelError>> {
        let receiver = valuation::receiver(&self.market)?;
        let mut cursor = Cursor::new(remaining);
        let readings = cursor.readings(reserve, &receiver)?;
        let price = reserve.new_risk_price(&readings, side, moment);
        let key = self.reserve.to_account_info().key;
        let acted = [Acted { key, reserve, price }];
        let mut others = Others { cursor: &mut cursor, receiver: &receiver };
        valuation::value(vault, &acted, &mut others, Purpose::NewRisk, moment)?.require_healthy()?;
        // A price that is fresh but cannot be computed with, say for its exponent, is none to fall back on later.
        if price.is_ok() {
            reserve.remember_prices(&readings, Purpose::NewRisk, moment);
        }
        Ok(price)
    }
}

/// What signs for `reserve`'s liquidity.
pub fn signer_of(reserve: &Reserve) -> ReserveSigner {
    ReserveSigner { market: reserve.market, mint: reserve.mint, bump: reserve.bump }
}
