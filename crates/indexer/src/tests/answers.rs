//! What the store answers.

use super::{MARKET, RESERVE, Scratch};
use crate::api::Api;
use crate::event::{self, Event};
use crate::sample::Sample;
use crate::store::{Entry, Place, Position, Store};
use anchor_lang::Event as _;
use anchor_lang::prelude::Pubkey;
use keel::events::{Flow, Liquidated, Moved, ReserveCreated, Swapped, VaultOpened};
use serde_json::{Value, json};
use solana_signature::Signature;

const VAULT: Pubkey = Pubkey::new_from_array([3; 32]);
const KEEPER: Pubkey = Pubkey::new_from_array([4; 32]);
const OTHER_MARKET: Pubkey = Pubkey::new_from_array([5; 32]);
const OTHER_VAULT: Pubkey = Pubkey::new_from_array([6; 32]);

fn event(data: Vec<u8>) -> Event {
    event::decode(&data).unwrap()
}

fn entry(slot: u64, events: Vec<Event>) -> Entry {
    let signature = Signature::from([u8::try_from(slot).unwrap(); 64]);
    Entry { place: Place { signature, slot, ordinal: 0 }, time: Some(1_000), events, faults: Vec::new() }
}

fn opened(market: Pubkey, vault: Pubkey) -> Event {
    event(VaultOpened { market, vault, owner: KEEPER, index: 0 }.data())
}

fn liquidated(vault: Pubkey) -> Event {
    let (debt_reserve, collateral_reserve) = (RESERVE, RESERVE);
    let (repaid, seized, to_keeper, in_shares, bonus) = (u64::MAX, 2, 3, true, 4);
    let (keeper, health_before, health_after) = (KEEPER, 5, u128::MAX);
    let all = Liquidated {
        vault,
        keeper,
        debt_reserve,
        collateral_reserve,
        repaid,
        seized,
        to_keeper,
        in_shares,
        bonus,
        health_before,
        health_after,
    };
    event(all.data())
}

fn append(store: &mut Store, entries: &[Entry]) {
    let position = Position { cursor: entries.last().map(|entry| entry.place), floor: None };
    store.append(entries, &position, None, 0).unwrap();
}

fn kinds(answer: &Value) -> Vec<&str> {
    answer["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

#[test]
fn events_are_those_of_a_vault_and_those_of_the_market() {
    let scratch = Scratch::new();
    let mut store = scratch.open().unwrap();
    let listed = event(ReserveCreated { market: MARKET, reserve: RESERVE, mint: KEEPER }.data());
    let moved = Moved { flow: Flow::Deposit, vault: VAULT, reserve: RESERVE, amount: 7, shares: 8 }.data();
    append(
        &mut store,
        &[
            entry(1, vec![listed, opened(MARKET, VAULT), opened(OTHER_MARKET, OTHER_VAULT)]),
            entry(2, vec![event(moved), liquidated(VAULT)]),
            entry(3, vec![liquidated(OTHER_VAULT)]),
        ],
    );
    let of_vault = scratch.ask(&format!("/api/vaults/{VAULT}/events"), "");
    assert_eq!(kinds(&of_vault), ["Liquidated", "Moved", "VaultOpened"]);
    assert_eq!(of_vault["next"], Value::Null);
    let expected = json!({
        "signature": Signature::from([2; 64]).to_string(), "index": 1, "slot": "2", "time": 1_000, "final": true,
        "kind": "Liquidated",
        "data": {
            "vault": VAULT.to_string(), "keeper": KEEPER.to_string(), "debtReserve": RESERVE.to_string(),
            "collateralReserve": RESERVE.to_string(), "repaid": u64::MAX.to_string(), "seized": "2", "toKeeper": "3",
            "inShares": true, "bonus": "4", "healthBefore": "5", "healthAfter": u128::MAX.to_string(),
        },
    });
    assert_eq!(of_vault["events"][0], expected);
    // The other market's vault was liquidated in a reserve of its name only here; its vault's market counts first.
    let of_market = scratch.ask("/api/events", "kind=Liquidated");
    assert_eq!(of_market["events"].as_array().unwrap().len(), 1);
    assert_eq!(of_market["events"][0], expected);
    assert_eq!(kinds(&scratch.ask("/api/events", "")), ["Liquidated", "Moved", "VaultOpened", "ReserveCreated"]);
    let first = scratch.ask("/api/events", "limit=3");
    assert_eq!((kinds(&first).len(), &first["next"]), (3, &json!("1.0.1")));
    assert_eq!(kinds(&scratch.ask("/api/events", "limit=3&before=1.0.1")), ["ReserveCreated"]);
}

#[test]
fn a_swap_is_its_reserves_and_their_markets() {
    let scratch = Scratch::new();
    let mut store = scratch.open().unwrap();
    let [ours, theirs] = [(MARKET, RESERVE), (OTHER_MARKET, OTHER_VAULT)].map(|(market, reserve)| {
        let listed = event(ReserveCreated { market, reserve, mint: KEEPER }.data());
        let (user, minted_reserve, pooled_reserve) = (KEEPER, VAULT, reserve);
        let done = Swapped { user, minted_reserve, pooled_reserve, minted: true, tokens: 9, assets: 10, fee: 1 }.data();
        [listed, event(done)]
    });
    append(&mut store, &[entry(1, ours.to_vec()), entry(2, theirs.to_vec())]);
    assert_eq!(kinds(&scratch.ask("/api/events", "")), ["Swapped", "ReserveCreated"]);
    for named in [KEEPER, VAULT] {
        assert_eq!(kinds(&scratch.ask(&format!("/api/vaults/{named}/events"), "kind=Swapped")).len(), 2);
    }
    assert_eq!(kinds(&scratch.ask(&format!("/api/vaults/{RESERVE}/events"), "kind=Swapped")).len(), 1);
}

/// What a removed transaction said about markets is forgotten too.
#[test]
fn what_depends_on_a_transaction_goes_with_it() {
    let scratch = Scratch::new();
    let mut store = scratch.open().unwrap();
    store.overlay(&[], &[entry(1, vec![opened(MARKET, VAULT)]), entry(2, vec![liquidated(VAULT)])]).unwrap();
    assert_eq!(kinds(&scratch.ask("/api/events", "")).len(), 2);
    store.overlay(&[], &[]).unwrap();
    for table in ["transactions", "events", "mentions", "members", "gaps"] {
        let count: i64 =
            store.connection().query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(count, 0, "{table}");
    }
}

fn sample(time: i64, joined: bool, price: Option<u128>) -> Sample {
    let number = u64::try_from(time).unwrap();
    Sample {
        reserve: RESERVE,
        time,
        slot: number * 2,
        joined,
        supplied: u64::MAX,
        borrowed: number,
        utilization: 1 << 59,
        supply_yield: 1,
        borrow_yield: 2,
        haircut: 3,
        haircut_target: 4,
        price,
    }
}

#[test]
fn a_history_has_real_points_and_its_holes() {
    let scratch = Scratch::new();
    let mut store = scratch.open().unwrap();
    for time in 0..100 {
        // Nobody looked between 40 and 60.
        if !(41..60).contains(&time) {
            store.sample(&[sample(time, time != 0 && time != 60, (time != 3).then_some(u128::MAX))]).unwrap();
        }
    }
    // A clock that stands: the first look counts.
    store.sample(&[Sample { borrowed: 0, ..sample(99, true, None) }]).unwrap();
    let path = format!("/api/reserves/{RESERVE}/history");
    let all = scratch.ask(&path, "from=0&to=99&points=1000");
    let points = all["points"].as_array().unwrap();
    assert_eq!(points.len(), 81);
    assert_eq!(points[3]["price"], Value::Null);
    let expected = json!({
        "time": 99, "slot": "198", "hole": false, "supplied": u64::MAX.to_string(), "borrowed": "99",
        "utilization": (1u64 << 59).to_string(), "supplyYield": "1", "borrowYield": "2", "maintenanceHaircut": "3",
        "targetHaircut": "4", "price": u128::MAX.to_string(),
    });
    assert_eq!(points[80], expected);
    let holes = |points: &[Value]| -> Vec<i64> {
        points.iter().filter(|point| point["hole"] == true).map(|point| point["time"].as_i64().unwrap()).collect()
    };
    assert_eq!(holes(points), [0, 60]);
    // Ten seconds a point: the last of each.
    let fewer = scratch.ask(&path, "from=0&to=99&points=10");
    let fewer = fewer["points"].as_array().unwrap();
    let times: Vec<_> = fewer.iter().map(|point| point["time"].as_i64().unwrap()).collect();
    assert_eq!(times, [9, 19, 29, 39, 40, 69, 79, 89, 99]);
    assert_eq!(holes(fewer), [9, 69]);
    let newest = scratch.ask(&path, "");
    assert_eq!((&newest["from"], &newest["to"]), (&json!(99 - 86_400), &json!(99)));
    let other = scratch.ask(&format!("/api/reserves/{VAULT}/history"), "");
    assert_eq!(other["points"], json!([]));
}

#[test]
fn wrong_questions_are_told_what_is_wrong() {
    let scratch = Scratch::new();
    drop(scratch.open().unwrap());
    let ask = |path: &str, query: &str| {
        let answer = Api::new(scratch.file()).answer(path, Some(query));
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        (answer.status, body["error"].as_str().unwrap_or_default().to_string())
    };
    let history = format!("/api/reserves/{RESERVE}/history");
    for (path, query, reason) in [
        ("/api/events", "kind=Theft", "there is no event \"Theft\""),
        ("/api/events", "limit=0", "\"limit\" is \"0\"; it has to be a whole number, 1 to 200"),
        ("/api/events", "limit=201", "1 to 200"),
        ("/api/events", "limit=1&limit=2", "given twice"),
        ("/api/events", "limit", "1 to 200"),
        ("/api/events", "before=1.2", "the \"next\" of another answer"),
        ("/api/events", "before=1.2.x", "the \"next\" of another answer"),
        ("/api/events", "before=1.2.3.4", "the \"next\" of another answer"),
        ("/api/events", "sort=up", "there is no parameter \"sort\""),
        ("/api/status", "x=1", "there is no parameter \"x\""),
        ("/api/vaults/mine/events", "", "\"mine\" is no address of a vault"),
        ("/api/reserves/SOL/history", "", "\"SOL\" is no address of a reserve"),
        (&history, "points=1001", "1 to 1000"),
        (&history, "from=9&to=8", "\"from\" is 9 and \"to\" is 8"),
        (&history, "from=-1", "0 to 253402300799"),
    ] {
        let (status, error) = ask(path, query);
        assert!(status == 400 && error.contains(reason), "{path}?{query}: {status} {error}");
    }
    for path in ["/api", "/api/", "/api/secrets", "/api/events/", "/api/vaults//x", "/other"] {
        assert_eq!(ask(path, "").0, 404, "{path}");
    }
    let answer = Api::new(scratch.file().with_file_name("none")).answer("/api/status", None);
    assert_eq!(answer.status, 503, "{}", answer.body);
}
