//! `keel migrate`: takes a deployment from one numbered step to the next.
//!
//! A step knows from the chain what is left of it: run again after a failure, or by mistake, it does only what is missing.
//! `migrations/` has a page for each.

pub mod deployment;
pub mod loader;
mod steps;

use crate::BadInput;
use crate::context::Context;
use crate::report::Report;
use anyhow::{Result, bail};
use clap::Args;
use deployment::Deployment;
use serde_json::{Value, json};
use solana_instruction::Instruction;
use solana_signer::Signer;
use std::path::PathBuf;
use std::rc::Rc;
use steps::{STEPS, Step};

/// Take a deployment from one numbered step to the next.
#[derive(Args, Debug)]
pub struct Migrate {
    /// The last step to take: 1 deploy, 2 create the market, 3 list its assets, 4 hand over, 5 upgrade account layouts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=5))]
    to: u8,
    /// Take this step alone, without those before it
    #[arg(long)]
    only: bool,
    /// What is to be deployed
    #[arg(long, value_name = "FILE", default_value = "deployment.toml")]
    deployment: PathBuf,
}

/// Something that is left to do.
pub struct Task {
    /// For people.
    what: String,
    action: Action,
}

enum Action {
    /// A transaction, with whoever signs it besides the user.
    Send(Vec<Instruction>, Vec<Rc<dyn Signer>>),
    /// Write what is missing of a program into a buffer.
    Write(loader::Buffer),
    /// Others have to act: this goes into their proposal.
    Wait(Vec<Instruction>),
}

impl Task {
    fn send(what: impl Into<String>, instructions: Vec<Instruction>) -> Self {
        Self { what: what.into(), action: Action::Send(instructions, Vec::new()) }
    }

    fn signed(what: impl Into<String>, instructions: Vec<Instruction>, signer: Rc<dyn Signer>) -> Self {
        Self { what: what.into(), action: Action::Send(instructions, vec![signer]) }
    }

    fn wait(what: impl Into<String>, instructions: Vec<Instruction>) -> Self {
        Self { what: what.into(), action: Action::Wait(instructions) }
    }
}

/// Where a deployment is being set up.
pub struct Site<'a> {
    /// The chain and the signer.
    pub context: &'a Context,
    /// What is to be there in the end.
    pub deployment: Deployment,
    /// Signs for the program's address when it is first deployed.
    pub program: Option<Rc<dyn Signer>>,
    /// Signs for governance when it takes over, if that is a single signer.
    pub successor: Option<Rc<dyn Signer>>,
}

impl<'a> Site<'a> {
    /// From a deployment, with the signers that it names.
    pub fn new(context: &'a Context, deployment: Deployment) -> Result<Self> {
        let load = |source: Option<String>| -> Result<Option<Rc<dyn Signer>>> {
            source.map(|source| crate::signers::load(&source).map(Rc::from)).transpose()
        };
        let program = load(deployment.program_keypair())?;
        let successor = load(deployment.accept_with())?;
        Ok(Self { context, deployment, program, successor })
    }
}

/// Does what the command says.
pub fn run(context: &Context, command: &Migrate) -> Result<Report> {
    let deployment = Deployment::read(&command.deployment)?;
    let site = Site::new(context, deployment)?;
    let first = if command.only { command.to } else { 1 };
    migrate(&site, first, command.to)
}

/// Takes the steps from `first` to `last`.
pub fn migrate(site: &Site<'_>, first: u8, last: u8) -> Result<Report> {
    let mut lines = Vec::new();
    let mut json = Vec::new();
    let mut is_waiting = false;
    for step in STEPS.iter().filter(|step| (first..=last).contains(&step.number)) {
        let title = format!("{:04} {}", step.number, step.name);
        let outcome = if site.context.dry_run { preview(site, step) } else { take(site, step) };
        let outcome = outcome.map_err(|error| error.context(format!("step {title}")))?;
        lines.push(format!("{title}: {}", outcome.text()));
        json.push(json!({"step": step.number, "name": step.name, "state": outcome.name(), "tasks": outcome.tasks()}));
        if matches!(outcome, Outcome::Waiting(..)) {
            is_waiting = true;
            break;
        }
    }
    let mut report = Report::new(lines.join("\n"), Value::Array(json));
    report.is_good = !is_waiting;
    Ok(report)
}

enum Outcome {
    /// There was nothing to do.
    Nothing,
    /// This was done.
    Done(Vec<String>),
    /// This would be done.
    Would(Vec<String>),
    /// What is left cannot be known before the steps before it are taken.
    Later(String),
    /// Others have to act.
    Waiting(Vec<String>, Report),
}

impl Outcome {
    fn name(&self) -> &'static str {
        match self {
            Self::Nothing => "done before",
            Self::Done(_) => "done",
            Self::Would(_) => "would be done",
            Self::Later(_) => "later",
            Self::Waiting(..) => "waiting",
        }
    }

    fn tasks(&self) -> Vec<String> {
        match self {
            Self::Nothing | Self::Later(_) => Vec::new(),
            Self::Done(tasks) | Self::Would(tasks) | Self::Waiting(tasks, _) => tasks.clone(),
        }
    }

    fn text(&self) -> String {
        let list: String = self.tasks().iter().map(|task| format!("\n  {task}")).collect();
        match self {
            Self::Nothing => "nothing left to do".into(),
            Self::Later(why) => format!("not yet: {why}"),
            Self::Waiting(_, proposal) => format!("waiting for others{list}\n\n{}", proposal.text),
            _ => format!("{}{list}", self.name()),
        }
    }
}

fn preview(site: &Site<'_>, step: &Step) -> Result<Outcome> {
    // A step before it was not taken, so that its precondition is not met yet.
    if let Err(error) = (step.precondition)(site) {
        return if error.is::<BadInput>() { Ok(Outcome::Later(format!("{error:#}"))) } else { Err(error) };
    }
    let tasks: Vec<String> = (step.remaining)(site)?.into_iter().map(|task| task.what).collect();
    Ok(if tasks.is_empty() { Outcome::Nothing } else { Outcome::Would(tasks) })
}

/// Takes a step: does the first thing that is left, looks again, until nothing is. That nothing is left is its
/// postcondition.
fn take(site: &Site<'_>, step: &Step) -> Result<Outcome> {
    (step.precondition)(site)?;
    let mut done: Vec<String> = Vec::new();
    loop {
        let mut tasks = (step.remaining)(site)?;
        if tasks.is_empty() {
            return Ok(if done.is_empty() { Outcome::Nothing } else { Outcome::Done(done) });
        }
        let task = tasks.swap_remove(0);
        if done.contains(&task.what) {
            bail!("\"{}\" was done, and the chain does not show it: stop and look into it", task.what);
        }
        let failed = |error: anyhow::Error| error.context(task.what.clone());
        match task.action {
            Action::Send(instructions, signers) => {
                let signers: Vec<&dyn Signer> = signers.iter().map(Rc::as_ref).collect();
                site.context.sender()?.send(&instructions, &signers).map_err(|error| failed(error.into()))?;
            }
            Action::Write(buffer) => buffer.write(site.context).map_err(failed)?,
            Action::Wait(instructions) => {
                done.push(task.what.clone());
                return Ok(Outcome::Waiting(done, crate::proposal::report(&task.what, &instructions)));
            }
        }
        done.push(task.what);
    }
}
