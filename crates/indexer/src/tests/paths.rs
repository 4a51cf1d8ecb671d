//! The follower's ways, one by one.

use super::sim::{Block, Does, Sim, amount};
use super::{RESERVE, Scratch, identity};
use crate::IndexError;
use crate::store::{Identity, Store};
use solana_signature::Signature;

const ONE: Does = Does { events: 1, fails: false, truncated: false, forges: false };
const FAILED: Does = Does { fails: true, ..ONE };

fn amounts(scratch: &Scratch) -> Vec<String> {
    scratch.events(&RESERVE, 200).into_iter().map(|event| event.amount).collect()
}

fn numbers(numbers: &[u64]) -> Vec<String> {
    numbers.iter().map(|number| amount(*number, 0, 0).to_string()).collect()
}

#[test]
fn the_order_within_a_slot_is_that_of_execution() {
    let (scratch, chain) = (Scratch::new(), Sim::new());
    chain.with(|chain| {
        chain.page = 2;
        chain.add(5, &[ONE, FAILED, ONE, ONE]);
        chain.add(6, &[ONE]);
        chain.finalized = 1;
    });
    let mut follower = scratch.follow(&chain);
    follower.round().unwrap();
    assert_eq!(amounts(&scratch), numbers(&[1, 3, 4, 5]));
    let status = scratch.ask("/api/status", "");
    assert_eq!((status["cursor"]["slot"].as_str(), status["tentative"].as_u64()), (Some("5"), Some(1)));
}

/// More than is written at once, and a cursor in the middle of a slot.
#[test]
fn a_backlog_is_read_from_its_beginning() {
    let (scratch, chain) = (Scratch::new(), Sim::new());
    chain.with(|chain| {
        chain.page = 10;
        for slot in 0..3 {
            chain.add(slot, &[ONE; 50]);
        }
        chain.finalize_all();
        // After the lists and the first batch, whose last transaction is the fourteenth of the second slot.
        chain.outage = Some((1 + 2 * 16 + 1, 1));
    });
    let mut follower = scratch.follow(&chain);
    assert!(matches!(follower.round(), Err(IndexError::Source(_))));
    assert_eq!(amounts(&scratch), numbers(&(1..=64).collect::<Vec<_>>()));
    let status = scratch.ask("/api/status", "");
    assert_eq!((&status["backlog"], &status["lookedAt"]), (&86.into(), &0.into()));
    drop(follower);
    scratch.follow(&chain).round().unwrap();
    assert_eq!(amounts(&scratch), numbers(&(1..=150).collect::<Vec<_>>()));
    assert_eq!(scratch.ask("/api/status", "")["backlog"], 0);
}

#[test]
fn what_a_fork_drops_is_removed_and_comes_back_once() {
    let (scratch, chain) = (Scratch::new(), Sim::new());
    chain.with(|chain| {
        chain.add(5, &[ONE]);
        chain.finalize_all();
        chain.add(6, &[ONE, ONE]);
    });
    let mut follower = scratch.follow(&chain);
    follower.round().unwrap();
    assert_eq!(amounts(&scratch), numbers(&[1, 2, 3]));
    let dropped = chain.with(|chain| chain.fork(1));
    follower.round().unwrap();
    assert_eq!(amounts(&scratch), numbers(&[1]));
    chain.with(|chain| chain.blocks.push(Block { slot: 6, transactions: dropped.into_iter().rev().collect() }));
    follower.round().unwrap();
    let again = [amount(1, 0, 0), amount(3, 1, 0), amount(2, 1, 0)].map(|amount| amount.to_string());
    assert_eq!(amounts(&scratch), again);
    chain.with(|chain| chain.finalize_all());
    follower.round().unwrap();
    assert_eq!(amounts(&scratch), again);
}

/// The same transaction at the same place, executed on another fork, where something else came of it.
#[test]
fn what_is_final_is_read_when_it_is_final() {
    let (scratch, chain) = (Scratch::new(), Sim::new());
    chain.with(|chain| chain.add(5, &[ONE]));
    let mut follower = scratch.follow(&chain);
    follower.round().unwrap();
    chain.with(|chain| {
        let transactions = chain.fork(0);
        chain.blocks.push(Block { slot: 5, transactions });
        chain.finalize_all();
    });
    follower.round().unwrap();
    assert_eq!(amounts(&scratch), [amount(1, 1, 0).to_string()]);
}

/// A node that answers about another fork is asked again, whether what was asked for is final or not.
#[test]
fn answers_about_another_fork_are_none() {
    let (scratch, chain) = (Scratch::new(), Sim::new());
    chain.with(|chain| {
        chain.add(5, &[ONE]);
        chain.other_fork = Some(6);
    });
    let mut follower = scratch.follow(&chain);
    follower.round().unwrap();
    assert!(amounts(&scratch).is_empty());
    chain.with(|chain| chain.finalize_all());
    assert!(matches!(follower.round(), Err(IndexError::Unread(_))));
    assert!(amounts(&scratch).is_empty());
    chain.with(|chain| chain.other_fork = None);
    follower.round().unwrap();
    assert_eq!(amounts(&scratch), numbers(&[1]));
}

#[test]
fn a_node_that_forgot_leaves_a_gap() {
    let (scratch, chain) = (Scratch::new(), Sim::new());
    chain.with(|chain| {
        chain.add(5, &[ONE]);
        chain.add(6, &[ONE]);
        chain.finalize_all();
    });
    scratch.follow(&chain).round().unwrap();
    chain.with(|chain| {
        chain.add(7, &[ONE]);
        chain.add(20, &[ONE]);
        chain.finalize_all();
        chain.first_slot = 15;
    });
    let mut follower = scratch.follow(&chain);
    follower.round().unwrap();
    follower.round().unwrap();
    assert_eq!(amounts(&scratch), numbers(&[1, 2, 4]));
    let gap = serde_json::json!([{ "kind": "pruned", "signature": null, "fromSlot": "6", "toSlot": "15" }]);
    assert_eq!(scratch.ask("/api/status", "")["gaps"], gap);
}

/// Nothing happened for longer than the node remembers, and somebody looked all the time: nothing is lost.
#[test]
fn a_quiet_program_leaves_none() {
    let (scratch, chain) = (Scratch::new(), Sim::new());
    chain.with(|chain| {
        chain.add(5, &[ONE]);
        chain.add(30, &[]);
        chain.finalize_all();
    });
    let mut follower = scratch.follow(&chain);
    follower.round().unwrap();
    chain.with(|chain| chain.first_slot = 25);
    follower.round().unwrap();
    assert!(scratch.gaps().is_empty());
    chain.with(|chain| {
        chain.add(31, &[ONE]);
        chain.finalize_all();
    });
    follower.round().unwrap();
    assert_eq!((amounts(&scratch), scratch.gaps().len()), (numbers(&[1, 2]), 0));
    // If nobody looks, something may be.
    chain.with(|chain| {
        chain.first_slot = 50;
        chain.add(60, &[]);
        chain.finalize_all();
    });
    for _ in 0..2 {
        follower.round().unwrap();
        assert_eq!(scratch.gaps().len(), 1);
    }
}

#[test]
fn a_node_that_is_behind_is_waited_for() {
    let (scratch, chain) = (Scratch::new(), Sim::new());
    chain.with(|chain| {
        chain.add(5, &[ONE]);
        chain.add(6, &[ONE]);
        chain.finalize_all();
    });
    let mut follower = scratch.follow(&chain);
    follower.round().unwrap();
    let newest = chain.with(|chain| {
        chain.finalized = 1;
        chain.blocks.pop().unwrap()
    });
    assert!(matches!(
        follower.round(),
        Err(IndexError::Behind { slot: 6, .. } | IndexError::Contradiction { slot: 6, .. })
    ));
    assert_eq!(amounts(&scratch), numbers(&[1, 2]));
    chain.with(|chain| {
        chain.blocks.push(newest);
        chain.finalize_all();
    });
    follower.round().unwrap();
    assert_eq!((amounts(&scratch), scratch.gaps().len()), (numbers(&[1, 2]), 0));
}

#[test]
fn another_history_is_refused() {
    let (scratch, chain) = (Scratch::new(), Sim::new());
    chain.with(|chain| {
        chain.add(5, &[ONE, ONE]);
        chain.finalize_all();
    });
    scratch.follow(&chain).round().unwrap();
    let other = Sim::new();
    other.with(|chain| {
        chain.add(1, &[FAILED, FAILED, FAILED, ONE]);
        chain.finalize_all();
    });
    let error = scratch.follow(&other).round().unwrap_err();
    assert!(matches!(error, IndexError::Contradiction { slot: 5, .. }), "{error}");
}

/// What is listed and cannot be had holds the cursor for a while, then it is a gap, which closes when it can be had.
#[test]
fn a_missing_transaction_becomes_a_gap_and_is_filled() {
    let (scratch, chain) = (Scratch::new(), Sim::new());
    chain.with(|chain| {
        let signatures = chain.add(5, &[ONE, ONE, ONE]);
        chain.hidden = vec![signatures[1]];
        chain.finalize_all();
    });
    let mut follower = scratch.follow(&chain);
    for _ in 0..20 {
        assert!(matches!(follower.round(), Err(IndexError::Unread(_))));
        assert_eq!(amounts(&scratch), numbers(&[1]));
    }
    follower.round().unwrap();
    assert_eq!(amounts(&scratch), numbers(&[1, 3]));
    assert_eq!(scratch.gaps()[0].0, "missing");
    chain.with(|chain| chain.hidden.clear());
    follower.round().unwrap();
    assert_eq!(scratch.gaps().len(), 1, "it is not tried all the time");
    follower.store().connection().execute("UPDATE gaps SET found_at = found_at - 601", []).unwrap();
    follower.round().unwrap();
    assert_eq!((amounts(&scratch), scratch.gaps().len()), (numbers(&[1, 2, 3]), 0));
}

#[test]
fn a_store_has_one_writer() {
    let scratch = Scratch::new();
    let store = scratch.open().unwrap();
    assert!(matches!(scratch.open().err().unwrap(), IndexError::Busy(path) if path == scratch.file()));
    drop(store);
    scratch.open().unwrap();
}

#[test]
fn a_store_of_something_else_is_refused() {
    let scratch = Scratch::new();
    drop(scratch.open().unwrap());
    let other = Identity { genesis: "another".into(), ..identity() };
    let error = Store::open(&scratch.file(), &other, || Ok(0)).err().unwrap();
    assert!(matches!(&error, IndexError::OtherChain { .. }) && error.to_string().contains("another"), "{error}");
    let mut store = scratch.open().unwrap();
    store.connection().pragma_update(None, "user_version", 9).unwrap();
    drop(store);
    assert!(matches!(scratch.open().err().unwrap(), IndexError::Layout { version: 9, .. }));
}

/// A node that gives the same page again and again is not asked for ever.
#[test]
fn a_list_that_does_not_end_is_refused() {
    struct Endless(Sim);
    impl crate::source::Source for Endless {
        fn genesis(&self) -> Result<String, IndexError> {
            self.0.genesis()
        }
        fn first_slot(&self) -> Result<u64, IndexError> {
            self.0.first_slot()
        }
        fn finalized_slot(&self) -> Result<u64, IndexError> {
            self.0.finalized_slot()
        }
        fn page(
            &self,
            commitment: crate::source::Commitment,
            _: Option<Signature>,
            until: Option<Signature>,
        ) -> Result<Vec<crate::source::Listed>, IndexError> {
            self.0.page(commitment, None, until)
        }
        fn transactions(&self, of: &[Signature]) -> Result<Vec<Option<crate::source::Executed>>, IndexError> {
            self.0.transactions(of)
        }
    }
    let (scratch, chain) = (Scratch::new(), Sim::new());
    chain.with(|chain| chain.add(5, &[ONE]));
    let error = crate::follow::Follower::new(Endless(chain), scratch.open().unwrap()).round().unwrap_err();
    assert!(error.to_string().contains("as older than itself"), "{error}");
}
