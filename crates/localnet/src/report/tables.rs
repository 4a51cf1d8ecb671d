//! The tables.

use super::Event;
use super::format::{clock, factor, group, percent, short, tokens, usd, usd_short};
use crate::haircuts::Track;
use crate::solvency::{Figures, MintedFigures};
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{Cell, CellAlignment, Table};

/// A table whose columns are aligned to the right from the `left`th on.
fn table<'a>(header: impl IntoIterator<Item = &'a str>, left: usize) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY);
    table.set_header(header.into_iter().map(Cell::new));
    for column in table.column_iter_mut().skip(left) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn yes(sound: bool) -> String {
    if sound { "yes".into() } else { "NO".into() }
}

/// A row per liquidation.
pub(super) fn liquidations(events: &[Event]) -> Table {
    let header = ["time", "user", "vault", "paid from", "health", "", "repaid", "seized", "bounty", "owner's loss"];
    let mut table = table(header, 4);
    for event in events {
        table.add_row([
            clock(event.seconds),
            event.user.clone(),
            short(&event.vault),
            event.keeper.to_string(),
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

/// Three rows per asset, a column per moment.
pub(super) fn haircuts(tracks: &[Track]) -> Table {
    let times: Vec<String> =
        tracks.first().iter().flat_map(|track| &track.points).map(|point| clock(point.seconds)).collect();
    let mut table = table(["asset", ""].into_iter().chain(times.iter().map(String::as_str)), 2);
    for Track { asset, points } in tracks {
        let mut row = |name: &str, what: &str, cells: Vec<String>| {
            table.add_row([name.to_string(), what.to_string()].into_iter().chain(cells));
        };
        row(asset, "price", points.iter().map(|point| usd_short(point.price_usd)).collect());
        row("", "initial haircut", points.iter().map(|point| percent(point.initial)).collect());
        row("", "maintenance haircut", points.iter().map(|point| percent(point.maintenance)).collect());
    }
    table
}

/// A row per pooled reserve.
pub(super) fn assets(assets: &[Figures]) -> Table {
    let header =
        ["asset", "price", "available", "in the account", "owed", "claims", "insurance", "lent", "bad debt", "sound"];
    let mut table = table(header, 1);
    for asset in assets {
        let number = |n: f64| group(n, 2);
        table.add_row([
            asset.asset.clone(),
            usd(asset.price_usd),
            number(asset.available),
            number(asset.token_balance),
            number(asset.owed),
            number(asset.claims),
            group(asset.insurance, 4),
            percent(asset.utilization),
            number(asset.bad_debt),
            yes(asset.sound),
        ]);
    }
    table
}

/// The minted reserve.
pub(super) fn minted(minted: &MintedFigures) -> Table {
    let swap_holds = format!("swap holds {}", minted.swap_asset);
    let header =
        ["minted", "owed", swap_holds.as_str(), "circulating", "exist", "surplus", "deficit", "bad debt", "sound"];
    let mut table = table(header, 1);
    let number = |n: f64| group(n, 2);
    table.add_row([
        minted.asset.clone(),
        number(minted.owed),
        number(minted.swap_holdings),
        number(minted.circulating),
        number(minted.mint_supply),
        group(minted.surplus, 4),
        number(minted.deficit),
        number(minted.bad_debt),
        yes(minted.sound),
    ]);
    table
}
