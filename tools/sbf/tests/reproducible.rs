//! The same sources give the same bytes, wherever they lie and whatever else is being built.

mod common;

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use common::{keel_sbf_build, scratch_folder};

/// The conformance program is copied, so that neither the workspace nor its target folder is shared.
#[test]
fn two_folders_give_the_same_program() {
    let scratch = scratch_folder("reproducible");
    let programs = ["here", "somewhere/else/entirely"].map(|place| build_copy_in(&scratch.join(place)));
    assert!(!programs[0].is_empty());
    assert!(programs[0] == programs[1], "the programs differ");
    let text = String::from_utf8_lossy(&programs[0]).into_owned();
    for folder in [scratch.as_path(), Path::new(env!("CARGO_MANIFEST_DIR"))] {
        assert!(!text.contains(&*folder.to_string_lossy()), "the program names {}", folder.display());
    }
}

/// Builds that share a target folder and a destination, as those of tests in several processes do.
#[test]
fn builds_at_the_same_time_leave_a_whole_program() {
    let folder = scratch_folder("at-once");
    let whole = build_copy_in(&folder);
    let program = folder.join("out/program.so");
    // Open until the end, so that no later file gets its number.
    let before = File::open(&program).expect("it was built");
    let mut builds: Vec<Child> = (0..3).map(|_| build_in(&folder).spawn().expect("the tool starts")).collect();
    while builds.iter_mut().any(|build| build.try_wait().expect("it can be asked").is_none()) {
        assert!(fs::read(&program).expect("there is a program at any time") == whole, "a part of a program");
        sleep(Duration::from_millis(1));
    }
    for build in &mut builds {
        assert!(build.wait().expect("it has ended").success(), "a build among others failed");
    }
    assert!(fs::read(&program).expect("it was built") == whole, "the programs differ");
    let [before, after] = [before.metadata(), fs::metadata(&program)].map(|file| file.expect("it was built").ino());
    assert_ne!(before, after, "the file was written over, under the eyes of whoever reads it");
    let left: Vec<_> =
        fs::read_dir(folder.join("out")).expect("it is there").map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "the program and its object are all that is left: {left:?}");
}

/// A workspace of its own around a copy of the conformance program, built from nothing.
fn build_copy_in(folder: &Path) -> Vec<u8> {
    fs::remove_dir_all(folder).ok();
    let package = folder.join("program");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/src"), &package.join("src"));
    fs::write(folder.join("Cargo.toml"), WORKSPACE).expect("the scratch folder can be written to");
    fs::write(package.join("Cargo.toml"), PACKAGE).expect("the scratch folder can be written to");
    assert!(build_in(folder).status().expect("the tool starts").success(), "the copy was not built");
    fs::read(folder.join("out/program.so")).expect("the tool wrote the program")
}

fn build_in(folder: &Path) -> Command {
    let mut build = keel_sbf_build(&folder.join("program"), &folder.join("out"));
    build.env("CARGO_TARGET_DIR", folder.join("target"));
    build
}

const WORKSPACE: &str = "[workspace]
resolver = \"3\"
members = [\"program\"]

[profile.release]
overflow-checks = true
";

/// Without the host's dependency, so that nothing has to be downloaded.
const PACKAGE: &str = "[package]
name = \"program\"
version = \"0.0.0\"
edition = \"2024\"

[lib]
crate-type = [\"cdylib\"]
";

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the scratch folder can be written to");
    for entry in fs::read_dir(from).expect("the sources are there") {
        let entry = entry.expect("the sources can be listed");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("the sources can be copied");
        }
    }
}
