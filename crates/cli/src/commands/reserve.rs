//! `keel reserve`.

use crate::amount;
use crate::context::Context;
use crate::parameters;
use crate::report::{Report, pairs, table};
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use clap::Subcommand;
use keel_client::ClientError;
use keel_client::keel::KeelError;
use keel_client::keel::state::{Reserve, Side};
use keel_client::keel_risk::Fraction;
use keel_client::keel_risk::haircut::Haircuts;
use keel_client::keel_risk::pool::Pool;
use keel_client::keel_risk::price::Purpose;
use keel_client::keel_risk::units::{Amount, Usd};
use keel_client::view::View;
use serde_json::{Value, json};

/// Seconds of a year, for what interest adds in one.
const YEAR: i64 = 31_536_000;

/// Look at a market's assets.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// One asset: books, limits, rates, haircuts, prices and configuration
    Show {
        /// The asset: a label, or the address of its mint or reserve
        asset: String,
    },
    /// All assets
    List,
}

/// Does what the command says.
pub fn run(context: &Context, command: Command) -> Result<Report> {
    let view = context.view()?;
    match command {
        Command::Show { asset } => {
            let (key, _) = context.labels.reserve(&view, &asset)?;
            show(context, &view, &key)
        }
        Command::List => overview(context, &view),
    }
}

/// What a reserve says now.
struct Now {
    pool: Pool,
    supplied: Amount,
    owed: Amount,
    insurance: Amount,
    utilization: Fraction,
    /// What supplying and owing adds in a year, as things stand.
    yearly: Option<(Fraction, Fraction)>,
    haircuts: Haircuts,
    threshold: Fraction,
    price: Result<Usd, KeelError>,
    feeds: Vec<Feed>,
}

struct Feed {
    account: Pubkey,
    feed_id: String,
    /// Seconds since it was published.
    age: Result<i64, KeelError>,
    confidence_bps: Option<u64>,
    /// Whether it may be used, for new risk and in a liquidation.
    usable: [Result<(), KeelError>; 2],
    challenged_at: i64,
}

impl Now {
    fn of(view: &View, key: &Pubkey) -> Result<Self> {
        let (reserve, now) = (view.reserve(key)?, view.time.now);
        let pool = view.pool(key)?;
        let risk = |error| ClientError::from(KeelError::from(error));
        let indices = pool.indices();
        let yearly = pool.project(now.saturating_add(YEAR)).ok().and_then(|later| {
            let growth =
                |later: Fraction, before: Fraction| Some(later.div_floor(before).ok()?.sub_or_zero(Fraction::ONE));
            Some((growth(later.supply.0, indices.supply.0)?, growth(later.debt.0, indices.debt.0)?))
        });
        let whole = Amount(10u64.pow(reserve.decimals.into()));
        let price = reserve
            .maintenance_price(&view.readings(key)?, Side::Collateral, &view.time.moment())
            .and_then(|price| Ok(price.value_floor(whole)?));
        Ok(Self {
            supplied: pool.supply_index.amount_of(pool.supply_shares).map_err(risk)?,
            owed: pool.debt_index.amount_owed(pool.debt_shares).map_err(risk)?,
            insurance: pool.supply_index.amount_of(pool.insurance_shares).map_err(risk)?,
            utilization: pool.utilization().map_err(risk)?,
            yearly,
            haircuts: reserve.haircut().at(now, &reserve.config.haircut_terms()).map_err(risk)?,
            threshold: reserve.liquidation_threshold(now, false).map_err(ClientError::from)?,
            price,
            feeds: feeds(view, key)?,
            pool,
        })
    }
}

fn feeds(view: &View, key: &Pubkey) -> Result<Vec<Feed>> {
    let listing = view.book.listing(key)?;
    let (reserve, oracle, moment) = (&listing.reserve, &listing.reserve.config.oracle, view.time.moment());
    let readings = view.readings(key)?;
    let feeds = oracle.active_feeds().zip(&listing.prices).zip(readings.iter().zip(&reserve.last_prices));
    Ok(feeds
        .map(|((feed, account), (reading, last))| Feed {
            account: *account,
            feed_id: feed.feed_id.iter().map(|byte| format!("{byte:02x}")).collect(),
            age: reading.map(|observation| moment.now.saturating_sub(observation.publish_time)),
            confidence_bps: reading
                .ok()
                .and_then(|o| o.confidence.checked_mul(10_000)?.checked_div(u64::try_from(o.price).ok()?)),
            usable: [Purpose::NewRisk, Purpose::Liquidation].map(|purpose| {
                let observation = (*reading)?;
                Ok(observation.accept(&oracle.bounds(purpose), &moment, last.publish_time)?)
            }),
            challenged_at: last.challenged_at,
        })
        .collect())
}

/// All assets of a market.
pub fn overview(context: &Context, view: &View) -> Result<Report> {
    let mut rows = Vec::new();
    let mut json = Vec::new();
    for (key, listing) in view.book.iter() {
        let (reserve, now) = (&listing.reserve, Now::of(view, key)?);
        let tokens = |amount: Amount| amount::tokens(amount.0, reserve.decimals);
        let rate = |rate: Option<Fraction>| rate.map_or_else(|| "-".into(), amount::percent);
        rows.push([
            context.labels.asset(reserve),
            now.price.map_or_else(|error| error.name(), amount::usd),
            now.feeds.iter().map(|feed| age(&feed.age)).collect::<Vec<_>>().join(", "),
            tokens(now.supplied),
            tokens(now.owed),
            amount::percent(now.utilization),
            rate(now.yearly.map(|(supply, _)| supply)),
            rate(now.yearly.map(|(_, borrow)| borrow)),
            amount::percent(now.haircuts.maintenance),
            amount::percent(now.haircuts.initial),
        ]);
        json.push(to_json(context, key, reserve, &now));
    }
    if rows.is_empty() {
        return Ok(Report::new("This market lists nothing yet.", json!([])));
    }
    let header =
        ["asset", "price", "age", "supplied", "owed", "used", "supply APY", "borrow APY", "haircut", "for new risk"];
    Ok(Report::new(table(header, 1, rows), json))
}

fn age(age: &Result<i64, KeelError>) -> String {
    match age {
        Ok(seconds) => amount::duration(*seconds),
        Err(error) => error.name(),
    }
}

fn show(context: &Context, view: &View, key: &Pubkey) -> Result<Report> {
    let (reserve, now) = (view.reserve(key)?, Now::of(view, key)?);
    let (limits, decimals) = (&reserve.config.limits, reserve.decimals);
    let tokens = |amount: Amount| amount::tokens(amount.0, decimals);
    let of = |amount: Amount, cap: u64| format!("{} of {}", tokens(amount), amount::cap(cap, decimals));
    let rate =
        |rate: Option<Fraction>| rate.map_or_else(|| "-".into(), |rate| format!("{} a year", amount::percent(rate)));
    let rows = [
        ("asset", context.labels.asset(reserve)),
        ("reserve", key.to_string()),
        ("mint", reserve.mint.to_string()),
        ("price", now.price.map_or_else(|error| format!("{error} ({})", error.name()), amount::usd)),
        ("supplied", of(now.supplied, limits.deposit_cap)),
        ("owed", of(now.owed, limits.borrow_cap)),
        ("can be paid out", tokens(Amount(reserve.available))),
        ("utilization", amount::percent(now.utilization)),
        ("suppliers earn", rate(now.yearly.map(|(supply, _)| supply))),
        ("borrowers pay", rate(now.yearly.map(|(_, borrow)| borrow))),
        ("insurance", tokens(now.insurance)),
        ("bad debt not covered", amount::fraction(reserve.deficit.into(), 6)),
        ("outflow per hour", amount::cap(limits.hourly_outflow, decimals)),
        ("outflow per day", amount::cap(limits.daily_outflow, decimals)),
        ("haircut", amount::percent(now.haircuts.maintenance)),
        ("haircut for new risk", amount::percent(now.haircuts.initial)),
        ("haircut heads for", amount::percent(reserve.haircut.target.into())),
        ("liquidation threshold", threshold(reserve, &now, view.time.now)),
        ("layout", reserve.version.to_string()),
    ];
    let mut text = pairs(rows);
    for (number, feed) in now.feeds.iter().enumerate() {
        text.push_str(&format!("\nfeed {number}: {}\n  account {}\n", feed.feed_id, feed.account));
        let said = |usable: &Result<(), KeelError>| match usable {
            Ok(()) => "usable".to_string(),
            Err(error) => format!("{error} ({})", error.name()),
        };
        text.push_str(&format!("  published {} ago\n", age(&feed.age)));
        text.push_str(&format!(
            "  for new risk: {}\n  in a liquidation: {}\n",
            said(&feed.usable[0]),
            said(&feed.usable[1])
        ));
        if feed.challenged_at != 0 {
            text.push_str(&format!("  challenged {}\n", amount::when(feed.challenged_at, view.time.now)));
        }
    }
    text.push_str("\nconfiguration\n");
    for (name, value) in parameters::list(&mut reserve.config.clone(), decimals, &context.labels) {
        text.push_str(&format!("  {name} = {value}\n"));
    }
    Ok(Report::new(text, to_json(context, key, reserve, &now)))
}

fn threshold(reserve: &Reserve, now: &Now, time: i64) -> String {
    let ramp = &reserve.threshold_ramp;
    let ends = ramp.started_at.saturating_add(ramp.duration.into());
    let target = amount::bps(reserve.config.collateral.liquidation_threshold_bps);
    if ramp.duration == 0 || ends <= time {
        return target;
    }
    format!("{}, down to {target} {}", amount::percent(now.threshold), amount::when(ends, time))
}

fn to_json(context: &Context, key: &Pubkey, reserve: &Reserve, now: &Now) -> Value {
    let fraction = |value: Fraction| amount::fraction(value, 12);
    let refused = |result: &Result<(), KeelError>| result.err().map(|error| error.name());
    json!({
        "asset": context.labels.asset(reserve),
        "address": key.to_string(),
        "mint": reserve.mint.to_string(),
        "decimals": reserve.decimals,
        "kind": if reserve.is_minted() { "minted" } else { "pooled" },
        "layout": reserve.version,
        "priceUsd": now.price.ok().map(|price| fraction(price.0)),
        "priceError": now.price.err().map(|error| error.name()),
        "supplied": now.supplied.0,
        "owed": now.owed.0,
        "available": reserve.available,
        "insurance": now.insurance.0,
        "deficit": fraction(now.pool.deficit),
        "utilization": fraction(now.utilization),
        "supplyApy": now.yearly.map(|(supply, _)| fraction(supply)),
        "borrowApy": now.yearly.map(|(_, borrow)| fraction(borrow)),
        "haircut": fraction(now.haircuts.maintenance),
        "haircutForNewRisk": fraction(now.haircuts.initial),
        "haircutTarget": fraction(reserve.haircut.target.into()),
        "liquidationThreshold": fraction(now.threshold),
        "feeds": now.feeds.iter().map(|feed| json!({
            "feedId": feed.feed_id,
            "account": feed.account.to_string(),
            "ageSeconds": feed.age.ok(),
            "confidenceBps": feed.confidence_bps,
            "refusedForNewRisk": refused(&feed.usable[0]),
            "refusedInLiquidation": refused(&feed.usable[1]),
            "challengedAt": feed.challenged_at,
        })).collect::<Vec<_>>(),
        "config": parameters::to_json(&mut reserve.config.clone()),
    })
}
