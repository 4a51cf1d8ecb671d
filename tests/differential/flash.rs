//! Flash loans.

use crate::model::{Model, Outcome, refuse};
use keel::KeelError;
use keel::state::pause;
use keel_risk::units::Amount;
use keel_tests::random::Action;

impl Model {
    /// Lends, if one of the `later` instructions repays exactly that.
    pub fn flash_borrow(&mut self, user: usize, asset: usize, amount: Amount, later: &[Action]) -> Outcome<()> {
        self.require_running(pause::FLASH)?;
        let repays = |action: &Action| match action {
            Action::FlashRepay { asset: repaid, amount: back, .. } => *repaid == asset && *back == amount.0,
            _ => false,
        };
        if !later.iter().any(repays) {
            return refuse(KeelError::FlashLoanNotRepaid);
        }
        let reserve = self.accrued(asset)?;
        let cap = Amount(reserve.state.config.limits.borrow_cap);
        reserve.state.pool.flash_borrow(amount, cap)?;
        reserve.settle()?;
        self.pay(user, asset, amount);
        self.open_loans += 1;
        Ok(())
    }

    pub fn flash_repay(&mut self, user: usize, asset: usize, amount: Amount) -> Outcome<()> {
        let reserve = self.accrued(asset)?;
        let fee_bps = reserve.state.config.flash_fee_bps;
        let due = reserve.state.pool.flash_repay(amount, fee_bps)?;
        reserve.settle()?;
        self.open_loans -= 1;
        self.take(user, asset, due)
    }

    /// While a loan is open, no vault comes, goes or changes hands.
    pub fn require_no_flash_loan(&self) -> Outcome<()> {
        if self.open_loans == 0 { Ok(()) } else { refuse(KeelError::InFlashLoan) }
    }
}
