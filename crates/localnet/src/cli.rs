//! The command line.

use crate::BadInput;
use crate::candles;
use crate::demo::Demo;
use crate::scenario::{Overrides, Scenario};
use crate::serve::Options;
use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Names the compiled exchange, as for the tests.
const MOCK_POOL_VARIABLE: &str = "KEEL_MOCK_POOL_SO";
const DEFAULT_MOCK_POOL: &str = "target/deploy/keel_mock_pool.so";

/// An embedded chain with Keel on it
#[derive(Debug, Parser)]
#[command(name = "keel-localnet", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Set up a market, play a crash through it, and check that it stays solvent
    ///
    /// Exit code 0 when the market ends solvent, 1 when it does not or the run fails, 2 when the input is wrong.
    Demo(DemoArgs),
}

#[derive(Debug, Args)]
struct DemoArgs {
    /// The compiled program
    #[arg(long, value_name = "FILE", default_value = "target/deploy/keel.so")]
    program: PathBuf,
    /// The compiled exchange, if the scenario has one [default: what KEEL_MOCK_POOL_SO names, or
    /// target/deploy/keel_mock_pool.so]
    #[arg(long, value_name = "FILE")]
    mock_pool: Option<PathBuf>,
    /// What to play [default: 2025-10-10, SOL falls by 14.5 % in an hour]
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Historical prices to play instead of the scenario's: CSV with a column of times and one of closing prices
    ///
    /// The other assets follow as the scenario says. Without --from and --to, a long file is cut to the day with the
    /// steepest fall.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// The asset whose prices these are
    #[arg(long, value_name = "SYMBOL", default_value = "SOL", requires = "prices")]
    asset: String,
    /// First moment of the prices that is played, UTC: 2025-10-10, "2025-10-10 20:00" or Unix seconds
    #[arg(long, value_name = "TIME", requires = "prices", value_parser = moment)]
    from: Option<i64>,
    /// Last moment of the prices that is played
    #[arg(long, value_name = "TIME", requires = "prices", value_parser = moment)]
    to: Option<i64>,
    /// What everything random follows from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Number of borrowers, in the proportions of the scenario's groups
    #[arg(long, value_name = "N")]
    users: Option<u32>,
    /// How finely the time is cut
    #[arg(long, value_name = "N")]
    steps_per_hour: Option<u32>,
    /// Play the scenario at once, this many of its seconds in a second [default: as fast as it goes; with --serve, prices
    /// stand still until a price scenario is started in the web app]
    #[arg(long, value_name = "X", value_parser = positive)]
    speed: Option<f64>,
    /// Print one JSON object and nothing else to the standard output
    #[arg(long)]
    json: bool,
    /// Open the chain to wallets and interfaces, and keep it running until Ctrl-C
    #[arg(long)]
    serve: bool,
    /// Play the scenario and end, also in a terminal, where `cargo xtask demo` serves unless it is told otherwise
    #[arg(long, conflicts_with = "serve")]
    no_serve: bool,
    /// Port for RPC requests
    #[arg(long, value_name = "PORT", default_value_t = 8899, requires = "serve")]
    rpc_port: u16,
    /// Port for WebSocket subscriptions
    #[arg(long, value_name = "PORT", default_value_t = 8900, requires = "serve")]
    ws_port: u16,
    /// Folder for the keys of the users [default: keel-localnet in the folder for temporary files]
    #[arg(long, value_name = "DIR", requires = "serve")]
    keys: Option<PathBuf>,
    /// The built web app, to be served with the chain [default: none; `cargo xtask demo` builds one]
    #[arg(long, value_name = "DIR", requires = "serve")]
    app: Option<PathBuf>,
    /// Port for the web app
    #[arg(long, value_name = "PORT", default_value_t = 8080, requires = "serve")]
    app_port: u16,
}

fn moment(text: &str) -> Result<i64, String> {
    candles::parse_time(text).ok_or_else(|| "not a time; write 2025-10-10, \"2025-10-10 20:00\" or Unix seconds".into())
}

fn positive(text: &str) -> Result<f64, String> {
    text.parse::<f64>().ok().filter(|n| n.is_finite() && *n > 0.0).ok_or_else(|| "not a number above zero".into())
}

impl Cli {
    /// Does what the command line says. Whether the result is good.
    pub fn run(self) -> Result<bool> {
        match self.command {
            Command::Demo(args) => args.demo()?.run(),
        }
    }
}

impl DemoArgs {
    fn demo(self) -> Result<Demo> {
        let mut scenario = Scenario::load(self.scenario.as_deref())?;
        scenario.apply(&Overrides { users: self.users, steps_per_hour: None })?;
        if let Some(path) = &self.prices {
            let all = candles::read(path)?;
            let window = candles::window(&all, self.from, self.to)
                .map_err(|error| BadInput::error(format!("{}: {error}", path.display())))?;
            scenario.import(&self.asset, window, self.steps_per_hour)?;
            eprintln!("Playing {}.", scenario.summary);
        } else {
            scenario.apply(&Overrides { users: None, steps_per_hour: self.steps_per_hour })?;
        }
        let keys = self.keys.unwrap_or_else(|| std::env::temp_dir().join("keel-localnet"));
        let mock_pool = self.mock_pool.or_else(|| std::env::var_os(MOCK_POOL_VARIABLE).map(PathBuf::from));
        Ok(Demo {
            program: self.program,
            mock_pool: mock_pool.unwrap_or_else(|| DEFAULT_MOCK_POOL.into()),
            scenario,
            seed: self.seed,
            speed: self.speed,
            json: self.json,
            serve: (self.serve && !self.no_serve).then_some(Options {
                rpc_port: self.rpc_port,
                ws_port: self.ws_port,
                keys,
                app: self.app,
                app_port: self.app_port,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    #[test]
    fn the_command_line_is_coherent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn ports_need_serve() {
        let refused = |args: &[&str]| {
            Cli::try_parse_from([&["keel-localnet", "demo"], args].concat()).err().map(|error| error.kind())
        };
        assert_eq!(refused(&["--serve", "--rpc-port", "1"]), None);
        assert_eq!(refused(&["--serve", "--app", "dist", "--app-port", "1"]), None);
        assert_eq!(refused(&["--no-serve", "--json"]), None);
        for lacking in [&["--rpc-port", "1"], &["--app", "dist"], &["--from", "2025-10-10"]] {
            assert_eq!(refused(lacking), Some(ErrorKind::MissingRequiredArgument), "{lacking:?}");
        }
        assert_eq!(refused(&["--no-serve", "--serve"]), Some(ErrorKind::ArgumentConflict));
        for wrong in [&["--prices", "x.csv", "--from", "soon"][..], &["--speed", "0"]] {
            assert_eq!(refused(wrong), Some(ErrorKind::ValueValidation), "{wrong:?}");
        }
    }
}
