//! The same sources give the same bytes, wherever they lie.

mod common;

use std::fs;
use std::path::Path;

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

/// A workspace of its own around a copy of the conformance program, built from nothing.
fn build_copy_in(folder: &Path) -> Vec<u8> {
    fs::remove_dir_all(folder).ok();
    let package = folder.join("program");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/src"), &package.join("src"));
    fs::write(folder.join("Cargo.toml"), WORKSPACE).expect("the scratch folder can be written to");
    fs::write(package.join("Cargo.toml"), PACKAGE).expect("the scratch folder can be written to");
    let out = folder.join("out");
    let status = keel_sbf_build(&package, &out).env("CARGO_TARGET_DIR", folder.join("target")).status();
    assert!(status.expect("the tool starts").success(), "the copy was not built");
    fs::read(out.join("program.so")).expect("the tool wrote the program")
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
