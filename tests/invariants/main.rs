//! A stateful random test: many users, five assets, moving prices, time, faults of the oracle and liquidations, and the
//! invariants of the protocol checked after every instruction, on all accounts of the market.
//!
//! | module | what must hold |
//! |---|---|
//! | [`books`] | 1 to 4: reserves are covered, shares add up, drift favours the protocol, indices never fall; 8: supplies |
//! | [`health`] | 5: what a loan, a withdrawal, a liquidation and a write-off must leave behind |
//! | [`haircuts`] | haircuts move no faster than their ramps |
//! | [`limits`] | no more leaves within an hour and a day than is let out |
//! | [`tokens`] | every token that moved is in the events |
//! | [`minted`] | the minted token: its deficit, redemptions, the swap |
//! | [`initial`] | 5 again, in exact arithmetic of its own: what the program lets through |
//! | [`flash`] | a flash loan leaves the books as they were, and a fee |
//! | [`shares`] | a liquidation for shares moves them, and makes none |
//! | [`authority`] | who may do what: owners, delegates, and what nobody may |
//! | [`groups`] | the weights of an efficiency group count only while every debt is in it |
//! | [`isolation`] | isolated collateral and debt stand alone, and the ceiling holds |
//! | [`configuration`] | who changes a configuration, when, and what that leaves alone |
//! | [`thresholds`] | no vault feels a change at once |
//! | [`pauses`] | what is paused stops, what takes risk away stops last |
//! | [`refusals`] | 6: a refusal changes nothing and has a documented code |
//! | [`wealth`] | 7: while prices and time stand still nobody becomes richer |
//! | [`coverage`] | the run reached the states that matter, or it fails |
//!
//! Governance changes the configuration all the while. Every check compares against the one that is in force at the
//! instruction: that of the accounts before it, or, of what it leaves behind, after it.
//!
//! `KEEL_INSTRUCTIONS` sets the number of instructions (40,000 unless set; a million for a release), `KEEL_SEED` the
//! seed. A failure prints both, and the last steps. A run goes through several markets, each with a seed that follows from
//! the first: at least two, as every other one has isolated assets, and of at most [`ARENA`] instructions, so that none ends
//! in a state that no market would reach.

mod authority;
mod books;
mod configuration;
mod coverage;
mod exact;
mod flash;
mod floors;
mod groups;
mod haircuts;
mod health;
mod initial;
mod isolation;
mod limits;
mod minted;
mod pauses;
mod refusals;
mod shares;
mod thresholds;
mod tokens;
mod wealth;

use coverage::Coverage;
use keel::events::{
    BadDebtRecognized, CollateralForfeited, FlashLoan, InsuranceWithdrawn, Liquidated, Moved, Redeemed, Swapped,
    VaultTransferred,
};
use keel::state::Change;
use keel_tests::check::events;
use keel_tests::random::{Action, Arena, FlowOf, Snapshot, Step, from_env};
use keel_tests::{Failure, Receipt};
use std::collections::VecDeque;
use std::time::Instant;
use wealth::Window;

/// Instructions that one market sees at most.
const ARENA: u64 = 20_000;
/// Steps that a failure prints.
const HISTORY: usize = 20;

/// What a check found wrong.
type Verdict = Result<(), String>;

/// Fails a check with a message unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+));
        }
    };
}
use ensure;

/// A transaction that has just run, and everything around it.
struct Done<'a> {
    arena: &'a Arena,
    before: &'a Snapshot,
    /// Everything in it, all by the same signer.
    actions: &'a [Action],
    /// What it is about: the last instruction that is no part of a flash loan, or the last one.
    action: Action,
    result: Result<Effects, &'a Failure>,
}

/// The events of a transaction that succeeded.
struct Effects {
    moved: Vec<Moved>,
    flash: Vec<FlashLoan>,
    transferred: Vec<VaultTransferred>,
    liquidated: Vec<Liquidated>,
    redeemed: Vec<Redeemed>,
    swapped: Vec<Swapped>,
    paid_out: Vec<InsuranceWithdrawn>,
    losses: Vec<BadDebtRecognized>,
    forfeits: Vec<CollateralForfeited>,
}

impl Effects {
    fn of(receipt: &Receipt) -> Self {
        Self {
            moved: events(receipt),
            flash: events(receipt),
            transferred: events(receipt),
            liquidated: events(receipt),
            redeemed: events(receipt),
            swapped: events(receipt),
            paid_out: events(receipt),
            losses: events(receipt),
            forfeits: events(receipt),
        }
    }
}

impl<'a> Done<'a> {
    fn new(arena: &'a Arena, before: &'a Snapshot, actions: &'a [Action], outcome: &'a Outcome) -> Self {
        let main = actions.iter().rfind(|action| !is_flash(action)).or(actions.last());
        let action = *main.expect("a transaction of nothing");
        Self { arena, before, actions, action, result: outcome.as_ref().map(Effects::of) }
    }

    fn after(&self) -> &Snapshot {
        &self.arena.state
    }

    /// The assets whose reserves may have changed.
    fn assets(&self) -> Vec<usize> {
        let mut assets: Vec<usize> = self.actions.iter().flat_map(Action::assets).collect();
        assets.sort_unstable();
        assets.dedup();
        assets
    }

    /// Whether nothing but a challenge concerns the asset.
    fn only_challenges(&self, asset: usize) -> bool {
        let mut concerned = self.actions.iter().filter(|action| action.assets().contains(&asset));
        concerned.all(|action| matches!(action, Action::Challenge { .. }))
    }

    /// The asset whose configuration it changes, if it changes one.
    fn configured(&self) -> Option<usize> {
        match self.action {
            Action::Execute { .. } | Action::Tighten { .. } | Action::Step { .. } => self.action.assets().pop(),
            _ => None,
        }
    }

    /// Whom a payment of insurance is for.
    fn payee(&self) -> usize {
        let announced = match self.action {
            Action::WithdrawInsurance { nonce, .. } => self.before.announced(nonce),
            _ => None,
        };
        let to = announced.and_then(|announced| match announced.change {
            Change::WithdrawInsurance { to, .. } => Some(to),
            _ => None,
        });
        let paid = |to| self.arena.players.iter().position(|player| player.tokens.contains(&to));
        to.and_then(paid).expect("a payment of insurance that nobody announced")
    }

    /// What it deposits, withdraws, borrows and repays, in the order of the instructions.
    fn flows(&self) -> impl Iterator<Item = &FlowOf> {
        self.actions.iter().filter_map(|action| match action {
            Action::Deposit(f) | Action::Withdraw(f) | Action::Borrow(f) | Action::Repay(f) => Some(f),
            _ => None,
        })
    }

    /// The instruction that a refused transaction stopped at.
    fn stopped_at(&self, failure: &Failure) -> Option<&'a Action> {
        self.actions.get(failure.instruction()?)
    }
}

type Outcome = Result<Receipt, Failure>;

fn is_flash(action: &Action) -> bool {
    matches!(action, Action::FlashBorrow { .. } | Action::FlashRepay { .. })
}

fn check(done: &Done, window: &mut Option<Window>, coverage: &mut Coverage) -> Verdict {
    match &done.result {
        Ok(effects) => {
            let touched = done.assets();
            if touched.iter().any(|asset| done.before.reserves[*asset].updated_at == done.before.moment.now) {
                coverage.no_time();
            }
            tokens::check(done, effects)?;
            books::reserves(done, effects)?;
            minted::check(done, effects, coverage)?;
            haircuts::check(done, coverage)?;
            limits::check(done, effects, coverage)?;
            health::check(done, effects, coverage)?;
            flash::check(done, effects, coverage)?;
            shares::check(done, effects, coverage)?;
            authority::check(done, effects, coverage)?;
            groups::check(done, coverage)?;
            isolation::check(done, coverage)?;
            configuration::check(done, effects, coverage)?;
        }
        Err(failure) => refusals::check(done, failure)?,
    }
    pauses::check(done, coverage)?;
    isolation::counts(done.after())?;
    books::sums(done.after())?;
    thresholds::over_time(done.before, done.after())?;
    wealth::check(done, window)?;
    if done.before.reserves.iter().zip(&done.after().reserves).any(|(old, new)| old.config.oracle != new.config.oracle)
    {
        // Other feeds may say something else: prices stood still up to here, and do so from here on.
        if let Some(open) = window.take() {
            open.close(done.arena)?;
            *window = Some(Window::open(done.arena));
        }
    }
    Ok(())
}

/// Runs one market for `instructions`.
fn run(seed: u64, instructions: u64, coverage: &mut Coverage) {
    let mut arena = Arena::new(seed);
    let mut history = VecDeque::with_capacity(HISTORY);
    let mut window: Option<Window> = None;
    let mut count = 0;
    while count < instructions {
        let step = arena.draw();
        if history.len() == HISTORY {
            history.pop_front();
        }
        history.push_back(step.clone());
        let verdict = match step {
            Step::Happen(what) => {
                let closed = window.take().map_or(Ok(()), |w| w.close(&arena));
                let before = arena.state.clone();
                arena.happen(&what);
                let closed = closed.and_then(|()| thresholds::over_time(&before, &arena.state));
                window = (arena.still > 0).then(|| Window::open(&arena));
                coverage.windows += u64::from(arena.still > 0);
                closed
            }
            Step::Act(actions) => {
                count += actions.len() as u64;
                let before = arena.state.clone();
                let outcome = arena.act(&actions);
                let done = Done::new(&arena, &before, &actions, &outcome);
                coverage.count(&done, &outcome);
                check(&done, &mut window, coverage).map_err(|reason| format!("{reason}\n{outcome:#?}"))
            }
        };
        if let Err(reason) = verdict {
            let last: Vec<String> = history.iter().map(|step| format!("  {step:?}")).collect();
            panic!(
                "seed {seed}, instruction {count} of {instructions}: {reason}\nThe last steps:\n{}",
                last.join("\n")
            );
        }
    }
    if let Some(Err(reason)) = window.map(|w| w.close(&arena)) {
        panic!("seed {seed}, at the end: {reason}");
    }
}

#[test]
fn any_sequence_of_instructions_keeps_the_invariants() {
    let (instructions, seed) = (from_env("KEEL_INSTRUCTIONS", 40_000), from_env("KEEL_SEED", 1));
    println!("KEEL_SEED={seed} KEEL_INSTRUCTIONS={instructions}");
    let mut coverage = Coverage::default();
    let start = Instant::now();
    let markets = instructions.div_ceil(ARENA).max(2);
    for market in 0..markets {
        run(seed + market, instructions.div_ceil(markets), &mut coverage);
    }
    println!("{coverage}");
    println!("{:.0} instructions per second", instructions as f64 / start.elapsed().as_secs_f64());
    coverage.require(instructions);
}
