//! What is generated from the program and committed: its IDL, and from that the TypeScript client.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cargo::{Cargo, run as run_command};
use crate::idl;
use crate::node::App;

/// Where the IDL is, for everybody who wants to talk to the program.
const IDL: &str = "idl/keel.json";
/// Where the client is.
const CLIENT: &str = "app/src/generated";

/// Writes both.
pub fn write(cargo: &Cargo, app: &App) -> Result<()> {
    let to = cargo.workspace();
    generate(cargo, app, &to.join(IDL), &to.join(CLIENT))
}

/// Fails when what is committed is not what would be generated now.
pub fn check(cargo: &Cargo, app: &App) -> Result<()> {
    let folder = cargo.target_folder()?.join("generated");
    let (fresh_idl, fresh_client) = (folder.join("keel.json"), folder.join("client"));
    generate(cargo, app, &fresh_idl, &fresh_client)?;
    let mut stale = Vec::new();
    if fs::read(cargo.workspace().join(IDL)).ok() != Some(fs::read(&fresh_idl)?) {
        stale.push(IDL.to_owned());
    }
    stale.extend(differing(&files(&cargo.workspace().join(CLIENT))?, &files(&fresh_client)?));
    if stale.is_empty() {
        return Ok(());
    }
    let list: String = stale.iter().map(|name| format!("\n    {name}")).collect();
    bail!("these are not what the program says now:{list}\nRun `cargo xtask generate` and commit what it writes")
}

fn generate(cargo: &Cargo, app: &App, idl: &Path, client: &Path) -> Result<()> {
    let text = idl::build(cargo)?;
    if let Some(folder) = idl.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(idl, text).with_context(|| format!("cannot write {}", idl.display()))?;
    run_command(&mut app.node(&[Path::new("scripts/generate.mjs"), idl, client])?)
}

/// The files under a folder, by their path in it.
fn files(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(one) = folders.pop() {
        let entries = fs::read_dir(&one).with_context(|| format!("cannot read {}", one.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder)?.to_owned(), fs::read(&path)?);
            }
        }
    }
    Ok(found)
}

/// The names of files that are in one of both only, or not alike in both.
fn differing(committed: &BTreeMap<PathBuf, Vec<u8>>, fresh: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<String> {
    let mut names: Vec<_> = committed.keys().chain(fresh.keys()).collect();
    names.sort();
    names.dedup();
    names.retain(|name| committed.get(*name) != fresh.get(*name));
    names.into_iter().map(|name| format!("{CLIENT}/{}", name.display())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_changed_and_left_over_files_are_stale() {
        let files = |list: &[(&str, &str)]| -> BTreeMap<PathBuf, Vec<u8>> {
            list.iter().map(|(name, text)| (PathBuf::from(name), text.as_bytes().to_vec())).collect()
        };
        let committed = files(&[("same.ts", "a"), ("changed.ts", "a"), ("left/over.ts", "a")]);
        let fresh = files(&[("same.ts", "a"), ("changed.ts", "b"), ("missing.ts", "a")]);
        let expected = ["changed.ts", "left/over.ts", "missing.ts"].map(|name| format!("{CLIENT}/{name}"));
        assert_eq!(differing(&committed, &fresh), expected);
        assert_eq!(differing(&fresh, &fresh), [""; 0]);
    }

    #[test]
    fn files_are_found_in_all_folders() {
        let found = files(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert!(found.contains_key(Path::new("Cargo.toml")) && found.contains_key(Path::new("src/generate.rs")));
    }
}
