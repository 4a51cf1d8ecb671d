//! What the doctor found.

use serde::Serialize;
use std::fmt;

/// How bad it is. The worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Money is at risk, or nobody can act.
    Critical,
    /// Somebody has to do something.
    Warning,
    /// Good to know.
    Note,
}

/// What the doctor found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A name that stays, for programs.
    pub check: &'static str,
    /// What it is about: the market, an asset, a vault.
    pub subject: String,
    /// What is the case, with the values.
    pub what: String,
    /// What to do.
    pub advice: String,
}

impl Finding {
    /// A finding.
    pub fn new(
        severity: Severity,
        check: &'static str,
        subject: impl Into<String>,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { severity, check, subject: subject.into(), what: what.into(), advice: advice.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Critical => "CRITICAL",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        writeln!(f, "{severity}: {} ({})", self.subject, self.check)?;
        writeln!(f, "  {}", self.what)?;
        writeln!(f, "  -> {}", self.advice)
    }
}
