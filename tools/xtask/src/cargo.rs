//! Calls of cargo.
//!
//! Features are unified over the packages of a call, so `cargo build -p keel-localnet` and `cargo test --workspace`
//! would compile some hundred crates twice, Solana's among them. Every call for the host therefore says `--workspace`
//! and picks what it wants with `--bin` and the like; the same dependencies then come out of each.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Error, Result, bail};
use serde_json::Value as Json;

/// Cargo in this workspace.
pub struct Cargo {
    workspace: PathBuf,
    program: PathBuf,
}

impl Cargo {
    pub fn new() -> Cargo {
        // `cargo run` sets both; started by hand, the program knows where it was compiled.
        let own = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        Cargo {
            workspace: Path::new(&own).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned(),
            program: env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from),
        }
    }

    pub fn workspace(&self) -> &Path {
        &self.workspace
    }

    /// The cargo that runs us, or the name to find one by.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Where builds go.
    pub fn target_folder(&self) -> Result<PathBuf> {
        let metadata = output(&mut self.command(&["metadata", "--no-deps", "--format-version", "1"])?)?;
        let metadata: Json = serde_json::from_str(&metadata).context("cargo's metadata cannot be read")?;
        metadata["target_directory"].as_str().map(PathBuf::from).context("cargo did not say where it builds to")
    }

    /// `cargo ARGS` in the workspace's root. Its standard output is turned into error output.
    pub fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<Command> {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(&self.workspace).stdout(error_output()?);
        forget_running_package(&mut command);
        Ok(command)
    }

    /// Whether `cargo NAME` exists.
    pub fn has(&self, name: &str) -> bool {
        let mut command = Command::new(&self.program);
        command.args([name, "--version"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// Builds a binary of the workspace.
    pub fn build_binary(&self, name: &str) -> Result<PathBuf> {
        let args = ["build", "--workspace", "--bin", name, "--message-format=json-render-diagnostics"];
        output(&mut self.command(&args)?)?
            .lines()
            .find_map(|line| executable_in_message(line, name))
            .with_context(|| format!("cargo did not say where it put {name}"))
    }
}

/// Build scripts (ring's, for one) watch the variables in which `cargo run` describes the package that it runs. Passed
/// on to another cargo, they would make everything above those scripts compile again.
pub fn forget_running_package(command: &mut Command) {
    for (name, _) in env::vars_os().filter(|(name, _)| describes_running_package(name)) {
        command.env_remove(name);
    }
}

fn describes_running_package(variable: &OsStr) -> bool {
    let variable = variable.to_string_lossy();
    variable.starts_with("CARGO_PKG_")
        || variable.starts_with("CARGO_MANIFEST_")
        || ["CARGO_BIN_NAME", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&variable.as_ref())
}

fn executable_in_message(line: &str, name: &str) -> Option<PathBuf> {
    let message: Json = serde_json::from_str(line).ok()?;
    let matches = message["target"]["name"] == name && message["reason"] == "compiler-artifact";
    matches.then(|| message["executable"].as_str().map(PathBuf::from))?
}

/// Our error output, for the standard output of what only reports.
pub fn error_output() -> Result<Stdio> {
    let copy = io::stderr().as_fd().try_clone_to_owned().context("cannot copy the error output")?;
    Ok(copy.into())
}

/// Runs a command that has to succeed.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {}", describe(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", describe(command));
    }
    Ok(())
}

/// The standard output of a command that has to succeed.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", describe(command)))?;
    if !output.status.success() {
        bail!("{} failed ({})", describe(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} printed no valid text", describe(command)))
}

/// Becomes the command, so that its exit code and its signals are ours. Only returns when that is impossible.
pub fn become_it(mut command: Command) -> Error {
    let error = command.exec();
    Error::new(error).context(format!("cannot run {}", describe(&command)))
}

fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = [program].into_iter().chain(command.get_args());
    let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    format!("`{}`", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_package_is_not_passed_on() {
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_BIN_NAME", "OUT_DIR"] {
            assert!(describes_running_package(OsStr::new(name)), "{name}");
        }
        for name in ["CARGO", "CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_TERM_COLOR", "PATH", "RUSTFLAGS"] {
            assert!(!describes_running_package(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn executables_are_found_in_messages() {
        let message = r#"{"reason":"compiler-artifact","target":{"name":"a"},"executable":"/t/a"}"#;
        assert_eq!(executable_in_message(message, "a"), Some(PathBuf::from("/t/a")));
        assert_eq!(executable_in_message(message, "b"), None);
        let library = r#"{"reason":"compiler-artifact","target":{"name":"a"},"executable":null}"#;
        assert_eq!(executable_in_message(library, "a"), None);
        assert_eq!(executable_in_message("a warning", "a"), None);
    }

    #[test]
    fn failures_name_the_command() {
        let failure = run(Command::new("sh").args(["-c", "exit 3"])).unwrap_err().to_string();
        assert_eq!(failure, "`sh -c exit 3` failed (exit status: 3)");
        let failure = output(&mut Command::new("/nowhere/tool")).unwrap_err().to_string();
        assert_eq!(failure, "cannot run `tool`");
        assert_eq!(output(Command::new("sh").args(["-c", "echo text"])).unwrap(), "text\n");
    }

    #[test]
    fn the_workspace_is_two_folders_up() {
        assert!(Cargo::new().workspace().join("tools/xtask/Cargo.toml").exists());
    }
}
