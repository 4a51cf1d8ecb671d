//! The program itself: what is deployed, and who can replace it.

use super::Facts;
use super::finding::{Finding, Severity};
use crate::commands::migrate::loader::hash;

pub fn examine(facts: &Facts, findings: &mut Vec<Finding>) {
    let mut found = |severity, check, what: String, advice: &str| {
        findings.push(Finding::new(severity, check, "program", what, advice));
    };
    let Some(program) = &facts.program else {
        found(
            Severity::Critical,
            "program-not-upgradeable",
            format!("{} is not a program of the upgradeable loader", keel_client::keel::ID),
            "deploy it: migrations/0001-deploy.md",
        );
        return;
    };
    if let Some(expected) = &facts.expected {
        let (deployed, expected) = (hash(&program.elf), hash(expected));
        if deployed != expected {
            let what = format!("the deployed program has the hash {deployed}, the given file {expected}");
            let advice = "find out which sources it was built from; upgrade it, or compare with the right file";
            found(Severity::Critical, "program-differs", what, advice);
        }
    }
    let wanted = facts.upgrade_authority;
    match program.authority {
        Some(authority) if authority == wanted => {}
        Some(authority) => {
            let what = format!("{authority} can replace the program, not {wanted}, whose notice everybody relies on");
            let advice = "hand it over: keel migrate --to 4, or name the right one with --upgrade-authority";
            found(Severity::Critical, "upgrade-authority", what, advice);
        }
        None => {
            let what = "nobody can replace the program: a flaw in it could not be fixed".to_string();
            found(Severity::Note, "program-final", what, "nothing can be done about it; it should be on purpose");
        }
    }
}
