//! Flash loans: alone, around something else, and such that the program refuses.

use crate::random::action::{Action, FlowOf};
use crate::random::arena::{Arena, USERS};
use keel::AmountSpec;
use keel::state::Side;
use rand::Rng;

/// A loan and its repayment.
fn loan(user: usize, asset: usize, amount: u64) -> [Action; 2] {
    [Action::FlashBorrow { user, asset, amount }, Action::FlashRepay { user, asset, amount }]
}

impl Arena {
    pub(super) fn draw_flash_loan(&mut self) -> Vec<Action> {
        match self.below(100) {
            0..25 => {
                let (user, asset) = (self.below(USERS), self.asset());
                loan(user, asset, self.draw_loaned(asset)).into()
            }
            25..50 => self.draw_around_flows(),
            50..70 => {
                let inner = self.draw_inner();
                self.draw_around(&[inner])
            }
            70..85 => self.draw_two_loans(),
            _ => self.draw_bad_loan(),
        }
    }

    /// Mostly a part of what the reserve can lend.
    fn draw_loaned(&mut self, asset: usize) -> u64 {
        let most = self.lendable(asset);
        if self.chance(85) { self.rng.random_range(0..=most) } else { self.draw_amount(most) }
    }

    /// What happens inside of a loan of any asset. The signer of the first borrows.
    fn draw_around(&mut self, inner: &[Action]) -> Vec<Action> {
        let asset = self.asset();
        let amount = self.draw_loaned(asset);
        let [borrow, repay] = loan(inner[0].signer(), asset, amount);
        [&[borrow], inner, &[repay]].concat()
    }

    /// Anything that is not a loan of this kind itself, of a user who can have a fee to pay.
    fn draw_inner(&mut self) -> Action {
        if self.chance(30) { self.draw_vault_life_or_opening() } else { self.draw_action() }
    }

    fn draw_vault_life_or_opening(&mut self) -> Action {
        if self.chance(30) { self.draw_opening() } else { self.draw_vault_life() }
    }

    /// A keeper lends what it repays, or now and then something else.
    pub(super) fn draw_around_liquidation(&mut self) -> Vec<Action> {
        let inner = self.draw_liquidation();
        let Action::Liquidate { keeper, vault, debt, .. } = inner else { return vec![inner] };
        if self.chance(20) {
            return self.draw_around(&[inner]);
        }
        let owed = self.position(vault, debt);
        let amount = owed.min(self.lendable(debt)).max(1);
        let [borrow, repay] = loan(keeper, debt, amount);
        vec![borrow, inner, repay]
    }

    /// An owner deposits and borrows, or repays all and withdraws, in one transaction.
    fn draw_around_flows(&mut self) -> Vec<Action> {
        let vault = self.vault_where(|v| !v.is_empty());
        let owner = self.owner(vault);
        let flow = |asset, amount| FlowOf { user: owner, vault, asset, amount, payee: owner };
        if self.chance(50) {
            let debt = self.asset_of(vault, Side::Debt);
            let collateral = self.asset_of(vault, Side::Collateral);
            let amount = self.exact_or_all(self.position(vault, collateral), 30);
            let inner = [Action::Repay(flow(debt, AmountSpec::All)), Action::Withdraw(flow(collateral, amount))];
            let [borrow, repay] = loan(owner, debt, self.position(vault, debt).min(self.lendable(debt)).max(1));
            return [&[borrow], &inner[..], &[repay]].concat();
        }
        let deposit = FlowOf { user: owner, payee: owner, ..self.draw_deposit_to(vault) };
        let Action::Borrow(loan) = self.draw_loan() else { return self.draw_around(&[Action::Deposit(deposit)]) };
        let loan = FlowOf { user: owner, vault, payee: owner, ..loan };
        if loan.asset == deposit.asset {
            return self.draw_around(&[Action::Deposit(deposit)]);
        }
        self.draw_around(&[Action::Deposit(deposit), Action::Borrow(loan)])
    }

    /// Two at once, closed in either order, or one after the other.
    fn draw_two_loans(&mut self) -> Vec<Action> {
        let (user, a, b) = (self.below(USERS), self.asset(), self.asset());
        let [borrow_a, repay_a] = loan(user, a, self.draw_loaned(a));
        let [borrow_b, repay_b] = loan(user, b, self.draw_loaned(b));
        match self.below(3) {
            0 => vec![borrow_a, borrow_b, repay_b, repay_a],
            1 => vec![borrow_a, borrow_b, repay_a, repay_b],
            _ => vec![borrow_a, repay_a, borrow_b, repay_b],
        }
    }

    /// Not repaid, not exactly, to another reserve, before it is borrowed, twice.
    fn draw_bad_loan(&mut self) -> Vec<Action> {
        let (user, asset, other) = (self.below(USERS), self.asset(), self.asset());
        let amount = self.draw_loaned(asset);
        let [borrow, repay] = loan(user, asset, amount);
        let [again, back] = loan(user, asset, self.draw_loaned(asset));
        let inner = Action::Accrue { user, asset: other };
        match self.below(9) {
            0 => vec![borrow],
            1 => vec![borrow, inner],
            2 => vec![borrow, Action::FlashRepay { user, asset, amount: amount.saturating_add(1) }],
            3 => vec![borrow, Action::FlashRepay { user, asset, amount: amount.saturating_sub(1) }],
            4 => vec![borrow, Action::FlashRepay { user, asset: other, amount }],
            5 => vec![repay, borrow],
            6 => vec![borrow, again, back, repay],
            7 => vec![borrow, borrow, repay],
            _ => vec![borrow, repay, repay],
        }
    }
}
