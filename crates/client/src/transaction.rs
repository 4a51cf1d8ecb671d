//! Versioned transactions with a compute budget and the market's lookup table.

use crate::error::ClientError;
use anchor_lang::prelude::Pubkey;
use solana_address_lookup_table_interface::instruction as table;
use solana_address_lookup_table_interface::state::AddressLookupTable;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_message::{AddressLookupTableAccount, VersionedMessage, v0};
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;

/// Addresses that one instruction can add to a lookup table, so that it still fits a transaction.
pub const TABLE_CHUNK: usize = 20;

/// The instructions, one transaction each, that create a lookup table of `addresses`, and its address. `recent_slot` is
/// a slot that the cluster remembers.
pub fn create_lookup_table(
    authority: &Pubkey,
    addresses: &[Pubkey],
    recent_slot: u64,
) -> (Vec<Instruction>, AddressLookupTableAccount) {
    let (create, key) = table::create_lookup_table(*authority, *authority, recent_slot);
    let mut instructions = vec![create];
    for chunk in addresses.chunks(TABLE_CHUNK) {
        instructions.push(table::extend_lookup_table(key, *authority, Some(*authority), chunk.to_vec()));
    }
    (instructions, AddressLookupTableAccount { key, addresses: addresses.to_vec() })
}

/// The limits and the price that a transaction declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Most compute units that the transaction may use.
    pub compute_units: u32,
    /// Millionths of a lamport per compute unit, paid to be included first.
    pub priority_fee: u64,
}

impl Budget {
    /// The instructions that declare this budget: the fee's only if there is one.
    pub fn instructions(&self) -> Vec<Instruction> {
        let mut instructions = vec![ComputeBudgetInstruction::set_compute_unit_limit(self.compute_units)];
        if self.priority_fee > 0 {
            instructions.push(ComputeBudgetInstruction::set_compute_unit_price(self.priority_fee));
        }
        instructions
    }
}

/// Compiles and signs. The first of `signers` pays. Signers are keypairs, or anything else that signs, such as a
/// hardware wallet.
pub fn sign<S>(
    instructions: &[Instruction],
    tables: &[AddressLookupTableAccount],
    signers: &[&S],
    blockhash: Hash,
) -> Result<VersionedTransaction, ClientError>
where
    S: Signer + ?Sized,
{
    let failed = |error: String| ClientError::Transaction(error);
    let payer = signers.first().ok_or_else(|| failed("no signer".into()))?;
    let payer = payer.try_pubkey().map_err(|error| failed(error.to_string()))?;
    let message = message(instructions, tables, &payer, blockhash)?;
    VersionedTransaction::try_new(message, signers).map_err(|error| failed(error.to_string()))
}

/// Compiles without signing: to simulate what somebody else would have to sign.
pub fn unsigned(
    instructions: &[Instruction],
    tables: &[AddressLookupTableAccount],
    payer: &Pubkey,
) -> Result<VersionedTransaction, ClientError> {
    let message = message(instructions, tables, payer, Hash::default())?;
    let signatures = vec![Default::default(); usize::from(message.header().num_required_signatures)];
    Ok(VersionedTransaction { signatures, message })
}

fn message(
    instructions: &[Instruction],
    tables: &[AddressLookupTableAccount],
    payer: &Pubkey,
    blockhash: Hash,
) -> Result<VersionedMessage, ClientError> {
    let message = v0::Message::try_compile(payer, instructions, tables, blockhash)
        .map_err(|error| ClientError::Transaction(error.to_string()))?;
    Ok(VersionedMessage::V0(message))
}

/// The lookup table in an account.
pub fn decode_lookup_table(key: &Pubkey, data: &[u8]) -> Result<AddressLookupTableAccount, ClientError> {
    let wrong = |reason: String| ClientError::WrongAccount { key: *key, expected: "lookup table", reason };
    let table = AddressLookupTable::deserialize(data).map_err(|error| wrong(error.to_string()))?;
    Ok(AddressLookupTableAccount { key: *key, addresses: table.addresses.to_vec() })
}
