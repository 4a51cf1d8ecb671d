//! Who decides, with how much notice, and whether something is paused.

use super::Facts;
use super::finding::{Finding, Severity};
use crate::amount;
use crate::commands::pause;
use anchor_lang::prelude::Pubkey;
use keel_client::keel::state::Market;

/// A notice under which nobody who is away for a weekend can react, in seconds.
const SHORT_NOTICE: u32 = 2 * 86_400;

pub fn examine(facts: &Facts, findings: &mut Vec<Finding>) {
    let (market, now) = (&facts.view.market, facts.view.time.now);
    let nobody = Pubkey::default();
    let mut found = |severity, check, what: String, advice: &str| {
        findings.push(Finding::new(severity, check, "market", what, advice));
    };
    if market.version < Market::VERSION {
        let what = format!("its account has layout {}, the program writes {}", market.version, Market::VERSION);
        found(
            Severity::Critical,
            "layout-outdated",
            what,
            "keel migrate --to 5 brings accounts up to date; until then nothing can be governed",
        );
        // An older layout has no notice and no offers to look at.
        return;
    }
    if market.guardian == nobody {
        found(
            Severity::Critical,
            "role-missing",
            "nobody is guardian: only governance can stop anything".into(),
            "keel change queue role guardian ADDRESS",
        );
    }
    if market.risk_steward == nobody {
        found(
            Severity::Note,
            "steward-missing",
            "nobody is risk steward: parameters move by governance only".into(),
            "keel change queue role risk-steward ADDRESS, if steps are wanted",
        );
    }
    let roles =
        [("governance", market.governance), ("guardian", market.guardian), ("risk steward", market.risk_steward)];
    for (i, (role, holder)) in roles.iter().enumerate() {
        for (other, _) in roles.iter().skip(i + 1).filter(|(_, other)| other == holder && *other != nobody) {
            let what = format!("{role} and {other} are both {holder}: who gets that key has both");
            found(
                Severity::Warning,
                "roles-shared",
                what,
                "give one of the roles to somebody else: keel change queue role ...",
            );
        }
    }
    if market.governance.is_on_curve() && !facts.allow_keypair {
        let what = format!("governance is the plain keypair {}: one key decides", market.governance);
        found(
            Severity::Critical,
            "governance-is-keypair",
            what,
            "hand over to a DAO or a multisig: migrations/0004-hand-over.md",
        );
    }
    if market.delay == 0 {
        let what = "changes need no notice: the market is still being set up".to_string();
        found(Severity::Critical, "no-notice", what, "keel change tighten market --set timelock.delay=3d");
    } else if market.delay < SHORT_NOTICE {
        let what = format!("changes come into force after {}", amount::duration(market.delay.into()));
        found(
            Severity::Note,
            "short-notice",
            what,
            "two days or more give those who are away a chance: keel change tighten market --set timelock.delay=2d",
        );
    }
    if !pause::running(market, now).is_empty() {
        let what = format!("paused: {}", pause::describe(market, now));
        found(
            Severity::Warning,
            "paused",
            what,
            "when the reason is gone, keel pause --lift by whom paused; or let it end by itself",
        );
    }
}
