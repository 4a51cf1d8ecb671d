//! `keel doctor`: whether a deployment is as it should be.

mod changes;
mod facts;
mod finding;
mod program;
mod reserves;
mod roles;
mod vaults;

pub use facts::Facts;
pub use finding::{Finding, Severity};

use crate::context::Context;
use crate::report::Report;
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Check a deployment: roles, limits, oracles, books, program, changes.
#[derive(Args, Debug, Default)]
pub struct Doctor {
    /// The program that should be deployed; without it the deployed one is not compared
    #[arg(long, value_name = "FILE")]
    pub so: Option<PathBuf>,
    /// Who should be able to replace the program [default: the market's governance]
    #[arg(long, value_name = "ADDRESS")]
    pub upgrade_authority: Option<Pubkey>,
    /// Accept that governance is a plain keypair, as on a test cluster
    #[arg(long)]
    pub allow_keypair: bool,
}

/// Checks a deployment. The report is bad when anything was found that somebody has to do something about.
pub fn run(context: &Context, command: &Doctor) -> Result<Report> {
    let facts = Facts::fetch(context, command)?;
    let mut findings = examine(&facts);
    findings.sort_by_key(|finding| finding.severity);
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (critical, warnings, notes) = (count(Severity::Critical), count(Severity::Warning), count(Severity::Note));
    let mut text = String::new();
    for finding in &findings {
        text.push_str(&format!("{finding}\n"));
    }
    let looked = format!("{} reserves and {} vaults", facts.view.book.iter().count(), facts.vaults.len());
    text.push_str(&match findings.len() {
        0 => format!("Looked at the market, {looked}, and the program: all is well."),
        _ => format!("Looked at {looked}: {critical} critical, {warnings} to look after, {notes} to know."),
    });
    let mut report = Report::new(text, json!({"healthy": critical + warnings == 0, "findings": findings}));
    report.is_good = critical + warnings == 0;
    Ok(report)
}

/// Everything that is wrong.
pub fn examine(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    roles::examine(facts, &mut findings);
    reserves::examine(facts, &mut findings);
    vaults::examine(facts, &mut findings);
    program::examine(facts, &mut findings);
    changes::examine(facts, &mut findings);
    findings
}
