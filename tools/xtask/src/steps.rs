//! Steps that are announced when they start and listed with their times at the end.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

#[derive(Default)]
pub struct Steps {
    done: Vec<(&'static str, Duration)>,
}

impl Steps {
    /// Runs a step; a failure names it.
    pub fn run<T>(&mut self, name: &'static str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        eprintln!("\n==== {name}");
        let start = Instant::now();
        let outcome = step();
        self.done.push((name, start.elapsed()));
        outcome.with_context(|| format!("FAILED at \"{name}\""))
    }

    /// The steps so far and their times.
    pub fn table(&self) -> String {
        let total: Duration = self.done.iter().map(|(_, time)| time).sum();
        let lines = self.done.iter().copied().chain([("total", total)]);
        lines.map(|(name, time)| format!("{name:<16}{:>10}\n", format_time(time))).collect()
    }
}

fn format_time(time: Duration) -> String {
    if time < Duration::from_secs(60) {
        format!("{:.1} s", time.as_secs_f32())
    } else {
        format!("{} min {:02} s", time.as_secs() / 60, time.as_secs() % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn a_failure_names_its_step_and_is_listed() {
        let mut steps = Steps::default();
        assert_eq!(steps.run("first", || Ok(1)).unwrap(), 1);
        let error = steps.run("second", || -> Result<()> { bail!("no") }).unwrap_err();
        assert_eq!(format!("{error:#}"), "FAILED at \"second\": no");
        let table = steps.table();
        assert_eq!(table.lines().count(), 3);
        assert!(table.contains("second") && table.contains("total"), "{table}");
    }

    #[test]
    fn times_are_short() {
        assert_eq!(format_time(Duration::from_millis(1_240)), "1.2 s");
        assert_eq!(format_time(Duration::from_secs(61)), "1 min 01 s");
    }
}
