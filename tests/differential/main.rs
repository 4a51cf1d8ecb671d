//! The same random sequences through the compiled program and through a model that calls the risk crate directly: the
//! same successes and refusals, and the same accounts after each instruction, to the last bit.
//!
//! | module | what it models |
//! |---|---|
//! | [`model`] | the market, and how a vault is valued |
//! | [`users`], [`life`], [`flash`], [`keepers`], [`minted`], [`governance`] | every instruction, in the order in which the program checks |
//! | [`configure`] | what another configuration does to a reserve |
//! | [`pauses`] | what is paused, and who may pause |
//! | [`reserve`], [`vault`] | the accounts |
//! | [`oracle`] | which price applies, and which is remembered |
//! | [`terms`] | what a configuration means in the risk crate's terms |
//! | [`compare`] | the accounts of the chain against those of the model |
//!
//! The model shares no computation with the program: it takes from it the configurations that a market begins with, what price
//! accounts hold, and the numbers of its errors. What governance makes of a configuration it says itself, from its bytes. Where the two disagree, one of them does not do what the risk crate says.
//!
//! `KEEL_INSTRUCTIONS` (40,000 unless set) and `KEEL_SEED` as in the test of the invariants.

mod compare;
mod configure;
mod flash;
mod governance;
mod keepers;
mod life;
mod minted;
mod model;
mod oracle;
mod pauses;
mod reserve;
mod terms;
mod users;
mod vault;

use compare::difference;
use keel_tests::check::Refusal;
use keel_tests::random::{Action, Arena, Move, Step, from_env};
use model::Model;
use std::collections::BTreeMap;

/// Instructions that one market sees at most.
const ARENA: u64 = 20_000;

/// Kinds of instructions by name: one for each of [`Action`], and liquidations for shares.
const KINDS: usize = 30;

/// What a run agreed on.
#[derive(Default)]
struct Agreement {
    /// Successes and refusals by instruction.
    instructions: BTreeMap<&'static str, [u64; 2]>,
    /// The same of transactions with flash loans.
    flash: [u64; 2],
    losses: u64,
    shared_losses: u64,
}

/// Runs one market for `instructions`.
fn run(seed: u64, instructions: u64, agreed: &mut Agreement) {
    let mut arena = Arena::new(seed);
    let mut model = Model::new(&arena);
    let mut count = 0;
    while count < instructions {
        match arena.draw() {
            Step::Happen(what) => {
                arena.happen(&what);
                model.observe(&arena, matches!(what, Move::Fund { .. } | Move::Donate { .. } | Move::Give { .. }));
            }
            Step::Act(actions) => {
                count += actions.len() as u64;
                let mut next = model.clone();
                let expected = next.act(&actions);
                let outcome = arena.act(&actions);
                let actual = outcome
                    .as_ref()
                    .map(|_| ())
                    .map_err(|failure| (failure.instruction().unwrap_or(usize::MAX), Refusal::from(failure)));
                assert_eq!(actual, expected, "seed {seed}, instruction {count}: {actions:?}\n{outcome:#?}");
                let refused = usize::from(expected.is_err());
                match expected {
                    Ok(()) => {
                        model = next;
                        if actions.iter().any(|action| matches!(action, Action::Queue { .. } | Action::Execute { .. }))
                        {
                            // Other feeds or another receiver: what price accounts hold means something else.
                            model.observe(&arena, false);
                        }
                        for action in &actions {
                            agreed.instructions.entry(action.name()).or_default()[0] += 1;
                        }
                    }
                    Err((i, _)) => agreed.instructions.entry(actions[i].name()).or_default()[1] += 1,
                }
                agreed.flash[refused] += u64::from(matches!(actions[0], Action::FlashBorrow { .. }));
                if let Some(difference) = difference(&arena, &model) {
                    panic!("seed {seed}, instruction {count}: {actions:?}\n{difference}");
                }
            }
        }
    }
    agreed.losses += model.losses;
    agreed.shared_losses += model.shared_losses;
}

#[test]
fn the_program_does_what_the_risk_crate_says() {
    let (instructions, seed) = (from_env("KEEL_INSTRUCTIONS", 40_000), from_env("KEEL_SEED", 100));
    println!("KEEL_SEED={seed} KEEL_INSTRUCTIONS={instructions}");
    let mut agreed = Agreement::default();
    // Every other market has isolated assets.
    let markets = instructions.div_ceil(ARENA).max(2);
    for market in 0..markets {
        run(seed + market, instructions.div_ceil(markets), &mut agreed);
    }
    println!("agreed successes and refusals: {:#?}", agreed.instructions);
    println!("of transactions with flash loans: {:?}", agreed.flash);
    println!("bad debts: {}, shared by suppliers: {}", agreed.losses, agreed.shared_losses);
    let liquidations = agreed.instructions.get("liquidate").copied().unwrap_or_default();
    let reached = liquidations[0] * 200 >= instructions && agreed.losses * 1_000 >= instructions;
    assert!(reached || instructions < 5_000, "the run did not reach enough liquidations and bad debts");
    let kinds = agreed.instructions.values().filter(|[successes, _]| *successes > 0).count();
    let reached = kinds == KINDS && agreed.flash.iter().all(|n| n * 250 >= instructions);
    assert!(
        reached || instructions < 20_000,
        "{kinds} of {KINDS} kinds of instructions succeeded, and few flash loans"
    );
}
