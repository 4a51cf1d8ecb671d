//! The same random sequences through the compiled program and through a model that calls the risk crate directly: the
//! same successes and refusals, and the same accounts after each instruction, to the last bit.
//!
//! | module | what it models |
//! |---|---|
//! | [`model`] | the market, and how a vault is valued |
//! | [`users`], [`keepers`], [`minted`], [`governance`] | every instruction, in the order in which the program checks |
//! | [`reserve`], [`vault`] | the accounts |
//! | [`oracle`] | which price applies, and which is remembered |
//! | [`terms`] | what a configuration means in the risk crate's terms |
//! | [`compare`] | the accounts of the chain against those of the model |
//!
//! The model shares no computation with the program: it takes configurations and what price accounts hold from it, and
//! the numbers of its errors. Where the two disagree, one of them does not do what the risk crate says.
//!
//! `KEEL_INSTRUCTIONS` (8,000 unless set) and `KEEL_SEED` as in the test of the invariants.

mod compare;
mod governance;
mod keepers;
mod minted;
mod model;
mod oracle;
mod reserve;
mod terms;
mod users;
mod vault;

use compare::difference;
use keel_tests::check::Refusal;
use keel_tests::random::{Arena, Move, Step, from_env};
use model::Model;
use std::collections::BTreeMap;

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
                model.observe(&arena, matches!(what, Move::Fund { .. } | Move::Donate { .. } | Move::Give { .. }));
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
