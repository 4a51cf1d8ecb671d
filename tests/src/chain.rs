//! One face for the runtimes that tests run on.

use crate::program;
use anchor_lang::prelude::{Clock, Pubkey};
use anchor_lang::solana_program::rent::Rent;
use keel_client::transaction::{self, Budget};
use litesvm::LiteSVM;
use solana_account::Account;
use solana_instruction::Instruction;
use solana_instruction::error::InstructionError;
use solana_keypair::Keypair;
use solana_message::AddressLookupTableAccount;
use solana_program_test::{ProgramTest, ProgramTestContext};
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use std::collections::BTreeMap;

/// What a successful transaction left behind.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Compute units of the whole transaction.
    pub compute_units: u64,
    /// Its log.
    pub logs: Vec<String>,
}

/// Why a transaction failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The runtime's error.
    pub error: TransactionError,
    /// The log up to the failure.
    pub logs: Vec<String>,
}

impl Failure {
    /// The code of the program error, if it was one.
    pub fn code(&self) -> Option<u32> {
        match self.error {
            TransactionError::InstructionError(_, InstructionError::Custom(code)) => Some(code),
            _ => None,
        }
    }

    /// Which of the instructions that were sent failed, if one did.
    pub fn instruction(&self) -> Option<usize> {
        match self.error {
            TransactionError::InstructionError(index, _) => usize::from(index).checked_sub(BUDGET),
            _ => None,
        }
    }
}

/// Instructions that [`transaction`] puts before those that are sent.
const BUDGET: usize = 1;

/// A chain with the program on it.
pub trait Chain {
    /// Runs a transaction; the first signer pays.
    fn send_with_tables(
        &mut self,
        instructions: &[Instruction],
        signers: &[&Keypair],
        tables: &[AddressLookupTableAccount],
    ) -> Result<Receipt, Failure>;

    /// The account at `key`.
    fn account(&mut self, key: &Pubkey) -> Option<Account>;

    /// Replaces the account at `key`, whatever it was.
    fn set_account(&mut self, key: &Pubkey, account: Account);

    /// The chain's time.
    fn clock(&mut self) -> Clock;

    /// Moves the chain's time.
    fn set_clock(&mut self, clock: &Clock);

    /// Makes the cluster have restarted at `slot`.
    fn set_last_restart_slot(&mut self, slot: u64);

    /// [`Self::send_with_tables`] without tables.
    fn send(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Result<Receipt, Failure> {
        self.send_with_tables(instructions, signers, &[])
    }

    /// How many keypairs this chain has handed out.
    fn keypairs(&mut self) -> &mut u64;

    /// A new keypair: the n-th of every chain is the same, so that addresses, and with them what their derivation
    /// costs, repeat from run to run.
    fn keypair(&mut self) -> Keypair {
        *self.keypairs() += 1;
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&self.keypairs().to_le_bytes());
        Keypair::new_from_array(seed)
    }

    /// A new keypair with a thousand SOL.
    fn funded(&mut self) -> Keypair {
        let keypair = self.keypair();
        let account = Account { lamports: 1_000_000_000_000, ..Account::default() };
        self.set_account(&keypair.pubkey(), account);
        keypair
    }

    /// A rent-exempt account.
    fn set_data(&mut self, key: &Pubkey, owner: &Pubkey, data: Vec<u8>) {
        let lamports = Rent::default().minimum_balance(data.len());
        let account = Account { lamports, data, owner: *owner, executable: false, rent_epoch: u64::MAX };
        self.set_account(key, account);
    }

    /// Puts another program on the chain, at `id`.
    fn set_program(&mut self, id: &Pubkey, elf: Vec<u8>) {
        self.set_account(id, program_account(elf));
    }
}

/// The account of a program that nobody can upgrade.
fn program_account(elf: Vec<u8>) -> Account {
    let lamports = Rent::default().minimum_balance(elf.len());
    Account { lamports, data: elf, owner: BPF_LOADER, executable: true, rent_epoch: u64::MAX }
}

/// Compiles and signs. The compute limit differs from transaction to transaction, so that the same instructions can be
/// sent twice on one blockhash.
fn transaction(
    instructions: &[Instruction],
    signers: &[&Keypair],
    tables: &[AddressLookupTableAccount],
    blockhash: solana_hash::Hash,
    nonce: &mut u32,
) -> VersionedTransaction {
    *nonce += 1;
    let mut all = Budget { compute_units: 1_400_000 - *nonce % 400_000, priority_fee: 0 }.instructions();
    assert_eq!(all.len(), BUDGET);
    all.extend_from_slice(instructions);
    transaction::sign(&all, tables, signers, blockhash).unwrap()
}

/// LiteSVM: fast, one transaction after the other. Its SPL Token is p-token.
pub struct LiteChain {
    /// The runtime.
    pub svm: LiteSVM,
    nonce: u32,
    keypairs: u64,
}

impl LiteChain {
    /// A chain with the compiled program. Signatures are not verified: that is the runtime's work, not the program's.
    pub fn new() -> Self {
        Self::on(LiteSVM::new())
    }

    /// The same, writing a register trace of every transaction into the folder that the environment variable
    /// `SBF_TRACE_DIR` names. Slow: for profiles.
    pub fn tracing() -> Self {
        Self::on(LiteSVM::new_debuggable(true))
    }

    fn on(svm: LiteSVM) -> Self {
        let mut svm = svm.with_sigverify(false).with_transaction_history(0);
        svm.add_program(keel::ID, &program()).unwrap();
        let mut chain = Self { svm, nonce: 0, keypairs: 0 };
        let clock = Clock { unix_timestamp: 1_700_000_000, slot: 1_000, ..chain.clock() };
        chain.set_clock(&clock);
        chain
    }
}

impl LiteChain {
    /// Runs a transaction and leaves nothing of it behind. Returns what it says and the accounts that it would leave.
    pub fn simulate(
        &mut self,
        instructions: &[Instruction],
        signers: &[&Keypair],
    ) -> Result<(Receipt, BTreeMap<Pubkey, Account>), Failure> {
        let tx = transaction(instructions, signers, &[], self.svm.latest_blockhash(), &mut self.nonce);
        match self.svm.simulate_transaction(tx) {
            Ok(done) => {
                let receipt = Receipt { compute_units: done.meta.compute_units_consumed, logs: done.meta.logs };
                let accounts = done.post_accounts.into_iter().map(|(key, account)| (key, account.into())).collect();
                Ok((receipt, accounts))
            }
            Err(failed) => Err(Failure { error: failed.err, logs: failed.meta.logs }),
        }
    }
}

impl Default for LiteChain {
    fn default() -> Self {
        Self::new()
    }
}

impl Chain for LiteChain {
    fn send_with_tables(
        &mut self,
        instructions: &[Instruction],
        signers: &[&Keypair],
        tables: &[AddressLookupTableAccount],
    ) -> Result<Receipt, Failure> {
        let tx = transaction(instructions, signers, tables, self.svm.latest_blockhash(), &mut self.nonce);
        match self.svm.send_transaction(tx) {
            Ok(meta) => Ok(Receipt { compute_units: meta.compute_units_consumed, logs: meta.logs }),
            Err(failed) => Err(Failure { error: failed.err, logs: failed.meta.logs }),
        }
    }

    fn keypairs(&mut self) -> &mut u64 {
        &mut self.keypairs
    }

    fn account(&mut self, key: &Pubkey) -> Option<Account> {
        self.svm.get_account(key)
    }

    fn set_account(&mut self, key: &Pubkey, account: Account) {
        self.svm.set_account(*key, account).unwrap();
    }

    fn clock(&mut self) -> Clock {
        self.svm.get_sysvar()
    }

    fn set_clock(&mut self, clock: &Clock) {
        self.svm.set_sysvar(clock);
    }

    fn set_last_restart_slot(&mut self, slot: u64) {
        use anchor_lang::compat::solana_sysvar::last_restart_slot::LastRestartSlot;
        self.svm.set_sysvar(&LastRestartSlot { last_restart_slot: slot });
    }
}

/// solana-program-test: Agave's own bank.
pub struct ProgramTestChain {
    runtime: tokio::runtime::Runtime,
    context: ProgramTestContext,
    nonce: u32,
    keypairs: u64,
}

impl ProgramTestChain {
    /// A chain with the compiled program.
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut test = ProgramTest::default();
        test.add_account(keel::ID, program_account(program()));
        let context = runtime.block_on(test.start_with_context());
        let mut chain = Self { runtime, context, nonce: 0, keypairs: 0 };
        let clock = Clock { unix_timestamp: 1_700_000_000, ..chain.clock() };
        chain.set_clock(&clock);
        chain
    }
}

impl ProgramTestChain {
    /// Sends a transaction as it was signed.
    pub fn send_signed(&mut self, transaction: VersionedTransaction) -> Result<Receipt, Failure> {
        let client = &mut self.context.banks_client;
        let outcome = self.runtime.block_on(client.process_transaction_with_metadata(transaction)).unwrap();
        let (logs, compute_units) =
            outcome.metadata.map_or((Vec::new(), 0), |m| (m.log_messages, m.compute_units_consumed));
        match outcome.result {
            Ok(()) => Ok(Receipt { compute_units, logs }),
            Err(error) => Err(Failure { error, logs }),
        }
    }

    /// Moves on to a blockhash that comes after this call, which durable nonces wait for.
    pub fn next_blockhash(&mut self) {
        let Self { runtime, context, .. } = self;
        // The chain may be ahead of what the context remembers.
        context.last_blockhash = runtime.block_on(context.banks_client.get_latest_blockhash()).unwrap();
        runtime.block_on(context.get_new_latest_blockhash()).unwrap();
    }
}

/// The loader of programs that are one account.
const BPF_LOADER: Pubkey = Pubkey::from_str_const("BPFLoader2111111111111111111111111111111111");

impl Default for ProgramTestChain {
    fn default() -> Self {
        Self::new()
    }
}

impl Chain for ProgramTestChain {
    fn send_with_tables(
        &mut self,
        instructions: &[Instruction],
        signers: &[&Keypair],
        tables: &[AddressLookupTableAccount],
    ) -> Result<Receipt, Failure> {
        let tx = transaction(instructions, signers, tables, self.context.last_blockhash, &mut self.nonce);
        self.send_signed(tx)
    }

    fn keypairs(&mut self) -> &mut u64 {
        &mut self.keypairs
    }

    fn account(&mut self, key: &Pubkey) -> Option<Account> {
        self.runtime.block_on(self.context.banks_client.get_account(*key)).unwrap()
    }

    fn set_account(&mut self, key: &Pubkey, account: Account) {
        self.context.set_account(key, &account.into());
    }

    fn clock(&mut self) -> Clock {
        self.runtime.block_on(self.context.banks_client.get_sysvar()).unwrap()
    }

    fn set_clock(&mut self, clock: &Clock) {
        self.context.set_sysvar(clock);
    }

    fn set_last_restart_slot(&mut self, slot: u64) {
        use anchor_lang::compat::solana_sysvar::last_restart_slot::LastRestartSlot;
        self.context.set_sysvar(&LastRestartSlot { last_restart_slot: slot });
    }
}
