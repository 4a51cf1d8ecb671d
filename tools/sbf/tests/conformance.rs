//! Compares the conformance program, run by a Solana runtime, with the host, on random inputs of every operation.
//!
//! `KEEL_SEED` changes the inputs, `KEEL_INPUTS` their number for each operation, `KEEL_OPERATION` selects operations
//! whose name contains it.

#[path = "common/chain.rs"]
mod chain;
mod common;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use chain::Chain;
use common::{keel_sbf_build, scratch_folder};
use keel_sbf_conformance::{Input, Output, RETURN_BYTES, Request, ops};

const SEED: u64 = 0x6b65_656c;
const INPUTS: u32 = 10_000;
/// Inputs in one transaction: few enough that a transaction does not take long, many enough that starting it is cheap.
const BATCH: u32 = 1_000;

#[test]
fn the_program_computes_what_the_host_does() {
    let seed = number_from("KEEL_SEED").unwrap_or(SEED);
    let inputs = number_from("KEEL_INPUTS").map_or(INPUTS, |n| n as u32);
    let selection = std::env::var("KEEL_OPERATION").unwrap_or_default();
    let program = conformance_program();
    let selected = |name: &str| name.contains(&selection) && name != ops::PANICS;
    let operations: Vec<u32> =
        (0..).zip(ops::all()).filter(|(_, operation)| selected(operation.name)).map(|(number, _)| number).collect();

    let started = Instant::now();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let mut chain = Chain::new(program);
                while let Some(operation) = operations.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(difference) = compare(&mut chain, *operation, seed, inputs) {
                        failures.lock().expect("no worker panicked while it reported").push(difference);
                    }
                }
            });
        }
    });

    let count = operations.len();
    println!("{count} operations on {inputs} inputs each, seed {seed:#x}, {:.1} s", started.elapsed().as_secs_f64());
    let failures = failures.into_inner().expect("no worker panicked while it reported");
    assert!(failures.is_empty(), "{} of {count} operations differ:\n{}", failures.len(), failures.join("\n"));
    assert!(count > 0, "no operation has {selection:?} in its name");
}

/// Plain arithmetic has to panic where it overflows, because the workspace's profile checks it.
#[test]
fn overflow_panics_on_chain() {
    let mut chain = Chain::new(conformance_program());
    let past_the_end = Request { operation: u32::MAX, first: 0, count: 1, raw: false, seed: 0 };
    let (error, logs) = chain.run(past_the_end).expect_err("there is no such operation");
    assert!(error.contains("Custom(3)"), "{error}: {logs:?}");
    let operation = ops::all().position(|op| op.name == ops::PANICS).expect("it is in the table") as u32;
    let (_, logs) = chain.run(Request { operation, count: 64, ..past_the_end }).expect_err("the sum overflows");
    let panic = logs.iter().find(|line| line.contains("panicked at")).expect("the panic is logged");
    assert!(
        panic.contains("tools/sbf/conformance/src/ops/") && panic.contains("attempt to add with overflow"),
        "{panic}"
    );
}

/// The conformance program, built from its place in the workspace when the first test asks for it.
fn conformance_program() -> &'static [u8] {
    static PROGRAM: OnceLock<Vec<u8>> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
        let out = scratch_folder("conformance");
        let status = keel_sbf_build(&folder, &out).status().expect("the tool starts");
        assert!(status.success(), "the conformance program was not built");
        fs::read(out.join("keel_sbf_conformance.so")).expect("the tool wrote the program")
    })
}

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    let number = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    Some(number.unwrap_or_else(|_| panic!("{variable} is not a number: {text}")))
}

/// Compares one operation on all inputs, in batches.
fn compare(chain: &mut Chain, operation: u32, seed: u64, inputs: u32) -> Result<(), String> {
    for first in (0..inputs).step_by(BATCH as usize) {
        let count = BATCH.min(inputs - first);
        let request = Request { operation, first, count, raw: false, seed };
        if !agrees(chain, request) {
            let first = first_difference(chain, request);
            return Err(explain(chain, first));
        }
    }
    Ok(())
}

fn agrees(chain: &mut Chain, request: Request) -> bool {
    chain.run(request).is_ok_and(|bytes| bytes == on_host(request).hash.to_le_bytes())
}

fn on_host(request: Request) -> Output {
    request.run(|| ()).expect("the operation exists")
}

/// Halves a batch that differs until one input is left.
fn first_difference(chain: &mut Chain, request: Request) -> Request {
    if request.count == 1 {
        return request;
    }
    let half = request.count / 2;
    let left = Request { count: half, ..request };
    let right = Request { first: request.first + half, count: request.count - half, ..request };
    let differing = if agrees(chain, left) { right } else { left };
    first_difference(chain, differing)
}

/// Operation, inputs, expected and computed output of a single input.
fn explain(chain: &mut Chain, request: Request) -> String {
    let request = Request { raw: true, ..request };
    let operation = ops::all().nth(request.operation as usize).expect("the operation exists");
    let mut input = Input::new(request.seed, request.operation, request.first);
    let mut output = Output::new(true);
    (operation.run)(&mut input, &mut output);
    let mut expected = output.bytes.unwrap_or_default();
    expected.truncate(RETURN_BYTES);
    let got = match chain.run(request) {
        Ok(bytes) => words(&bytes),
        Err((error, logs)) => format!("{error}\n    {}", logs.join("\n    ")),
    };
    format!(
        "{}, input {} (seed {:#x}):\n  inputs   {}\n  expected {}\n  got      {got}",
        operation.name,
        request.first,
        request.seed,
        input.drawn.join(", "),
        words(&expected),
    )
}

fn words(bytes: &[u8]) -> String {
    let words: Vec<String> = bytes
        .chunks(8)
        .map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            format!("{:x}", u64::from_le_bytes(word))
        })
        .collect();
    words.join(" ")
}
