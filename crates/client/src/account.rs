//! Decodes accounts of the program.

use crate::error::ClientError;
use anchor_lang::prelude::Pubkey;
use anchor_lang::{Discriminator, ZeroCopy};
use keel::state::{Market, PendingChange, Reserve, Vault};

fn decode<T: ZeroCopy + Discriminator>(
    key: &Pubkey,
    owner: &Pubkey,
    data: &[u8],
    expected: &'static str,
) -> Result<T, ClientError> {
    let wrong = |reason: String| ClientError::WrongAccount { key: *key, expected, reason };
    if *owner != keel::ID {
        return Err(wrong(format!("it is owned by {owner}")));
    }
    let body = data
        .strip_prefix(T::DISCRIMINATOR)
        .ok_or_else(|| wrong("its first bytes are those of another kind of account".into()))?;
    let body = body
        .get(..size_of::<T>())
        .ok_or_else(|| wrong(format!("it has {} bytes, {} are needed", data.len(), 8 + size_of::<T>())))?;
    Ok(bytemuck::pod_read_unaligned(body))
}

/// A market from its account's owner and data.
pub fn market(key: &Pubkey, owner: &Pubkey, data: &[u8]) -> Result<Market, ClientError> {
    decode(key, owner, data, "market")
}

/// A reserve from its account's owner and data.
pub fn reserve(key: &Pubkey, owner: &Pubkey, data: &[u8]) -> Result<Reserve, ClientError> {
    decode(key, owner, data, "reserve")
}

/// A vault from its account's owner and data.
pub fn vault(key: &Pubkey, owner: &Pubkey, data: &[u8]) -> Result<Vault, ClientError> {
    decode(key, owner, data, "vault")
}

/// A queued change from its account's owner and data.
pub fn change(key: &Pubkey, owner: &Pubkey, data: &[u8]) -> Result<PendingChange, ClientError> {
    decode(key, owner, data, "queued change")
}
