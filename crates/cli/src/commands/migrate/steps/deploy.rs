//! 0001: the program is deployed, and is the one of the deployment file.

use crate::BadInput;
use crate::commands::migrate::loader::{self, Buffer, hash};
use crate::commands::migrate::{Action, Site, Task};
use anyhow::Result;
use keel_client::keel;

pub fn precondition(site: &Site<'_>) -> Result<()> {
    site.deployment.elf()?;
    if loader::deployed(&*site.context.transport, &keel::ID)?.is_some() {
        return Ok(());
    }
    let signer = site.program.as_ref().map(|program| program.try_pubkey()).transpose()?;
    match signer {
        Some(key) if key == keel::ID => Ok(()),
        Some(key) => Err(BadInput::error(format!(
            "program.keypair is that of {key}, but the program is compiled for {}: build it with declare_id!(\"{key}\"), or \
             name the right keypair",
            keel::ID
        ))),
        None => Err(BadInput::error(format!(
            "nothing is deployed at {}: program.keypair has to name the keypair of that address",
            keel::ID
        ))),
    }
}

pub fn remaining(site: &Site<'_>) -> Result<Vec<Task>> {
    let (transport, elf, user) = (&*site.context.transport, site.deployment.elf()?, site.context.user()?);
    let deployed = loader::deployed(transport, &keel::ID)?;
    if deployed.as_ref().is_some_and(|deployed| hash(&deployed.elf) == hash(&elf)) {
        return Ok(Vec::new());
    }
    let mut tasks = Vec::new();
    let buffer = Buffer::new(user, &elf)?;
    let shown = format!("{} bytes, hash {}", elf.len(), hash(&elf));
    if !buffer.is_written(transport)? {
        tasks.push(Task {
            what: format!("write the program ({shown}) into the buffer {}", buffer.key),
            action: Action::Write(buffer.clone()),
        });
    }
    match deployed {
        None => {
            let program = site.program.clone().ok_or_else(|| BadInput::error("program.keypair is missing"))?;
            let deploy = buffer.deploy(transport, &keel::ID)?;
            tasks.push(Task::signed(format!("deploy it at {}", keel::ID), deploy, program));
        }
        Some(deployed) => {
            let authority = deployed.authority.ok_or_else(|| {
                BadInput::error(format!("{} is another program, and nobody can replace it", keel::ID))
            })?;
            if let Some(extend) = loader::extend(&keel::ID, &deployed, elf.len(), &user) {
                tasks.push(Task::send(
                    "make room for the program, which is larger than the one that is there",
                    vec![extend],
                ));
            }
            let upgrade = buffer.upgrade(&keel::ID, &authority);
            if authority == user {
                tasks.push(Task::send(format!("replace the program with hash {}", hash(&deployed.elf)), vec![upgrade]));
            } else {
                // Who can replace the program has to own what it is replaced by.
                let give = loader::set_buffer_authority(&buffer.key, &user, &authority);
                if buffer_authority(site, &buffer)? == Some(user) {
                    tasks.push(Task::send(format!("give the buffer to {authority}"), vec![give]));
                }
                tasks.push(Task::wait(format!("{authority} replaces the program"), vec![upgrade]));
            }
        }
    }
    Ok(tasks)
}

/// Whose a buffer is.
fn buffer_authority(site: &Site<'_>, buffer: &Buffer) -> Result<Option<anchor_lang::prelude::Pubkey>> {
    let account = site.context.transport.account(&buffer.key)?;
    // Not written yet: it will be the user's.
    let Some(account) = account else { return Ok(Some(site.context.user()?)) };
    // Its kind in 4 bytes, then an optional authority.
    Ok(account.data.get(5..).and_then(|tail| tail.first_chunk::<32>()).map(|key| (*key).into()))
}
