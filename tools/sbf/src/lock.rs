//! One process at a time in a folder.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};

/// Waits until no other process has `folder`, which is created if there is none, and has it until the file is dropped.
pub fn folder(folder: &Path) -> Result<File> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let path = folder.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}
