//! What the officers do, and what others try in their place.

use crate::random::action::Action;
use crate::random::arena::{Arena, GOVERNANCE, USERS};
use crate::random::specs::MINTED;

impl Arena {
    /// Mostly governance.
    fn officer(&mut self) -> usize {
        if self.chance(93) { GOVERNANCE } else { self.below(USERS) }
    }

    /// Governance pays itself what insurance there is above the floor, or tries to pay more.
    pub(super) fn draw_payout(&mut self) -> Action {
        let asset = if self.chance(40) { MINTED } else { self.asset() };
        let reserve = &self.state.reserves[asset];
        let pool = reserve.pool();
        let amounts = pool.project(self.now).and_then(|indices| {
            Ok((indices.supply.amount_of(pool.insurance_shares)?, indices.debt.amount_owed(pool.debt_shares)?))
        });
        let (insured, owed) = amounts.map_or((0, 0), |(insured, owed)| (insured.0, owed.0));
        let floor = u128::from(owed) * u128::from(reserve.config.insurance_floor_bps) / 10_000;
        let room = insured.saturating_sub(u64::try_from(floor).unwrap()).saturating_sub(1);
        let amount = self.draw_amount(room);
        Action::WithdrawInsurance { signer: self.officer(), asset, amount }
    }
}
