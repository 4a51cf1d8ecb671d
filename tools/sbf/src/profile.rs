//! `keel-sbf profile`: where the compute units of a transaction go, by function.
//!
//! LiteSVM with its feature `register-tracing` writes, for every instruction that a program executes, the registers to
//! a file in the folder that `SBF_TRACE_DIR` names. The last register is the number of the instruction; the object with
//! symbols says which function it belongs to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};
use serde_json::json;

use crate::symbols::demangle;

const REGISTER_BYTES: usize = 8;
/// Twelve registers, the last of which is the program counter.
const RECORD_BYTES: usize = 12 * REGISTER_BYTES;
const INSTRUCTION_BYTES: u64 = 8;

/// What to show.
pub struct Profile {
    pub program: PathBuf,
    pub traces: Vec<PathBuf>,
    pub top: usize,
    pub json: bool,
}

/// A function and where it starts in the program's text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Function {
    start: u64,
    name: String,
}

/// What one function did in a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Spent {
    instructions: u64,
    entries: u64,
}

/// The text that answers, in lines or as JSON.
pub fn run(profile: &Profile) -> Result<String> {
    let functions = functions(&profile.program)?;
    let mut text = String::new();
    let mut reports = Vec::new();
    for path in &profile.traces {
        let trace = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let total = trace.len() / RECORD_BYTES;
        let rows = count(&functions, &trace).with_context(|| path.display().to_string())?;
        let shown = &rows[..rows.len().min(profile.top)];
        if profile.json {
            let rows: Vec<_> = shown
                .iter()
                .map(|(name, s)| json!({"function": name, "instructions": s.instructions, "entries": s.entries}))
                .collect();
            reports.push(json!({"trace": path, "instructions": total, "functions": rows}));
            continue;
        }
        text += &format!("{}: {total} instructions (system calls and calls of programs not counted)\n", path.display());
        for (name, spent) in shown {
            text += &format!("{:8} {:6}x {name}\n", spent.instructions, spent.entries);
        }
    }
    if profile.json {
        text = serde_json::to_string_pretty(&reports)? + "\n";
    }
    Ok(text)
}

/// The functions of an object, by their place in the program: its text sections stand one after the other.
fn functions(path: &Path) -> Result<Vec<Function>> {
    let data = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let object = object::File::parse(&*data).with_context(|| format!("cannot read {}", path.display()))?;
    let mut bases = BTreeMap::new();
    let mut size = 0;
    for section in object.sections().filter(|s| s.name().is_ok_and(|name| name.starts_with(".text"))) {
        // In a linked file, symbols are addresses; in an object, offsets in their section.
        bases.insert(section.index().0, size - section.address() as i64);
        size += section.size() as i64;
    }
    let mut functions = Vec::new();
    for symbol in object.symbols().filter(|s| s.kind() == SymbolKind::Text) {
        if let Some(base) = symbol.section_index().and_then(|index| bases.get(&index.0)) {
            let start = (base + symbol.address() as i64) as u64;
            functions.push(Function { start, name: demangle(symbol.name()?) });
        }
    }
    functions.sort_by(|a, b| (a.start, &a.name).cmp(&(b.start, &b.name)));
    functions.dedup_by_key(|function| function.start);
    if functions.is_empty() {
        bail!("{} has no symbols of functions", path.display());
    }
    Ok(functions)
}

/// Instructions and entries of every function in a trace, the most expensive first.
fn count(functions: &[Function], trace: &[u8]) -> Result<Vec<(String, Spent)>> {
    if !trace.len().is_multiple_of(RECORD_BYTES) {
        bail!("the trace is not a whole number of records");
    }
    let mut spent: BTreeMap<&str, Spent> = BTreeMap::new();
    for record in trace.chunks_exact(RECORD_BYTES) {
        let mut counter = [0; REGISTER_BYTES];
        counter.copy_from_slice(&record[RECORD_BYTES - REGISTER_BYTES..]);
        let offset = u64::from_le_bytes(counter) * INSTRUCTION_BYTES;
        let after = functions.partition_point(|function| function.start <= offset);
        let Some(function) = after.checked_sub(1).map(|index| &functions[index]) else {
            bail!("an instruction lies before the first function: the object is not the traced program's");
        };
        let row = spent.entry(&function.name).or_default();
        row.instructions += 1;
        row.entries += u64::from(offset == function.start);
    }
    let mut rows: Vec<_> = spent.into_iter().map(|(name, spent)| (name.to_owned(), spent)).collect();
    rows.sort_by(|(a, x), (b, y)| y.instructions.cmp(&x.instructions).then(a.cmp(b)));
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(instruction: u64) -> Vec<u8> {
        let mut bytes = vec![0; RECORD_BYTES - REGISTER_BYTES];
        bytes.extend(instruction.to_le_bytes());
        bytes
    }

    #[test]
    fn instructions_are_counted_by_function() {
        let functions = [Function { start: 0, name: "a".into() }, Function { start: 16, name: "b".into() }];
        let trace: Vec<u8> = [0, 1, 2, 3, 2, 4].into_iter().flat_map(record).collect();
        let rows = count(&functions, &trace).unwrap();
        assert_eq!(
            rows,
            [("b".into(), Spent { instructions: 4, entries: 2 }), ("a".into(), Spent { instructions: 2, entries: 1 })]
        );
    }

    #[test]
    fn a_broken_trace_is_an_error() {
        assert!(count(&[], &[0; 5]).is_err());
        assert!(count(&[], &record(0)).is_err());
    }
}
