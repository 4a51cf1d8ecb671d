//! The demo: set a market up, play the prices, let users and the keeper act, check the books.

use crate::chain::Chain;
use crate::governance;
use crate::haircuts::{self, Track};
use crate::inbox::Inbox;
use crate::keeper::Keepers;
use crate::market::{Publisher, World, keypair};
use crate::report::{Event, FlashKeeper, Report};
use crate::scenario::Scenario;
use crate::script::Player;
use crate::serve::{self, Server, burner};
use crate::solvency::Verdict;
use crate::users::{self, Users};
use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use solana_signer::Signer;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Seconds on the chain's clock before the scenario, in which the market is set up.
const PRELUDE: i64 = 600;
/// How often a served chain is moved.
const TICK: Duration = Duration::from_millis(500);
/// The keepers of a served chain look at every eighth of these times, and act one look later: who watches a vault in a
/// browser sees that it can be liquidated before it is.
const TICKS_PER_LOOK: u64 = 8;

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
    /// Seconds of the scenario in a second of wall time. None: as fast as it goes; served, prices stand still until somebody
    /// asks for them to move.
    pub speed: Option<f64>,
    /// One JSON object instead of tables.
    pub json: bool,
    /// Keeps the chain running and opens it to others.
    pub serve: Option<serve::Options>,
}

/// A market on a chain, with its people.
struct Stage {
    chain: Chain,
    world: World,
    publisher: Publisher,
    users: Users,
    keepers: Keepers,
    haircuts: Vec<Track>,
    /// What those ask for whom the chain is served to.
    inbox: Option<Inbox>,
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
        let governance = scenario.governance.as_ref().filter(|_| demo.serve.is_some());
        let begins = governance.map_or(now, |governance| governance::begins(governance, scenario, now));
        chain.set_time(begins)?;
        done();
        let mut publisher = Publisher::new(scenario);
        let world = World::set_up(&chain, scenario, &mut publisher, seed, begins, done)?;
        if governance.is_some() {
            governance::announce(&chain, &world, burner(seed, 0).pubkey())?;
            chain.set_time(now)?;
            publisher.publish(&chain, &world.assets, scenario, &scenario.prices_at(0.0), now)?;
            governance::announce_late(&chain, &world)?;
        }
        users::lend(&chain, &world, scenario, seed, done)?;
        let keepers = Keepers::set_up(&chain, &world, scenario, seed)?;
        done();
        let mut users = Users::draw(scenario, &world, seed)?;
        users.deposit(&chain, &world, done)?;
        chain.set_time(scenario.start_time)?;
        publisher.publish(&chain, &world.assets, scenario, &scenario.prices_at(0.0), scenario.start_time)?;
        users.borrow(&chain, &world, done)?;
        bar.finish_and_clear();
        Ok(Self { chain, world, publisher, users, keepers, haircuts: Vec::new(), inbox: None })
    }

    /// One step: the clock, the prices, the users. Without prices nobody acts: whoever has only old ones cannot tell what a
    /// vault is worth.
    fn step(&mut self, scenario: &Scenario, elapsed: i64, seconds: f64, prices: Option<&[f64]>) -> Result<()> {
        let now = scenario.start_time + elapsed;
        self.chain.set_time(now)?;
        let Some(prices) = prices else { return Ok(()) };
        self.publisher.publish(&self.chain, &self.world.assets, scenario, prices, now)?;
        if let Some(exchange) = &self.world.exchange {
            exchange.publish(&self.chain, &self.world, scenario, prices)?;
        }
        self.users.react(&self.chain, &self.world, &scenario.reactions, seconds)
    }

    /// Does what was asked for over the web.
    fn serve(&mut self, player: Option<&mut Player>) {
        if let Some(inbox) = &mut self.inbox {
            inbox.step(&self.chain, &self.world, player);
        }
    }

    /// Writes prices and haircuts down.
    fn look(&mut self, scenario: &Scenario, elapsed: i64) -> Result<()> {
        let snapshot = self.world.snapshot(&self.chain)?;
        haircuts::look(&mut self.haircuts, &self.world, &snapshot, scenario.start_time, elapsed)
    }

    /// The scenario, from its beginning to its end.
    fn play(&mut self, demo: &Demo, stop: &AtomicBool) -> Result<()> {
        let scenario = &demo.scenario;
        let bar = progress(scenario.steps().into(), "playing the prices");
        let began = Instant::now();
        for step in 1..=scenario.steps() {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let elapsed = scenario.elapsed(step);
            if let Some(speed) = demo.speed {
                let due = Duration::from_secs_f64(elapsed as f64 / speed);
                std::thread::sleep(due.saturating_sub(began.elapsed()));
            }
            self.step(scenario, elapsed, scenario.step_seconds(), Some(&scenario.prices_at(elapsed as f64)))?;
            self.keepers.step(&self.chain, &self.world, elapsed)?;
            self.serve(None);
            if haircuts::is_due(step, scenario.steps()) {
                self.look(scenario, elapsed)?;
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Users and keepers go on, `from` seconds into the scenario, and the clock with the wall's, until it is to stop. Prices
    /// stand still unless somebody asks for another. Returns the seconds into the scenario.
    fn stand(&mut self, scenario: &Scenario, from: i64, stop: &AtomicBool) -> Result<i64> {
        let mut elapsed = from as f64;
        let mut player = Player::new(scenario, scenario.prices_at(elapsed));
        let mut last = Instant::now();
        for tick in 0u64.. {
            std::thread::sleep(TICK);
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let seconds = player.advance(last.elapsed().as_secs_f64());
            last = Instant::now();
            elapsed += seconds;
            self.step(scenario, elapsed as i64, seconds, player.published())?;
            if tick % TICKS_PER_LOOK == 0 && player.published().is_some() {
                self.keepers.step_late(&self.chain, &self.world, elapsed as i64)?;
            }
            self.serve(Some(&mut player));
        }
        Ok(elapsed as i64)
    }

    /// `steps` is the part of the scenario that was played, and `elapsed` the seconds that passed.
    fn report(&mut self, demo: &Demo, (steps, elapsed): (u32, i64), wall: [f64; 2]) -> Result<Report> {
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
            summary: if steps > 0 {
                scenario.summary.clone()
            } else {
                "served, with the prices that were asked for".into()
            },
            seed: demo.seed,
            users: scenario.user_count(),
            steps,
            scenario_seconds: elapsed,
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
            stage.inbox = server.open(&stage.chain, &stage.world, options)?;
            serve::stop_on_signal(&stage.chain, stop.clone());
            serve::announce(&stage.chain, &stage.world, &stage.users, options, self.seed)?;
        }
        stage.look(&self.scenario, 0)?;
        let is_served = self.serve.is_some();
        if is_served && self.speed.is_none() {
            let how = if stage.inbox.is_some() {
                "Prices stand still until a price scenario is started in the web app."
            } else {
                "Prices stand still: there is no web app to start a price scenario in, and --speed plays one at once."
            };
            eprintln!("{how} Stop it with Ctrl-C.");
            let elapsed = stage.stand(&self.scenario, 0, &stop)?;
            stage.look(&self.scenario, elapsed)?;
            return self.conclude(&mut stage, (0, elapsed), began, set_up);
        }
        stage.play(self, &stop)?;
        let steps = self.scenario.steps();
        let end = self.scenario.elapsed(steps);
        let is_solvent = self.conclude(&mut stage, (steps, end), began, set_up)?;
        if is_served {
            if !stop.load(Ordering::Relaxed) {
                eprintln!("The scenario is over; the chain keeps running at the last prices. Stop it with Ctrl-C.");
            }
            stage.stand(&self.scenario, end, &stop)?;
        }
        Ok(is_solvent)
    }

    /// Checks the books and prints the report. Whether the market is solvent.
    fn conclude(&self, stage: &mut Stage, played: (u32, i64), began: Instant, set_up: Duration) -> Result<bool> {
        let wall = [set_up.as_secs_f64(), (began.elapsed() - set_up).as_secs_f64()];
        let report = stage.report(self, played, wall)?;
        if self.json {
            println!("{}", serde_json::to_string(&report)?);
        } else {
            print!("{}", report.text());
            println!("Set up in {:.1} s, played in {:.1} s.", wall[0], wall[1]);
        }
        Ok(report.solvent)
    }
}
