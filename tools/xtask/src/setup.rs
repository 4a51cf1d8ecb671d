//! `cargo xtask setup`: installs what is missing.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::cargo::{error_output, run as run_command};
use crate::node;
use crate::packages::{self, Package, Situation};
use crate::root::Root;

/// What has to be done before anything can be built.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    Nothing,
    Install(Vec<Package>),
    /// Nothing that we could do: what to tell.
    Stop(String),
}

/// Installs what is missing to build, if anything is.
pub fn run() -> Result<bool> {
    install_missing(false)
}

/// Installs what is missing to build and to test.
pub fn run_for_tests() -> Result<bool> {
    install_missing(true)
}

fn install_missing(tests: bool) -> Result<bool> {
    let has_other_tools = packages::has_other_tools();
    let needed = packages::needed(Situation { has_other_tools, has_node: node::is_installed(), tests });
    let plan = if packages::in_path("apt-get") {
        plan_with_apt(packages::missing(&needed, &installed(&needed)), Root::find)
    } else {
        plan_without_apt(&needed.iter().copied().filter(|package| !packages::is_found(package)).collect::<Vec<_>>())
    };
    match plan {
        Plan::Nothing => Ok(false),
        Plan::Stop(reason) => bail!("{reason}"),
        Plan::Install(missing) => {
            let still_missing = || packages::missing(&missing, &installed(&missing));
            if let Err(error) = install(&missing) {
                // Another installation at the same time or a mirror's bad moment: what is left is tried once more.
                eprintln!("xtask: {error:#}");
                let left = still_missing();
                if !left.is_empty() {
                    install(&left)?;
                }
            }
            match still_missing() {
                left if left.is_empty() => Ok(true),
                left => bail!("apt-get reported success, but {} did not get installed", names(&left)),
            }
        }
    }
}

/// What dpkg knows of the packages; nothing of those it has never heard of.
fn installed(packages: &[Package]) -> String {
    let mut query = Command::new("dpkg-query");
    query.args(["-W", "-f", "${Package} ${db:Status-Abbrev}\n"]).args(packages.iter().map(|package| package.name));
    let output = query.stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

fn plan_with_apt(missing: Vec<Package>, root: impl FnOnce() -> Root) -> Plan {
    if missing.is_empty() {
        return Plan::Nothing;
    }
    if root() != Root::No {
        return Plan::Install(missing);
    }
    let names = names(&missing);
    Plan::Stop(format!(
        "these Debian packages are missing, and installing them needs root:\n{}Nothing has been changed. As root, run\n\n    \
         apt-get update && apt-get install --no-install-recommends {names}\n\nand then this command again.",
        list(&missing)
    ))
}

fn plan_without_apt(missing: &[Package]) -> Plan {
    let mut tools: Vec<_> = missing.iter().map(|package| package.elsewhere).collect();
    tools.dedup();
    match tools.as_slice() {
        [] => Plan::Nothing,
        tools => {
            let tools: String = tools.iter().map(|tool| format!("    {tool}\n")).collect();
            Plan::Stop(format!("there is no apt-get here. These are missing, please install them:\n{tools}"))
        }
    }
}

fn install(missing: &[Package]) -> Result<()> {
    let names = names(missing);
    eprint!("Installing Debian packages:\n{}", list(missing));
    if let Err(error) = apt_get(&["update", "-q"]) {
        // One unreachable source of several need not matter.
        eprintln!("xtask: {error:#}; trying to install with the package lists at hand");
    }
    let mut args = vec!["install", "-qy", "--no-install-recommends"];
    args.extend(missing.iter().map(|package| package.name));
    apt_get(&args).map_err(|error| {
        error.context(format!(
            "cannot install {names}. Debian 12 has them, with its security updates; elsewhere Solana's `cargo build-sbf` \
             and LLVM 22 do as well"
        ))
    })
}

fn apt_get(args: &[&str]) -> Result<()> {
    let Some(mut command) = Root::find().apt_get() else { bail!("apt-get needs root") };
    command.args(["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]).args(args).stdout(error_output()?);
    run_command(&mut command)
}

fn names(packages: &[Package]) -> String {
    let names: Vec<_> = packages.iter().map(|package| package.name).collect();
    names.join(" ")
}

fn list(packages: &[Package]) -> String {
    packages.iter().map(|package| format!("    {:<14}{}\n", package.name, package.purpose)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::PACKAGES;

    #[test]
    fn nobody_asks_for_root_when_nothing_is_missing() {
        assert_eq!(plan_with_apt(Vec::new(), || panic!("not to be asked")), Plan::Nothing);
    }

    #[test]
    fn root_installs() {
        let missing = PACKAGES[..2].to_vec();
        assert_eq!(plan_with_apt(missing.clone(), || Root::Already), Plan::Install(missing.clone()));
        assert_eq!(plan_with_apt(missing.clone(), || Root::Sudo), Plan::Install(missing));
    }

    #[test]
    fn without_root_the_command_to_run_is_named() {
        let Plan::Stop(text) = plan_with_apt(PACKAGES[..2].to_vec(), || Root::No) else { panic!() };
        assert!(text.contains("apt-get install --no-install-recommends rustc-web rust-web-src\n"), "{text}");
        assert!(text.contains(PACKAGES[0].purpose) && !text.contains("perl"), "{text}");
    }

    #[test]
    fn without_apt_each_tool_is_named_once() {
        assert_eq!(plan_without_apt(&[]), Plan::Nothing);
        let Plan::Stop(text) = plan_without_apt(&PACKAGES) else { panic!() };
        assert_eq!(text.matches("cargo build-sbf").count(), 1, "{text}");
        assert!(text.contains("LLVM 22") && text.contains("    make\n") && text.contains("    perl\n"), "{text}");
    }
}
