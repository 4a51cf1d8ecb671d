//! Reads the chain into the store, each event once.
//!
//! Transactions are listed newest first, and pages of a list may be of two forks. So there are two lists, and each round
//! looks at both:
//!
//! - **What is final** never changes. The list goes down to the cursor and has to contain it, or else something is
//!   missing, and the cursor stays. Transactions are then read oldest first, and written with the cursor that says so in
//!   one database transaction.
//! - **What is confirmed** is shown as long as it lasts. Each round replaces all of it by what the list says now. When it
//!   is final, it is read again: what another fork made of it does not count.

use crate::IndexError;
use crate::event;
use crate::logs::said;
use crate::source::{Commitment, Executed, Listed, Source};
use crate::store::{Entry, Fault, Place, Position, Store, wall};
use solana_signature::Signature;
use std::collections::HashSet;

/// Transactions that are read and written at once.
const BATCH: usize = 64;
/// Rounds in which a transaction is listed and cannot be read, before the follower goes on without it.
const PATIENCE: u32 = 20;
/// Seconds until it is tried again to read what could not be read.
const RETRY_SECONDS: i64 = 600;

/// Follows the program.
pub struct Follower<S> {
    source: S,
    store: Store,
    /// The transaction that could not be read, and in how many rounds.
    missed: Option<(Signature, u32)>,
}

/// Transactions newer than the cursor, newest first.
struct Newer {
    listed: Vec<Listed>,
    /// Whether the cursor is what comes next: nothing is missing.
    joined: bool,
}

impl<S: Source> Follower<S> {
    /// Goes on where the store is.
    pub fn new(source: S, store: Store) -> Self {
        Self { source, store, missed: None }
    }

    /// The store, for what is written beside.
    pub fn store(&mut self) -> &mut Store {
        &mut self.store
    }

    /// Looks once at everything that is new.
    ///
    /// # Errors
    /// Whatever fails, what is in the store is true, and the next round goes on from there.
    pub fn round(&mut self) -> Result<(), IndexError> {
        let finalized_slot = self.source.finalized_slot()?;
        let confirmed = self.newer(Commitment::Confirmed)?;
        if !confirmed.joined || confirmed.listed.iter().any(|listed| listed.finalized) {
            self.read_final()?;
        }
        if confirmed.joined {
            self.read_tentative(confirmed.listed)?;
        }
        self.fill_a_gap()?;
        self.store.looked(finalized_slot)
    }

    fn newer(&self, commitment: Commitment) -> Result<Newer, IndexError> {
        let Position { cursor, floor } = self.store.position()?;
        let (mut listed, mut before): (Vec<Listed>, Option<Signature>) = (Vec::new(), None);
        loop {
            let page = self.source.page(commitment, before, floor)?;
            let Some(last) = page.last() else { return Ok(Newer { listed, joined: cursor.is_none() }) };
            if before == Some(last.signature) {
                return Err(IndexError::Source(format!("it lists {} as older than itself", last.signature)));
            }
            before = Some(last.signature);
            for one in page {
                if let Some(cursor) = cursor {
                    if one.signature == cursor.signature {
                        return Ok(Newer { listed, joined: true });
                    }
                    if one.slot < cursor.slot {
                        return Err(IndexError::Contradiction { cursor: cursor.signature, slot: cursor.slot });
                    }
                }
                // A node that does not ask for the commitment lists all.
                if commitment == Commitment::Confirmed || one.finalized {
                    listed.push(one);
                }
            }
        }
    }

    fn read_final(&mut self) -> Result<(), IndexError> {
        let newer = self.newer(Commitment::Finalized)?;
        let mut position = self.store.position()?;
        let mut pruned = None;
        if let Some(cursor) = position.cursor.filter(|_| !newer.joined) {
            // The node may have forgotten what it had, or may not have caught up.
            let first = self.source.first_slot()?;
            if first <= cursor.slot {
                return Err(IndexError::Behind { cursor: cursor.signature, slot: cursor.slot });
            }
            // Where nothing happened since, nothing is lost with the cursor.
            let known = self.store.known_slot()?.max(cursor.slot);
            pruned = (first > known + 1).then_some([known, first]);
        }
        let mut left: Vec<Listed> = newer.listed;
        while !left.is_empty() || pruned.is_some() {
            let batch: Vec<Listed> = left.split_off(left.len().saturating_sub(BATCH)).into_iter().rev().collect();
            let mut last = position.cursor;
            let places: Vec<Place> = batch.iter().map(|listed| next(&mut last, listed)).collect();
            let (entries, whole) = self.entries(&batch, &places)?;
            let read = whole.min(places.len());
            if let Some(cursor) = read.checked_sub(1).and_then(|at| places.get(at)) {
                let before = read.checked_sub(2).and_then(|at| places.get(at)).or(position.cursor.as_ref());
                position = Position { cursor: Some(*cursor), floor: before.map(|place| place.signature) };
            }
            if read > 0 || pruned.is_some() {
                let backlog = left.len() + (batch.len() - read);
                self.store.append(&entries, &position, pruned.take(), backlog)?;
            }
            if let Some(unread) = places.get(read) {
                return Err(IndexError::Unread(unread.signature));
            }
        }
        Ok(())
    }

    /// What the transactions of a batch said, up to the first that cannot be read: how many that is.
    fn entries(&mut self, batch: &[Listed], places: &[Place]) -> Result<(Vec<Entry>, usize), IndexError> {
        let wanted: Vec<Signature> = batch.iter().filter(|one| !one.failed).map(|one| one.signature).collect();
        let mut fetched = self.source.transactions(&wanted)?.into_iter();
        let mut entries = Vec::new();
        for (at, (listed, place)) in batch.iter().zip(places).enumerate() {
            if listed.failed {
                continue;
            }
            // An answer about another fork is none.
            let executed = fetched.next().flatten().filter(|executed| executed.slot == listed.slot);
            if executed.is_none() && self.waits_for(&listed.signature) {
                return Ok((entries, at));
            }
            entries.push(entry(*place, listed.time, executed));
        }
        Ok((entries, batch.len()))
    }

    fn waits_for(&mut self, signature: &Signature) -> bool {
        let rounds = self.missed.filter(|(missed, _)| missed == signature).map_or(1, |(_, rounds)| rounds + 1);
        self.missed = Some((*signature, rounds));
        rounds <= PATIENCE
    }

    fn read_tentative(&mut self, newest_first: Vec<Listed>) -> Result<(), IndexError> {
        // What has become final in this round is in the store, and what is as old and not there is gone.
        let cursor = self.store.position()?.cursor;
        let mut seen = HashSet::new();
        // Two pages of two forks may list it twice.
        let mut listed: Vec<Listed> = newest_first.into_iter().filter(|one| seen.insert(one.signature)).collect();
        listed.retain(|one| cursor.is_none_or(|cursor| one.slot > cursor.slot));
        listed.reverse();
        let stored: HashSet<(Signature, u64, u64)> =
            self.store.tentative()?.into_iter().map(|p| (p.signature, p.slot, p.ordinal)).collect();
        let (mut last, mut kept, mut wanted) = (None, Vec::new(), Vec::new());
        for one in &listed {
            let place = next(&mut last, one);
            if stored.contains(&(place.signature, place.slot, place.ordinal)) {
                kept.push(place);
            } else if !one.failed {
                wanted.push((place, one.time));
            }
        }
        let mut new = Vec::new();
        for chunk in wanted.chunks(BATCH) {
            let signatures: Vec<Signature> = chunk.iter().map(|(place, _)| place.signature).collect();
            for ((place, time), executed) in chunk.iter().zip(self.source.transactions(&signatures)?) {
                // What cannot be read now is read in the next round, or when it is final.
                if let Some(executed) = executed.filter(|executed| executed.slot == place.slot) {
                    new.push(entry(*place, *time, Some(executed)));
                }
            }
        }
        self.store.overlay(&kept, &new)
    }

    /// Reads again what could not be read: another node may have it, or another version of this program knows it.
    fn fill_a_gap(&mut self) -> Result<(), IndexError> {
        let Some(place) = self.store.gap_before(wall() - RETRY_SECONDS)? else { return Ok(()) };
        let executed = self.source.transactions(&[place.signature])?.into_iter().next().flatten();
        self.store.replace(&entry(place, None, executed.filter(|executed| executed.slot == place.slot)))
    }
}

/// The place of the transaction that follows `last`.
fn next(last: &mut Option<Place>, listed: &Listed) -> Place {
    let Listed { signature, slot, .. } = *listed;
    let ordinal = last.filter(|last| last.slot == slot).map_or(0, |last| last.ordinal + 1);
    let place = Place { signature, slot, ordinal };
    *last = Some(place);
    place
}

/// What a transaction said.
fn entry(place: Place, time: Option<i64>, executed: Option<Executed>) -> Entry {
    let mut entry = Entry { place, time, events: Vec::new(), faults: Vec::new() };
    match executed.map(|executed| executed.logs) {
        None => entry.faults.push(Fault::Missing),
        Some(None) => entry.faults.push(Fault::NoLogs),
        Some(Some(logs)) => {
            let said = said(&logs, &keel::ID);
            let events = said.data.iter().map(|data| event::decode(data));
            let unknown = events.clone().any(|event| event.is_none());
            entry.events = events.flatten().collect();
            entry.faults.extend(said.truncated.then_some(Fault::Truncated));
            entry.faults.extend(unknown.then_some(Fault::Unknown));
        }
    }
    entry
}
