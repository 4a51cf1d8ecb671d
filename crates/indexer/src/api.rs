//! Answers questions from a store that somebody else writes.
//!
//! | question | answer |
//! |---|---|
//! | `/api/status` | how far the chain was read, what is not known |
//! | `/api/events?kind=` | events of the market, the newest first |
//! | `/api/vaults/{address}/events` | events of a vault |
//! | `/api/reserves/{address}/history?from=&to=` | what a reserve was like |
//!
//! Numbers of 64 bits and more are text, in decimal digits; times are Unix seconds. A wrong question is answered with 400
//! and `{"error": "..."}`. `docs/developers/indexing.md` has all fields.

use crate::event::KINDS;
use anchor_lang::prelude::Pubkey;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// Events in an answer, unless asked otherwise.
const EVENTS: u64 = 50;
/// And at most.
const MOST_EVENTS: u64 = 200;
/// Points of a history, unless asked otherwise.
const POINTS: u64 = 300;
/// And at most.
const MOST_POINTS: u64 = 1_000;
/// Seconds of a history, unless asked otherwise.
const DAY: i64 = 86_400;
/// Gaps that the status names.
const GAPS: u64 = 100;
/// Times beyond are nobody's: the year 9999.
const LATEST: u64 = 253_402_300_799;
/// How long a reader waits for the database.
const BUSY: Duration = Duration::from_secs(5);

/// An answer to send by HTTP, as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// Why there is no answer.
enum Wrong {
    /// The question is: what about it, and what would be right.
    Question(String),
    Nothing,
    Store(rusqlite::Error),
}

impl From<rusqlite::Error> for Wrong {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error)
    }
}

type Outcome = Result<Value, Wrong>;

/// The reading side of a store. Every question opens the file anew, so that any number of threads can ask.
#[derive(Clone, Debug)]
pub struct Api {
    path: PathBuf,
}

impl Api {
    /// Of the store at `path`, which [`crate::store::Store::open`] has begun.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Answers a GET request.
    pub fn answer(&self, path: &str, query: Option<&str>) -> Answer {
        let (status, body) = match self.look_up(path, query.unwrap_or_default()) {
            Ok(value) => (200, value),
            Err(Wrong::Question(reason)) => (400, json!({ "error": reason })),
            Err(Wrong::Nothing) => {
                (404, json!({ "error": "there is no such question; see docs/developers/indexing.md" }))
            }
            Err(Wrong::Store(error)) => (503, json!({ "error": format!("the store cannot be read: {error}") })),
        };
        Answer { status, body: body.to_string() }
    }

    fn look_up(&self, path: &str, query: &str) -> Outcome {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match parts.as_slice() {
            ["api", "status"] => {
                Query::read(query, &[])?;
                status(&self.open()?)
            }
            ["api", "events"] => {
                let query = Query::read(query, &["kind", "before", "limit"])?;
                let kind = query.kind()?;
                let store = self.open()?;
                let market: String = store.query_row("SELECT market FROM chain", [], |row| row.get(0))?;
                events(&store, &market, kind, &query)
            }
            ["api", "vaults", vault, "events"] => {
                let query = Query::read(query, &["kind", "before", "limit"])?;
                events(&self.open()?, &address("vault", vault)?, query.kind()?, &query)
            }
            ["api", "reserves", reserve, "history"] => {
                let query = Query::read(query, &["from", "to", "points"])?;
                history(&self.open()?, &address("reserve", reserve)?, &query)
            }
            _ => Err(Wrong::Nothing),
        }
    }

    fn open(&self) -> Result<Connection, Wrong> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(BUSY)?;
        Ok(connection)
    }
}

fn address(what: &str, text: &str) -> Result<String, Wrong> {
    match text.parse::<Pubkey>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) => Err(Wrong::Question(format!("\"{text}\" is no address of a {what}: 32 bytes in base 58"))),
    }
}

/// The parameters of a question.
struct Query<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Query<'a> {
    fn read(query: &'a str, known: &[&str]) -> Result<Self, Wrong> {
        let mut found: Vec<(&str, &str)> = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            if !known.contains(&name) {
                return Err(Wrong::Question(format!("there is no parameter \"{name}\" here; there are {known:?}")));
            }
            if found.iter().any(|(other, _)| *other == name) {
                return Err(Wrong::Question(format!("\"{name}\" is given twice")));
            }
            found.push((name, value));
        }
        Ok(Self(found))
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, value)| *value)
    }

    /// A whole number, at least `least` and at most `most`.
    fn number(&self, name: &str, least: u64, most: u64) -> Result<Option<u64>, Wrong> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        let wrong =
            || Wrong::Question(format!("\"{name}\" is \"{text}\"; it has to be a whole number, {least} to {most}"));
        number.map(Some).ok_or_else(wrong)
    }

    fn time(&self, name: &str) -> Result<Option<i64>, Wrong> {
        Ok(self.number(name, 0, LATEST)?.and_then(|time| i64::try_from(time).ok()))
    }

    fn kind(&self) -> Result<Option<&'static str>, Wrong> {
        let Some(text) = self.text("kind") else { return Ok(None) };
        let known = KINDS.iter().find(|kind| **kind == text);
        let wrong = || Wrong::Question(format!("there is no event \"{text}\"; there are {KINDS:?}"));
        known.map(|kind| Some(*kind)).ok_or_else(wrong)
    }

    /// Slot, ordinal and position of an event: whatever `next` of an answer says.
    fn before(&self) -> Result<[i64; 3], Wrong> {
        let Some(text) = self.text("before") else { return Ok([i64::MAX; 3]) };
        let mut parts = text.split('.').map(str::parse);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Ok(slot)), Some(Ok(ordinal)), Some(Ok(position)), None) => Ok([slot, ordinal, position]),
            _ => Err(Wrong::Question(format!("\"before\" is \"{text}\"; it has to be the \"next\" of another answer"))),
        }
    }
}

fn status(store: &Connection) -> Outcome {
    let waiting: i64 = store.query_row("SELECT count(*) FROM transactions WHERE final = 0", [], |row| row.get(0))?;
    let count: i64 = store.query_row("SELECT count(*) FROM gaps", [], |row| row.get(0))?;
    let mut read = store
        .prepare("SELECT kind, signature, from_slot, to_slot FROM gaps ORDER BY from_slot DESC, signature LIMIT ?1")?;
    let gap = |row: &Row| {
        Ok(json!({
            "kind": row.get::<_, String>(0)?, "signature": row.get::<_, Option<String>>(1)?,
            "fromSlot": slot(row, 2)?, "toSlot": slot(row, 3)?,
        }))
    };
    let gaps = read.query_map([i64::try_from(GAPS).unwrap_or(i64::MAX)], gap)?.collect::<Result<Vec<_>, _>>()?;
    let all = "SELECT genesis, program, market, since, cursor_signature, cursor_slot, backlog, finalized_slot, looked_at, \
               problem FROM chain";
    Ok(store.query_row(all, [], |row| {
        let cursor = match row.get::<_, Option<String>>(4)? {
            Some(signature) => json!({ "signature": signature, "slot": slot(row, 5)? }),
            None => Value::Null,
        };
        Ok(json!({
            "genesis": row.get::<_, String>(0)?, "program": row.get::<_, String>(1)?,
            "market": row.get::<_, String>(2)?, "since": slot(row, 3)?, "cursor": cursor,
            "backlog": row.get::<_, i64>(6)?, "tentative": waiting, "finalizedSlot": slot(row, 7)?,
            "lookedAt": row.get::<_, i64>(8)?, "problem": row.get::<_, Option<String>>(9)?,
            "gapCount": count, "gaps": gaps,
        }))
    })?)
}

fn slot(row: &Row, column: usize) -> rusqlite::Result<String> {
    Ok(row.get::<_, i64>(column)?.to_string())
}

fn events(store: &Connection, account: &str, kind: Option<&str>, query: &Query) -> Outcome {
    let limit = query.number("limit", 1, MOST_EVENTS)?.unwrap_or(EVENTS);
    let [before_slot, before_ordinal, before_position] = query.before()?;
    let of_kind = if kind.is_some() { "AND m.kind = ?2" } else { "AND ?2 IS NULL" };
    let mut read = store.prepare(&format!(
        "SELECT m.slot, m.ordinal, m.position, m.signature, t.time, t.final, e.kind, e.data \
         FROM mentions m \
         JOIN transactions t ON t.signature = m.signature \
         JOIN events e ON e.signature = m.signature AND e.position = m.position \
         WHERE m.account = ?1 {of_kind} AND (m.slot, m.ordinal, m.position) < (?3, ?4, ?5) \
         ORDER BY m.slot DESC, m.ordinal DESC, m.position DESC LIMIT ?6"
    ))?;
    // One more says whether there are more.
    let wanted = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let event = |row: &Row| {
        let (slot, ordinal, position) = (row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?);
        let data: String = row.get(7)?;
        let event = json!({
            "signature": row.get::<_, String>(3)?, "index": position, "slot": slot.to_string(),
            "time": row.get::<_, Option<i64>>(4)?, "final": row.get::<_, bool>(5)?, "kind": row.get::<_, String>(6)?,
            "data": serde_json::from_str::<Value>(&data).unwrap_or_default(),
        });
        Ok((event, format!("{slot}.{ordinal}.{position}")))
    };
    let values = params![account, kind, before_slot, before_ordinal, before_position, wanted];
    let mut found = read.query_map(values, event)?.collect::<Result<Vec<_>, _>>()?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(_, place)| place.clone());
    let events: Vec<Value> = found.into_iter().map(|(event, _)| event).collect();
    Ok(json!({ "events": events, "next": next }))
}

/// Of each of `points` parts of the time, the last sample: numbers that were, no averages.
fn history(store: &Connection, reserve: &str, query: &Query) -> Outcome {
    let points = query.number("points", 1, MOST_POINTS)?.unwrap_or(POINTS);
    let newest = "SELECT max(time) FROM samples WHERE reserve = ?1";
    let newest: Option<i64> = store.query_row(newest, [reserve], |row| row.get(0)).optional()?.flatten();
    let to = query.time("to")?.or(newest).unwrap_or_default();
    let from = query.time("from")?.unwrap_or(to.saturating_sub(DAY));
    if from > to {
        return Err(Wrong::Question(format!("\"from\" is {from} and \"to\" is {to}: it has to be the later one")));
    }
    let points = i64::try_from(points).unwrap_or(i64::MAX);
    let width = (to - from) / points + 1;
    let mut read = store.prepare(
        "SELECT s.time, s.slot, p.joined, s.supplied, s.borrowed, s.utilization, s.supply_yield, s.borrow_yield, \
         s.haircut, s.haircut_target, s.price \
         FROM (SELECT max(time) AS time, min(joined) AS joined FROM samples \
               WHERE reserve = ?1 AND time BETWEEN ?2 AND ?3 GROUP BY (time - ?2) / ?4) p \
         JOIN samples s ON s.reserve = ?1 AND s.time = p.time ORDER BY s.time",
    )?;
    let text = |row: &Row, column: usize| row.get::<_, String>(column);
    let point = |row: &Row| {
        Ok(json!({
            "time": row.get::<_, i64>(0)?, "slot": slot(row, 1)?, "hole": !row.get::<_, bool>(2)?,
            "supplied": text(row, 3)?, "borrowed": text(row, 4)?, "utilization": text(row, 5)?,
            "supplyYield": text(row, 6)?, "borrowYield": text(row, 7)?, "maintenanceHaircut": text(row, 8)?,
            "targetHaircut": text(row, 9)?, "price": row.get::<_, Option<String>>(10)?,
        }))
    };
    let points = read.query_map(params![reserve, from, to, width], point)?.collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "reserve": reserve, "from": from, "to": to, "points": points }))
}
