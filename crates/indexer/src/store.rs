//! The store's writing side: SQLite, one writer, any number of readers beside it.
//!
//! Each function writes in one database transaction, so that whoever kills the process finds all of it or nothing. These
//! functions, and the questions in [`crate::api`], are all that another database would have to answer; see
//! `docs/developers/indexing.md`.

use crate::IndexError;
use crate::event::Event;
use crate::sample::Sample;
use anchor_lang::prelude::Pubkey;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use solana_signature::Signature;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The layout that this version writes.
const VERSION: i64 = 1;
/// How long a writer waits for another to be done.
const BUSY: Duration = Duration::from_secs(10);

/// Which chain, and what of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The hash of the chain's beginning.
    pub genesis: String,
    /// The market whose reserves are sampled. Events are of all markets.
    pub market: Pubkey,
}

/// Where a transaction is in the order of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The transaction.
    pub signature: Signature,
    /// Its slot.
    pub slot: u64,
    /// Its number among the transactions of its slot that name the program, from 0.
    pub ordinal: u64,
}

/// How far the chain was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The newest transaction with which everything final was read.
    pub cursor: Option<Place>,
    /// The final one before it: a list down to this one has to contain the cursor.
    pub floor: Option<Signature>,
}

/// Why something is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The transaction logged more than the node keeps.
    Truncated,
    /// The program logged an event that this version does not know.
    Unknown,
    /// The node kept no logs of the transaction.
    NoLogs,
    /// The node lists the transaction and does not have it.
    Missing,
    /// The node has forgotten what was between two slots.
    Pruned,
}

impl Fault {
    /// As it is stored and answered.
    pub fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Unknown => "unknown",
            Self::NoLogs => "no-logs",
            Self::Missing => "missing",
            Self::Pruned => "pruned",
        }
    }
}

/// A transaction that succeeded, with what it said.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it is.
    pub place: Place,
    /// Unix seconds, where the node knows them.
    pub time: Option<i64>,
    /// Its events in order.
    pub events: Vec<Event>,
    /// What of it is not known.
    pub faults: Vec<Fault>,
}

/// The writing side of a store.
pub struct Store {
    connection: Connection,
    /// Held as long as this is: two that follow one chain into one file would move each other's cursor.
    _lock: File,
}

/// Numbers of the chain fit for some hundred million years.
fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Unix seconds of this machine.
pub(crate) fn wall() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    int(since.as_secs())
}

impl Store {
    /// Opens a store, or begins one. `since` is asked for the first slot that the node has, when one is begun.
    ///
    /// # Errors
    /// `Busy` when another process writes the file; `OtherChain` when the file is of another chain, program or market; `Layout` when another version wrote it.
    pub fn open(
        path: &Path,
        identity: &Identity,
        since: impl FnOnce() -> Result<u64, IndexError>,
    ) -> Result<Self, IndexError> {
        let lock = lock(path)?;
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        // A power failure may lose the last transactions, never a part of one: they are read again then.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let ours = [identity.genesis.clone(), keel::ID.to_string(), identity.market.to_string()];
        if version == 0 {
            let since = int(since()?);
            let write = connection.transaction()?;
            write.execute_batch(include_str!("schema.sql"))?;
            let [genesis, program, market] = &ours;
            let values = params![genesis, program, market, since];
            write.execute("INSERT INTO chain (genesis, program, market, since) VALUES (?1, ?2, ?3, ?4)", values)?;
            write.pragma_update(None, "user_version", VERSION)?;
            write.commit()?;
        } else if version != VERSION {
            return Err(IndexError::Layout { path: path.into(), version, ours: VERSION });
        }
        let theirs: [String; 3] = connection.query_row("SELECT genesis, program, market FROM chain", [], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?])
        })?;
        if theirs != ours {
            let [theirs, ours] = [theirs, ours].map(|all| all.join(", "));
            return Err(IndexError::OtherChain { path: path.into(), theirs, ours });
        }
        Ok(Self { connection, _lock: lock })
    }

    /// How far the chain was read.
    pub fn position(&self) -> Result<Position, IndexError> {
        let read = "SELECT cursor_signature, cursor_slot, cursor_ordinal, floor_signature FROM chain";
        type Columns = (Option<String>, Option<i64>, Option<i64>, Option<String>);
        let (signature, slot, ordinal, floor): Columns =
            self.connection.query_row(read, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        let cursor = match (signature, slot, ordinal) {
            (Some(signature), Some(slot), Some(ordinal)) => Some(place(&signature, slot, ordinal)?),
            _ => None,
        };
        Ok(Position { cursor, floor: floor.map(|floor| parse(&floor)).transpose()? })
    }

    /// The slot up to which everything final was read, though it may be none of the program's.
    pub fn known_slot(&self) -> Result<u64, IndexError> {
        let read = "SELECT finalized_slot FROM chain";
        Ok(self.connection.query_row(read, [], |row| row.get::<_, i64>(0))?.unsigned_abs())
    }

    /// The transactions that may vanish.
    pub fn tentative(&self) -> Result<Vec<Place>, IndexError> {
        let mut read = self.connection.prepare("SELECT signature, slot, ordinal FROM transactions WHERE final = 0")?;
        let rows = read.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?)))?;
        rows.map(|row| {
            row.map_err(IndexError::from).and_then(|(signature, slot, ordinal)| place(&signature, slot, ordinal))
        })
        .collect()
    }

    /// Adds final transactions, in their order, and moves the cursor to `position`. `pruned` are two slots between which
    /// the node has forgotten what was; `backlog` is how many transactions are still to be read.
    pub fn append(
        &mut self,
        entries: &[Entry],
        position: &Position,
        pruned: Option<[u64; 2]>,
        backlog: usize,
    ) -> Result<(), IndexError> {
        let write = self.connection.transaction()?;
        if let Some([from, to]) = pruned {
            gap(&write, Fault::Pruned, None, [from, to])?;
            write.execute("UPDATE chain SET finalized_slot = ?1", [int(to)])?;
        }
        for entry in entries {
            // It may have been there before it was final, elsewhere and with other events.
            forget(&write, &entry.place.signature)?;
            insert(&write, entry, true)?;
        }
        let cursor = position.cursor;
        write.execute(
            "UPDATE chain SET cursor_signature = ?1, cursor_slot = ?2, cursor_ordinal = ?3, floor_signature = ?4, \
             backlog = ?5",
            params![
                cursor.map(|c| c.signature.to_string()),
                cursor.map(|c| int(c.slot)),
                cursor.map(|c| int(c.ordinal)),
                position.floor.map(|floor| floor.to_string()),
                i64::try_from(backlog).unwrap_or(i64::MAX),
            ],
        )?;
        Ok(write.commit()?)
    }

    /// Replaces all that may vanish: keeps what is in `kept`, adds `new`, removes the rest.
    pub fn overlay(&mut self, kept: &[Place], new: &[Entry]) -> Result<(), IndexError> {
        let stays: Vec<Signature> = kept.iter().map(|place| place.signature).collect();
        let gone: Vec<Place> = self.tentative()?.into_iter().filter(|p| !stays.contains(&p.signature)).collect();
        if gone.is_empty() && new.is_empty() {
            return Ok(());
        }
        let write = self.connection.transaction()?;
        for place in gone {
            forget(&write, &place.signature)?;
        }
        for entry in new {
            insert(&write, entry, false)?;
        }
        Ok(write.commit()?)
    }

    /// Writes down that everything was found out, up to a slot.
    pub fn looked(&mut self, finalized_slot: u64) -> Result<(), IndexError> {
        let values = params![int(finalized_slot), wall()];
        self.connection
            .execute("UPDATE chain SET finalized_slot = ?1, looked_at = ?2, problem = NULL, backlog = 0", values)?;
        Ok(())
    }

    /// Writes down what went wrong.
    pub fn problem(&mut self, problem: &str) -> Result<(), IndexError> {
        self.connection.execute("UPDATE chain SET problem = ?1", [problem])?;
        Ok(())
    }

    /// A transaction of which something is not known: the one whose gap was found, or last tried to close, before `time`,
    /// and longest ago.
    pub fn gap_before(&self, time: i64) -> Result<Option<Place>, IndexError> {
        let read = "SELECT t.signature, t.slot, t.ordinal FROM gaps g JOIN transactions t ON t.signature = g.signature \
                    WHERE g.found_at < ?1 AND t.final = 1 ORDER BY g.found_at LIMIT 1";
        let row = self.connection.query_row(read, [time], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        row.optional()?.map(|(signature, slot, ordinal): (String, _, _)| place(&signature, slot, ordinal)).transpose()
    }

    /// Replaces what is known of a final transaction.
    pub fn replace(&mut self, entry: &Entry) -> Result<(), IndexError> {
        let write = self.connection.transaction()?;
        let signature = entry.place.signature.to_string();
        let kept = write.query_row("SELECT time FROM transactions WHERE signature = ?1", [signature], |row| row.get(0));
        let time: Option<Option<i64>> = kept.optional()?;
        forget(&write, &entry.place.signature)?;
        insert(&write, &Entry { time: time.flatten(), ..entry.clone() }, true)?;
        Ok(write.commit()?)
    }

    /// Adds a sample of each reserve.
    pub fn sample(&mut self, samples: &[Sample]) -> Result<(), IndexError> {
        let write = self.connection.transaction()?;
        for sample in samples {
            // The chain's clock may stand between two looks.
            write
                .prepare_cached(
                    "INSERT INTO samples VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING",
                )?
                .execute(params![
                    sample.reserve.to_string(),
                    sample.time,
                    int(sample.slot),
                    sample.joined,
                    sample.supplied.to_string(),
                    sample.borrowed.to_string(),
                    sample.utilization.to_string(),
                    sample.supply_yield.to_string(),
                    sample.borrow_yield.to_string(),
                    sample.haircut.to_string(),
                    sample.haircut_target.to_string(),
                    sample.price.map(|price| price.to_string()),
                ])?;
        }
        Ok(write.commit()?)
    }

    /// For tests that interrupt it.
    #[cfg(test)]
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

/// The lock on a file beside the store, which the system opens when the process ends, however it ends.
fn lock(path: &Path) -> Result<File, IndexError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = File::create(&name).map_err(|error| IndexError::Lock(name.clone().into(), error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(IndexError::Busy(path.into())),
        Err(TryLockError::Error(error)) => Err(IndexError::Lock(name.into(), error)),
    }
}

fn parse(signature: &str) -> Result<Signature, IndexError> {
    signature.parse().map_err(|_| IndexError::Damaged(format!("\"{signature}\" is no signature")))
}

fn place(signature: &str, slot: i64, ordinal: i64) -> Result<Place, IndexError> {
    Ok(Place { signature: parse(signature)?, slot: slot.unsigned_abs(), ordinal: ordinal.unsigned_abs() })
}

/// Removes a transaction with all that depends on it.
fn forget(write: &Transaction, signature: &Signature) -> Result<(), IndexError> {
    write.prepare_cached("DELETE FROM transactions WHERE signature = ?1")?.execute([signature.to_string()])?;
    Ok(())
}

fn gap(write: &Transaction, fault: Fault, signature: Option<&str>, slots: [u64; 2]) -> Result<(), IndexError> {
    let [from, to] = slots.map(int);
    let values = params![fault.name(), signature, from, to, wall()];
    write.execute(
        "INSERT INTO gaps (kind, signature, from_slot, to_slot, found_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        values,
    )?;
    Ok(())
}

fn insert(write: &Transaction, entry: &Entry, is_final: bool) -> Result<(), IndexError> {
    let Place { signature, slot, ordinal } = entry.place;
    let (signature, at, nth) = (signature.to_string(), int(slot), int(ordinal));
    write
        .prepare_cached("INSERT INTO transactions VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![signature, at, nth, entry.time, is_final])?;
    for fault in &entry.faults {
        gap(write, *fault, Some(&signature), [slot, slot])?;
    }
    for (position, event) in (0_i64..).zip(&entry.events) {
        let data = serde_json::to_string(&event.data).unwrap_or_else(|error| unreachable!("{error}"));
        write
            .prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![signature, position, event.kind, data])?;
        let mut concerned: Vec<String> = event.names.iter().map(|(_, account)| account.to_string()).collect();
        match event.named("market") {
            Some(market) => {
                for account in ["vault", "reserve"].iter().filter_map(|field| event.named(field)) {
                    write
                        .prepare_cached("INSERT INTO members VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
                        .execute(params![account.to_string(), signature, market.to_string()])?;
                }
            }
            None => {
                let mut find = write.prepare_cached("SELECT market FROM members WHERE account = ?1 LIMIT 1")?;
                let mut market = None;
                for account in &concerned {
                    if market.is_none() {
                        market = find.query_row([account], |row| row.get(0)).optional()?;
                    }
                }
                concerned.extend(market);
            }
        }
        // Somebody may be named twice, as keeper and as owner.
        concerned.sort_unstable();
        concerned.dedup();
        for account in concerned {
            write
                .prepare_cached("INSERT INTO mentions VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![account, at, nth, position, signature, event.kind])?;
        }
    }
    Ok(())
}
