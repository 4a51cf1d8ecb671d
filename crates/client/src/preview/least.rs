//! How much it takes to make a vault safe.

use super::{Accounts, Action, Preview};
use crate::error::ClientError;
use anchor_lang::prelude::Pubkey;
use keel::AmountSpec;
use keel::state::{Side, Vault};
use keel_risk::Fraction;
use keel_risk::price::Purpose;

impl Accounts<'_> {
    /// The least exact amount of `action`, a deposit or a repayment, after which the vault's health at the prices of
    /// liquidation is at least `health`: with one native unit less it is below. Zero when it is there already; `None` when no
    /// amount that the program accepts gets it there.
    ///
    /// Found by halving over previews, as [`Self::largest`], as health rises with both.
    ///
    /// # Errors
    /// As [`health::value`](crate::health::value) for liquidation; `UnknownReserve`.
    pub fn least(
        &self,
        vault: &Vault,
        key: &Pubkey,
        action: Action,
        health: Fraction,
    ) -> Result<Option<u64>, ClientError> {
        let reached = |found: Option<Fraction>| found.is_none_or(|found| found >= health);
        if reached(self.value(vault, Purpose::Liquidation)?.totals.health_factor()) {
            return Ok(Some(0));
        }
        let (most, _) = self.largest(vault, key, action)?;
        let enough =
            |amount| -> Result<bool, ClientError> { Ok(reached(self.health_after(vault, key, action, amount)?)) };
        if most == 0 || !enough(most)? {
            return Ok(None);
        }
        let (mut below, mut least) = (0, most);
        while least - below > 1 {
            let middle = below + (least - below) / 2;
            if enough(middle)? {
                least = middle;
            } else {
                below = middle;
            }
        }
        Ok(Some(least))
    }

    /// The health at the prices of liquidation after `action`; none without debt.
    fn health_after(
        &self,
        vault: &Vault,
        key: &Pubkey,
        action: Action,
        amount: u64,
    ) -> Result<Option<Fraction>, ClientError> {
        let Preview { vault, reserve, .. } = self.preview(vault, key, action, AmountSpec::Exact(amount))?;
        let side = vault.find(key).and_then(keel::state::Position::side).unwrap_or(Side::Collateral);
        let price = reserve.maintenance_price(&self.readings(key)?, side, &self.moment);
        Ok(self.value_acted(&vault, key, &reserve, price, Purpose::Liquidation)?.totals.health_factor())
    }
}
