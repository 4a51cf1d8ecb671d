//! Every error code of the program is expected by some test here.

use std::path::{Path, PathBuf};

/// Codes that no transaction can produce, and why.
const UNREACHABLE: [&str; 1] = [
    // A reserve takes a price of every feed when it is listed, and every reserve has a feed.
    "PriceNeverAccepted",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.file_name().is_some_and(|name| name != "codes.rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_error_code_is_expected_by_a_test() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["instructions", "scenarios"] {
        sources(&tests.join(folder), &mut found);
    }
    let text: String = found.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let errors = include_str!("../../programs/keel/src/errors.rs");
    let definition = errors.split_once("pub enum KeelError {").unwrap().1.split_once("\n}").unwrap().0;
    let names: Vec<&str> =
        definition.lines().filter_map(|line| line.trim().split_once(" = ")).map(|(n, _)| n).collect();
    assert!(names.len() > 60 && names.contains(&"Overflow"));
    let mentioned = |name: &&str| {
        text.match_indices(*name).any(|(at, _)| !text[at + name.len()..].starts_with(|c: char| c.is_alphanumeric()))
    };
    let missing: Vec<&str> = names.into_iter().filter(|name| !mentioned(name)).collect();
    assert_eq!(missing, UNREACHABLE);
}
