//! What is said at the end: tables for people, or one JSON object.

use crate::keeper::Record;
use crate::market::Asset;
use crate::solvency::{Figures, Verdict};
use crate::users::Reacted;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{Cell, CellAlignment, Table};
use serde::Serialize;
use std::collections::BTreeMap;

/// One liquidation.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// Seconds into the scenario.
    pub seconds: i64,
    /// The moment in the scenario, UTC.
    pub time: String,
    /// The vault.
    pub vault: String,
    /// Who it belongs to.
    pub user: String,
    /// What was repaid.
    pub debt_asset: String,
    /// What was seized.
    pub collateral_asset: String,
    /// Health factor before.
    pub health_before: f64,
    /// Health factor after; none without debt.
    pub health_after: Option<f64>,
    /// Tokens repaid.
    pub repaid: f64,
    /// Tokens that left the vault.
    pub seized: f64,
    /// Dollars repaid.
    pub repaid_usd: f64,
    /// Dollars that left the vault.
    pub seized_usd: f64,
    /// What the keeper earned, dollars.
    pub bounty_usd: f64,
    /// What the owner lost beyond the debt that is gone, dollars.
    pub owner_loss_usd: f64,
}

impl Event {
    /// A record with names instead of addresses.
    pub fn new(record: &Record, debt: &Asset, collateral: &Asset, user: String, start: i64) -> Self {
        Self {
            seconds: record.elapsed,
            time: crate::candles::show_time(start + record.elapsed),
            vault: record.vault.to_string(),
            user,
            debt_asset: debt.symbol.clone(),
            collateral_asset: collateral.symbol.clone(),
            health_before: record.health_before,
            health_after: record.health_after,
            repaid: debt.tokens(record.repaid),
            seized: collateral.tokens(record.seized),
            repaid_usd: record.repaid_usd,
            seized_usd: record.seized_usd,
            bounty_usd: record.bounty_usd(),
            owner_loss_usd: record.owner_loss_usd(),
        }
    }
}

/// What is said at the end of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The scenario.
    pub scenario: String,
    /// One line about it.
    pub summary: String,
    /// What everything random followed from.
    pub seed: u64,
    /// Number of borrowers.
    pub users: u32,
    /// Steps of the clock.
    pub steps: u32,
    /// Length of the scenario, seconds.
    pub scenario_seconds: i64,
    /// Whether everything that is owed to suppliers is there.
    pub solvent: bool,
    /// What is wrong, if something is.
    pub breaches: Vec<String>,
    /// Number of liquidations.
    pub liquidations: usize,
    /// Number of vaults that were liquidated.
    pub liquidated_vaults: usize,
    /// The liquidations.
    pub liquidation_events: Vec<Event>,
    /// Dollars repaid in all liquidations.
    pub repaid_usd: f64,
    /// Dollars seized in all liquidations.
    pub seized_usd: f64,
    /// What the keeper earned, dollars.
    pub bounty_usd: f64,
    /// What owners lost beyond the debt that is gone, dollars.
    pub owner_loss_usd: f64,
    /// Debt written off, dollars at the prices of the moment.
    pub bad_debt_usd: f64,
    /// Of that, borne by suppliers.
    pub bad_debt_socialized_usd: f64,
    /// Debt beyond the collateral of its vaults that is not written off.
    pub uncovered_usd: f64,
    /// Vaults under a health factor of 1 at the end.
    pub unhealthy_vaults: u32,
    /// The smallest health factor at the end.
    pub lowest_health: Option<f64>,
    /// Claims of suppliers at the end, dollars.
    pub supplied_usd: f64,
    /// What reserves hold and are owed at the end, dollars.
    pub assets_usd: f64,
    /// Owed by borrowers at the end, dollars.
    pub owed_usd: f64,
    /// Insurance at the end, dollars.
    pub insurance_usd: f64,
    /// What users did themselves.
    pub reactions: Reacted,
    /// Why the program refused loans at the beginning, and how many.
    pub refused_loans: BTreeMap<String, u32>,
    /// What the program refused the keeper, and how often.
    pub keeper_refusals: BTreeMap<String, u32>,
    /// How often the keeper refreshed a reserve.
    pub refreshes: u32,
    /// The reserves at the end, whole tokens.
    pub assets: Vec<Figures>,
    /// Wall time of set-up and crash, seconds.
    pub wall_seconds: [f64; 2],
}

impl Report {
    /// Fills in what the verdict and the events say.
    pub fn conclude(&mut self, events: Vec<Event>, verdict: &Verdict) {
        let sum = |of: fn(&Event) -> f64| events.iter().map(of).sum::<f64>();
        self.repaid_usd = sum(|e| e.repaid_usd);
        self.seized_usd = sum(|e| e.seized_usd);
        self.bounty_usd = sum(|e| e.bounty_usd);
        self.owner_loss_usd = sum(|e| e.owner_loss_usd);
        self.liquidations = events.len();
        let mut vaults: Vec<&str> = events.iter().map(|e| e.vault.as_str()).collect();
        vaults.sort_unstable();
        vaults.dedup();
        self.liquidated_vaults = vaults.len();
        self.liquidation_events = events;
        self.solvent = verdict.is_solvent();
        self.breaches = verdict.breaches.clone();
        self.bad_debt_usd = verdict.bad_debt_usd();
        self.bad_debt_socialized_usd = verdict.socialized_usd();
        self.uncovered_usd = verdict.uncovered_usd;
        self.unhealthy_vaults = verdict.unhealthy;
        self.lowest_health = verdict.lowest_health;
        self.supplied_usd = verdict.supplied_usd();
        self.assets_usd = verdict.assets_usd();
        self.owed_usd = verdict.owed_usd();
        self.insurance_usd = verdict.insurance_usd();
        self.assets = verdict.reserves.iter().map(crate::solvency::Books::figures).collect();
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "\n{}: {}\n{} users, {} steps, seed {}\n\n",
            self.scenario, self.summary, self.users, self.steps, self.seed
        );
        if self.liquidation_events.is_empty() {
            text += "No liquidation.\n";
        } else {
            text += &format!("{}\n", self.liquidation_table());
        }
        text += &format!(
            "\n{} liquidations of {} vaults: {} repaid, {} seized. The keeper earned {}; the owners lost {}.\n\
             Owners helped themselves {} times: {} repaid, {} added collateral.\n",
            self.liquidations,
            self.liquidated_vaults,
            usd(self.repaid_usd),
            usd(self.seized_usd),
            usd(self.bounty_usd),
            usd(self.owner_loss_usd),
            self.reactions.repaid + self.reactions.added,
            self.reactions.repaid,
            self.reactions.added,
        );
        for (reason, count) in &self.refused_loans {
            text += &format!("{count} loans were refused at the beginning: {reason}\n");
        }
        if !self.keeper_refusals.is_empty() {
            let list: Vec<String> = self.keeper_refusals.iter().map(|(name, n)| format!("{name} {n} times")).collect();
            text += &format!("The program refused the keeper: {}.\n", list.join(", "));
        }
        text += &format!("\nThe books at the end, from the chain's accounts:\n{}\n\n", self.asset_table());
        text += &self.verdict();
        text
    }

    fn liquidation_table(&self) -> Table {
        let header = ["time", "user", "vault", "health", "", "repaid", "seized", "bounty", "owner's loss"];
        let mut table = table(&header, &[3, 4, 5, 6, 7, 8]);
        for event in &self.liquidation_events {
            table.add_row([
                clock(event.seconds),
                event.user.clone(),
                short(&event.vault),
                factor(event.health_before),
                event.health_after.map_or("no debt".into(), factor),
                tokens(event.repaid, &event.debt_asset),
                tokens(event.seized, &event.collateral_asset),
                usd(event.bounty_usd),
                usd(event.owner_loss_usd),
            ]);
        }
        table
    }

    fn asset_table(&self) -> Table {
        let header = [
            "asset",
            "price",
            "available",
            "in the account",
            "owed",
            "claims",
            "insurance",
            "lent",
            "bad debt",
            "sound",
        ];
        let mut table = table(&header, &[1, 2, 3, 4, 5, 6, 7, 8]);
        for asset in &self.assets {
            let number = |n: f64| group(n, 2);
            table.add_row([
                asset.asset.clone(),
                usd(asset.price_usd),
                number(asset.available),
                number(asset.token_balance),
                number(asset.owed),
                number(asset.claims),
                group(asset.insurance, 4),
                format!("{:.1} %", asset.utilization * 100.0),
                number(asset.bad_debt),
                if asset.sound { "yes".into() } else { "NO".into() },
            ]);
        }
        table
    }

    /// The last lines.
    fn verdict(&self) -> String {
        let mut text = if self.solvent {
            format!(
                "SOLVENT: suppliers claim {}; the reserves hold and are owed {} ({} of it lent).\n",
                usd(self.supplied_usd),
                usd(self.assets_usd),
                usd(self.owed_usd)
            )
        } else {
            format!("INSOLVENT:\n{}\n", self.breaches.iter().map(|b| format!("  {b}")).collect::<Vec<_>>().join("\n"))
        };
        text += &if self.bad_debt_usd > 0.0 {
            format!(
                "{} of bad debt was written off: insurance paid {}, suppliers bore {}.\n",
                usd(self.bad_debt_usd),
                usd(self.bad_debt_usd - self.bad_debt_socialized_usd),
                usd(self.bad_debt_socialized_usd)
            )
        } else {
            "No bad debt.\n".to_string()
        };
        if self.uncovered_usd > 0.0 {
            text +=
                &format!("{} of debt exceeds its collateral and is not written off yet.\n", usd(self.uncovered_usd));
        }
        if self.unhealthy_vaults > 0 {
            text += &format!("{} vaults are still under a health factor of 1.\n", self.unhealthy_vaults);
        }
        text
    }
}

fn table(header: &[&str], right: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY);
    table.set_header(header.iter().map(Cell::new));
    for index in right {
        if let Some(column) = table.column_mut(*index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// `00:37:30`.
fn clock(seconds: i64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// `7xKX..gAsU`.
fn short(key: &str) -> String {
    match (key.get(..4), key.get(key.len().saturating_sub(4)..)) {
        (Some(head), Some(tail)) if key.len() > 10 => format!("{head}..{tail}"),
        _ => key.to_string(),
    }
}

/// Cut, not rounded: 0.99999 is under 1.
fn factor(health: f64) -> String {
    format!("{:.4}", (health * 1e4).floor() / 1e4)
}

fn usd(dollars: f64) -> String {
    let sign = if dollars <= -0.005 { "-" } else { "" };
    format!("{sign}${}", group(dollars.abs(), 2))
}

fn tokens(amount: f64, symbol: &str) -> String {
    let places = if amount >= 1000.0 {
        2
    } else if amount >= 1.0 {
        3
    } else {
        6
    };
    format!("{} {symbol}", group(amount, places))
}

/// `1,234,567.80`.
fn group(number: f64, places: usize) -> String {
    let text = format!("{:.places$}", number.abs());
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if number < 0.0 { "-" } else { "" };
    if rest.is_empty() { format!("{sign}{grouped}") } else { format!("{sign}{grouped}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solvency::tests::{books, verdict};

    fn event(vault: &str, bounty: f64) -> Event {
        Event {
            seconds: 2250,
            time: "2025-10-10 20:47:30".into(),
            vault: vault.into(),
            user: "03 long SOL".into(),
            debt_asset: "USDC".into(),
            collateral_asset: "SOL".into(),
            health_before: 0.99321,
            health_after: Some(1.05),
            repaid: 1234.5,
            seized: 6.4321,
            repaid_usd: 1234.5,
            seized_usd: 1267.0,
            bounty_usd: bounty,
            owner_loss_usd: 32.5,
        }
    }

    fn report() -> Report {
        let mut report = Report {
            scenario: "test".into(),
            summary: "a fall".into(),
            seed: 7,
            users: 5,
            steps: 10,
            reactions: Reacted { repaid: 2, added: 1, refused: 0 },
            ..Report::default()
        };
        let first = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU";
        report.conclude(vec![event(first, 29.25), event(first, 1.0), event("Other", 1.0)], &verdict(books()));
        report
    }

    #[test]
    fn the_text_has_every_liquidation_and_the_verdict() {
        let text = report().text();
        assert!(text.contains("00:37:30") && text.contains("7xKX..gAsU"), "{text}");
        assert!(text.contains("0.9932") && text.contains("1.0500"), "{text}");
        assert!(text.contains("1,234.50 USDC") && text.contains("6.432 SOL") && text.contains("$29.25"), "{text}");
        assert!(text.contains("3 liquidations of 2 vaults: $3,703.50 repaid"), "{text}");
        assert!(
            text.contains("SOLVENT: suppliers claim $200.00; the reserves hold and are owed $200.00 ($80.00"),
            "{text}"
        );
        assert!(text.ends_with("No bad debt.\n"), "{text}");
    }

    #[test]
    fn insolvency_is_not_to_be_overlooked() {
        let mut books = books();
        books.token_balance = 0;
        let mut report = report();
        report.conclude(Vec::new(), &verdict(books));
        let text = report.text();
        assert!(!report.solvent);
        assert!(text.contains("No liquidation.") && text.contains("INSOLVENT:\n  USDC: the token account"), "{text}");
        assert!(text.contains("NO"), "{text}");
    }

    #[test]
    fn bad_debt_is_told() {
        let mut report = report();
        (report.bad_debt_usd, report.bad_debt_socialized_usd, report.uncovered_usd) = (100.0, 30.0, 5.0);
        let text = report.verdict();
        assert!(text.contains("insurance paid $70.00, suppliers bore $30.00"), "{text}");
        assert!(text.contains("$5.00 of debt exceeds"), "{text}");
    }

    #[test]
    fn the_json_has_the_promised_fields() {
        let json = serde_json::to_value(report()).unwrap();
        assert_eq!(json["solvent"], true);
        assert_eq!(json["liquidations"], 3);
        assert_eq!(json["liquidation_events"].as_array().unwrap().len(), 3);
        assert_eq!(json["supplied_usd"], 200.0);
        assert_eq!(json["owed_usd"], 80.0);
        assert_eq!(json["bad_debt_usd"], 0.0);
        assert_eq!(json["assets"][0]["asset"], "USDC");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(group(1_234_567.891, 2), "1,234,567.89");
        assert_eq!(group(12.0, 0), "12");
        assert_eq!(usd(-1234.5), "-$1,234.50");
        assert_eq!(usd(-0.001), "$0.00");
        assert_eq!(factor(0.99999), "0.9999");
        assert_eq!(clock(3_725), "01:02:05");
    }
}
