//! Compute units, locked accounts and transaction bytes of every instruction, on the compiled program.
//!
//! The runtime is LiteSVM with p-token. A figure is that of the whole transaction, with everything a user must send; the
//! transaction is versioned, with one lookup table. The baseline is `baseline.json` beside this file.

mod baseline;
mod measure;
mod shapes;

use anyhow::{Result, bail};
use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use measure::Measurement;

/// Measures every instruction and compares with the committed baseline
#[derive(Parser)]
struct Cli {
    /// Print an array of {instruction, collaterals, debts, compute_units, locks, bytes}
    #[arg(long)]
    json: bool,
    /// Write the figures as the new baseline instead of comparing
    #[arg(long)]
    update: bool,
    /// Measure only this instruction, and leave a register trace of it for `keel-sbf profile` in the folder that
    /// SBF_TRACE_DIR names
    #[arg(long, value_name = "INSTRUCTION", requires = "shape")]
    trace: Option<String>,
    /// Collateral positions, debt positions and feeds of the traced vault
    #[arg(long, num_args = 3, value_names = ["COLLATERALS", "DEBTS", "FEEDS"])]
    shape: Option<Vec<usize>>,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    if let (Some(instruction), Some([collaterals, debts, feeds])) = (&cli.trace, cli.shape.as_deref()) {
        return shapes::trace(instruction, (*collaterals, *debts, *feeds));
    }
    let measured = shapes::measure_all();
    if cli.json {
        println!("{}", serde_json::to_string_pretty(&measured)?);
    } else {
        print(&measured);
    }
    let mut complaints = baseline::over_ceilings(&measured);
    if cli.update {
        baseline::write(&measured)?;
    } else {
        complaints.extend(baseline::regressions(&measured)?);
    }
    if complaints.is_empty() {
        return Ok(());
    }
    bail!("{}", complaints.join("\n"))
}

fn print(measured: &[Measurement]) {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    table.set_header(["instruction", "collaterals", "debts", "compute units", "locks", "bytes"]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for m in measured {
        let numbers = [m.collaterals as u64, m.debts as u64, m.compute_units, m.locks as u64, m.bytes as u64];
        let mut row = vec![m.instruction.clone()];
        row.extend(numbers.map(|n| n.to_string()));
        table.add_row(row);
    }
    println!("{table}");
    for (name, units) in baseline::slopes(measured) {
        println!("{name}: {units} compute units for each further position");
    }
}
