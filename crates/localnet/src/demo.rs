//! The demo: set a market up, play the prices, let users and the keeper act, check the books.

use crate::chain::Chain;
use crate::haircuts::{self, Track};
use crate::keeper::Keepers;
use crate::market::{Publisher, World, keypair};
use crate::report::{Event, FlashKeeper, Report};
use crate::scenario::Scenario;
use crate::serve::Server;
use crate::solvency::Verdict;
use crate::users::{self, Users};
use crate::web::Faucet;
use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Seconds on the chain's clock before the scenario, in which the market is set up.
const PRELUDE: i64 = 600;

/// What to run.
pub struct Demo {
    /// The program's file.
    pub program: PathBuf,
    /// The exchange's file, for scenarios with one.
    pub mock_pool: PathBuf,
    /// What is played.
    pub scenario: Scenario,
    /// What everything random follows from.
    pub seed: u64,
    /// Seconds of the scenario in a second of wall time; none: as fast as it goes.
    pub speed: Option<f64>,
    /// One JSON object instead of tables.
    pub json: bool,
    /// Keeps the chain running and opens it to others.
    pub serve: Option<crate::serve::Options>,
}

/// A market on a chain, with its people.
struct Stage {
    chain: Chain,
    world: World,
    publisher: Publisher,
    users: Users,
    keepers: Keepers,
    haircuts: Vec<Track>,
    /// Where the chain is served.
    faucet: Option<Faucet>,
}

fn progress(length: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    let style = ProgressStyle::with_template("{msg:<28} {bar:40} {pos}/{len} {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(what.to_string());
    bar
}

impl Stage {
    fn set_up(demo: &Demo) -> Result<Self> {
        let (scenario, seed) = (&demo.scenario, demo.seed);
        let people = scenario.user_count() + scenario.loan_count() + scenario.lenders.count;
        let bar = progress(u64::from(people) + scenario.assets.len() as u64 + 3, "setting up the market");
        let done = || bar.inc(1);
        let now = scenario.start_time - PRELUDE;

        let chain = Chain::start(keypair(seed, "payer", 0))?;
        chain.deploy(keel::ID, &demo.program, "--program")?;
        if scenario.exchange.is_some() {
            chain.deploy(keel_mock_pool::ID, &demo.mock_pool, "--mock-pool")?;
        }
        chain.set_time(now)?;
        done();
        let mut publisher = Publisher::new(scenario);
        let world = World::set_up(&chain, scenario, &mut publisher, seed, now, done)?;
        users::lend(&chain, &world, scenario, seed, done)?;
        let keepers = Keepers::set_up(&chain, &world, scenario, seed)?;
        done();
        let mut users = Users::draw(scenario, &world, seed)?;
        users.deposit(&chain, &world, done)?;
        chain.set_time(scenario.start_time)?;
        publisher.publish(&chain, &world.assets, scenario, 0.0, scenario.start_time)?;
        users.borrow(&chain, &world, done)?;
        bar.finish_and_clear();
        Ok(Self { chain, world, publisher, users, keepers, haircuts: Vec::new(), faucet: None })
    }

    /// One step: the clock, the prices, the users, the keepers.
    fn step(&mut self, scenario: &Scenario, elapsed: i64, seconds: f64) -> Result<()> {
        let now = scenario.start_time + elapsed;
        self.chain.set_time(now)?;
        self.publisher.publish(&self.chain, &self.world.assets, scenario, elapsed as f64, now)?;
        if let Some(exchange) = &self.world.exchange {
            exchange.publish(&self.chain, &self.world, scenario, elapsed as f64)?;
        }
        self.users.react(&self.chain, &self.world, &scenario.reactions, seconds)?;
        if let Some(faucet) = &mut self.faucet {
            faucet.step(&self.chain, &self.world);
        }
        self.keepers.step(&self.chain, &self.world, elapsed)
    }

    /// Writes prices and haircuts down, at a few of the steps.
    fn look(&mut self, scenario: &Scenario, step: u32) -> Result<()> {
        if !haircuts::is_due(step, scenario.steps()) {
            return Ok(());
        }
        let snapshot = self.world.snapshot(&self.chain)?;
        haircuts::look(&mut self.haircuts, &self.world, &snapshot, scenario.start_time, scenario.elapsed(step))
    }

    fn play(&mut self, demo: &Demo, stop: &AtomicBool) -> Result<()> {
        let scenario = &demo.scenario;
        let bar = progress(scenario.steps().into(), "playing the prices");
        let began = Instant::now();
        self.look(scenario, 0)?;
        for step in 1..=scenario.steps() {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let elapsed = scenario.elapsed(step);
            if let Some(speed) = demo.speed {
                let due = Duration::from_secs_f64(elapsed as f64 / speed);
                std::thread::sleep(due.saturating_sub(began.elapsed()));
            }
            self.step(scenario, elapsed, scenario.step_seconds())?;
            self.look(scenario, step)?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn report(&mut self, demo: &Demo, wall: [f64; 2]) -> Result<Report> {
        // Accrued to the present, so that the books are what they would be to whoever acts now.
        self.keepers.refresh(&self.chain, &self.world)?;
        let verdict = Verdict::check(&self.chain, &self.world, &self.keepers.written_off)?;
        let mut events = Vec::new();
        for record in &self.keepers.records {
            let debt = self.world.asset_of(&record.debt_reserve)?;
            let collateral = self.world.asset_of(&record.collateral_reserve)?;
            let user = self.users.name_of(&record.vault);
            events.push(Event::new(record, debt, collateral, user, demo.scenario.start_time));
        }
        let scenario = &demo.scenario;
        let mut report = Report {
            scenario: scenario.name.clone(),
            summary: scenario.summary.clone(),
            seed: demo.seed,
            users: scenario.user_count(),
            steps: scenario.steps(),
            scenario_seconds: scenario.elapsed(scenario.steps()),
            reactions: self.users.reacted,
            refused_loans: self.users.refused_loans.clone(),
            keeper_refusals: self.keepers.refusals.clone(),
            refreshes: self.keepers.refreshes,
            wall_seconds: wall,
            haircuts: self.haircuts.clone(),
            flash_keeper: scenario.exchange.as_ref().map(|_| FlashKeeper::default()),
            ..Report::default()
        };
        report.conclude(events, &verdict);
        Ok(report)
    }
}

impl Demo {
    /// Runs it and prints the result. Whether the market ended solvent.
    pub fn run(&self) -> Result<bool> {
        let began = Instant::now();
        // A taken port is told before a market is set up.
        let server = self.serve.as_ref().map(Server::bind).transpose()?;
        let mut stage = Stage::set_up(self)?;
        let set_up = began.elapsed();

        let stop = Arc::new(AtomicBool::new(false));
        if let (Some(server), Some(options)) = (server, &self.serve) {
            stage.faucet = server.open(&stage.chain, &stage.world, options)?;
            crate::serve::stop_on_signal(&stage.chain, stop.clone());
            crate::serve::announce(&stage.chain, &stage.world, &stage.users, options, self.seed)?;
        }
        stage.play(self, &stop)?;
        let wall = [set_up.as_secs_f64(), (began.elapsed() - set_up).as_secs_f64()];
        let report = stage.report(self, wall)?;
        self.print(&report)?;
        if self.serve.is_some() {
            self.keep_alive(&mut stage, &stop)?;
        }
        Ok(report.solvent)
    }

    fn print(&self, report: &Report) -> Result<()> {
        if self.json {
            println!("{}", serde_json::to_string(report)?);
        } else {
            print!("{}", report.text());
            let [set_up, crash] = report.wall_seconds;
            println!("Set up in {set_up:.1} s, played in {crash:.1} s.");
        }
        Ok(())
    }

    /// After the scenario the clock runs with the wall's, the last prices stay, users and keepers go on.
    fn keep_alive(&self, stage: &mut Stage, stop: &AtomicBool) -> Result<()> {
        if !stop.load(Ordering::Relaxed) {
            eprintln!("The scenario is over; the chain keeps running at the last prices. Stop it with Ctrl-C.");
        }
        let (began, end) = (Instant::now(), self.scenario.elapsed(self.scenario.steps()));
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(500));
            let passed = i64::try_from(began.elapsed().as_secs())?;
            stage.step(&self.scenario, end + passed, 0.5)?;
        }
        Ok(())
    }
}
