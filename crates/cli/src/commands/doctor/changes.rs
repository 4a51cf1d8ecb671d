//! Queued changes.

use super::Facts;
use super::finding::{Finding, Severity};
use crate::commands::change::status_text;
use keel_client::change::Status;

pub fn examine(facts: &Facts, findings: &mut Vec<Finding>) {
    let now = facts.view.time.now;
    for (pending, status, what) in &facts.changes {
        let (severity, check, advice) = match status {
            Status::Waiting(_) => {
                (Severity::Note, "change-waiting", format!("look at it: keel change show {}", pending.nonce))
            }
            Status::Ready(_) => {
                (Severity::Warning, "change-ready", format!("keel change execute {}, or veto", pending.nonce))
            }
            Status::Expired(_) => {
                (Severity::Warning, "change-expired", format!("keel change close-expired {}", pending.nonce))
            }
            Status::Superseded => {
                (Severity::Warning, "change-superseded", format!("keel change veto {}", pending.nonce))
            }
        };
        let subject = format!("change {}", pending.nonce);
        findings.push(Finding::new(severity, check, subject, format!("{what}: {}", status_text(*status, now)), advice));
    }
}
