//! Limits, oracles and books of every asset.

use super::Facts;
use super::finding::{Finding, Severity};
use crate::amount;
use anchor_lang::prelude::Pubkey;
use keel_client::keel::KeelError;
use keel_client::keel::state::Reserve;
use keel_client::keel_risk::price::Purpose;

pub fn examine(facts: &Facts, findings: &mut Vec<Finding>) {
    for (key, listing) in facts.view.book.iter() {
        let one = One { facts, key, reserve: &listing.reserve, name: facts.name(key) };
        findings.extend(one.layout());
        findings.extend(one.caps());
        findings.extend(one.oracles());
        findings.extend(one.books());
        findings.extend(one.liquidity());
    }
}

struct One<'a> {
    facts: &'a Facts,
    key: &'a Pubkey,
    reserve: &'a Reserve,
    name: String,
}

impl One<'_> {
    fn finding(&self, severity: Severity, check: &'static str, what: String, advice: impl Into<String>) -> Finding {
        Finding::new(severity, check, self.name.clone(), what, advice)
    }

    fn layout(&self) -> Option<Finding> {
        (self.reserve.version < Reserve::VERSION).then(|| {
            let what =
                format!("its account has layout {}, the program writes {}", self.reserve.version, Reserve::VERSION);
            let advice = "keel migrate --to 5 brings accounts up to date; until then its parameters cannot change";
            self.finding(Severity::Critical, "layout-outdated", what, advice)
        })
    }

    fn caps(&self) -> Vec<Finding> {
        let limits = &self.reserve.config.limits;
        let mut caps = vec![("limits.borrow_cap", limits.borrow_cap)];
        if !self.reserve.is_minted() {
            caps.push(("limits.deposit_cap", limits.deposit_cap));
        }
        let mut findings: Vec<Finding> = caps
            .iter()
            .filter(|(_, cap)| *cap == u64::MAX)
            .map(|(parameter, _)| {
                let advice = format!("keel change tighten reserve {} --set {parameter}=...", self.name);
                self.finding(Severity::Warning, "cap-missing", format!("{parameter} is unlimited"), advice)
            })
            .collect();
        if caps.iter().all(|(_, cap)| *cap == 0) {
            let advice =
                format!("when it is to be used: keel change queue reserve {} --set limits.deposit_cap=...", self.name);
            findings.push(self.finding(
                Severity::Note,
                "caps-zero",
                "nothing can be deposited or borrowed".into(),
                advice,
            ));
        }
        findings
    }

    fn oracles(&self) -> Vec<Finding> {
        let (view, oracle) = (&self.facts.view, &self.reserve.config.oracle);
        let (Ok(readings), Ok(listing)) = (view.readings(self.key), view.book.listing(self.key)) else {
            return Vec::new();
        };
        let moment = view.time.moment();
        let feeds = listing.prices.iter().zip(readings).zip(&self.reserve.last_prices).enumerate();
        let mut findings = Vec::new();
        for (number, ((account, reading), last)) in feeds {
            let accept = |purpose| -> Result<(), KeelError> {
                Ok(reading?.accept(&oracle.bounds(purpose), &moment, last.publish_time)?)
            };
            let age = reading.map_or_else(
                |_| "nothing can be read there".to_string(),
                |observation| format!("published {}", amount::when(observation.publish_time, moment.now)),
            );
            let unanswered = last.challenged_at != 0
                && moment.now.saturating_sub(last.challenged_at) >= i64::from(oracle.dead_after);
            if unanswered {
                let challenged = amount::when(last.challenged_at, moment.now);
                let what = format!("feed {number} ({account}) is dead: challenged {challenged}, and silent since");
                let advice =
                    "post a price and refresh the reserve; if the feed is gone, queue another: oracle.first_feed";
                findings.push(self.finding(Severity::Critical, "oracle-dead", what, advice));
                continue;
            }
            let (severity, error, stopped) = match (accept(Purpose::NewRisk), accept(Purpose::Liquidation)) {
                (_, Err(error)) => (Severity::Critical, error, "neither loans nor liquidations are possible"),
                (Err(error), Ok(())) => (Severity::Warning, error, "no loans are possible"),
                (Ok(()), Ok(())) => continue,
            };
            let what = format!("feed {number} ({account}): {error} ({}); {age}; {stopped}", error.name());
            let advice = "see to it that somebody posts prices; for a dead feed, challenge it and queue another";
            findings.push(self.finding(severity, "oracle-unusable", what, advice));
        }
        findings
    }

    fn books(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Err(error) = self.reserve.invariant() {
            let what = format!("its books claim more than it has: {}", KeelError::from(error));
            let advice = "pause everything (keel pause all) and report it: SECURITY.md";
            findings.push(self.finding(Severity::Critical, "books-broken", what, advice));
        }
        if self.reserve.deficit.get() != 0 {
            let deficit = amount::fraction(self.reserve.deficit.into(), 6);
            let what = format!("{deficit} units of bad debt stand against surplus that has not come in yet");
            let advice = "its fees pay that off; governance can raise rates.base_bps or lower limits.borrow_cap";
            findings.push(self.finding(Severity::Critical, "bad-debt", what, advice));
        }
        findings
    }

    fn liquidity(&self) -> Option<Finding> {
        let account = self.facts.liquidity.get(self.key).and_then(Option::as_ref);
        let number = |at: usize| {
            let bytes = account?.data.get(at..)?.first_chunk::<8>()?;
            Some(u64::from_le_bytes(*bytes))
        };
        let booked = self.reserve.tokens().ok()?;
        let shown = |amount| amount::tokens(amount, self.reserve.decimals);
        // A minted reserve's door is its mint, whose supply stands behind the optional authority.
        let (held, is_short) = if self.reserve.is_minted() {
            let supply = number(36);
            (supply, supply.is_none_or(|supply| supply > booked))
        } else {
            let balance = number(64);
            (balance, balance.is_none_or(|balance| balance < booked))
        };
        is_short.then(|| {
            let held = held.map_or_else(|| "no account".into(), shown);
            let what = if self.reserve.is_minted() {
                format!("{held} tokens exist, the books know of {}", shown(booked))
            } else {
                format!("the liquidity account holds {held}, the books say {}", shown(booked))
            };
            let advice = "pause everything (keel pause all) and report it: SECURITY.md";
            self.finding(Severity::Critical, "liquidity-short", what, advice)
        })
    }
}
