//! The lists of which test covers which sentence of the specification, and which shows that an attack fails, name tests that
//! exist.

use std::path::Path;

#[test]
fn every_test_that_the_coverage_names_exists() {
    require_tests("coverage-of-the-spec.md", 1, 150);
}

#[test]
fn every_test_that_the_threats_name_exists() {
    require_tests("threats.md", 2, 40);
}

/// Asserts that the tests in a column of the tables of a document exist, and that they are `least` or more.
fn require_tests(document: &str, column: usize, least: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let list = std::fs::read_to_string(root.join("docs/developers").join(document)).unwrap();
    let rows = list.lines().filter(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.split(" | ").nth(column));
    let names: Vec<&str> = cells.flat_map(|tests| tests.split('`').skip(1).step_by(2)).collect();
    assert!(names.len() > least, "{} tests are named", names.len());
    let mut missing = Vec::new();
    for name in names {
        let (module, test) = name.split_once("::").unwrap_or((name, ""));
        let file = match module.strip_prefix("risk/") {
            Some(module) => root.join("crates/risk/src").join(module),
            None => root.join("tests").join(module),
        };
        let source = std::fs::read_to_string(file.with_extension("rs")).unwrap_or_default();
        if source.is_empty() || !source.contains(&if test.is_empty() { String::new() } else { format!("fn {test}(") }) {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}
