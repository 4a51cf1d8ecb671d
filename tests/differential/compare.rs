//! The accounts against the model.

use crate::governance::{Offices, Queued};
use crate::model::{Model, tokens_of};
use crate::oracle::Feed;
use crate::pauses::Pause;
use crate::reserve::State;
use crate::vault::{Delegation, Holdings, Slot};
use keel::state::{Side, Vault};
use keel_risk::Fraction;
use keel_tests::random::Arena;
use std::collections::BTreeMap;

/// What a vault's account holds, slot by slot.
fn holdings(arena: &Arena, vault: &Vault) -> Holdings {
    let state = &arena.state;
    let slots = vault.positions.map(|position| {
        let side = match position.side {
            0 => return None,
            1 => Side::Collateral,
            _ => Side::Debt,
        };
        Some(Slot {
            asset: state.asset(&position.reserve),
            side,
            shares: Fraction::from_bits(position.shares.get()),
            group: position.group,
            isolated_debt: position.isolated_debt,
        })
    });
    let isolated = state.reserve_keys.iter().position(|key| *key == vault.isolated_reserve);
    let delegate = arena.player_at(&vault.delegate);
    Holdings {
        owner: arena.player_at(&vault.owner).unwrap(),
        delegation: Delegation { user: delegate, rights: vault.delegate_rights, until: vault.delegate_until },
        offered_to: arena.player_at(&vault.offered_to),
        insolvent: vault.flags & Vault::INSOLVENT != 0,
        group: vault.group,
        isolated,
        slots,
    }
}

/// The first difference between the accounts and the model.
pub fn difference(arena: &Arena, model: &Model) -> Option<String> {
    let state = &arena.state;
    let paused = Pause::of(&state.market);
    if paused != model.pause {
        return Some(format!("paused: {paused:?}\nmodel: {:?}", model.pause));
    }
    let (market, modelled) = (&state.market, (&model.params, model.revision, model.roles, model.next_change));
    if (&market.params(), market.revision, Offices::of_market(market), market.next_change) != modelled {
        return Some(format!("market: {market:#?}\nmodel: {modelled:#?}"));
    }
    let announced = state.changes.iter().map(|announced| (announced.pending.nonce, Queued::of(announced)));
    let announced: BTreeMap<u64, Queued> = announced.collect();
    if announced != model.changes {
        return Some(format!("changes: {announced:#?}\nmodel: {:#?}", model.changes));
    }
    for (asset, (reserve, modelled)) in state.reserves.iter().zip(&model.reserves).enumerate() {
        let on_chain = State::of(reserve);
        if on_chain != modelled.state {
            return Some(format!("asset {asset}:\n{on_chain:#?}\nmodel:\n{:#?}", modelled.state));
        }
        for (last, feed) in reserve.last_prices.iter().zip(&modelled.feeds) {
            let on_chain = Feed::of(last);
            if on_chain != *feed {
                return Some(format!("feed of asset {asset}:\n{on_chain:#?}\nmodel:\n{feed:#?}"));
            }
        }
        let tokens = tokens_of(state, asset);
        if tokens != modelled.tokens {
            return Some(format!("tokens of asset {asset}: {tokens}, of the model: {}", modelled.tokens));
        }
    }
    for (i, (vault, modelled)) in state.vaults.iter().zip(&model.vaults).enumerate() {
        let on_chain = vault.as_ref().map(|vault| holdings(arena, vault));
        if on_chain != *modelled {
            return Some(format!("vault {i}:\n{on_chain:#?}\nmodel:\n{modelled:#?}"));
        }
    }
    (state.wallets != model.wallets).then(|| format!("wallets: {:?}\nmodel: {:?}", state.wallets, model.wallets))
}
