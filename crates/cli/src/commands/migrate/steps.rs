//! The numbered steps: what each needs, and what is left of it.

mod assets;
mod deploy;
mod hand_over;
mod layout;
mod market;

use super::{Site, Task};
use anyhow::Result;

/// A numbered step.
pub struct Step {
    /// Its number, as in `migrations/`.
    pub number: u8,
    /// Its name there.
    pub name: &'static str,
    /// Fails when the step cannot be taken yet, and says what comes first.
    pub precondition: fn(&Site<'_>) -> Result<()>,
    /// What is left to do, in order. Nothing when the step was taken.
    pub remaining: fn(&Site<'_>) -> Result<Vec<Task>>,
}

/// All steps, in order.
pub const STEPS: [Step; 5] = [
    Step { number: 1, name: "deploy", precondition: deploy::precondition, remaining: deploy::remaining },
    Step { number: 2, name: "init-market", precondition: market::precondition, remaining: market::remaining },
    Step { number: 3, name: "list-assets", precondition: assets::precondition, remaining: assets::remaining },
    Step { number: 4, name: "hand-over", precondition: hand_over::precondition, remaining: hand_over::remaining },
    Step { number: 5, name: "upgrade-layout", precondition: layout::precondition, remaining: layout::remaining },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_step_has_its_page() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
        for (place, step) in STEPS.iter().enumerate() {
            assert_eq!(usize::from(step.number), place + 1);
            let page = folder.join(format!("{:04}-{}.md", step.number, step.name));
            assert!(page.exists(), "{} is missing", page.display());
        }
    }
}
