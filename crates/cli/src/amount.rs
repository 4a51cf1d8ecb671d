//! Amounts, rates and times as people write them.

use crate::BadInput;
use anyhow::Result;
use keel_client::keel::AmountSpec;
use keel_client::keel_risk::Fraction;
use keel_client::keel_risk::units::Usd;

/// Whole tokens with a decimal point, such as `1.5`, in native units.
pub fn parse(text: &str, decimals: u8) -> Result<u64> {
    let wrong = |why: &str| BadInput::error(format!("{text:?} is not an amount: {why}"));
    let plain = text.replace('_', "");
    let (whole, part) = plain.split_once('.').unwrap_or((&plain, ""));
    let digits = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() && part.is_empty() || !digits(whole) || !digits(part) {
        return Err(wrong("write whole tokens, such as 1.5, or \"all\""));
    }
    let part = part.trim_end_matches('0');
    let missing = usize::from(decimals).checked_sub(part.len());
    let missing = missing.ok_or_else(|| wrong(&format!("this asset has {decimals} decimals")))?;
    let native = format!("{whole}{part}{}", "0".repeat(missing));
    native.parse().map_err(|_| wrong("it does not fit 64 bits"))
}

/// [`parse`], or `all`.
pub fn parse_or_all(text: &str, decimals: u8) -> Result<AmountSpec> {
    if text.eq_ignore_ascii_case("all") { Ok(AmountSpec::All) } else { Ok(AmountSpec::Exact(parse(text, decimals)?)) }
}

/// Native units as whole tokens, exactly.
pub fn tokens(native: u64, decimals: u8) -> String {
    let decimals = usize::from(decimals);
    let digits = format!("{native:0>width$}", width = decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals);
    let part = part.trim_end_matches('0');
    if part.is_empty() { grouped(whole) } else { format!("{}.{part}", grouped(whole)) }
}

/// A cap in whole tokens, or "none" for the largest number there is.
pub fn cap(native: u64, decimals: u8) -> String {
    if native == u64::MAX { "none".into() } else { tokens(native, decimals) }
}

/// Thousands apart.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A fraction with `places` decimals, rounded down.
pub fn fraction(value: Fraction, places: u32) -> String {
    let bits = value.to_bits();
    let whole = bits >> Fraction::BITS;
    let part = bits & (Fraction::ONE.to_bits() - 1);
    // 60 bits times 10^19 fit 128 bits.
    let part = (part * 10u128.pow(places.min(19))) >> Fraction::BITS;
    if places == 0 { whole.to_string() } else { format!("{whole}.{part:0>width$}", width = places as usize) }
}

/// A fraction as a percentage with two decimals, rounded down.
pub fn percent(value: Fraction) -> String {
    value.mul_integer(100).map_or_else(|_| "very much".into(), |percent| format!("{} %", fraction(percent, 2)))
}

/// Basis points as a percentage, exactly.
pub fn bps(value: u32) -> String {
    format!("{} %", tokens(value.into(), 2))
}

/// Dollars and cents, rounded down.
pub fn usd(value: Usd) -> String {
    let text = fraction(value.0, 2);
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    format!("${}.{cents}", grouped(whole))
}

/// Seconds as people say them, the two largest units.
pub fn duration(seconds: i64) -> String {
    let left = seconds.unsigned_abs();
    let units = [("d", left / 86_400), ("h", left / 3_600 % 24), ("min", left / 60 % 60), ("s", left % 60)];
    let shown: Vec<String> = units
        .iter()
        .skip_while(|(_, n)| *n == 0)
        .take(2)
        .filter(|(_, n)| *n > 0)
        .map(|(u, n)| format!("{n} {u}"))
        .collect();
    let sign = if seconds < 0 { "-" } else { "" };
    if shown.is_empty() { "0 s".into() } else { format!("{sign}{}", shown.join(" ")) }
}

/// How far a moment is from now.
pub fn when(moment: i64, now: i64) -> String {
    let distance = duration(moment.saturating_sub(now).saturating_abs());
    if moment > now { format!("in {distance}") } else { format!("{distance} ago") }
}

/// A time span such as `90s`, `15min`, `36h`, `3d`, or plain seconds.
pub fn parse_duration(text: &str) -> Result<u32, String> {
    let text = text.trim();
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let factor = match unit.trim() {
        "" | "s" => Some(1),
        "m" | "min" => Some(60),
        "h" => Some(3_600),
        "d" => Some(86_400),
        _ => None,
    };
    let seconds = number.parse::<u32>().ok().zip(factor).and_then(|(number, factor)| number.checked_mul(factor));
    seconds.ok_or_else(|| "not a time span; write 90s, 15min, 36h or 3d".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_both_ways() {
        for (text, decimals, native) in [
            ("1.5", 9, 1_500_000_000),
            ("0.000001", 6, 1),
            (".5", 1, 5),
            ("7", 0, 7),
            ("1_000.10", 2, 100_010),
            ("18446744073709551615", 0, u64::MAX),
        ] {
            assert_eq!(parse(text, decimals).unwrap(), native, "{text}");
        }
        assert_eq!(tokens(1_500_000_000, 9), "1.5");
        assert_eq!(tokens(1, 6), "0.000001");
        assert_eq!(tokens(1_234_567_000_000, 6), "1,234,567");
        assert_eq!((tokens(0, 0), tokens(0, 18)), ("0".into(), "0".into()));
        assert_eq!((cap(u64::MAX, 6), cap(0, 6)), ("none".into(), "0".into()));
    }

    #[test]
    fn what_is_no_amount_says_why() {
        for (text, decimals, why) in [
            ("", 6, "whole tokens"),
            ("-1", 6, "whole tokens"),
            ("1e3", 6, "whole tokens"),
            ("1.2.3", 6, "whole tokens"),
            ("1.0000001", 6, "6 decimals"),
            ("18446744073709551616", 0, "64 bits"),
        ] {
            let error = parse(text, decimals).unwrap_err();
            assert!(error.is::<BadInput>() && error.to_string().contains(why), "{text}: {error}");
        }
        assert_eq!(parse_or_all("ALL", 6).unwrap(), AmountSpec::All);
        assert_eq!(parse_or_all("2", 6).unwrap(), AmountSpec::Exact(2_000_000));
    }

    #[test]
    fn fractions_are_rounded_down() {
        let third = Fraction::ratio_floor(1, 3).unwrap();
        assert_eq!((fraction(third, 4), fraction(third, 0)), ("0.3333".into(), "0".into()));
        assert_eq!(percent(third), "33.33 %");
        assert_eq!(percent(Fraction::MAX), "very much");
        assert_eq!(usd(Usd(Fraction::from_integer(1_234_567))), "$1,234,567.00");
        assert_eq!((bps(8_500), bps(25), bps(0)), ("85 %".into(), "0.25 %".into(), "0 %".into()));
    }

    #[test]
    fn times_are_said_in_two_units() {
        assert_eq!((duration(0), duration(59)), ("0 s".into(), "59 s".into()));
        assert_eq!((duration(3_600), duration(90_061)), ("1 h".into(), "1 d 1 h".into()));
        assert_eq!((when(10, 70), when(130, 70)), ("1 min ago".into(), "in 1 min".into()));
        assert_eq!(parse_duration("36h"), Ok(129_600));
        assert_eq!(
            (parse_duration("90"), parse_duration("15 min"), parse_duration("3d")),
            (Ok(90), Ok(900), Ok(259_200))
        );
        for text in ["soon", "99999999d", "-1h"] {
            assert_eq!(parse_duration(text), Err("not a time span; write 90s, 15min, 36h or 3d".into()));
        }
    }
}
