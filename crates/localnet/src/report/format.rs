//! Numbers as people read them.

/// `00:37:30`.
pub(super) fn clock(seconds: i64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// `7xKX..gAsU`.
pub(super) fn short(key: &str) -> String {
    match (key.get(..4), key.get(key.len().saturating_sub(4)..)) {
        (Some(head), Some(tail)) if key.len() > 10 => format!("{head}..{tail}"),
        _ => key.to_string(),
    }
}

/// Cut, not rounded: 0.99999 is under 1.
pub(super) fn factor(health: f64) -> String {
    format!("{:.4}", (health * 1e4).floor() / 1e4)
}

pub(super) fn usd(dollars: f64) -> String {
    let sign = if dollars <= -0.005 { "-" } else { "" };
    format!("{sign}${}", group(dollars.abs(), 2))
}

/// Without cents when there are thousands.
pub(super) fn usd_short(dollars: f64) -> String {
    format!("${}", group(dollars, if dollars >= 1000.0 { 0 } else { 2 }))
}

/// `3.25 %`.
pub(super) fn percent(part: f64) -> String {
    format!("{:.2} %", part * 100.0)
}

pub(super) fn tokens(amount: f64, symbol: &str) -> String {
    let places = if amount >= 1000.0 {
        2
    } else if amount >= 1.0 {
        3
    } else {
        6
    };
    format!("{} {symbol}", group(amount, places))
}

/// `1,234,567.80`.
pub(super) fn group(number: f64, places: usize) -> String {
    let text = format!("{:.places$}", number.abs());
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if number < 0.0 { "-" } else { "" };
    if rest.is_empty() { format!("{sign}{grouped}") } else { format!("{sign}{grouped}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(group(1_234_567.891, 2), "1,234,567.89");
        assert_eq!(group(12.0, 0), "12");
        assert_eq!(usd(-1234.5), "-$1,234.50");
        assert_eq!(usd(-0.001), "$0.00");
        assert_eq!(factor(0.99999), "0.9999");
        assert_eq!(clock(3_725), "01:02:05");
    }
}
