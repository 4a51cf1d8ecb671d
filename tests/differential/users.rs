//! What owners do with their vaults.

use crate::model::{Model, Outcome, Stop, Value, quantity, refuse};
use crate::terms;
use crate::vault::Holdings;
use keel::AmountSpec;
use keel::KeelError;
use keel::state::{Side, pause, rights};
use keel_risk::price::{Purpose, UnitPrice};
use keel_risk::units::{Amount, DebtShares, SupplyShares};
use keel_tests::random::{FlowOf, VaultId};
use solana_system_interface::error::SystemError;

impl Model {
    pub fn open(&mut self, id: VaultId) -> Outcome<()> {
        if self.vault(id).is_ok() {
            return Err(Stop(SystemError::AccountAlreadyInUse.into()));
        }
        self.require_no_flash_loan()?;
        self.put(id, Some(Holdings::new(id.opener)));
        Ok(())
    }

    pub fn close(&mut self, user: usize, id: VaultId) -> Outcome<()> {
        let vault = self.vault(id)?;
        self.require_no_flash_loan()?;
        if user != vault.owner {
            return refuse(KeelError::NotVaultOwner);
        }
        if !vault.is_empty() {
            return refuse(KeelError::VaultNotEmpty);
        }
        self.put(id, None);
        Ok(())
    }

    pub fn deposit(&mut self, flow: &FlowOf) -> Outcome<()> {
        let now = self.now();
        let mut vault = self.vault(flow.vault)?;
        let amount = match flow.amount {
            AmountSpec::Exact(amount) => Amount(amount),
            AmountSpec::All => Amount(self.wallets[flow.user][flow.asset]),
        };
        let tops_up = vault.find(flow.asset).is_some() && vault.has_debt();
        self.require_running(if tops_up { pause::DEPOSIT | pause::TOP_UP } else { pause::DEPOSIT })?;
        vault.require_solvent()?;
        if vault.find(flow.asset).is_none() {
            vault.authorize(flow.user, rights::DEPOSIT, now).map_err(|error| match error {
                KeelError::NotVaultOwner => KeelError::OnlyOwnerOpensPositions,
                error => error,
            })?;
            self.require_room(&vault, flow.asset)?;
        }
        let reserve = self.accrued(flow.asset)?;
        let cap = Amount(reserve.state.config.limits.deposit_cap);
        let change = reserve.state.pool.deposit(amount, cap)?;
        reserve.let_in(change.amount, now)?;
        reserve.settle()?;
        let group = reserve.state.config.group.id;
        vault.add(flow.asset, group, Side::Collateral, change.shares.0)?;
        self.put(flow.vault, Some(vault));
        self.take(flow.user, flow.asset, change.amount)
    }

    /// Isolated collateral comes into an empty vault only.
    pub fn require_room(&self, vault: &Holdings, asset: usize) -> Outcome<()> {
        if self.reserves[asset].is_isolated_collateral() && !vault.is_empty() {
            return refuse(KeelError::IsolatedCollateralMixed);
        }
        Ok(())
    }

    pub fn withdraw(&mut self, flow: &FlowOf) -> Outcome<()> {
        let now = self.now();
        let mut vault = self.vault(flow.vault)?;
        self.require_running(pause::WITHDRAW)?;
        vault.authorize(flow.user, rights::WITHDRAW, now)?;
        vault.require_payee(flow)?;
        vault.require_solvent()?;
        let reserve = self.accrued(flow.asset)?;
        let held = SupplyShares(vault.shares(flow.asset, Side::Collateral)?);
        let change = reserve.state.pool.withdraw(quantity(flow.amount), held)?;
        reserve.let_out(change.amount, now)?;
        reserve.settle()?;
        vault.remove(flow.asset, change.shares.0)?;
        if vault.has_debt() {
            let (_, value) = self.initial_value(&vault, flow.asset, Side::Collateral)?;
            value.require_healthy()?;
        }
        self.put(flow.vault, Some(vault));
        self.pay(flow.payee, flow.asset, change.amount);
        Ok(())
    }

    pub fn borrow(&mut self, flow: &FlowOf) -> Outcome<()> {
        let now = self.now();
        let mut vault = self.vault(flow.vault)?;
        let AmountSpec::Exact(amount) = flow.amount else { return refuse(KeelError::BorrowNeedsAmount) };
        self.require_running(pause::BORROW)?;
        vault.authorize(flow.user, rights::BORROW, now)?;
        vault.require_payee(flow)?;
        vault.require_solvent()?;
        let reserve = self.accrued(flow.asset)?;
        let cap = Amount(reserve.state.config.limits.borrow_cap);
        let change = reserve.state.pool.borrow(Amount(amount), cap)?;
        reserve.let_out(change.amount, now)?;
        reserve.settle()?;
        let (index, group) = (reserve.state.pool.debt_index, reserve.state.config.group.id);
        vault.add(flow.asset, group, Side::Debt, change.shares.0)?;
        let (price, value) = self.initial_value(&vault, flow.asset, Side::Debt)?;
        value.require_healthy()?;
        value.require_isolation()?;
        let price = price?;
        let owed = index.amount_owed(DebtShares(vault.shares(flow.asset, Side::Debt)?))?;
        if price.value_ceil(owed)? < terms::rules(&self.params).min_position {
            return refuse(KeelError::PositionTooSmall);
        }
        if let Some(isolated) = value.isolated_collateral {
            let counted = self.reserves[isolated].back(price.value_ceil(change.amount)?)?;
            vault.count(flow.asset, isolated, counted)?;
        }
        self.put(flow.vault, Some(vault));
        self.pay(flow.payee, flow.asset, change.amount);
        Ok(())
    }

    pub fn repay(&mut self, flow: &FlowOf) -> Outcome<()> {
        let now = self.now();
        let mut vault = self.vault(flow.vault)?;
        self.require_running(pause::REPAY)?;
        let reserve = self.accrued(flow.asset)?;
        let owed = DebtShares(vault.shares(flow.asset, Side::Debt)?);
        let change = reserve.state.pool.repay(quantity(flow.amount), owed)?;
        reserve.let_in(change.amount, now)?;
        reserve.settle()?;
        let released = vault.release(flow.asset, change.shares.0)?;
        if let Some(isolated) = vault.isolated {
            self.release(isolated, released);
        }
        vault.remove(flow.asset, change.shares.0)?;
        vault.clear();
        self.put(flow.vault, Some(vault));
        self.take(flow.user, flow.asset, change.amount)
    }

    /// Gives a ceiling back what counted against it.
    pub fn release(&mut self, isolated: usize, released: u64) {
        let count = &mut self.reserves[isolated].state.isolated_debt;
        *count = count.saturating_sub(released);
    }

    /// The vault's sums for new risk, after the price of the asset acted on is remembered, if there is one; and that price.
    fn initial_value(
        &mut self,
        vault: &Holdings,
        asset: usize,
        side: Side,
    ) -> Outcome<(Result<UnitPrice, KeelError>, Value)> {
        let price = self.reserves[asset].oracle(self.moment).new_risk(side);
        if price.is_ok() {
            let seen = self.reserves[asset].oracle(self.moment).acceptable(Purpose::NewRisk);
            self.reserves[asset].remember(&seen, self.moment.now)?;
        }
        let value = self.value(vault, Purpose::NewRisk, |other, side| match other {
            other if other == asset => price,
            other => self.reserves[other].oracle(self.moment).new_risk(side),
        })?;
        Ok((price, value))
    }
}
