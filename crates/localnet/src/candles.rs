//! Historical prices from CSV files: any file with a column of times and one of closing prices.

use crate::BadInput;
use anyhow::Result;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::io::Read;
use std::path::Path;

const TIME_COLUMNS: [&str; 9] =
    ["time", "timestamp", "open_time", "opentime", "datetime", "date", "date_time", "unix", "ts"];
const CLOSE_COLUMNS: [&str; 3] = ["close", "close_price", "price"];
/// The span that is played when no window is given.
const DEFAULT_SPAN: i64 = 24 * 3600;

/// What a price did in one interval. A file without the other columns has the close in all four.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candle {
    /// When the interval began, Unix seconds.
    pub time: i64,
    /// First price, dollars.
    pub open: f64,
    /// Highest.
    pub high: f64,
    /// Lowest.
    pub low: f64,
    /// Last.
    pub close: f64,
}

/// A moment as RFC 3339, as `YYYY-MM-DD[ HH:MM[:SS]]` in UTC, or in Unix seconds (or their thousandths or millionths).
pub fn parse_time(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return Some(match number {
            n if n.abs() >= 100_000_000_000_000 => n / 1_000_000,
            n if n.abs() >= 100_000_000_000 => n / 1_000,
            n => n,
        });
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp.as_second());
    }
    let utc = text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(utc.timestamp().as_second())
}

/// A moment as people read it.
pub fn show_time(unix: i64) -> String {
    Timestamp::from_second(unix).map_or_else(|_| unix.to_string(), |t| t.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// Reads the candles of a file.
pub fn read(path: &Path) -> Result<Vec<Candle>> {
    let name = path.display().to_string();
    let file = std::fs::File::open(path)
        .map_err(|error| BadInput::error(format!("cannot read the prices in {name}: {error}")))?;
    parse(file, &name)
}

/// Parses candles; `name` is the file's in errors.
pub fn parse(source: impl Read, name: &str) -> Result<Vec<Candle>> {
    let wrong = |line: u64, what: String| BadInput::error(format!("{name}, line {line}: {what}"));
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(source);
    let headers = reader.headers().map_err(|error| wrong(1, error.to_string()))?.clone();
    let column = |names: &[&str]| {
        names.iter().find_map(|name| headers.iter().position(|h| h.trim_matches('\u{feff}').eq_ignore_ascii_case(name)))
    };
    let needed = |what: &str, names: &[&str]| {
        column(names).ok_or_else(|| {
            let found = headers.iter().collect::<Vec<_>>().join(", ");
            wrong(1, format!("no column of {what}: one of {} is needed, the file has {found}", names.join(", ")))
        })
    };
    let time_column = needed("times", &TIME_COLUMNS)?;
    let close_column = needed("closing prices", &CLOSE_COLUMNS)?;
    let [open_column, high_column, low_column] = ["open", "high", "low"].map(|name| column(&[name]));

    let mut candles: Vec<Candle> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            wrong(line, error.to_string())
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        let field = |column: usize| record.get(column).unwrap_or_default();
        let time = parse_time(field(time_column))
            .ok_or_else(|| wrong(line, format!("\"{}\" is not a time", field(time_column))))?;
        let price = |column: usize| {
            let text = field(column);
            match text.parse::<f64>() {
                Ok(price) if price.is_finite() && price > 0.0 => Ok(price),
                _ => Err(wrong(line, format!("\"{text}\" is not a price above zero"))),
            }
        };
        let close = price(close_column)?;
        let or_close = |column: Option<usize>| column.map_or(Ok(close), price);
        let (open, high, low) = (or_close(open_column)?, or_close(high_column)?, or_close(low_column)?);
        if let Some(last) = candles.last()
            && time <= last.time
        {
            return Err(wrong(line, "its time is not after that of the line before".into()));
        }
        candles.push(Candle { time, open, high, low, close });
    }
    if candles.is_empty() {
        return Err(BadInput::error(format!("{name} has no prices, only a header")));
    }
    Ok(candles)
}

/// The candles from `from` to `to`. Without either, a file of more than two days is cut to the day with the steepest
/// fall.
pub fn window(candles: &[Candle], from: Option<i64>, to: Option<i64>) -> Result<&[Candle]> {
    let (Some(first), Some(last)) = (candles.first(), candles.last()) else {
        return Err(BadInput::error("the file has no prices"));
    };
    let (start, end) = match (from, to) {
        (None, None) if last.time - first.time > 2 * DEFAULT_SPAN => {
            let start = steepest_fall(candles);
            (start, start + DEFAULT_SPAN)
        }
        _ => (from.unwrap_or(first.time), to.unwrap_or(last.time)),
    };
    let inside = candles.partition_point(|c| c.time < start)..candles.partition_point(|c| c.time <= end);
    match candles.get(inside) {
        Some(window) if window.len() >= 2 => Ok(window),
        _ => Err(BadInput::error(format!(
            "fewer than two prices from {} to {}; the file has prices from {} to {}",
            from.map_or("the beginning".into(), show_time),
            to.map_or("the end".into(), show_time),
            show_time(first.time),
            show_time(last.time)
        ))),
    }
}

/// The start of the day in which the price fell by the largest part from its first close.
fn steepest_fall(candles: &[Candle]) -> i64 {
    let mut best = (f64::INFINITY, 0);
    let mut end = 0;
    // Lows of the window, increasing: the first is its least.
    let mut lows: std::collections::VecDeque<usize> = std::collections::VecDeque::new();
    for (start, first) in candles.iter().enumerate() {
        while let Some(candle) = candles.get(end).filter(|c| c.time <= first.time + DEFAULT_SPAN) {
            while lows.back().and_then(|i| candles.get(*i)).is_some_and(|c| c.close >= candle.close) {
                lows.pop_back();
            }
            lows.push_back(end);
            end += 1;
        }
        while lows.front().is_some_and(|i| *i < start) {
            lows.pop_front();
        }
        let whole = candles.last().is_some_and(|last| last.time >= first.time + DEFAULT_SPAN);
        if let Some(low) = lows.front().and_then(|i| candles.get(*i)).filter(|_| whole)
            && low.close / first.close < best.0
        {
            best = (low.close / first.close, first.time);
        }
    }
    best.1
}

/// The way of the price through the candles, as seconds after the first and dollars. Inside a candle: from the open to
/// the extreme that lies against its direction, to the other, to the close, at even distances.
pub fn path(candles: &[Candle]) -> Vec<(f64, f64)> {
    let Some(first) = candles.first() else { return Vec::new() };
    let spacing = candles.windows(2).map(|w| w[1].time - w[0].time).min().unwrap_or(3600) as f64;
    let mut points = Vec::with_capacity(candles.len() * 4);
    for candle in candles {
        let time = (candle.time - first.time) as f64;
        let (early, late) =
            if candle.close < candle.open { (candle.high, candle.low) } else { (candle.low, candle.high) };
        if candle.open == candle.close && early == late {
            points.push((time, candle.close));
            continue;
        }
        for (k, price) in [candle.open, early, late, candle.close].into_iter().enumerate() {
            // The close stands just before the next open.
            points.push((time + spacing * [0.0, 0.33, 0.66, 0.99][k], price));
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        parse(text.as_bytes(), "prices.csv").unwrap_err().to_string()
    }

    #[test]
    fn both_common_formats_are_read() {
        let unix = "time,open,high,low,close\n1597125600,2.85,3.47,2.80,2.95\n1597129200,2.95,3.13,2.88,2.92\n";
        let utc = "timestamp,open,high,low,close,volume\n2020-08-11 06:00:00,2.85,3.47,2.80,2.95,70\n\
                   2020-08-11 07:00:00,2.95,3.13,2.88,2.92,11\n";
        let candles = parse(unix.as_bytes(), "a").unwrap();
        assert_eq!(candles, parse(utc.as_bytes(), "b").unwrap());
        assert_eq!(candles[0], Candle { time: 1_597_125_600, open: 2.85, high: 3.47, low: 2.80, close: 2.95 });
    }

    #[test]
    fn a_time_and_a_close_are_enough() {
        let candles = parse("Close,Date\n5,2024-08-05\n4,2024-08-06\n".as_bytes(), "a").unwrap();
        assert_eq!(candles[1].time - candles[0].time, 86_400);
        assert_eq!(candles[1].low, 4.0);
        assert_eq!(path(&candles), vec![(0.0, 5.0), (86_400.0, 4.0)]);
    }

    #[test]
    fn times_have_many_forms() {
        let moment = 1_760_126_400;
        for text in ["1760126400", "1760126400000", "1760126400000000", "2025-10-10 20:00", "2025-10-10T20:00:00Z"] {
            assert_eq!(parse_time(text), Some(moment), "{text}");
        }
        assert_eq!(parse_time("2025-10-10"), Some(moment - 72_000));
        assert_eq!(parse_time("yesterday"), None);
        assert_eq!(show_time(moment), "2025-10-10 20:00:00");
    }

    #[test]
    fn errors_name_the_line() {
        assert!(refusal("time,open\n1,2\n").contains("line 1: no column of closing prices: one of close"));
        assert!(refusal("close\n2\n").contains("line 1: no column of times"));
        assert!(refusal("time,close\n1,2\n2,-3\n").contains("line 3: \"-3\" is not a price above zero"));
        assert!(refusal("time,close\n1,2\n2,x\n").contains("line 3: \"x\""));
        assert!(refusal("time,close\nsoon,2\n").contains("line 2: \"soon\" is not a time"));
        assert!(refusal("time,close\n2,2\n2,2\n").contains("line 3: its time is not after"));
        assert!(refusal("time,close\n1,2\n2\n").contains("line 3"));
        assert!(refusal("time,close\n").contains("no prices"));
    }

    #[test]
    fn a_window_is_cut_or_refused() {
        let candles: Vec<Candle> = (0..100)
            .map(|i| {
                let close = if i < 50 { 100.0 } else { 60.0 };
                Candle { time: i * 3600, open: close, high: close, low: close, close }
            })
            .collect();
        let cut = window(&candles, Some(3600), Some(7200)).unwrap();
        assert_eq!((cut.len(), cut[0].time), (2, 3600));
        let error = window(&candles, Some(400 * 3600), None).unwrap_err().to_string();
        assert!(error.contains("fewer than two prices") && error.contains("1970-01-05 03:00:00"), "{error}");
        let steepest = window(&candles, None, None).unwrap();
        assert_eq!(steepest.len(), 25);
        assert!(steepest.iter().any(|c| c.close == 60.0) && steepest[0].close == 100.0);
        assert_eq!(window(&candles[..10], None, None).unwrap().len(), 10);
    }

    #[test]
    fn the_path_touches_both_extremes() {
        let down = Candle { time: 0, open: 10.0, high: 11.0, low: 7.0, close: 8.0 };
        let up = Candle { time: 100, open: 8.0, high: 9.5, low: 6.0, close: 9.0 };
        let prices: Vec<f64> = path(&[down, up]).iter().map(|p| p.1).collect();
        assert_eq!(prices, [10.0, 11.0, 7.0, 8.0, 8.0, 6.0, 9.5, 9.0]);
        let times: Vec<f64> = path(&[down, up]).iter().map(|p| p.0).collect();
        assert!(times.windows(2).all(|w| w[0] < w[1]), "{times:?}");
    }
}
