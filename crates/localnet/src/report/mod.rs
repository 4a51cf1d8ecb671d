//! What is said at the end: tables for people, or one JSON object.

mod format;
mod tables;

use crate::haircuts::Track;
use crate::keeper::{Means, Record};
use crate::market::Asset;
use crate::solvency::{Figures, MintedBooks, MintedFigures, Verdict};
use crate::users::Reacted;
use format::usd;
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
    /// What the keeper paid with: its capital, or a flash loan.
    pub keeper: &'static str,
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
    /// What a keeper without capital was left with after selling and repaying, dollars.
    pub profit_usd: Option<f64>,
}

/// What the keeper without capital did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FlashKeeper {
    /// Its liquidations, each in one transaction.
    pub liquidations: usize,
    /// What it borrowed for them, dollars.
    pub borrowed_usd: f64,
    /// What it was paid, at the prices of the feeds, dollars.
    pub bounty_usd: f64,
    /// What it was left with after slippage and the fees of loans and swaps, dollars.
    pub profit_usd: f64,
}

impl FlashKeeper {
    fn new(events: &[Event]) -> Self {
        let mut sum = Self::default();
        for (event, profit) in events.iter().filter_map(|event| Some((event, event.profit_usd?))) {
            sum.liquidations += 1;
            sum.borrowed_usd += event.repaid_usd;
            sum.bounty_usd += event.bounty_usd;
            sum.profit_usd += profit;
        }
        sum
    }
}

impl Event {
    /// A record with names instead of addresses.
    pub fn new(record: &Record, debt: &Asset, collateral: &Asset, user: String, start: i64) -> Self {
        Self {
            seconds: record.elapsed,
            time: crate::candles::show_time(start + record.elapsed),
            vault: record.vault.to_string(),
            user,
            keeper: match record.means {
                Means::Capital => "capital",
                Means::FlashLoan => "flash loan",
            },
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
            profit_usd: record.profit_usd,
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
    /// What the keepers earned, at the prices of the feeds, dollars.
    pub bounty_usd: f64,
    /// What owners lost beyond the debt that is gone, dollars.
    pub owner_loss_usd: f64,
    /// Debt written off, dollars at the prices of the moment.
    pub bad_debt_usd: f64,
    /// Of that, borne by suppliers.
    pub bad_debt_socialized_usd: f64,
    /// Of that, recorded as the deficit of the minted reserve.
    pub bad_debt_deficit_usd: f64,
    /// Debt beyond the collateral of its vaults that is not written off.
    pub uncovered_usd: f64,
    /// Vaults under a health factor of 1 at the end.
    pub unhealthy_vaults: u32,
    /// The smallest health factor at the end.
    pub lowest_health: Option<f64>,
    /// Claims of suppliers and of those who hold minted tokens at the end, dollars.
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
    /// The pooled reserves at the end, whole tokens.
    pub assets: Vec<Figures>,
    /// The minted reserve at the end, if the scenario has one.
    pub minted: Option<MintedFigures>,
    /// What the keeper without capital did, if the scenario has one.
    pub flash_keeper: Option<FlashKeeper>,
    /// Prices and haircuts of the collateral assets over the scenario.
    pub haircuts: Vec<Track>,
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
        self.flash_keeper = self.flash_keeper.take().map(|_| FlashKeeper::new(&events));
        self.liquidation_events = events;
        self.solvent = verdict.is_solvent();
        self.breaches = verdict.breaches.clone();
        self.bad_debt_usd = verdict.bad_debt_usd();
        self.bad_debt_socialized_usd = verdict.socialized_usd();
        self.bad_debt_deficit_usd = verdict.deficit_usd();
        self.uncovered_usd = verdict.uncovered_usd;
        self.unhealthy_vaults = verdict.unhealthy;
        self.lowest_health = verdict.lowest_health;
        self.supplied_usd = verdict.supplied_usd();
        self.assets_usd = verdict.assets_usd();
        self.owed_usd = verdict.owed_usd();
        self.insurance_usd = verdict.insurance_usd();
        self.assets = verdict.reserves.iter().map(crate::solvency::Books::figures).collect();
        self.minted = verdict.minted.as_ref().map(MintedBooks::figures);
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "\n{}: {}\n{} users, {} steps, seed {}\n\n",
            self.scenario, self.summary, self.users, self.steps, self.seed
        );
        if !self.haircuts.is_empty() {
            let table = tables::haircuts(&self.haircuts);
            text += &format!("Prices and haircuts, from the chain's accounts:\n{table}\n\n");
        }
        if self.liquidation_events.is_empty() {
            text += "No liquidation.\n";
        } else {
            text += &format!("{}\n", tables::liquidations(&self.liquidation_events));
        }
        text += &format!(
            "\n{} liquidations of {} vaults: {} repaid, {} seized. The keepers earned {}; the owners lost {}.\n",
            self.liquidations,
            self.liquidated_vaults,
            usd(self.repaid_usd),
            usd(self.seized_usd),
            usd(self.bounty_usd),
            usd(self.owner_loss_usd),
        );
        if let Some(keeper) = self.flash_keeper.as_ref().filter(|keeper| keeper.liquidations > 0) {
            text += &format!(
                "{} of them by a keeper without capital, each in one transaction: it borrowed {}, sold what it seized, \
                 repaid,\nand was left with a profit of {} from {} of bounties; slippage and fees took the rest.\n",
                keeper.liquidations,
                usd(keeper.borrowed_usd),
                usd(keeper.profit_usd),
                usd(keeper.bounty_usd),
            );
        }
        text += &format!(
            "Owners helped themselves {} times: {} repaid, {} added collateral.\n",
            self.reactions.repaid + self.reactions.added,
            self.reactions.repaid,
            self.reactions.added,
        );
        for (reason, count) in &self.refused_loans {
            text += &format!("{count} loans were refused at the beginning: {reason}\n");
        }
        if !self.keeper_refusals.is_empty() {
            let list: Vec<String> = self.keeper_refusals.iter().map(|(name, n)| format!("{name} {n} times")).collect();
            text += &format!("The program refused the keepers: {}.\n", list.join(", "));
        }
        text += &format!("\nThe books at the end, from the chain's accounts:\n{}\n", tables::assets(&self.assets));
        if let Some(minted) = &self.minted {
            text += &format!("{}\n", tables::minted(minted));
        }
        text += &format!("\n{}", self.verdict());
        text
    }

    /// The last lines.
    fn verdict(&self) -> String {
        let claimants = match &self.minted {
            Some(minted) => format!("suppliers and holders of {}", minted.asset),
            None => "suppliers".into(),
        };
        let mut text = if self.solvent {
            format!(
                "SOLVENT: {claimants} claim {}; the reserves hold and are owed {} ({} of it lent).\n",
                usd(self.supplied_usd),
                usd(self.assets_usd),
                usd(self.owed_usd)
            )
        } else {
            format!("INSOLVENT:\n{}\n", self.breaches.iter().map(|b| format!("  {b}")).collect::<Vec<_>>().join("\n"))
        };
        text += &if self.bad_debt_usd > 0.0 {
            let insured = self.bad_debt_usd - self.bad_debt_socialized_usd - self.bad_debt_deficit_usd;
            let deficit = match self.bad_debt_deficit_usd {
                dollars if dollars > 0.0 => format!(", {} became a deficit", usd(dollars)),
                _ => String::new(),
            };
            format!(
                "{} of bad debt was written off: insurance paid {}, suppliers bore {}{deficit}.\n",
                usd(self.bad_debt_usd),
                usd(insured),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::haircuts::Point;
    use crate::solvency::tests::{books, verdict};

    fn event(vault: &str, bounty: f64) -> Event {
        Event {
            seconds: 2250,
            time: "2025-10-10 20:47:30".into(),
            vault: vault.into(),
            user: "03 long SOL".into(),
            keeper: "capital",
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
            profit_usd: None,
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

    /// With a minted token, a keeper without capital, and haircuts.
    fn full() -> Report {
        let mut report = report();
        let flash = Event { keeper: "flash loan", profit_usd: Some(4.5), ..event("Other", 9.25) };
        report.flash_keeper = Some(FlashKeeper::default());
        let mut verdict = verdict(books());
        verdict.minted = Some(crate::solvency::tests::minted_books());
        report.conclude(vec![event("First", 1.0), flash], &verdict);
        let point = |seconds, price_usd, initial| Point {
            seconds,
            time: "2025-10-10 20:10:00".into(),
            price_usd,
            target: initial,
            initial,
            maintenance: 0.03,
        };
        let points = vec![point(0, 207.25, 0.03), point(3_600, 177.0, 0.0775)];
        report.haircuts = vec![Track { asset: "SOL".into(), points }];
        report
    }

    #[test]
    fn the_text_has_haircuts_the_minted_token_and_the_profit_without_capital() {
        let text = full().text();
        let line = |name: &str| text.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{text}"));
        assert!(line("SOL     price").contains("$207.25") && line("SOL     price").contains("$177.00"), "{text}");
        assert!(
            line("initial haircut").contains("7.75 %") && !line("maintenance haircut").contains("7.75 %"),
            "{text}"
        );
        assert!(line("1 of them by a keeper without capital").contains("borrowed $1,234.50"), "{text}");
        assert!(text.contains("a profit of $4.50 from $9.25 of bounties"), "{text}");
        assert!(line("kUSD  ").contains("149.50") && line("kUSD  ").contains("0.5000"), "{text}");
        assert!(text.contains("SOLVENT: suppliers and holders of kUSD claim $300.00"), "{text}");
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
        report.bad_debt_deficit_usd = 10.0;
        let text = report.verdict();
        assert!(text.contains("insurance paid $60.00, suppliers bore $30.00, $10.00 became a deficit"), "{text}");
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
        assert!(json["minted"].is_null() && json["flash_keeper"].is_null());

        let json = serde_json::to_value(full()).unwrap();
        assert_eq!(json["minted"]["circulating"], json["minted"]["mint_supply"]);
        assert_eq!(json["flash_keeper"]["liquidations"], 1);
        assert_eq!(json["flash_keeper"]["profit_usd"], 4.5);
        assert_eq!(json["haircuts"][0]["points"][1]["initial"], 0.0775);
    }
}
