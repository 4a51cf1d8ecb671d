//! `keel vault show`: positions, health, and how health may fall while the owner sleeps.

use super::Which;
use crate::amount;
use crate::context::Context;
use crate::report::{Report, pairs, table};
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use clap::Args;
use keel_client::keel::state::{Side, Vault};
use keel_client::keel_risk::health::Totals;
use keel_client::keel_risk::price::Purpose;
use keel_client::view::View;
use serde_json::{Value, json};

/// A vault's positions and health.
#[derive(Args, Debug)]
pub struct Show {
    #[command(flatten)]
    vault: Which,
    /// Say how low health can fall within this time while prices stand still
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = amount::parse_duration)]
    horizon: u32,
}

/// A health factor, or what stands for it without debt.
pub fn text(totals: &Totals) -> String {
    totals.health_factor().map_or_else(|| "no debt".into(), |health| amount::fraction(health, 4))
}

/// Shows a vault.
pub fn show(context: &Context, show: &Show) -> Result<Report> {
    let view = context.view()?;
    let (key, vault) = show.vault.fetch(context)?;
    let now = view.time.now;
    let maintenance = view.totals(&vault, Purpose::Liquidation);
    let initial = view.totals(&vault, Purpose::NewRisk);
    let outlook = view.outlook(&vault, show.horizon);
    let said = |totals: &Result<Totals, keel_client::ClientError>| match totals {
        Ok(totals) => text(totals),
        Err(error) => error.to_string(),
    };
    let mut rows = vec![
        ("vault", format!("{key} (number {} of {})", vault.index, context.labels.name(&vault.owner))),
        ("health factor", format!("{} (liquidated under 1)", said(&maintenance))),
    ];
    if let Ok(totals) = &maintenance {
        rows.push(("collateral", amount::usd(totals.collateral)));
        rows.push(("debt", amount::usd(totals.debt)));
        rows.push(("liquidation limit", amount::usd(totals.limit)));
    }
    match &initial {
        Ok(totals) => {
            let room = totals.limit.0.sub_or_zero(totals.debt.0);
            rows.push(("borrow limit", amount::usd(totals.limit)));
            rows.push(("can still borrow", amount::usd(keel_client::keel_risk::units::Usd(room))));
        }
        Err(error) => rows.push(("borrow limit", error.to_string())),
    }
    let horizon = amount::duration(show.horizon.into());
    rows.push(("at these prices", format!("health falls no lower than {} within {horizon}", said(&outlook))));
    if vault.delegate != Pubkey::default() {
        let until = amount::when(vault.delegate_until, now);
        rows.push(("delegate", format!("{}, until {until}", context.labels.name(&vault.delegate))));
    }
    if vault.group != 0 {
        rows.push(("efficiency group", vault.group.to_string()));
    }
    if vault.is_insolvent() {
        rows.push(("insolvent", "its bad debt is being resolved: only repayments are possible".into()));
    }
    let (position_rows, positions) = positions(context, &view, &vault)?;
    let text = if position_rows.is_empty() {
        format!("{}\nThe vault is empty.", pairs(rows))
    } else {
        format!("{}\n{}", pairs(rows), table(["asset", "side", "amount", "value"], 2, position_rows))
    };
    let health = |totals: &Result<Totals, keel_client::ClientError>| {
        totals.as_ref().ok().and_then(Totals::health_factor).map(|health| amount::fraction(health, 12))
    };
    let dollars = |value: Option<keel_client::keel_risk::units::Usd>| value.map(|value| amount::fraction(value.0, 6));
    let json = json!({
        "address": key.to_string(),
        "owner": vault.owner.to_string(),
        "index": vault.index,
        "market": vault.market.to_string(),
        "health": health(&maintenance),
        "initialHealth": health(&initial),
        "lowestHealthAtThesePrices": health(&outlook),
        "horizonSeconds": show.horizon,
        "collateralUsd": dollars(maintenance.as_ref().ok().map(|totals| totals.collateral)),
        "debtUsd": dollars(maintenance.as_ref().ok().map(|totals| totals.debt)),
        "liquidationLimitUsd": dollars(maintenance.as_ref().ok().map(|totals| totals.limit)),
        "borrowLimitUsd": dollars(initial.as_ref().ok().map(|totals| totals.limit)),
        "error": maintenance.as_ref().err().or(initial.as_ref().err()).map(ToString::to_string),
        "group": vault.group,
        "insolvent": vault.is_insolvent(),
        "positions": positions,
    });
    Ok(Report::new(text, json))
}

fn positions(context: &Context, view: &View, vault: &Vault) -> Result<(Vec<[String; 4]>, Vec<Value>)> {
    let (mut rows, mut json) = (Vec::new(), Vec::new());
    for (position, side) in vault.occupied() {
        let reserve = view.reserve(&position.reserve)?;
        let amount = view.amount(position, side)?;
        let value = view.value(&position.reserve, amount, side);
        let name = match side {
            Side::Collateral => "collateral",
            Side::Debt => "debt",
        };
        let shown = value.as_ref().map_or_else(ToString::to_string, |value| amount::usd(*value));
        rows.push([context.labels.asset(reserve), name.into(), amount::tokens(amount.0, reserve.decimals), shown]);
        json.push(json!({
            "asset": context.labels.asset(reserve),
            "reserve": position.reserve.to_string(),
            "side": name,
            "amount": amount.0,
            "decimals": reserve.decimals,
            "valueUsd": value.ok().map(|value| amount::fraction(value.0, 6)),
        }));
    }
    Ok((rows, json))
}
