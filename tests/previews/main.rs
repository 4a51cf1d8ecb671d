//! What `keel-client` previews is what the compiled program does: on random vaults in random markets.
//!
//! Each vault is asked about and acted on. The program runs on LiteSVM and leaves nothing behind, so that every action
//! meets the same state. Compared are
//!
//! - a liquidation, with the event of one and the accounts of vault and reserves afterwards, byte for byte, or the refusal;
//! - the least deposit and repayment that bring a vault to a health, with those accounts and one unit less;
//! - the prices at which it stops being healthy, with the health at these and a unit beyond;
//! - the largest loan and withdrawal that are accepted, with the program's answer to these and to one unit more;
//! - of every accepted action the accounts of vault and reserve afterwards, byte for byte, of every refused one the error.
//!
//! With `KEEL_PREVIEW_CASES`, the name of a folder, the accounts are written there with the answers of `keel-risk-wasm`
//! compiled for this machine. The web app's tests ask the same of WebAssembly.

mod act;
mod cases;
mod scene;

use keel::state::Side;
use keel_client::preview::Action;
use keel_risk::Fraction;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use scene::Stage;

/// Vaults in each of the tests below; four of them make ten thousand.
const SCENES: usize = 25;
const VAULTS: usize = 100;

#[test]
fn first_quarter() {
    quarter(0);
}

#[test]
fn second_quarter() {
    quarter(1);
}

#[test]
fn third_quarter() {
    quarter(2);
}

#[test]
fn fourth_quarter() {
    quarter(3);
}

fn quarter(number: u64) {
    let seed = keel_tests::random::from_env("KEEL_SEED", 1_789);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    let mut stage = Stage::new();
    let mut seen = act::Seen::default();
    for scene in 0..SCENES {
        stage.change(&mut rng);
        let mut cases = cases::Cases::new(&mut stage, &mut rng);
        for _ in 0..VAULTS {
            let vault = stage.vault(&mut rng);
            stage.install(&vault);
            seen.vaults += 1;
            act::liquidate(&mut stage, &vault, &mut rng, &mut seen);
            act::at_critical_prices(&mut stage, &vault, &mut seen);
            let debt = stage.reserve_not_held(&vault, Side::Collateral, &mut rng);
            let collateral = stage.reserve_held(&vault, Side::Collateral, &mut rng);
            act::at_the_boundary(&mut stage, &vault, debt, Action::Borrow, &mut seen);
            if let Some(collateral) = collateral {
                act::at_the_boundary(&mut stage, &vault, collateral, Action::Withdraw, &mut seen);
            }
            let health = Fraction::from_bps_floor(rng.random_range(8_000..20_000));
            let (rescue, side) =
                *[(Action::Deposit, Side::Collateral), (Action::Repay, Side::Debt)].choose(&mut rng).unwrap();
            if let Some(asset) = stage.reserve_held(&vault, side, &mut rng) {
                act::at_the_least(&mut stage, &vault, asset, rescue, health, &mut seen);
            }
            let action = *[Action::Deposit, Action::Withdraw, Action::Borrow, Action::Repay].choose(&mut rng).unwrap();
            let reserve = stage.fitting_reserve(&vault, action, &mut rng);
            let amount = stage.amount(&mut rng, reserve);
            act::compare(&mut stage, &vault, reserve, action, amount, &mut seen);
            let pair = stage.pair(&vault, &mut rng);
            cases.add(&stage, &vault, (action, reserve, amount), debt, pair, &mut rng);
        }
        cases.write(&format!("{number}-{scene:02}"));
    }
    eprintln!("seed {seed}, quarter {number}: {seen:#?}");
    seen.require_all();
}
