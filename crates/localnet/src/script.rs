//! What prices do on a served chain when somebody asks for it: a table of courses, and the one that is playing.
//!
//! A course says multiples of the prices at which it begins, so that one can follow another. Prices stay where the last
//! one has left them.

use crate::inbox::Refusal;
use crate::scenario::{Scenario, price_on};
use std::borrow::Cow;

/// Seconds of the scenario in a second, where its own prices are played: an hour in three minutes, so that whoever has a
/// vault can watch it, and act.
const SCENARIO_SPEED: f64 = 20.0;

/// How prices go. Points are minutes and multiples, linear between them.
#[derive(Clone, Copy, Debug)]
enum Course {
    /// The scenario's own prices, from its beginning.
    Scenario,
    /// All assets go along, each by the part that the scenario says it `follows`.
    Together(&'static [(f64, f64)]),
    /// One asset goes alone.
    Alone(&'static str, &'static [(f64, f64)]),
    /// Back to the prices at the beginning of the scenario.
    Back,
    /// Nothing is published.
    Silence,
}

/// Something that can be played.
#[derive(Clone, Debug)]
struct Script {
    /// In addresses.
    name: &'static str,
    /// For people.
    title: Cow<'static, str>,
    /// What it is good for, in a sentence.
    summary: Cow<'static, str>,
    /// On the chain's clock.
    minutes: f64,
    /// Seconds of the chain's clock in a second.
    speed: f64,
    course: Course,
}

/// What can be played beside the scenario's own prices.
const SCRIPTS: [Script; 4] = [
    Script {
        name: "fall",
        title: Cow::Borrowed("Prices fall by 20 %"),
        summary: Cow::Borrowed("A vault near its limit is liquidated on the way."),
        minutes: 2.0,
        speed: 1.0,
        course: Course::Together(&[(0.0, 1.0), (2.0, 0.8)]),
    },
    Script {
        name: "depeg",
        title: Cow::Borrowed("USDC loses its peg"),
        summary: Cow::Borrowed("It falls by 12 % and stays there."),
        minutes: 1.0,
        speed: 1.0,
        course: Course::Alone("USDC", &[(0.0, 1.0), (0.5, 0.95), (1.0, 0.88)]),
    },
    Script {
        name: "silence",
        title: Cow::Borrowed("The oracle stops"),
        summary: Cow::Borrowed(
            "No price is published. Old ones stop counting: for loans first, then for liquidations.",
        ),
        minutes: 3.0,
        speed: 1.0,
        course: Course::Silence,
    },
    Script {
        name: "back",
        title: Cow::Borrowed("Back to the first prices"),
        summary: Cow::Borrowed("From wherever they are."),
        minutes: 0.5,
        speed: 1.0,
        course: Course::Back,
    },
];

/// What is playing.
struct Playing {
    script: usize,
    /// Seconds of the chain's clock since it began.
    elapsed: f64,
    /// Where prices were.
    from: Vec<f64>,
}

/// Moves the prices of a served chain.
pub struct Player<'s> {
    scenario: &'s Scenario,
    scripts: Vec<Script>,
    playing: Option<Playing>,
    /// Dollars, by asset.
    prices: Vec<f64>,
}

impl<'s> Player<'s> {
    /// Stands at these prices, dollars by asset.
    pub fn new(scenario: &'s Scenario, prices: Vec<f64>) -> Self {
        let own = Script {
            name: "scenario",
            title: format!("The scenario {}", scenario.name).into(),
            summary: format!("{}, {SCENARIO_SPEED} times as fast.", scenario.summary).into(),
            minutes: scenario.minutes(),
            speed: SCENARIO_SPEED,
            course: Course::Scenario,
        };
        let mut scripts = SCRIPTS.to_vec();
        scripts.retain(|script| match script.course {
            Course::Alone(symbol, _) => scenario.assets.iter().any(|asset| asset.symbol == symbol),
            _ => true,
        });
        // Where prices stand still there is nothing to see.
        if scenario.assets.iter().any(|asset| asset.moves()) {
            scripts.insert(1, own);
        }
        Self { scenario, scripts, playing: None, prices }
    }

    /// Begins to play. Errors are for whoever asked.
    pub fn start(&mut self, name: &str) -> Result<(), Refusal> {
        if let Some(playing) = &self.playing {
            let title = self.scripts.get(playing.script).map(|script| script.title.as_ref()).unwrap_or_default();
            return Err(Refusal::Busy(format!("\"{title}\" is playing; stop it first")));
        }
        let Some(script) = self.scripts.iter().position(|script| script.name == name) else {
            let known: Vec<_> = self.scripts.iter().map(|script| script.name).collect();
            let text = format!("there is no price scenario \"{name}\", only {}", known.join(", "));
            return Err(Refusal::Unknown(text));
        };
        self.playing = Some(Playing { script, elapsed: 0.0, from: self.prices.clone() });
        Ok(())
    }

    /// Prices stay where they are.
    pub fn stop(&mut self) {
        self.playing = None;
    }

    /// Goes on by `passed` seconds. Returns the seconds that pass on the chain's clock.
    pub fn advance(&mut self, passed: f64) -> f64 {
        let Some(playing) = &mut self.playing else { return passed };
        let Some(script) = self.scripts.get(playing.script) else { return passed };
        let step = passed * script.speed;
        playing.elapsed += step;
        let minutes = playing.elapsed / 60.0;
        let part = (minutes / script.minutes).min(1.0);
        let assets = self.scenario.assets.iter().zip(&playing.from).zip(&mut self.prices);
        for ((asset, from), price) in assets {
            let moved = match script.course {
                Course::Scenario => asset.price_at(playing.elapsed),
                Course::Together(points) => asset.following(*from, price_on(points, minutes)),
                Course::Alone(symbol, points) if symbol == asset.symbol => from * price_on(points, minutes),
                Course::Back => from + (asset.price_at(0.0) - from) * part,
                Course::Alone(..) | Course::Silence => *price,
            };
            *price = moved;
        }
        if part >= 1.0 {
            self.playing = None;
        }
        step
    }

    /// Dollars by asset; none while nothing is published.
    pub fn published(&self) -> Option<&[f64]> {
        let script = self.playing.as_ref().and_then(|playing| self.scripts.get(playing.script));
        let is_silent = script.is_some_and(|script| matches!(script.course, Course::Silence));
        (!is_silent).then_some(&self.prices)
    }

    /// For the app: what is offered, and what is playing. Seconds are the wall's.
    pub fn status(&self) -> serde_json::Value {
        let seconds = |script: &Script| (script.minutes * 60.0 / script.speed).round();
        let playing = self.playing.as_ref().and_then(|playing| {
            let script = self.scripts.get(playing.script)?;
            let elapsed = (playing.elapsed / script.speed).floor();
            Some(serde_json::json!({ "name": script.name, "elapsed": elapsed as u64 }))
        });
        let offer = |script: &Script| {
            serde_json::json!({
                "name": script.name, "title": script.title, "summary": script.summary,
                "seconds": seconds(script) as u64,
            })
        };
        serde_json::json!({ "offered": self.scripts.iter().map(offer).collect::<Vec<_>>(), "playing": playing })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn player(scenario: &Scenario) -> Player<'_> {
        Player::new(scenario, scenario.prices_at(0.0))
    }

    /// Plays to the end, in steps of half a second.
    fn play(player: &mut Player, name: &str) -> f64 {
        player.start(name).unwrap();
        let mut passed = 0.0;
        while player.playing.is_some() {
            passed += player.advance(0.5);
        }
        passed
    }

    #[test]
    fn prices_fall_and_come_back() {
        let scenario = Scenario::load(None).unwrap();
        let mut player = player(&scenario);
        let first = player.prices.clone();
        assert_eq!(play(&mut player, "fall"), 120.0);
        let parts: Vec<_> = player.prices.iter().zip(&first).map(|(now, then)| now / then).collect();
        // SOL leads; BTC follows by 0.7, ETH by 0.85, USDC not at all.
        for (part, expected) in parts.iter().zip([0.8, 0.86, 0.83, 1.0]) {
            assert!((part - expected).abs() < 1e-9, "{parts:?}");
        }
        // Whoever asks again falls from there.
        play(&mut player, "fall");
        assert!((player.prices[0] / first[0] - 0.64).abs() < 1e-9);
        play(&mut player, "back");
        assert!(player.prices.iter().zip(&first).all(|(now, then)| (now - then).abs() < 1e-6));
    }

    #[test]
    fn the_scenario_is_played_faster() {
        let scenario = Scenario::load(None).unwrap();
        let mut player = player(&scenario);
        assert_eq!(play(&mut player, "scenario"), 5_400.0);
        assert_eq!(player.prices, scenario.prices_at(5_400.0));
        let status = player.status();
        assert_eq!(
            (&status["offered"][1]["name"], &status["offered"][1]["seconds"]),
            (&"scenario".into(), &270.into())
        );
    }

    #[test]
    fn one_asset_goes_alone() {
        let scenario = Scenario::load(None).unwrap();
        let mut player = player(&scenario);
        let first = player.prices.clone();
        play(&mut player, "depeg");
        assert_eq!(player.prices[..3], first[..3]);
        assert!((player.prices[3] - 0.88).abs() < 1e-9);
    }

    #[test]
    fn silence_moves_nothing_and_ends() {
        let scenario = Scenario::load(None).unwrap();
        let mut player = player(&scenario);
        player.start("silence").unwrap();
        assert_eq!(player.advance(100.0), 100.0);
        assert_eq!(player.published(), None);
        player.advance(81.0);
        assert_eq!(player.published(), Some(scenario.prices_at(0.0).as_slice()));
    }

    #[test]
    fn one_is_played_at_a_time_and_can_be_stopped() {
        let scenario = Scenario::load(None).unwrap();
        let mut player = player(&scenario);
        let unknown = "there is no price scenario \"rise\", only fall, scenario, depeg, silence, back";
        assert_eq!(player.start("rise"), Err(Refusal::Unknown(unknown.into())));
        player.start("fall").unwrap();
        player.advance(30.0);
        let busy = "\"Prices fall by 20 %\" is playing; stop it first";
        assert_eq!(player.start("back"), Err(Refusal::Busy(busy.into())));
        assert_eq!(player.status()["playing"], serde_json::json!({ "name": "fall", "elapsed": 30 }));
        player.stop();
        let stopped = player.prices.clone();
        assert!((stopped[0] / 206.4 - 0.95).abs() < 1e-9);
        assert_eq!(player.advance(10.0), 10.0);
        assert_eq!(player.published(), Some(stopped.as_slice()));
        assert_eq!(player.status()["playing"], serde_json::Value::Null);
        player.start("back").unwrap();
    }

    #[test]
    fn what_a_scenario_has_no_use_for_is_not_offered() {
        let mut scenario = Scenario::load(None).unwrap();
        scenario.assets.retain(|asset| asset.symbol != "USDC");
        for asset in &mut scenario.assets {
            asset.prices.truncate(1);
        }
        let names: Vec<_> = player(&scenario).scripts.iter().map(|script| script.name).collect();
        assert_eq!(names, ["fall", "silence", "back"]);
    }
}
