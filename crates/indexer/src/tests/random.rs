//! Chains at random: forks, outages, small pages, transactions that are not there yet, and an indexer that is killed in
//! the middle of a write. In the end the store has what is final, once, in its order.

use super::sim::{Block, Chain, Does, Sim, Transaction};
use super::{Event, RESERVE, Scratch};
use crate::IndexError;
use crate::follow::Follower;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CHAINS: u64 = 60;
const STEPS: u32 = 40;

/// What happens on a chain, and to whom it happens.
struct Fate {
    random: ChaCha8Rng,
    /// Transactions that a fork has dropped: some are executed later.
    dropped: Vec<Transaction>,
    forks: bool,
}

impl Fate {
    fn does(&mut self) -> Does {
        let random = &mut self.random;
        Does {
            events: random.random_range(0..4),
            fails: random.random_bool(0.15),
            truncated: random.random_bool(0.05),
            forges: random.random_bool(0.2),
        }
    }

    fn block(&mut self, chain: &mut Chain) {
        // A slot of the fork that was dropped, or a later one.
        let slot = chain.tip() + self.random.random_range(1..4);
        let mut transactions = Vec::new();
        for _ in 0..self.random.random_range(0..5) {
            if !self.dropped.is_empty() && self.random.random_bool(0.5) {
                let at = self.random.random_range(0..self.dropped.len());
                transactions.push(self.dropped.swap_remove(at));
            } else {
                let does = self.does();
                transactions.push(chain.transaction(does));
            }
        }
        chain.blocks.push(Block { slot, transactions });
    }

    fn happen(&mut self, chain: &mut Chain) {
        match self.random.random_range(0..10) {
            0..4 => self.block(chain),
            4..6 => {
                let tentative = chain.blocks.len() - chain.finalized;
                chain.finalized += self.random.random_range(0..=tentative);
            }
            6 | 7 if self.forks => {
                let from = self.random.random_range(chain.finalized..=chain.blocks.len());
                let dropped = chain.fork(from);
                self.dropped.extend(dropped);
                if self.random.random_bool(0.8) {
                    self.block(chain);
                }
            }
            8 => chain.outage = Some((self.random.random_range(0..6), self.random.random_range(1..4))),
            9 => {
                let all: Vec<_> = chain.blocks.iter().flat_map(|b| &b.transactions).map(|one| one.signature).collect();
                chain.hidden = all.choose(&mut self.random).copied().into_iter().collect();
            }
            _ => {}
        }
    }
}

/// Counted over all chains: a test that reached none of it would say nothing.
#[derive(Default, Debug)]
struct Reached {
    kills: u32,
    outages: u32,
    unread: u32,
    exact: u32,
    removed: u32,
    events: usize,
}

fn play(seed: u64, reached: &mut Reached) {
    let scratch = Scratch::new();
    let chain = Sim::new();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // A node that lists all whatever is asked for promises less; it is a chain of tests, which does not fork.
    let lists_all = seed.is_multiple_of(4);
    let mut fate = Fate { random: ChaCha8Rng::seed_from_u64(!seed), dropped: Vec::new(), forks: !lists_all };
    chain.with(|chain| {
        chain.page = random.random_range(1..6);
        chain.lists_all = lists_all;
        chain.meanwhile = Some(Box::new(move |chain: &mut Chain| {
            if fate.random.random_bool(0.25) {
                fate.happen(chain);
            }
        }));
    });
    let mut follower = scratch.follow(&chain);
    let mut shown: Vec<Event> = Vec::new();
    for _ in 0..STEPS {
        let is_killed = random.random_bool(0.3);
        if is_killed {
            interrupt(&mut follower, random.random_range(1..600), random.random_bool(0.2));
        }
        let before = chain.with(|chain| chain.events());
        let outcome = follower.round();
        match &outcome {
            Ok(()) => {}
            Err(IndexError::Source(_)) => reached.outages += 1,
            Err(IndexError::Unread(_)) => reached.unread += 1,
            Err(IndexError::Store(_)) if is_killed => {}
            Err(error) => panic!("seed {seed}: {error}"),
        }
        if is_killed {
            reached.kills += u32::from(matches!(outcome, Err(IndexError::Store(_))));
            drop(follower);
            follower = scratch.follow(&chain);
        }
        let stored = scratch.events(&RESERVE, 3);
        let now = chain.with(|chain| chain.events());
        // Whatever is stored as final is what is final, from the first on, without a hole.
        let [kept, truth]: [Vec<_>; 2] = [&stored, &now].map(|all| all.iter().filter(|e| e.is_final).collect());
        assert!(truth.starts_with(&kept), "seed {seed}: {kept:?} is not the beginning of {truth:?}");
        let gone = |event: &&Event| !stored.iter().any(|e| e.signature == event.signature && e.slot == event.slot);
        reached.removed += u32::try_from(shown.iter().filter(gone).count()).unwrap();
        shown.clone_from(&stored);
        let still = chain.with(|chain| chain.hidden.is_empty());
        if outcome.is_ok() && before == now && still {
            assert_eq!(places(&stored), places(&now), "seed {seed}");
            reached.exact += 1;
        }
    }
    chain.with(|chain| {
        (chain.meanwhile, chain.outage, chain.hidden) = (None, None, Vec::new());
        chain.finalize_all();
    });
    follower.round().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let truth = chain.with(|chain| chain.events());
    for limit in [1, 200] {
        assert_eq!(scratch.events(&RESERVE, limit), truth, "seed {seed}");
    }
    reached.events += truth.len();
    let mut gaps = scratch.gaps();
    let mut truncated: Vec<_> = chain
        .with(|chain| chain.truncated())
        .into_iter()
        .map(|signature| ("truncated".to_string(), signature))
        .collect();
    gaps.sort();
    truncated.sort();
    assert_eq!(gaps, truncated, "seed {seed}");
    // Nothing is read twice without a reason: what is known is asked for by one list.
    let questions = chain.with(|chain| std::mem::take(&mut chain.questions));
    follower.round().unwrap();
    assert!(questions > 2 && chain.with(|chain| chain.questions) == 2, "seed {seed}");
}

/// Without what came of what is not final: a transaction may be at the same place of another fork, and is read again only
/// when it is final.
fn places(events: &[Event]) -> Vec<Event> {
    let place = |event: &Event| {
        let amount = if event.is_final { event.amount.clone() } else { String::new() };
        Event { amount, ..event.clone() }
    };
    events.iter().map(place).collect()
}

/// Has the database fail after so many steps of its machine, or at the next commit: nothing after that is written.
fn interrupt(follower: &mut Follower<Sim>, steps: u32, at_commit: bool) {
    let connection = follower.store().connection();
    if at_commit {
        connection.commit_hook(Some(|| true)).unwrap();
        return;
    }
    let mut left = steps;
    let die = move || {
        left = left.saturating_sub(1);
        left == 0
    };
    connection.progress_handler(1, Some(die)).unwrap();
}

#[test]
fn the_store_ends_as_the_chain() {
    let mut reached = Reached::default();
    for seed in 0..CHAINS {
        play(seed, &mut reached);
    }
    println!("{reached:?}");
    let Reached { kills, outages, unread, exact, removed, events } = reached;
    assert!(kills > 100 && outages > 100 && unread > 50, "{kills} {outages} {unread}");
    assert!(exact > 100 && removed > 50 && events > 1_000, "{exact} {removed} {events}");
}
