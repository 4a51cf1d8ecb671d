//! Measures one transaction.

use anchor_lang::prelude::Pubkey;
use keel_client::transaction;
use keel_tests::{Chain, LiteChain};
use serde::{Deserialize, Serialize};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::AddressLookupTableAccount;

/// What a transaction costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measurement {
    /// The instruction; `_2_feeds` behind it when every asset has two oracles.
    pub instruction: String,
    /// Collateral positions of the vault.
    pub collaterals: usize,
    /// Debt positions of the vault.
    pub debts: usize,
    /// Compute units of the whole transaction.
    pub compute_units: u64,
    /// Accounts that it locks.
    pub locks: usize,
    /// Its serialized length.
    pub bytes: usize,
}

/// Runs a transaction and measures it. Panics with the log when it fails: a benchmark of a failure means nothing.
pub fn measure(
    chain: &mut LiteChain,
    name: &str,
    (collaterals, debts): (usize, usize),
    instructions: &[Instruction],
    signers: &[&Keypair],
    tables: &[AddressLookupTableAccount],
) -> Measurement {
    let blockhash = chain.svm.latest_blockhash();
    let budget = transaction::Budget { compute_units: 1_400_000, priority_fee: 0 };
    let all = [&budget.instructions(), instructions].concat();
    let tx = transaction::sign(&all, tables, signers, blockhash).unwrap();
    let mut keys: Vec<Pubkey> = tx.message.static_account_keys().to_vec();
    for lookup in tx.message.address_table_lookups().unwrap_or_default() {
        let table = tables.iter().find(|t| t.key == lookup.account_key).unwrap();
        let indexes = lookup.writable_indexes.iter().chain(&lookup.readonly_indexes);
        keys.extend(indexes.map(|i| table.addresses[usize::from(*i)]));
    }
    // Signatures are 64 bytes each behind a one-byte count.
    let bytes = 1 + 64 * tx.signatures.len() + tx.message.serialize().len();
    let receipt = chain
        .send_with_tables(instructions, signers, tables)
        .unwrap_or_else(|failure| panic!("{name} with {collaterals} + {debts} positions failed: {failure:#?}"));
    Measurement {
        instruction: name.into(),
        collaterals,
        debts,
        compute_units: receipt.compute_units,
        locks: keys.len(),
        bytes,
    }
}
