//! Vaults that owe more than they hold.

use super::Facts;
use super::finding::{Finding, Severity};
use crate::amount;
use keel_client::keel_risk::price::Purpose;

pub fn examine(facts: &Facts, findings: &mut Vec<Finding>) {
    let market = &facts.view.market;
    for (key, vault) in &facts.vaults {
        let subject = format!("vault {key}");
        if vault.is_insolvent() {
            let what = format!("insolvent, with {} positions left to resolve", vault.occupied().count());
            let advice = "anyone can call resolve_bad_debt until it is empty; a keeper does";
            findings.push(Finding::new(Severity::Critical, "vault-insolvent", subject, what, advice));
            continue;
        }
        let Ok(totals) = facts.view.totals(vault, Purpose::Liquidation) else {
            // A price that cannot be used is found at its asset.
            continue;
        };
        let (collateral, debt) = (amount::usd(totals.collateral), amount::usd(totals.debt));
        if totals.debt.0 > totals.collateral.0 {
            let what = format!("owes {debt} and holds {collateral}: that is bad debt, or becomes it");
            let is_dust = market.min_position().is_ok_and(|least| totals.is_bad_debt(least));
            let advice =
                if is_dust { "call resolve_bad_debt" } else { "let keepers liquidate it; see to it that they run" };
            findings.push(Finding::new(Severity::Critical, "vault-under-water", subject, what, advice));
        } else if !totals.is_healthy() {
            let health = totals.health_factor().map_or_else(String::new, |health| amount::fraction(health, 4));
            let what = format!("health {health}: owes {debt}, holds {collateral}, and nobody has liquidated it yet");
            let advice = "see to it that keepers run: docs/governance/incident.md";
            findings.push(Finding::new(Severity::Warning, "vault-liquidatable", subject, what, advice));
        }
    }
}
