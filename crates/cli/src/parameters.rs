//! Parameters by their names, as [`keel_risk::change`](keel_client::keel_risk::change) lists them: reading, writing, and
//! how people write them.

use crate::amount;
use crate::{BadInput, assets::Labels};
use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use keel_client::change::Value;
use keel_client::keel::state::{MarketParams, ReserveConfig, Slot};
use keel_client::keel_risk::change::{MARKET, Parameter, RESERVE, Unit};
use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

/// Something whose parameters have names.
pub trait Named {
    /// Every parameter with its place.
    fn parameters(&mut self) -> Vec<(&'static Parameter, Slot<'_>)>;
}

impl Named for ReserveConfig {
    fn parameters(&mut self) -> Vec<(&'static Parameter, Slot<'_>)> {
        RESERVE.iter().zip(self.slots()).collect()
    }
}

impl Named for MarketParams {
    fn parameters(&mut self) -> Vec<(&'static Parameter, Slot<'_>)> {
        MARKET.iter().zip(self.slots()).collect()
    }
}

/// `NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The parameter, such as `limits.deposit_cap`.
    pub name: String,
    /// What it is set to, as people write it.
    pub value: String,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, such as limits.deposit_cap=5000")?;
        Ok(Self { name: name.trim().into(), value: value.trim().into() })
    }
}

/// The settings of a TOML file: tables are sections, as in `[limits]` and `deposit_cap = 5000`.
pub fn read(path: &Path) -> Result<Vec<Setting>> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| BadInput::error(format!("cannot read {shown}: {error}")))?;
    let table: toml::Table = text.parse().map_err(|error| BadInput::error(format!("{shown}: {error}")))?;
    from_table(&table).with_context(|| format!("{shown} cannot be used"))
}

/// The settings of tables of sections.
pub fn from_table(table: &toml::Table) -> Result<Vec<Setting>> {
    let mut settings = Vec::new();
    for (section, values) in table {
        let values = values.as_table().ok_or_else(|| {
            BadInput::error(format!("{section} stands outside of a section; write it as [section] and name = value"))
        })?;
        for (name, value) in values {
            let value = match value {
                toml::Value::String(text) => text.clone(),
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(flag) => flag.to_string(),
                other => {
                    return Err(BadInput::error(format!(
                        "{section}.{name} is a {}; write a whole number, or anything else in quotes, such as \"0.5\"",
                        other.type_str()
                    )));
                }
            };
            settings.push(Setting { name: format!("{section}.{name}"), value });
        }
    }
    Ok(settings)
}

/// Applies settings. `decimals` are those of the asset, for amounts of it.
pub fn apply(target: &mut impl Named, settings: &[Setting], decimals: u8) -> Result<()> {
    for setting in settings {
        let mut parameters = target.parameters();
        let Some((parameter, slot)) = parameters.iter_mut().find(|(parameter, _)| parameter.name == setting.name)
        else {
            let names: Vec<&str> = parameters.iter().map(|(parameter, _)| parameter.name).collect();
            return Err(unknown(&setting.name, &names));
        };
        write(parameter, slot, &setting.value, decimals)?;
    }
    Ok(())
}

fn unknown(name: &str, names: &[&str]) -> anyhow::Error {
    let (section, own) = name.split_once('.').unwrap_or((name, ""));
    let near = |known: &&&str| known.split_once('.').is_some_and(|(s, n)| s == section || n == own || n == name);
    let near: Vec<&str> = names.iter().filter(near).copied().collect();
    let choice = if near.is_empty() { names } else { &near };
    BadInput::error(format!("there is no parameter {name:?} here; did you mean one of {}?", choice.join(", ")))
}

fn write(parameter: &Parameter, slot: &mut Slot<'_>, text: &str, decimals: u8) -> Result<()> {
    let wrong = |why: &str| BadInput::error(format!("{} cannot be {text:?}: {why}", parameter.name));
    if let Slot::Id(bytes) = slot {
        let identity = identity(text).ok_or_else(|| wrong("write an address, 64 hexadecimal digits, or none"))?;
        bytes.copy_from_slice(&identity);
        return Ok(());
    }
    let value = number(parameter.unit, text, decimals).map_err(|error| wrong(&error.to_string()))?;
    match slot {
        Slot::U64(place) => **place = value,
        Slot::U32(place) => **place = u32::try_from(value).map_err(|_| wrong("it does not fit 32 bits"))?,
        Slot::Id(_) => {}
    }
    Ok(())
}

/// An address, a feed's 64 hexadecimal digits, or none.
fn identity(text: &str) -> Option<[u8; 32]> {
    if text == "none" {
        return Some([0; 32]);
    }
    if let Ok(key) = text.parse::<Pubkey>() {
        return Some(key.to_bytes());
    }
    let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
    let mut bytes = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

fn number(unit: Unit, text: &str, decimals: u8) -> Result<u64> {
    if matches!(unit, Unit::Native | Unit::MicroUsd) && text == "none" {
        return Ok(u64::MAX);
    }
    let integer =
        |text: &str| text.replace('_', "").parse::<u64>().map_err(|_| BadInput::error("write a whole number"));
    Ok(match unit {
        Unit::Native => amount::parse(text, decimals)?,
        Unit::MicroUsd => amount::parse(text.trim_start_matches('$'), 6)?,
        Unit::Bps | Unit::BpsPerHour => match text.strip_suffix('%') {
            Some(percent) => amount::parse(percent.trim(), 2)?,
            None => integer(text).context("write basis points, or a percentage such as 0.5%")?,
        },
        Unit::Seconds => amount::parse_duration(text).map_err(BadInput::error)?.into(),
        Unit::Flag => match text {
            "true" | "1" => 1,
            "false" | "0" => 0,
            _ => return Err(BadInput::error("write true or false")),
        },
        Unit::Slots | Unit::Number | Unit::Identity => integer(text)?,
    })
}

/// What a parameter is set to, for people.
pub fn text(parameter: &Parameter, value: Value, decimals: u8, labels: &Labels) -> String {
    let bps = |value| format!("{} %", amount::tokens(value, 2));
    let number = match value {
        Value::None => return "none".into(),
        Value::Identity(feed) if parameter.name.ends_with("_feed") => {
            return feed.iter().map(|byte| format!("{byte:02x}")).collect();
        }
        Value::Identity(key) => return labels.name(&Pubkey::new_from_array(key)),
        Value::Number(number) => number,
    };
    match parameter.unit {
        Unit::Native => amount::tokens(number, decimals),
        Unit::MicroUsd => format!("${}", amount::tokens(number, 6)),
        Unit::Bps => bps(number),
        Unit::BpsPerHour => format!("{} an hour", bps(number)),
        Unit::Seconds => amount::duration(i64::try_from(number).unwrap_or(i64::MAX)),
        Unit::Slots => format!("{number} slots"),
        Unit::Flag => if number == 0 { "no" } else { "yes" }.into(),
        Unit::Number | Unit::Identity => number.to_string(),
    }
}

/// Every parameter and what it is set to, for people.
pub fn list(target: &mut impl Named, decimals: u8, labels: &Labels) -> BTreeMap<&'static str, String> {
    let parameters = target.parameters();
    parameters
        .iter()
        .map(|(parameter, slot)| (parameter.name, text(parameter, Value::of(parameter, slot), decimals, labels)))
        .collect()
}

/// Every parameter and what it is set to, for programs: numbers as on chain, identities in base 58 or, of feeds, hexadecimal.
pub fn to_json(target: &mut impl Named) -> BTreeMap<&'static str, serde_json::Value> {
    let parameters = target.parameters();
    let value = |parameter: &Parameter, slot: &Slot<'_>| match slot.value() {
        Some(number) => number.into(),
        None => text(parameter, Value::of(parameter, slot), 0, &Labels::default()).into(),
    };
    parameters.iter().map(|(parameter, slot)| (parameter.name, value(parameter, slot))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Vec<Setting> {
        pairs.iter().map(|(name, value)| Setting { name: (*name).into(), value: (*value).into() }).collect()
    }

    #[test]
    fn settings_are_written_as_people_write_them() {
        let mut config = ReserveConfig::default();
        let feed = "ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d";
        let pairs = settings(&[
            ("limits.deposit_cap", "1_000.5"),
            ("limits.hourly_outflow", "none"),
            ("limits.isolated_debt_ceiling", "$25"),
            ("collateral.max_ltv_bps", "75%"),
            ("collateral.base_haircut_bps", "250"),
            ("rates.base_bps", "0.25%"),
            ("oracle.max_age_new_risk", "90s"),
            ("oracle.first_feed", feed),
            ("oracle.first_account", &keel_client::keel::ID.to_string()),
            ("terms.isolated_debt", "true"),
            ("group.id", "3"),
        ]);
        apply(&mut config, &pairs, 6).unwrap();
        assert_eq!((config.limits.deposit_cap, config.limits.hourly_outflow), (1_000_500_000, u64::MAX));
        assert_eq!((config.limits.isolated_debt_ceiling, config.collateral.max_ltv_bps), (25_000_000, 7_500));
        assert_eq!((config.collateral.base_haircut_bps, config.rates.base_bps), (250, 25));
        assert_eq!((config.oracle.max_age_new_risk, config.oracle.feeds[0].feed_id[0]), (90, 0xef));
        assert_eq!(config.oracle.feeds[0].account, keel_client::keel::ID);
        assert_eq!((config.isolated_debt, config.group.id), (1, 3));
        let shown = list(&mut config, 6, &Labels::default());
        assert_eq!(shown["limits.deposit_cap"], "1,000.5");
        assert_eq!((shown["collateral.max_ltv_bps"].as_str(), shown["limits.depth"].as_str()), ("75 %", "none"));
        assert_eq!(shown["oracle.first_feed"], feed);
        assert_eq!(shown.len(), RESERVE.len());
        assert_eq!(to_json(&mut config)["limits.deposit_cap"], 1_000_500_000);
    }

    /// What is shown of every parameter can be typed back.
    #[test]
    fn every_parameter_can_be_read_back() {
        let mut config = ReserveConfig::default();
        for (number, (parameter, slot)) in config.parameters().into_iter().enumerate() {
            match slot {
                Slot::U64(place) => *place = 1_000 + number as u64,
                Slot::U32(place) => *place = if parameter.unit == Unit::Flag { 1 } else { 60 * (1 + number as u32) },
                Slot::Id(bytes) => bytes.fill(number as u8),
            }
        }
        let mut again = ReserveConfig::default();
        for (name, shown) in list(&mut config, 6, &Labels::default()) {
            let typed = shown.replace(',', "").replace(" an hour", "").replace(" %", "%");
            let typed = typed.replace("yes", "true").replace("1 h ", "60min ");
            // Two units are for reading only.
            let Some(typed) = one_unit(&typed) else { continue };
            apply(&mut again, &settings(&[(name, &typed)]), 6)
                .unwrap_or_else(|error| panic!("{name} {typed}: {error}"));
            let value = |config: &mut ReserveConfig| to_json(config)[name].clone();
            assert_eq!(value(&mut again), value(&mut config), "{name}");
        }
    }

    fn one_unit(text: &str) -> Option<String> {
        (text.split(' ').count() <= 2).then(|| text.replace(' ', ""))
    }

    #[test]
    fn what_is_wrong_is_named() {
        let apply = |name: &str, value: &str| {
            let error = super::apply(&mut ReserveConfig::default(), &settings(&[(name, value)]), 6).unwrap_err();
            assert!(error.is::<BadInput>());
            error.to_string()
        };
        let error = apply("limits.depositcap", "1");
        assert!(error.contains("limits.deposit_cap") && !error.contains("rates."), "{error}");
        assert!(apply("deposit_cap", "1").contains("limits.deposit_cap"));
        assert!(
            apply("collateral.max_ltv_bps", "much").contains("basis points"),
            "{}",
            apply("collateral.max_ltv_bps", "much")
        );
        assert!(apply("collateral.max_ltv_bps", "99999999999").contains("32 bits"));
        assert!(apply("oracle.first_feed", "abc").contains("64 hexadecimal digits"));
        assert!(apply("terms.isolated_debt", "maybe").contains("true or false"));
        let refused = "limits.deposit_cap".parse::<Setting>().map(|setting| setting.name);
        assert_eq!(refused, Err("write NAME=VALUE, such as limits.deposit_cap=5000".into()));
    }

    #[test]
    fn a_file_has_sections() {
        let table: toml::Table = "[limits]\ndeposit_cap = 5\nborrow_cap = \"0.5\"\n".parse().unwrap();
        let found = from_table(&table).unwrap();
        assert_eq!(found, settings(&[("limits.borrow_cap", "0.5"), ("limits.deposit_cap", "5")]));
        let error = |text: &str| from_table(&text.parse().unwrap()).unwrap_err().to_string();
        assert!(error("x = 1").contains("outside of a section"));
        assert!(error("[limits]\ndeposit_cap = 0.5").contains("limits.deposit_cap is a float"));
    }
}
