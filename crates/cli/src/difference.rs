//! Accounts before and after a transaction, field by field.

use crate::amount;
use crate::assets::Labels;
use crate::report::Report;
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use keel_client::keel_risk::Fraction;
use keel_client::sending::{Difference, DryRun};
use keel_client::token::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM};
use keel_client::{account, keel};
use serde_json::{Value, json};
use solana_account::Account;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// Fields of an account by their names.
type Fields = BTreeMap<String, String>;

/// What a transaction would do, as a report that is bad when it would be refused.
pub fn report(run: &DryRun, labels: &Labels) -> Result<Report> {
    let simulation = &run.simulation;
    if let Some(rejection) = &simulation.rejection {
        return Err(keel_client::ClientError::from(rejection.clone()).into());
    }
    let mut text = format!("Nothing was sent. The transaction would use {} compute units.\n", simulation.compute_units);
    let mut accounts = Vec::new();
    for changed in &run.changed {
        let (kind, fields) = changes(changed);
        text.push_str(&format!("\n{kind} {}\n", labels.name(&changed.key)));
        let width = fields.iter().map(|(name, ..)| name.len()).max().unwrap_or_default();
        for (name, before, after) in &fields {
            text.push_str(&format!("  {name:width$}  {before} -> {after}\n"));
        }
        let fields: Vec<Value> = fields
            .iter()
            .map(|(name, before, after)| json!({"field": name, "before": before, "after": after}))
            .collect();
        accounts.push(json!({"account": changed.key.to_string(), "kind": kind, "changes": fields}));
    }
    Ok(Report::new(text, json!({"dryRun": true, "computeUnits": simulation.compute_units, "accounts": accounts})))
}

/// How zeros are shown.
const EMPTY: [&str; 3] = ["0", "0.000000000000", "11111111111111111111111111111111"];

/// What kind of account it is, and each field that differs.
pub fn changes(difference: &Difference) -> (&'static str, Vec<(String, String, String)>) {
    let of = |account: &Option<Account>| account.as_ref().map(|account| fields(&difference.key, account));
    let (before, after) = (of(&difference.before), of(&difference.after));
    let kind = after.as_ref().or(before.as_ref()).map_or("account", |(kind, _)| kind);
    let (before, after) = (before.map(|(_, f)| f).unwrap_or_default(), after.map(|(_, f)| f).unwrap_or_default());
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let value = |fields: &Fields, name: &String| fields.get(name).cloned().unwrap_or_else(|| "nothing".into());
    // Of an account that comes or goes, what is zero says nothing.
    let comes_or_goes = before.is_empty() || after.is_empty();
    let is_empty =
        |fields: &Fields, name: &String| fields.get(name).is_none_or(|value| EMPTY.contains(&value.as_str()));
    let differs = |name: &&String| {
        let says_nothing = comes_or_goes && is_empty(&before, name) && is_empty(&after, name);
        before.get(*name) != after.get(*name) && !says_nothing
    };
    (kind, names.into_iter().filter(differs).map(|n| (n.clone(), value(&before, n), value(&after, n))).collect())
}

fn fields(key: &Pubkey, account: &Account) -> (&'static str, Fields) {
    let (owner, data) = (&account.owner, &account.data);
    let (kind, mut fields) = if let Ok(market) = account::market(key, owner, data) {
        ("market", flatten(&market))
    } else if let Ok(reserve) = account::reserve(key, owner, data) {
        ("reserve", flatten(&reserve))
    } else if let Ok(vault) = account::vault(key, owner, data) {
        ("vault", flatten(&vault))
    } else if let Ok(pending) = account::change(key, owner, data) {
        // The encoded change would be 512 numbers.
        let change = pending.change().map(|change| flatten(&change)).unwrap_or_default();
        let own = flatten(&pending).into_iter().filter(|(name, _)| !name.starts_with("payload"));
        (
            "queued change",
            own.chain(change.into_iter().map(|(name, value)| (format!("change.{name}"), value))).collect(),
        )
    } else if let Some(fields) = token_account(owner, data) {
        ("token account", fields)
    } else {
        let mut fields = Fields::new();
        if !data.is_empty() {
            let digest = solana_sha256_hasher::hash(data).to_string();
            fields.insert("data".into(), format!("{} bytes, hash {digest}", data.len()));
        }
        (if *owner == keel::ID { "account of Keel" } else { "account" }, fields)
    };
    fields.insert("lamports".into(), account.lamports.to_string());
    if fields.len() == 1 || kind == "account" {
        fields.insert("owner".into(), owner.to_string());
    }
    (kind, fields)
}

fn token_account(owner: &Pubkey, data: &[u8]) -> Option<Fields> {
    if *owner != TOKEN_PROGRAM && *owner != TOKEN_2022_PROGRAM || data.len() < 165 {
        return None;
    }
    let key = |at: usize| data.get(at..).and_then(|tail| tail.first_chunk::<32>()).map(|key| Pubkey::from(*key));
    let amount = data.get(64..)?.first_chunk::<8>()?;
    Some(Fields::from([
        ("mint".into(), key(0)?.to_string()),
        ("owner".into(), key(32)?.to_string()),
        ("amount".into(), u64::from_le_bytes(*amount).to_string()),
    ]))
}

/// The fields of a value by their paths, as its `Debug` output has them: no list of fields can become stale. What is
/// reserved is left out, and 128-bit numbers, which are two words, become the fractions that they are.
pub fn flatten(value: &impl Debug) -> Fields {
    let mut fields = Fields::new();
    let mut path: Vec<String> = Vec::new();
    // How many elements of each open list were seen; `None` for an open struct.
    let mut open: Vec<Option<usize>> = Vec::new();
    for line in format!("{value:#?}").lines() {
        let line = line.trim().trim_end_matches(',');
        if line == "}" || line == "]" || line == ")" {
            open.pop();
            path.pop();
            continue;
        }
        let opens = line.ends_with('{') || line.ends_with('[') || line.ends_with('(');
        let (name, rest) = match open.last_mut() {
            Some(Some(count)) => {
                let name = count.to_string();
                *count += 1;
                (name, line)
            }
            Some(None) => line.split_once(": ").map_or((String::new(), line), |(name, rest)| (name.into(), rest)),
            None => (String::new(), line),
        };
        if opens {
            path.push(name);
            open.push(if line.ends_with('{') { None } else { Some(0) });
        } else {
            let full = path.iter().skip(1).chain([&name]).map(String::as_str).collect::<Vec<_>>().join(".");
            fields.insert(full, rest.to_string());
        }
    }
    fields.retain(|name, _| !name.split('.').any(|part| part.starts_with("reserved")));
    join_words(&mut fields);
    fields
}

fn join_words(fields: &mut Fields) {
    let low_names: Vec<String> = fields.keys().filter(|name| name.ends_with(".low")).cloned().collect();
    for low_name in low_names {
        let base = low_name.trim_end_matches(".low").to_string();
        let high_name = format!("{base}.high");
        let number = |name: &str| fields.get(name).and_then(|text| text.parse::<u128>().ok());
        if let (Some(low), Some(high)) = (number(&low_name), number(&high_name)) {
            fields.remove(&low_name);
            fields.remove(&high_name);
            fields.insert(base, amount::fraction(Fraction::from_bits(high << 64 | low), 12));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;
    use keel_client::keel::state::{Reserve, Vault, Words};

    #[test]
    fn every_field_has_its_path() {
        let mut reserve = Reserve::zeroed();
        reserve.config.limits.deposit_cap = 7;
        reserve.supply_index = Words::from(Fraction::ONE);
        reserve.last_prices[1].price = -5;
        let fields = flatten(&reserve);
        assert_eq!(fields["config.limits.deposit_cap"], "7");
        assert_eq!(fields["supply_index"], "1.000000000000");
        assert_eq!(fields["last_prices.1.price"], "-5");
        assert_eq!(fields["market"], "11111111111111111111111111111111");
        assert!(!fields.keys().any(|name| name.contains("reserved") || name.ends_with(".low")), "{fields:?}");
    }

    #[test]
    fn only_what_differs_is_shown() {
        let account = |vault: &Vault| Account {
            lamports: 1,
            data: [<Vault as anchor_lang::Discriminator>::DISCRIMINATOR, bytemuck::bytes_of(vault)].concat(),
            owner: keel::ID,
            ..Account::default()
        };
        let (before, mut after) = (Vault::zeroed(), Vault::zeroed());
        after.positions[3].side = 1;
        let difference = Difference { key: keel::ID, before: Some(account(&before)), after: Some(account(&after)) };
        let (kind, fields) = changes(&difference);
        assert_eq!((kind, fields), ("vault", vec![("positions.3.side".into(), "0".into(), "1".into())]));
        let closed = Difference { after: None, ..difference };
        let (kind, fields) = changes(&closed);
        assert!(kind == "vault" && fields.contains(&("lamports".into(), "1".into(), "nothing".into())));
    }

    #[test]
    fn token_accounts_are_read() {
        let mut data = vec![0; 165];
        data[64] = 9;
        let account =
            |data: &[u8]| Account { lamports: 1, data: data.to_vec(), owner: TOKEN_PROGRAM, ..Account::default() };
        let before = account(&data);
        data[64] = 4;
        let difference = Difference { key: keel::ID, before: Some(before), after: Some(account(&data)) };
        assert_eq!(changes(&difference), ("token account", vec![("amount".into(), "9".into(), "4".into())]));
    }
}
