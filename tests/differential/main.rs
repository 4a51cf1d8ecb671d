//! The same random sequences through the compiled program and through a model that calls the risk crate directly: the
//! same successes and refusals, and the same accounts after each instruction, to the last bit.
//!
//! | module | what it models |
//! |---|---|
//! | [`model`] | reserves, vaults, wallets, and every instruction |
//! | [`oracle`] | which price applies, and which is remembered |
//!
//! The model shares no computation with the program: it takes configurations and what price accounts hold from it, and
//! the numbers of its errors. Where the two disagree, one of them does not do what the risk crate says.
//!
//! `KEEL_INSTRUCTIONS` (8,000 unless set) and `KEEL_SEED` as in the test of the invariants.

mod model;
mod oracle;

use keel::state::{Reserve, Side, Vault};
use keel_risk::units::{Amount, DebtIndex, DebtShares, SupplyIndex, SupplyShares};
use keel_risk::{Fraction, pool::Pool};
use keel_tests::check::Refusal;
use keel_tests::random::{Arena, Move, Snapshot, Step, from_env};
use model::{Holdings, Model};
use oracle::Feed;
use std::collections::BTreeMap;

/// The books in a reserve's account, field by field.
fn books(reserve: &Reserve) -> Pool {
    let fraction = |words: keel::state::Words| Fraction::from_bits(words.get());
    Pool {
        available: Amount(reserve.available),
        supply_shares: SupplyShares(fraction(reserve.supply_shares)),
        insurance_shares: SupplyShares(fraction(reserve.insurance_shares)),
        debt_shares: DebtShares(fraction(reserve.debt_shares)),
        supply_index: SupplyIndex(fraction(reserve.supply_index)),
        debt_index: DebtIndex(fraction(reserve.debt_index)),
        borrow_rate: fraction(reserve.borrow_rate),
        supply_growth_ratio: fraction(reserve.supply_growth_ratio),
        updated_at: reserve.updated_at,
    }
}

/// What a vault's account holds, slot by slot.
fn holdings(state: &Snapshot, vault: &Vault) -> Holdings {
    let slots = vault.positions.map(|position| {
        let side = match position.side {
            0 => return None,
            1 => Side::Collateral,
            _ => Side::Debt,
        };
        Some((state.asset(&position.reserve), side, Fraction::from_bits(position.shares.get())))
    });
    Holdings { insolvent: vault.flags & Vault::INSOLVENT != 0, slots }
}

/// The first difference between the accounts and the model.
fn difference(state: &Snapshot, model: &Model) -> Option<String> {
    for (asset, (reserve, modelled)) in state.reserves.iter().zip(&model.reserves).enumerate() {
        let on_chain = books(reserve);
        if on_chain != modelled.pool {
            return Some(format!("asset {asset}:\n{on_chain:#?}\nmodel:\n{:#?}", modelled.pool));
        }
        for (last, feed) in reserve.last_prices.iter().zip(&modelled.feeds) {
            let on_chain = Feed::of(last);
            if on_chain != *feed {
                return Some(format!("feed of asset {asset}:\n{on_chain:#?}\nmodel:\n{feed:#?}"));
            }
        }
        if state.liquidity[asset] != modelled.liquidity {
            return Some(format!("liquidity of asset {asset}: {} {}", state.liquidity[asset], modelled.liquidity));
        }
    }
    for (i, (vault, modelled)) in state.vaults.iter().zip(&model.vaults).enumerate() {
        let on_chain = vault.as_ref().map(|vault| holdings(state, vault));
        if on_chain != *modelled {
            return Some(format!("vault {i}:\n{on_chain:#?}\nmodel:\n{modelled:#?}"));
        }
    }
    (state.wallets != model.wallets).then(|| format!("wallets: {:?}\nmodel: {:?}", state.wallets, model.wallets))
}

#[test]
fn the_program_does_what_the_risk_crate_says() {
    let (instructions, seed) = (from_env("KEEL_INSTRUCTIONS", 8_000), from_env("KEEL_SEED", 100));
    println!("KEEL_SEED={seed} KEEL_INSTRUCTIONS={instructions}");
    let mut arena = Arena::new(seed);
    let mut model = Model::new(&arena);
    let (mut agreed, mut count) = (BTreeMap::<_, [u64; 2]>::new(), 0);
    while count < instructions {
        match arena.draw() {
            Step::Happen(what) => {
                arena.happen(&what);
                model.observe(&arena, matches!(what, Move::Fund { .. } | Move::Donate { .. }));
            }
            Step::Act(action) => {
                count += 1;
                let mut next = model.clone();
                let expected = next.act(&action);
                let outcome = arena.act(&action);
                let actual = outcome.as_ref().map(|_| ()).map_err(Refusal::from);
                assert_eq!(actual, expected, "seed {seed}, instruction {count}: {action:?}\n{outcome:#?}");
                if expected.is_ok() {
                    model = next;
                }
                if let Some(difference) = difference(&arena.state, &model) {
                    panic!("seed {seed}, instruction {count}: {action:?}\n{difference}");
                }
                agreed.entry(action.name()).or_default()[usize::from(expected.is_err())] += 1;
            }
        }
    }
    println!("agreed successes and refusals: {agreed:#?}");
    println!("bad debts: {}, shared by suppliers: {}", model.losses, model.shared_losses);
    let liquidations = agreed.get("liquidate").copied().unwrap_or_default();
    let reached = liquidations[0] * 200 >= instructions && model.losses * 1_000 >= instructions;
    assert!(reached || instructions < 5_000, "the run did not reach enough liquidations and bad debts");
}
