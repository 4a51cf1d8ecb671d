//! Rust's library sources, taught the target os `solana`.
//!
//! What changes, and why:
//! - alloc: a program brings its own `#[global_allocator]`; there is no system heap.
//! - io errors, randomness, thread locals: the "unsupported" variants that std already has for such targets.
//! - panic: straight to the `custom_panic` that `solana-program-entrypoint` defines, then abort. std's own path keeps
//!   counters in writable globals, which SBPF does not load.
//! - `RandomState`: fixed keys. There is no entropy on chain, and std caches the keys in a writable global.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// One replacement of a text that has to be there.
struct Edit {
    file: &'static str,
    find: &'static str,
    put: &'static str,
}

const ANY_VEXOS: &str = "target_os = \"vexos\"";
const VEXOS_OR_SOLANA: &str = "any(target_os = \"vexos\", target_os = \"solana\")";
const IMMEDIATE_ABORT: &str = "cfg!(panic = \"immediate-abort\")";
const IMMEDIATE_ABORT_OR_SOLANA: &str = "cfg!(any(panic = \"immediate-abort\", target_os = \"solana\"))";

const EDITS: &[Edit] = &[
    Edit { file: "std/src/sys/io/error/mod.rs", find: ANY_VEXOS, put: VEXOS_OR_SOLANA },
    Edit { file: "std/src/sys/thread_local/mod.rs", find: ANY_VEXOS, put: VEXOS_OR_SOLANA },
    Edit { file: "std/src/sys/random/mod.rs", find: ANY_VEXOS, put: VEXOS_OR_SOLANA },
    // The smallest alignment that an allocator has to give.
    Edit {
        file: "std/src/sys/alloc/mod.rs",
        find: "    target_arch = \"riscv32\",\n    target_arch = \"xtensa\",\n",
        put: "    target_arch = \"riscv32\",\n    target_arch = \"xtensa\",\n    target_arch = \"bpf\",\n",
    },
    Edit {
        file: "std/src/sys/alloc/mod.rs",
        find: "    target_os = \"hermit\" => {\n",
        put: "    target_os = \"solana\" => {\n        mod solana;\n    }\n    target_os = \"hermit\" => {\n",
    },
    Edit { file: "std/src/alloc.rs", find: IMMEDIATE_ABORT, put: IMMEDIATE_ABORT_OR_SOLANA },
    Edit { file: "std/src/panicking.rs", find: IMMEDIATE_ABORT, put: IMMEDIATE_ABORT_OR_SOLANA },
    Edit {
        file: "std/src/panicking.rs",
        find: "pub fn panic_handler(info: &core::panic::PanicInfo<'_>) -> ! {\n",
        put: "pub fn panic_handler(info: &core::panic::PanicInfo<'_>) -> ! {
    #[cfg(target_os = \"solana\")]
    {
        unsafe extern \"Rust\" { fn custom_panic(info: &core::panic::PanicInfo<'_>); }
        unsafe { custom_panic(info) };
        crate::process::abort();
    }
    #[allow(unreachable_code)]
",
    },
    Edit {
        file: "std/src/hash/random.rs",
        find: "pub fn new() -> RandomState {\n",
        put: "pub fn new() -> RandomState {
        if cfg!(target_os = \"solana\") {
            return RandomState { k0: 0x9e37_79b9_7f4a_7c15, k1: 0xd1b5_4a32_d192_ed03 };
        }
",
    },
];

const ALLOCATOR_FILE: &str = "std/src/sys/alloc/solana.rs";
const ALLOCATOR: &str = "use crate::alloc::{GlobalAlloc, Layout, System};
#[stable(feature = \"alloc_system_type\", since = \"1.28.0\")]
unsafe impl GlobalAlloc for System {
    #[inline]
    unsafe fn alloc(&self, _layout: Layout) -> *mut u8 { crate::ptr::null_mut() }
    #[inline]
    unsafe fn dealloc(&self, _ptr: *mut u8, _layout: Layout) {}
}
";

/// Copies the library of `rust_source` (`.../lib/rustlib/src/rust`) into `out`, edited.
pub fn create(rust_source: &Path, out: &Path) -> Result<()> {
    copy_folder(&rust_source.join("library"), &out.join("library"))?;
    let library = out.join("library");
    for edit in EDITS {
        let path = library.join(edit.file);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        write(&path, &apply(&text, edit)?)?;
    }
    write(&library.join(ALLOCATOR_FILE), ALLOCATOR)
}

/// What distinguishes this overlay of these sources from another one.
pub fn fingerprint(rust_source: &Path) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    for edit in EDITS {
        let path = rust_source.join("library").join(edit.file);
        all.extend(fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?);
        all.extend([edit.file, edit.find, edit.put].concat().into_bytes());
    }
    all.extend(fs::read(rust_source.join("library/Cargo.lock")).unwrap_or_default());
    all.extend([ALLOCATOR_FILE, ALLOCATOR].concat().into_bytes());
    Ok(all)
}

fn apply(text: &str, edit: &Edit) -> Result<String> {
    if !text.contains(edit.find) {
        bail!(
            "library/{}: the text to be replaced is not there, so these are not the sources that the edits were written \
             for (Rust 1.96): {:?}",
            edit.file,
            edit.find
        );
    }
    Ok(text.replace(edit.find, edit.put))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        // Debian links some files to where they belong by its own rules: the copy has the contents.
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).with_context(|| format!("cannot copy {}", entry.path().display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_replaces_every_occurrence() {
        let edit = Edit { file: "x", find: "a", put: "b" };
        assert_eq!(apply("a-a", &edit).unwrap(), "b-b");
    }

    #[test]
    fn an_edit_without_its_text_is_an_error() {
        let edit = Edit { file: "std/src/x.rs", find: "absent", put: "" };
        let message = apply("text", &edit).unwrap_err().to_string();
        assert!(message.contains("std/src/x.rs") && message.contains("absent"), "{message}");
    }
}
