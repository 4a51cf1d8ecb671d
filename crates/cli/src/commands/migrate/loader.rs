//! The upgradeable loader: what is deployed, and how a program gets there.

use crate::context::Context;
use anchor_lang::prelude::Pubkey;
use anyhow::{Context as _, Result};
use keel_client::ClientError;
use keel_client::address::{UPGRADEABLE_LOADER, program_data};
use keel_client::transaction;
use keel_client::transport::Transport;
use solana_instruction::Instruction;
use solana_loader_v3_interface::instruction as loader;
use solana_loader_v3_interface::state::UpgradeableLoaderState as State;
use solana_system_interface::instruction as system;

/// Bytes of a transaction, at most.
const TRANSACTION: usize = 1_232;
/// Bytes of a program that are written by one transaction: what a transaction with one signature and a compute budget leaves.
const CHUNK: usize = TRANSACTION - 312;

/// Writes on their way at once: few enough for the block hash that all of them are built on.
const BATCH: usize = 32;
/// What a write and its budget cost, rounded up.
const WRITE_UNITS: u32 = 10_000;
/// How many batches may get lost before something else must be wrong.
const MAX_FAILURES: u32 = 20;

/// A program as deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// The program, without the zeros that fill its account.
    pub elf: Vec<u8>,
    /// How long it can become without a larger account.
    pub room: usize,
    /// Who can replace it.
    pub authority: Option<Pubkey>,
}

/// What is deployed at `program`; `None` when it is no program of the upgradeable loader.
pub fn deployed(transport: &dyn Transport, program: &Pubkey) -> Result<Option<Deployed>, ClientError> {
    let accounts = transport.accounts(&[*program, program_data(program)])?;
    let [Some(program), Some(data)] = accounts.as_slice() else { return Ok(None) };
    if program.owner != UPGRADEABLE_LOADER || data.owner != UPGRADEABLE_LOADER {
        return Ok(None);
    }
    // ProgramData: its kind in 4 bytes, the slot in 8, an optional authority in 33; then the program.
    let authority = match data.data.get(12) {
        Some(1) => data.data.get(13..).and_then(|tail| tail.first_chunk::<32>()).map(|key| Pubkey::from(*key)),
        _ => None,
    };
    let padded = data.data.get(State::size_of_programdata_metadata()..).unwrap_or_default();
    Ok(Some(Deployed { elf: without_padding(padded).to_vec(), room: padded.len(), authority }))
}

/// The hash by which programs are compared: of the file, without zeros at its end.
pub fn hash(elf: &[u8]) -> String {
    let hash = solana_sha256_hasher::hash(without_padding(elf));
    hash.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn without_padding(elf: &[u8]) -> &[u8] {
    let length = elf.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    elf.get(..length).unwrap_or_default()
}

/// Where some bytes of a program stand, and the bytes.
type Chunk<'a> = (u32, &'a [u8]);

/// A buffer that a program is written into. Its address follows from the payer and the program, so that what an
/// interrupted run has written is found again.
#[derive(Clone, Debug)]
pub struct Buffer {
    /// The buffer.
    pub key: Pubkey,
    seed: String,
    payer: Pubkey,
    elf: Vec<u8>,
}

impl Buffer {
    /// Of `payer`, who is its authority, for a program.
    pub fn new(payer: Pubkey, elf: &[u8]) -> Result<Self> {
        let seed: String = hash(elf).chars().take(32).collect();
        let key = Pubkey::create_with_seed(&payer, &seed, &UPGRADEABLE_LOADER).context("the buffer has no address")?;
        Ok(Self { key, seed, payer, elf: elf.to_vec() })
    }

    /// Whether the whole program is in it.
    pub fn is_written(&self, transport: &dyn Transport) -> Result<bool, ClientError> {
        Ok(self.missing(transport)?.is_some_and(|chunks| chunks.is_empty()))
    }

    /// The chunks that are not written; `None` when there is no buffer.
    fn missing(&self, transport: &dyn Transport) -> Result<Option<Vec<Chunk<'_>>>, ClientError> {
        let Some(account) = transport.account(&self.key)? else { return Ok(None) };
        let written = account.data.get(State::size_of_buffer_metadata()..).unwrap_or_default();
        let mut missing = Vec::new();
        for (number, chunk) in self.elf.chunks(CHUNK).enumerate() {
            let at = number * CHUNK;
            if written.get(at..at + chunk.len()) != Some(chunk) {
                missing.push((u32::try_from(at).unwrap_or(u32::MAX), chunk));
            }
        }
        Ok(Some(missing))
    }

    /// Writes what is missing, and again what did not arrive.
    pub fn write(&self, context: &Context) -> Result<()> {
        let transport = &*context.transport;
        if self.missing(transport)?.is_none() {
            context.sender()?.send(&self.create(transport)?, &[])?;
        }
        let mut failures = 0;
        loop {
            let missing = self.missing(transport)?.unwrap_or_default();
            if missing.is_empty() {
                return Ok(());
            }
            for batch in missing.chunks(BATCH) {
                match self.write_batch(context, batch) {
                    Ok(()) => {}
                    // A busy cluster drops transactions: what is missing then is written in the next round.
                    Err(ClientError::Expired(_)) if failures < MAX_FAILURES => failures += 1,
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }

    fn write_batch(&self, context: &Context, batch: &[Chunk<'_>]) -> Result<(), ClientError> {
        let payer = context.signer().map_err(|error| ClientError::Transaction(format!("{error:#}")))?;
        let blockhash = context.transport.latest_blockhash()?;
        let recent = || context.transport.recent_priority_fees(&[self.key]);
        let priority_fee = context.priority.price(recent)?;
        let budget = transaction::Budget { compute_units: WRITE_UNITS, priority_fee };
        let signed = batch.iter().map(|(at, chunk)| {
            let mut instructions = budget.instructions();
            instructions.push(loader::write(&self.key, &self.payer, *at, chunk.to_vec()));
            transaction::sign(&instructions, &[], &[payer], blockhash)
        });
        context.transport.send_all(&signed.collect::<Result<Vec<_>, _>>()?)
    }

    fn create(&self, transport: &dyn Transport) -> Result<Vec<Instruction>, ClientError> {
        let size = State::size_of_buffer(self.elf.len());
        let lamports = transport.minimum_balance(size)?;
        let create = system::create_account_with_seed(
            &self.payer,
            &self.key,
            &self.payer,
            &self.seed,
            lamports,
            size as u64,
            &UPGRADEABLE_LOADER,
        );
        // The loader's own helper creates an account with a keypair: what follows it initializes the buffer.
        let own = loader::create_buffer(&self.payer, &self.key, &self.payer, lamports, self.elf.len());
        let initialize = own.map_err(|error| ClientError::Transaction(error.to_string()))?;
        Ok([create].into_iter().chain(initialize.into_iter().skip(1)).collect())
    }

    /// What deploys the program at `program` for the first time.
    pub fn deploy(&self, transport: &dyn Transport, program: &Pubkey) -> Result<Vec<Instruction>, ClientError> {
        let lamports = transport.minimum_balance(State::size_of_program())?;
        let (key, length) = (&self.key, self.elf.len());
        loader::deploy_with_max_program_len(&self.payer, program, key, &self.payer, lamports, length, true)
            .map_err(|error| ClientError::Transaction(error.to_string()))
    }

    /// What replaces the program at `program`, which `authority` signs.
    pub fn upgrade(&self, program: &Pubkey, authority: &Pubkey) -> Instruction {
        loader::upgrade(program, &self.key, authority, &self.payer, true)
    }
}

/// What makes room for a program of `length` bytes, if there is too little.
pub fn extend(program: &Pubkey, deployed: &Deployed, length: usize, payer: &Pubkey) -> Option<Instruction> {
    let missing = length.checked_sub(deployed.room).filter(|missing| *missing > 0)?;
    // The loader gives no less than this at once.
    let missing = u32::try_from(missing).ok()?.max(loader::MINIMUM_EXTEND_PROGRAM_BYTES);
    Some(loader::extend_program(program, Some(payer), missing))
}

/// What gives a program to another authority.
pub fn set_authority(program: &Pubkey, current: &Pubkey, new: &Pubkey) -> Instruction {
    loader::set_upgrade_authority(program, current, Some(new))
}

/// What gives a buffer to the authority of the program that it is for.
pub fn set_buffer_authority(buffer: &Pubkey, current: &Pubkey, new: &Pubkey) -> Instruction {
    loader::set_buffer_authority(buffer, current, new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use solana_keypair::Keypair;
    use solana_signer::Signer;

    #[test]
    fn a_write_fits_a_transaction() {
        let payer = Keypair::new();
        let budget = transaction::Budget { compute_units: 10_000, priority_fee: u64::MAX };
        let mut instructions = budget.instructions();
        instructions.push(loader::write(&Pubkey::new_unique(), &payer.pubkey(), u32::MAX, vec![7; CHUNK]));
        let signed = transaction::sign(&instructions, &[], &[&payer], Default::default()).unwrap();
        let length = 1 + 64 * signed.signatures.len() + signed.message.serialize().len();
        assert!((TRANSACTION - 60..=TRANSACTION).contains(&length), "{length}");
    }

    #[test]
    fn padding_does_not_count() {
        assert_eq!(hash(&[1, 2, 0, 0]), hash(&[1, 2]));
        assert_ne!(hash(&[1, 2, 0, 3]), hash(&[1, 2]));
        assert_eq!(without_padding(&[0, 0]), [0u8; 0]);
        assert_eq!(hash(&[]).len(), 64);
    }
}
