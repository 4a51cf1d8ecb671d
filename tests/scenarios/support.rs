//! What the scenarios share.

use keel::state::Side;
use keel_risk::Fraction;
pub use keel_tests::bank::*;
use keel_tests::world::User;

/// The number that 60-bit fixed point stands for, for comparisons with formulas in floating point.
pub fn number(bits: impl Into<u128>) -> f64 {
    bits.into() as f64 / (1u64 << 60) as f64
}

/// Asserts of every reserve: it holds what its books say, its books hold, and the shares of `users`, with its insurance,
/// are all there are. `users` are all who have positions.
#[track_caller]
pub fn assert_sound(w: &mut Bank, users: &[&User]) {
    for asset in 0..w.assets.len() {
        let reserve = w.reserve(asset);
        assert_eq!(reserve.invariant(), Ok(()));
        assert!(w.liquidity(asset) >= reserve.available);
        let (mut supplied, mut owed) = (Fraction::from(reserve.insurance_shares), Fraction::ZERO);
        for user in users {
            let vault = w.vault(&user.vault);
            assert_eq!(vault.check(), Ok(()));
            for (position, side) in vault.occupied().filter(|(p, _)| p.reserve == w.assets[asset].reserve) {
                let sum = match side {
                    Side::Collateral => &mut supplied,
                    Side::Debt => &mut owed,
                };
                *sum = sum.checked_add(position.shares.into()).unwrap();
            }
        }
        assert_eq!(Fraction::from(reserve.supply_shares), supplied, "asset {asset}");
        assert_eq!(Fraction::from(reserve.debt_shares), owed, "asset {asset}");
    }
}

/// What the vault of `user` has in `asset`, in native units: supplied or owed, at the reserve's indices.
pub fn held(w: &mut Bank, user: &User, asset: usize) -> u64 {
    let (vault, pool) = (w.vault(&user.vault), w.reserve(asset).pool());
    match vault.collateral(&w.assets[asset].reserve) {
        Ok(shares) => pool.supply_index.amount_of(shares).unwrap().0,
        Err(_) => pool.debt_index.amount_owed(vault.debt_or_zero(&w.assets[asset].reserve)).unwrap().0,
    }
}
