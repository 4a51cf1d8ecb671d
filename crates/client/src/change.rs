//! What a queued change does, parameter by parameter, and where it is on its way.

use crate::error::ClientError;
use crate::preview::Accounts;
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::state::{Change, FeedConfig, MarketParams, PendingChange, ReserveConfig, Slot};
use keel_risk::change::{Effect, MARKET, Meaning, Move, Parameter, RESERVE, Unit};

/// What a parameter is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// No limit, no address, no feed.
    None,
    /// A number of the parameter's unit.
    Number(u64),
    /// An address or a feed.
    Identity([u8; 32]),
}

impl Value {
    /// What `slot` of `parameter` is set to.
    pub fn of(parameter: &Parameter, slot: &Slot<'_>) -> Self {
        let is_amount = matches!(parameter.unit, Unit::Native | Unit::MicroUsd);
        match (slot.value(), slot) {
            (_, Slot::Id(bytes)) => match <[u8; 32]>::try_from(&bytes[..]) {
                Ok(bytes) if bytes != [0; 32] => Self::Identity(bytes),
                _ => Self::None,
            },
            (Some(0), _) if is_amount && parameter.zero_is_none => Self::None,
            (Some(u64::MAX), _) if is_amount => Self::None,
            (number, _) => Self::Number(number.unwrap_or_default()),
        }
    }
}

/// One parameter that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The parameter.
    pub parameter: &'static Parameter,
    /// What it is set to now.
    pub before: Value,
    /// What it would be set to.
    pub after: Value,
    /// What that means for the protocol and for vaults.
    pub moved: Move,
}

/// What a move means for the protocol, in a word.
pub fn meaning_text(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Tighter => "tighter",
        Meaning::Looser => "looser",
        Meaning::Sideways => "sideways",
    }
}

/// What vaults feel of a move, in a word or two.
pub fn effect_text(effect: Effect) -> &'static str {
    match effect {
        Effect::Nothing => "nothing",
        Effect::Ramp => "a ramp",
        Effect::AtOnce => "at once",
    }
}

/// Where a change is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its notice has not passed: until this moment.
    Waiting(i64),
    /// It can be executed: up to this moment.
    Ready(i64),
    /// It expired at this moment.
    Expired(i64),
    /// What it replaces has changed since.
    Superseded,
}

impl Status {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting(_) => "waiting",
            Self::Ready(_) => "ready",
            Self::Expired(_) => "expired",
            Self::Superseded => "superseded",
        }
    }
}

/// Where a change is on its way.
pub fn status(accounts: &Accounts, pending: &PendingChange) -> Status {
    let now = accounts.moment.now;
    let revisions = match accounts.book.listing(&pending.target) {
        Ok(listing) => listing.reserve.revisions.to_vec(),
        Err(_) => accounts.market.revisions().to_vec(),
    };
    if pending.latest < now {
        Status::Expired(pending.latest)
    } else if pending.require_current(&revisions).is_err() {
        Status::Superseded
    } else if now < pending.earliest {
        Status::Waiting(pending.earliest)
    } else {
        Status::Ready(pending.latest)
    }
}

/// The change as its execution would make it: of a reserve, only the sections that were to change do.
///
/// # Errors
/// [`ClientError::UnknownReserve`] when it is about a reserve that was not fetched; [`ClientError::Refused`] when it cannot
/// be decoded.
pub fn effective(accounts: &Accounts, pending: &PendingChange) -> Result<Change, ClientError> {
    let mut change = pending.change().map_err(|_| KeelError::WrongChange)?;
    if let Change::Reserve { config, .. } = &mut change {
        *config = accounts.book.listing(&pending.target)?.reserve.config.with_sections(config, pending.sections);
    }
    Ok(change)
}

/// What a change of `target` does to each parameter, compared with what is in force now; nothing of one that is about no
/// parameters.
///
/// # Errors
/// [`ClientError::UnknownReserve`].
pub fn lines(accounts: &Accounts, target: &Pubkey, change: &Change) -> Result<Vec<Line>, ClientError> {
    Ok(match change {
        Change::Market(params) => of_market(accounts.market.params(), *params),
        Change::Reserve { config, .. } => of_reserve(accounts.book.listing(target)?.reserve.config, *config),
        _ => Vec::new(),
    })
}

/// The feeds whose price accounts the execution of a change needs: those that it brings.
///
/// # Errors
/// [`ClientError::UnknownReserve`].
pub fn feeds(accounts: &Accounts, target: &Pubkey, change: &Change) -> Result<Vec<FeedConfig>, ClientError> {
    let brought = match change {
        Change::List { config } => &config.oracle,
        Change::Reserve { config, .. } => {
            if accounts.book.listing(target)?.reserve.config.oracle.feeds == config.oracle.feeds {
                return Ok(Vec::new());
            }
            &config.oracle
        }
        _ => return Ok(Vec::new()),
    };
    Ok(brought.active_feeds().copied().collect())
}

fn of_market(mut old: MarketParams, mut new: MarketParams) -> Vec<Line> {
    compare(&MARKET, &old.slots(), &new.slots())
}

fn of_reserve(mut old: ReserveConfig, mut new: ReserveConfig) -> Vec<Line> {
    compare(&RESERVE, &old.slots(), &new.slots())
}

fn compare(parameters: &'static [Parameter], old: &[Slot<'_>], new: &[Slot<'_>]) -> Vec<Line> {
    let changed = parameters.iter().zip(old.iter().zip(new)).filter(|(_, (old, new))| old != new);
    let line = |(parameter, (old, new)): (&'static Parameter, (&Slot<'_>, &Slot<'_>))| {
        // An identity has no number: another one counts as raised, as the program has it.
        let moved = parameter.change(old.value().unwrap_or(0), new.value().unwrap_or(1))?;
        Some(Line { parameter, before: Value::of(parameter, old), after: Value::of(parameter, new), moved })
    };
    changed.filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Book;
    use crate::health::PriceAccounts;
    use bytemuck::Zeroable;
    use keel::state::{Market, Reserve};
    use keel_risk::price::Moment;

    /// A market with one reserve at its own address, looked at 100 seconds after the epoch.
    fn with_accounts<T>(reserve: Reserve, check: impl FnOnce(&Accounts, Pubkey) -> T) -> T {
        let (mut book, market, key) = (Book::new(keel::ID), Market::zeroed(), Pubkey::new_from_array([7; 32]));
        book.insert_at(key, reserve, &[]);
        let (prices, moment) = (PriceAccounts::new(), Moment { now: 100, last_restart_slot: 0 });
        check(&Accounts { book: &book, market: &market, prices: &prices, moment }, key)
    }

    fn queued(target: Pubkey, change: &Change, sections: u32) -> PendingChange {
        let mut pending = PendingChange { target, sections, earliest: 150, latest: 200, ..PendingChange::zeroed() };
        pending.set_change(change).unwrap();
        pending
    }

    #[test]
    fn only_sections_that_were_to_change_do() {
        let mut reserve = Reserve::zeroed();
        reserve.config.limits.deposit_cap = 10;
        reserve.config.collateral.max_ltv_bps = 7_000;
        let mut config = reserve.config;
        (config.limits.deposit_cap, config.limits.depth) = (u64::MAX, 5);
        // As it was when the change was queued; somebody has changed this section since.
        config.collateral.max_ltv_bps = 6_000;
        with_accounts(reserve, |accounts, key| {
            let pending = queued(key, &Change::Reserve { config, ramp: 0 }, 1);
            let change = effective(accounts, &pending).unwrap();
            let found = lines(accounts, &key, &change).unwrap();
            let seen: Vec<_> = found.iter().map(|l| (l.parameter.name, l.before, l.after, l.moved.meaning)).collect();
            assert_eq!(
                seen,
                [
                    ("limits.deposit_cap", Value::Number(10), Value::None, Meaning::Looser),
                    ("limits.depth", Value::None, Value::Number(5), Meaning::Tighter),
                ]
            );
            assert_eq!(feeds(accounts, &key, &change).unwrap(), []);
        });
    }

    #[test]
    fn other_feeds_need_their_prices() {
        with_accounts(Reserve::zeroed(), |accounts, key| {
            let mut config = ReserveConfig::default();
            (config.oracle.feeds[0].feed_id, config.oracle.feeds[0].account) = ([1; 32], keel::ID);
            let change = Change::Reserve { config, ramp: 0 };
            let brought = [config.oracle.feeds[0]];
            assert_eq!(feeds(accounts, &key, &change).unwrap(), brought);
            assert_eq!(feeds(accounts, &key, &Change::List { config }).unwrap(), brought);
            let names: Vec<_> = lines(accounts, &key, &change).unwrap().iter().map(|l| l.parameter.name).collect();
            assert_eq!(names, ["oracle.first_feed", "oracle.first_account"]);
        });
    }

    #[test]
    fn a_change_waits_is_ready_expires_and_may_be_superseded() {
        let mut reserve = Reserve::zeroed();
        with_accounts(reserve, |accounts, key| {
            let mut pending = queued(key, &Change::Reserve { config: reserve.config, ramp: 0 }, 1);
            assert_eq!(status(accounts, &pending), Status::Waiting(150));
            pending.earliest = 100;
            assert_eq!(status(accounts, &pending), Status::Ready(200));
            pending.latest = 99;
            assert_eq!(status(accounts, &pending), Status::Expired(99));
        });
        reserve.revisions[0] = 1;
        with_accounts(reserve, |accounts, key| {
            let pending = queued(key, &Change::Reserve { config: reserve.config, ramp: 0 }, 1);
            assert_eq!(status(accounts, &pending), Status::Superseded);
        });
    }

    #[test]
    fn what_is_no_change_or_about_a_stranger_is_refused() {
        with_accounts(Reserve::zeroed(), |accounts, _| {
            let mut pending = queued(keel::ID, &Change::Reserve { config: ReserveConfig::default(), ramp: 0 }, 1);
            assert!(matches!(effective(accounts, &pending), Err(ClientError::UnknownReserve(_))));
            pending.len = 9_999;
            assert!(matches!(effective(accounts, &pending), Err(ClientError::Refused(KeelError::WrongChange))));
        });
    }
}
