//! The accounts against the model.

use crate::model::{Model, tokens_of};
use crate::oracle::Feed;
use crate::reserve::State;
use crate::vault::{Holdings, Slot};
use keel::state::{Side, Vault};
use keel_risk::Fraction;
use keel_tests::random::Snapshot;

/// What a vault's account holds, slot by slot.
fn holdings(state: &Snapshot, vault: &Vault) -> Holdings {
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
    Holdings { insolvent: vault.flags & Vault::INSOLVENT != 0, group: vault.group, isolated, slots }
}

/// The first difference between the accounts and the model.
pub fn difference(state: &Snapshot, model: &Model) -> Option<String> {
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
        let on_chain = vault.as_ref().map(|vault| holdings(state, vault));
        if on_chain != *modelled {
            return Some(format!("vault {i}:\n{on_chain:#?}\nmodel:\n{modelled:#?}"));
        }
    }
    (state.wallets != model.wallets).then(|| format!("wallets: {:?}\nmodel: {:?}", state.wallets, model.wallets))
}
