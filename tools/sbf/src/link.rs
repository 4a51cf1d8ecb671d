//! What rustc calls as its linker: LLVM bitcode in, a loadable SBPF v0 program out.
//!
//! The target makes rustc write bitcode instead of objects. The linker merges it, optimizes it as one program, lowers
//! it to what the BPF back end knows, compiles it and turns the object into the ELF layout that Solana loads.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use object::read::archive::ArchiveFile;
use sbpf_linker::{OptimizationConfig, ProgramOptions, SbpfArch, SbpfLinkerError, link_program};

use crate::ir::{Diagnostic, Machine, Module, STACK_FRAME_BYTES};
use crate::lower;
use crate::symbols;
use crate::verify::{self, Refusal};

const BITCODE_MAGIC: &[u8] = b"BC\xc0\xde";
const ENTRYPOINT: &str = "entrypoint";
/// What the crate `solana-security-txt` leaves in a program for people who find a hole in it. Nothing refers to it.
const SECURITY_TXT: &str = "SECURITY_TXT";

/// A finished program, and the object it was made from, which has the symbols that the program lacks.
pub struct Program {
    pub elf: Vec<u8>,
    pub object: Vec<u8>,
}

/// Bitcode and where it came from.
pub struct Input {
    pub name: String,
    pub bitcode: Vec<u8>,
}

/// Runs as rustc's linker, with the arguments after the program name.
pub fn run_as_linker(args: impl Iterator<Item = OsString>) -> Result<()> {
    let request = Request::parse(args)?;
    match build(&request) {
        Ok(program) => {
            write(&request.output, &program.elf)?;
            write(&debug_object_path(&request.output), &program.object)
        }
        Err(error) => {
            // rustc wraps a linker's message in a long command line: the driver shows this file instead.
            fs::write(error_path(&request.output), format!("{error:#}")).ok();
            Err(error)
        }
    }
}

/// Where the linker leaves the object with symbols, next to the program.
pub fn debug_object_path(program: &Path) -> PathBuf {
    program.with_extension("debug.o")
}

/// Where the linker leaves its error message.
pub fn error_path(program: &Path) -> PathBuf {
    program.with_extension("link-error")
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

fn build(request: &Request) -> Result<Program> {
    link(&request.read_inputs()?)
}

/// What rustc asks for, as far as it matters here.
struct Request {
    output: PathBuf,
    objects: Vec<PathBuf>,
    archives: Vec<PathBuf>,
}

impl Request {
    fn parse(args: impl Iterator<Item = OsString>) -> Result<Request> {
        let mut args = expand_response_files(args)?.into_iter();
        let (mut output, mut objects, mut archives) = (None, Vec::new(), Vec::new());
        while let Some(arg) = args.next() {
            if arg == "-o" {
                output = args.next().map(PathBuf::from);
            } else if arg.as_encoded_bytes().starts_with(b"-") {
                continue;
            } else if Path::new(&arg).extension().is_some_and(|e| e == "rlib" || e == "a") {
                archives.push(PathBuf::from(arg));
            } else if Path::new(&arg).extension().is_some_and(|e| e == "o") {
                objects.push(PathBuf::from(arg));
            }
        }
        // rustc's order depends on hashes in the names of crates; that of the names alone is the same everywhere.
        archives.sort_by_key(|path| crate_name(path));
        let output = output.context("the linker was called without -o")?;
        Ok(Request { output, objects, archives })
    }

    /// The bitcode of all objects and archive members. Other files (metadata, lists of symbols) are left out.
    fn read_inputs(&self) -> Result<Vec<Input>> {
        let mut inputs = Vec::new();
        for path in &self.objects {
            let data = read(path)?;
            if data.starts_with(BITCODE_MAGIC) {
                inputs.push(Input { name: path.display().to_string(), bitcode: data });
            }
        }
        for path in &self.archives {
            let data = read(path)?;
            let context = || format!("cannot read the archive {}", path.display());
            let archive = ArchiveFile::parse(&*data).with_context(context)?;
            for member in archive.members() {
                let member = member.with_context(context)?;
                let bytes = member.data(&*data).with_context(context)?;
                if bytes.starts_with(BITCODE_MAGIC) {
                    let name = format!("{}({})", path.display(), String::from_utf8_lossy(member.name()));
                    inputs.push(Input { name, bitcode: bytes.to_vec() });
                }
            }
        }
        Ok(inputs)
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// `libfoo-0123456789abcdef.rlib` is the crate `foo`.
fn crate_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.strip_prefix("lib").unwrap_or(&stem);
    stem.rsplit_once('-').map_or(stem, |(name, _)| name).to_owned()
}

/// rustc puts long command lines into a file, one argument a line, with a backslash before spaces and backslashes.
fn expand_response_files(args: impl Iterator<Item = OsString>) -> Result<Vec<OsString>> {
    let mut expanded = Vec::new();
    for arg in args {
        match arg.to_str().and_then(|text| text.strip_prefix('@')) {
            None => expanded.push(arg),
            Some(file) => {
                let text = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
                expanded.extend(text.lines().map(|line| OsString::from(unescape(line))));
            }
        }
    }
    Ok(expanded)
}

fn unescape(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

/// From bitcode to a program.
pub fn link(inputs: &[Input]) -> Result<Program> {
    let module = Module::new("program")?;
    for input in inputs {
        module.link(&input.bitcode, &input.name)?;
    }
    module.strip_debug_info();
    let object = compile(&module, &[ENTRYPOINT, SECURITY_TXT])?;
    let elf = relink(&object)?;
    Ok(Program { elf, object })
}

/// Optimizes and lowers a whole program whose entry points are `exports`, and compiles it to an object.
pub fn compile(module: &Module, exports: &[&str]) -> Result<Vec<u8>> {
    let machine = Machine::new()?;
    let exported: Vec<String> = exports.iter().map(|name| (*name).to_owned()).collect();
    let runtime = lower::MEMORY_FUNCTIONS.iter().map(|name| (*name).to_owned()).chain(lower::runtime_functions());
    let kept: Vec<String> = exported.iter().cloned().chain(runtime).collect();
    module.run_passes(&machine, &format!("{},globaldce,lto<O2>", internalize(&kept)))?;
    refuse(verify::check_source(module))?;
    module.run_passes(&machine, "function(lower-atomic)")?;
    refuse(lower::lower(module)?)?;
    // No pass that could bring back what was lowered.
    let cleanup = "globaldce,function(sroa,early-cse,simplifycfg,adce),globaldce";
    module.run_passes(&machine, &format!("{},{cleanup}", internalize(&exported)))?;
    module.verify()?;
    refuse(verify::check_lowered(module))?;
    for function in module.functions() {
        function.add_text_attribute(module, "warn-stack-size", &STACK_FRAME_BYTES.to_string());
    }
    let object = module.emit_object(&machine);
    refuse(module.take_diagnostics().iter().filter_map(refusal_from).collect())?;
    object
}

fn internalize(keep: &[String]) -> String {
    let list: Vec<String> = keep.iter().map(|name| format!("preserve-gv={name}")).collect();
    format!("internalize<{}>", list.join(";"))
}

fn refuse(refusals: Vec<Refusal>) -> Result<()> {
    if refusals.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    bail!("this program cannot be built for SBPF:\n  {}", lines.join("\n  "))
}

/// The code generator's complaint about a function, of which a too large frame is the usual one.
fn refusal_from(diagnostic: &Diagnostic) -> Option<Refusal> {
    if let Some((size, symbol)) = parse_stack_size(&diagnostic.text) {
        let limit = STACK_FRAME_BYTES;
        return Some(Refusal::named(symbol, format!("needs a stack frame of {size} bytes; SBPF has {limit}")));
    }
    // LLVM reports an exceeded frame a second time, without its size.
    let repeated = diagnostic.text.contains("BPF stack limit");
    (diagnostic.is_error && !repeated)
        .then(|| Refusal::named("the code generator", symbols::demangle_in(&diagnostic.text)))
}

/// `stack frame size (5000) exceeds limit (4096) in function 'name'`
fn parse_stack_size(text: &str) -> Option<(u64, &str)> {
    let rest = text.split_once("stack frame size (")?.1;
    let (size, rest) = rest.split_once(')')?;
    let name = rest.split_once("in function '")?.1.strip_suffix('\'')?;
    Some((size.parse().ok()?, name))
}

/// Lays the object out as a program.
fn relink(object: &[u8]) -> Result<Vec<u8>> {
    let options = ProgramOptions::new(OptimizationConfig::default(), SbpfArch::V0, STACK_FRAME_BYTES);
    link_program(object, options)
        .map_err(|errors| anyhow::anyhow!("cannot lay out the program: {}", SbpfLinkerError::format_errors(&errors)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_size_messages() {
        let text = "stack frame size (5000) exceeds limit (4096) in function '_ZN1a1bE'";
        assert_eq!(parse_stack_size(text), Some((5000, "_ZN1a1bE")));
        assert_eq!(parse_stack_size("something else"), None);
    }

    #[test]
    fn crate_names_have_no_hash() {
        assert_eq!(crate_name(Path::new("/x/libfoo_bar-0123456789abcdef.rlib")), "foo_bar");
        assert_eq!(crate_name(Path::new("libfoo.rlib")), "foo");
    }

    #[test]
    fn response_files_are_unescaped() {
        assert_eq!(unescape(r"/a\ b\\c"), r"/a b\c");
    }

    #[test]
    fn arguments_of_rustc() {
        let args = ["-o", "out.so", "b.o", "libz-1.rlib", "liba-2.rlib", "--cpu", "v2"];
        let request = Request::parse(args.iter().map(OsString::from)).unwrap();
        assert_eq!(request.output, Path::new("out.so"));
        assert_eq!(request.objects, [Path::new("b.o")]);
        assert_eq!(request.archives, [Path::new("liba-2.rlib"), Path::new("libz-1.rlib")]);
    }
}
