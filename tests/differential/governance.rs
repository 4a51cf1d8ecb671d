//! What governance does.

use crate::model::{Model, Outcome, refuse};
use keel::KeelError;
use keel_risk::units::Amount;
use keel_tests::random::arena::GOVERNANCE;

impl Model {
    pub fn withdraw_insurance(&mut self, signer: usize, asset: usize, amount: Amount) -> Outcome<()> {
        // It is queued first, which asks who and how much.
        if signer != GOVERNANCE {
            return refuse(KeelError::NotGovernance);
        }
        if amount == Amount(0) {
            return refuse(KeelError::ZeroAmount);
        }
        let reserve = self.accrued(asset)?;
        let floor = reserve.state.config.insurance_floor_bps;
        reserve.state.pool.withdraw_insurance(amount, floor)?;
        reserve.settle()?;
        self.pay(signer, asset, amount);
        Ok(())
    }
}
