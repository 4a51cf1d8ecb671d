//! The program's events, decoded by its own types.

use anchor_lang::prelude::Pubkey;
use anchor_lang::{AnchorDeserialize, Discriminator};
use keel::events::*;
use keel::state::Role;
use serde_json::{Map, Value};

/// An event, as it is stored and answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its name, as in [`keel::events`].
    pub kind: &'static str,
    /// Its fields by name, in camel case. Addresses, and numbers of 64 bits and more, are text: in decimal digits, in
    /// the unit that the program's type says.
    pub data: Map<String, Value>,
    /// The accounts that it names, with the names of the fields.
    pub names: Vec<(&'static str, Pubkey)>,
}

impl Event {
    /// The account in a field.
    pub fn named(&self, field: &str) -> Option<Pubkey> {
        self.names.iter().find(|(name, _)| *name == field).map(|(_, account)| *account)
    }
}

/// A field of an event.
trait Field {
    fn value(&self) -> Value;

    fn account(&self) -> Option<Pubkey> {
        None
    }
}

impl Field for Pubkey {
    fn value(&self) -> Value {
        self.to_string().into()
    }

    fn account(&self) -> Option<Pubkey> {
        Some(*self)
    }
}

macro_rules! fields {
    ($($kind:ty: $value:expr),* $(,)?) => { $(
        impl Field for $kind {
            fn value(&self) -> Value {
                let show: fn(&$kind) -> Value = $value;
                show(self)
            }
        }
    )* };
}

fields! {
    bool: |flag| (*flag).into(),
    u8: |number| (*number).into(),
    u16: |number| (*number).into(),
    u32: |number| (*number).into(),
    u64: |number| number.to_string().into(),
    u128: |number| number.to_string().into(),
    i64: |number| number.to_string().into(),
    Flow: |flow| format!("{flow:?}").into(),
    Role: |role| format!("{role:?}").into(),
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_string();
    for word in words {
        let (first, rest) = word.split_at(word.len().min(1));
        camel.push_str(&first.to_ascii_uppercase());
        camel.push_str(rest);
    }
    camel
}

/// The compiler refuses an event of which a field is left out; a test, an event that is left out.
macro_rules! events {
    ($($name:ident { $($field:ident),* })*) => {
        /// The names of all events.
        pub const KINDS: &[&str] = &[$(stringify!($name)),*];

        /// The event in what the program logged as data. `None` when it is none that this version knows.
        pub fn decode(data: &[u8]) -> Option<Event> {
            $(
                if let Some(body) = data.strip_prefix($name::DISCRIMINATOR) {
                    let $name { $($field),* } = $name::try_from_slice(body).ok()?;
                    let mut event = Event { kind: stringify!($name), data: Map::new(), names: Vec::new() };
                    $(
                        event.data.insert(camel(stringify!($field)), $field.value());
                        event.names.extend($field.account().map(|account| (stringify!($field), account)));
                    )*
                    return Some(event);
                }
            )*
            None
        }
    };
}

events! {
    MarketCreated { market, governance, id }
    ReserveCreated { market, reserve, mint }
    VaultOpened { market, vault, owner, index }
    VaultClosed { market, vault, owner }
    Moved { flow, vault, reserve, amount, shares }
    Liquidated {
        vault, keeper, debt_reserve, collateral_reserve, repaid, seized, to_keeper, in_shares, bonus, health_before,
        health_after
    }
    BadDebtRecognized { vault, reserve, owed, insured, socialized, deficit, supply_index }
    CollateralForfeited { vault, reserve, shares }
    FeedChallenged { reserve, feed }
    ReserveRefreshed { reserve, supply_index, debt_index, available, maintenance_haircut, haircut_target }
    ChangeQueued { market, change, target, nonce, earliest, latest, tighter, looser, sideways }
    ChangeExecuted { market, change, nonce }
    ChangeClosed { market, change, nonce, by, vetoed }
    RoleOffered { market, role, to, until }
    RoleGiven { market, role, to }
    LayoutUpgraded { account }
    MarketConfigured { market }
    ReserveConfigured { reserve }
    PauseSet { market, by, paused, until }
    InsuranceWithdrawn { reserve, amount, shares }
    Swapped { user, minted_reserve, pooled_reserve, minted, tokens, assets, fee }
    Redeemed { vault, redeemer, collateral_reserve, repaid, seized, paid, fee, health_before, health_after }
    FlashLoan { reserve, amount, fee }
    DelegateSet { vault, delegate, rights, until }
    GroupSet { vault, group }
    VaultTransferred { vault, from, to }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::Event as _;
    use serde_json::json;

    #[test]
    fn fields_keep_every_digit() {
        let [vault, reserve] = [[1; 32], [2; 32]].map(Pubkey::new_from_array);
        let moved = Moved { flow: Flow::Repay, vault, reserve, amount: u64::MAX, shares: u128::MAX - 1 };
        let event = decode(&moved.data()).unwrap();
        let expected = json!({
            "flow": "Repay", "vault": vault.to_string(), "reserve": reserve.to_string(),
            "amount": "18446744073709551615", "shares": "340282366920938463463374607431768211454",
        });
        assert_eq!((event.kind, Value::Object(event.data.clone())), ("Moved", expected));
        assert_eq!(event.names, [("vault", vault), ("reserve", reserve)]);
        assert_eq!((event.named("reserve"), event.named("market")), (Some(reserve), None));
        let offered = RoleOffered { market: vault, role: Role::Guardian, to: reserve, until: -1 };
        let event = decode(&offered.data()).unwrap();
        assert_eq!((&event.data["role"], &event.data["until"]), (&json!("Guardian"), &json!("-1")));
    }

    #[test]
    fn names_are_those_of_the_typescript_client() {
        assert_eq!(["debt_reserve", "to", "in_shares"].map(camel), ["debtReserve", "to", "inShares"]);
    }

    #[test]
    fn what_is_no_event_of_this_version_is_none() {
        let loan = FlashLoan { reserve: Pubkey::default(), amount: 1, fee: 2 }.data();
        assert!(decode(&loan).is_some());
        for wrong in [&loan[..loan.len() - 1], &[&loan[..], &[0]].concat(), &loan[1..], &[]] {
            assert_eq!(decode(wrong), None);
        }
    }

    /// The events of the program's IDL, all of them.
    #[test]
    fn every_event_is_known() {
        let idl: Value = serde_json::from_str(include_str!("../../../idl/keel.json")).unwrap();
        let mut events: Vec<_> =
            idl["events"].as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap()).collect();
        let mut known = KINDS.to_vec();
        events.sort_unstable();
        known.sort_unstable();
        assert_eq!(known, events);
    }
}
