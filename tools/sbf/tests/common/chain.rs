//! A chain in memory that runs the conformance program.

use keel_sbf_conformance::Request;
use litesvm::LiteSVM;
use solana_address::Address;
use solana_compute_budget::compute_budget::ComputeBudget;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::Transaction;

/// A chain with the conformance program on it.
pub struct Chain {
    svm: LiteSVM,
    program: Address,
    payer: Keypair,
}

impl Chain {
    pub fn new(program: &[u8]) -> Chain {
        let mut budget = ComputeBudget::new_with_defaults(false);
        budget.compute_unit_limit = u64::from(u32::MAX) * 16;
        budget.heap_size = 256 * 1024;
        let mut svm = LiteSVM::new()
            .with_compute_budget(budget)
            .with_sigverify(false)
            .with_blockhash_check(false)
            .with_transaction_history(0);
        let address = Address::new_unique();
        svm.add_program(address, program).expect("the program loads");
        let payer = Keypair::new();
        svm.airdrop(&payer.pubkey(), 1_000_000_000_000).expect("a new chain has money");
        Chain { svm, program: address, payer }
    }

    /// The program's return data, or its error and logs.
    pub fn run(&mut self, request: Request) -> Result<Vec<u8>, (String, Vec<String>)> {
        let instruction =
            Instruction { program_id: self.program, accounts: Vec::new(), data: request.to_bytes().to_vec() };
        let message = Message::new(&[instruction], Some(&self.payer.pubkey()));
        let transaction = Transaction::new(&[&self.payer], message, self.svm.latest_blockhash());
        match self.svm.send_transaction(transaction) {
            Ok(meta) => Ok(meta.return_data.data),
            Err(failed) => Err((format!("{:?}", failed.err), failed.meta.logs)),
        }
    }
}
