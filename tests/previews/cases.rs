//! Writes what was asked, and what the previews answer on this machine, for the web app's tests.

use crate::scene::{Stage, account_data};
use anchor_lang::prelude::Pubkey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytemuck::Zeroable;
use keel::AmountSpec;
use keel::state::{Change, MarketParams, PendingChange, Role, Side, Vault};
use keel_client::preview::Action;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value as Json, json};
use std::path::PathBuf;

/// The folder to write to, if there is one.
fn folder() -> Option<PathBuf> {
    std::env::var_os("KEEL_PREVIEW_CASES").map(PathBuf::from)
}

struct Account {
    key: Pubkey,
    owner: Pubkey,
    data: Vec<u8>,
}

impl Account {
    fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.data.len()).unwrap().to_le_bytes();
        [self.key.as_ref(), self.owner.as_ref(), &length, &self.data].concat()
    }

    fn json(&self) -> Json {
        json!({ "address": self.key.to_string(), "owner": self.owner.to_string(), "data": STANDARD.encode(&self.data) })
    }
}

/// Queued changes of every kind: each reserve to the configuration of the next one, the market, a role.
fn changes(stage: &mut Stage, head: &[u8]) -> Vec<Json> {
    let params = stage.world.market_state().params();
    let assets = &stage.world.assets;
    let mut queued: Vec<(Pubkey, Change)> = assets
        .iter()
        .zip(assets.iter().cycle().skip(1))
        .map(|(asset, next)| {
            let config = stage.world.book.listing(&next.reserve).unwrap().reserve.config;
            (asset.reserve, Change::Reserve { config, ramp: 86_400 })
        })
        .collect();
    let market = stage.world.market;
    let longer = MarketParams { delay: 2 * params.delay + 86_400, min_position_micro_usd: 7, ..params };
    queued.push((market, Change::Market(longer)));
    queued.push((market, Change::Role { role: Role::Guardian, to: keel::ID }));
    let case = |(nonce, (target, change)): (u64, &(Pubkey, Change))| {
        // Around now, so that some wait, some are ready and some have expired; every other one is superseded.
        let earliest = stage.moment.now + 3_600 * (2 - i64::try_from(nonce % 5).unwrap());
        let mut pending = PendingChange { nonce, market, target: *target, sections: 0xff, ..PendingChange::zeroed() };
        (pending.earliest, pending.latest) = (earliest, earliest + 3_600);
        pending.revisions[0] = u32::try_from(nonce % 2).unwrap();
        pending.set_change(change).unwrap();
        let account = Account { key: Pubkey::new_unique(), owner: keel::ID, data: account_data(&pending) };
        json!({ "account": account.json(), "answer": text(&[&[8], head, &account.bytes()].concat()) })
    };
    (0..).zip(&queued).map(case).collect()
}

/// The vaults of one scene.
pub struct Cases {
    scene: Json,
    /// What every request of this scene begins with, behind the number of the question.
    head: Vec<u8>,
    /// The same at other prices.
    moved: Vec<u8>,
    vaults: Vec<Json>,
}

impl Cases {
    pub fn new(stage: &mut Stage, rng: &mut ChaCha8Rng) -> Self {
        let market = stage.world.market_state();
        let market = Account { key: stage.world.market, owner: keel::ID, data: account_data(&market) };
        let moment = stage.moment;
        let mut head =
            [&moment.now.to_le_bytes()[..], &moment.last_restart_slot.to_le_bytes(), &market.bytes()].concat();
        let count = |n: usize| u16::try_from(n).unwrap().to_le_bytes();
        let mut reserves = Vec::new();
        head.extend(count(stage.world.assets.len()));
        for asset in &stage.world.assets {
            let listing = stage.world.book.listing(&asset.reserve).unwrap();
            let account = Account { key: asset.reserve, owner: keel::ID, data: account_data(&listing.reserve) };
            head.extend(account.bytes());
            head.push(u8::try_from(listing.prices.len()).unwrap());
            listing.prices.iter().for_each(|key| head.extend(key.as_ref()));
            let mut json = account.json();
            json["priceAccounts"] = listing.prices.iter().map(Pubkey::to_string).collect();
            reserves.push(json);
        }
        let mut prices: Vec<_> = stage.prices.iter().collect();
        prices.sort_by_key(|(key, _)| **key);
        head.extend(count(prices.len()));
        let (mut moved, mut price_json) = (head.clone(), Vec::new());
        for (key, price) in prices {
            let account = Account { key: *key, owner: price.owner, data: price.data.clone() };
            let bps = rng.random_range(5_000..15_000u32);
            for (head, bps) in [(&mut head, 10_000), (&mut moved, bps)] {
                head.extend(account.bytes());
                head.extend(bps.to_le_bytes());
            }
            let mut json = account.json();
            json["movedBps"] = bps.into();
            price_json.push(json);
        }
        let scene = json!({
            "now": moment.now.to_string(),
            "lastRestartSlot": moment.last_restart_slot.to_string(),
            "market": market.json(),
            "reserves": reserves,
            "prices": price_json,
            "reservesAnswer": text(&[&[1], &head[..]].concat()),
            "changes": changes(stage, &head),
        });
        Self { scene, head, moved, vaults: Vec::new() }
    }

    /// A vault, an action on it, the asset of a largest loan, and a debt and a collateral to liquidate.
    pub fn add(
        &mut self,
        stage: &Stage,
        vault: &Vault,
        (action, asset, amount): (Action, usize, AmountSpec),
        debt: usize,
        pair: Option<(usize, usize)>,
        rng: &mut ChaCha8Rng,
    ) {
        let seconds = rng.random_range(0..=30 * 86_400u32);
        let health = u128::from(rng.random_range(1u64 << 59..1 << 61));
        let max_repay = rng.random_range(0..=u64::MAX) >> rng.random_range(0..60);
        // In tokens, or in shares.
        let receive = rng.random_range(0..=1u8);
        if folder().is_none() {
            return;
        }
        let account = Account { key: stage.user.vault, owner: keel::ID, data: account_data(vault) };
        let bytes = account.bytes();
        let ask = |number: u8, rest: &[&[u8]]| text(&[&[number], &self.head[..], &bytes, &rest.concat()].concat());
        let (reserve, borrowed) = (stage.world.assets[asset].reserve, stage.world.assets[debt].reserve);
        let number = |action| match action {
            Action::Deposit => 0u8,
            Action::Withdraw => 1,
            Action::Borrow => 2,
            Action::Repay => 3,
        };
        let (all, exact) = match amount {
            AmountSpec::All => (1u8, 0),
            AmountSpec::Exact(exact) => (0, exact),
        };
        let acted: Vec<_> =
            vault.occupied().filter(|(_, side)| *side == Side::Debt).map(|(p, _)| p.reserve).take(1).collect();
        let acted_bytes: Vec<u8> = acted.iter().flat_map(|key| key.to_bytes()).collect();
        let name = format!("{action:?}").to_lowercase();
        // Any price does: from a hundredth of a dollar or so for a unit of six decimals to some thousands.
        let price = u128::from(seconds).saturating_add(1) << 68;
        let case = json!({
            "vault": account.json(),
            "vaultAnswer": ask(2, &[]),
            "movedAnswer": text(&[&[2], &self.moved[..], &bytes].concat()),
            "preview": {
                "action": name,
                "reserve": reserve.to_string(),
                "amount": if all == 1 { json!("all") } else { json!(exact.to_string()) },
                "answer": ask(3, &[reserve.as_ref(), &[number(action), all], &exact.to_le_bytes()]),
            },
            "largest": { "reserve": borrowed.to_string(), "answer": ask(4, &[borrowed.as_ref(), &[2]]) },
            "outlook": { "seconds": seconds, "answer": ask(5, &[&seconds.to_le_bytes()]) },
            "remaining": {
                "acted": acted.iter().map(Pubkey::to_string).collect::<Vec<_>>(),
                "answer": ask(6, &[&[u8::try_from(acted.len()).unwrap()], &acted_bytes]),
            },
            "priced": {
                "reserve": reserve.to_string(),
                "price": price.to_string(),
                "answer": ask(7, &[reserve.as_ref(), &price.to_le_bytes()]),
            },
            "least": {
                "action": name,
                "reserve": reserve.to_string(),
                "health": health.to_string(),
                "answer": ask(10, &[reserve.as_ref(), &[number(action)], &health.to_le_bytes()]),
            },
            "liquidation": pair.map(|pair| {
                let [debt, collateral] = [pair.0, pair.1].map(|asset| stage.world.assets[asset].reserve);
                json!({
                    "debt": debt.to_string(),
                    "collateral": collateral.to_string(),
                    "most": max_repay.to_string(),
                    "receive": receive,
                    "answer": ask(9, &[debt.as_ref(), collateral.as_ref(), &max_repay.to_le_bytes(), &[receive]]),
                    "remaining": ask(6, &[&[2], debt.as_ref(), collateral.as_ref()]),
                })
            }),
        });
        self.vaults.push(case);
    }

    /// Writes the scene as `name.json`, if anybody wants it.
    pub fn write(self, name: &str) {
        let Some(folder) = folder() else { return };
        let Self { mut scene, vaults, .. } = self;
        scene["vaults"] = vaults.into();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.json")), scene.to_string()).unwrap();
    }
}

fn text(request: &[u8]) -> String {
    let text = String::from_utf8(keel_risk_wasm::answer(request)).unwrap();
    assert!(!text.contains("invalid"), "{text}");
    text
}
