//! A chain within this process, for tests and for trying things out: LiteSVM.

use super::{Filter, Simulation, Transport};
use crate::error::{ClientError, Rejection};
use anchor_lang::prelude::{Clock, Pubkey};
use litesvm::LiteSVM;
use solana_account::{Account, ReadableAccount};
use solana_hash::Hash;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use std::cell::RefCell;

/// A chain within this process. What is sent together is a block.
///
/// ```
/// use keel_client::sending::Sender;
/// use keel_client::transport::{InProcess, Transport};
/// use solana_keypair::Keypair;
/// use solana_signer::Signer;
///
/// let (alice, bob) = (Keypair::new(), Keypair::new());
/// let chain = InProcess::new(litesvm::LiteSVM::new());
/// chain.with(|svm| svm.airdrop(&alice.pubkey(), 1_000_000_000)).unwrap();
///
/// let pay = solana_system_interface::instruction::transfer(&alice.pubkey(), &bob.pubkey(), 7_000_000);
/// let sent = Sender::new(&chain, &alice).send(&[pay], &[])?;
/// assert!(sent.budget.compute_units < 10_000, "as a simulation had it");
/// assert_eq!(chain.account(&bob.pubkey())?.unwrap().lamports, 7_000_000);
/// # Ok::<(), keel_client::ClientError>(())
/// ```
pub struct InProcess {
    svm: RefCell<LiteSVM>,
    verify: bool,
}

impl InProcess {
    /// Around a chain that was set up elsewhere. Signatures are verified here, whatever the chain does: [`Self::trusting`]
    /// leaves that out.
    pub fn new(svm: LiteSVM) -> Self {
        // A simulation needs no signatures: the chain itself must not ask for them.
        Self { svm: RefCell::new(svm.with_sigverify(false)), verify: true }
    }

    /// The same, taking every signature for valid: for accounts whose key nobody here has.
    pub fn trusting(svm: LiteSVM) -> Self {
        Self { verify: false, ..Self::new(svm) }
    }

    /// The chain itself: to set clocks, accounts and programs.
    pub fn with<T>(&self, change: impl FnOnce(&mut LiteSVM) -> T) -> T {
        change(&mut self.svm.borrow_mut())
    }

    fn execute(&self, transaction: &VersionedTransaction) -> Result<Signature, ClientError> {
        if self.verify && transaction.verify_with_results().contains(&false) {
            return Err(Rejection::new(TransactionError::SignatureFailure, Vec::new()).into());
        }
        match self.svm.borrow_mut().send_transaction(transaction.clone()) {
            Ok(meta) => Ok(meta.signature),
            Err(failed) => Err(Rejection::new(failed.err, failed.meta.logs).into()),
        }
    }

    /// The next transaction gets another block hash, so that it can be equal to one before; and a program that was
    /// deployed can be called.
    fn close_block(&self) {
        let mut svm = self.svm.borrow_mut();
        svm.expire_blockhash();
        let slot = svm.get_sysvar::<Clock>().slot;
        svm.warp_to_slot(slot.saturating_add(1));
    }

    fn existing(account: Option<Account>) -> Option<Account> {
        // A closed account is kept, without lamports.
        account.filter(|account| account.lamports > 0)
    }
}

impl Transport for InProcess {
    fn accounts(&self, keys: &[Pubkey]) -> Result<Vec<Option<Account>>, ClientError> {
        let svm = self.svm.borrow();
        Ok(keys.iter().map(|key| Self::existing(svm.get_account(key))).collect())
    }

    fn program_accounts(&self, program: &Pubkey, filters: &[Filter]) -> Result<Vec<(Pubkey, Account)>, ClientError> {
        let mut accounts = self.svm.borrow().get_program_accounts(program);
        accounts.retain(|(_, account)| account.lamports > 0 && filters.iter().all(|f| f.matches(&account.data)));
        accounts.sort_by_key(|(key, _)| *key);
        Ok(accounts)
    }

    fn latest_blockhash(&self) -> Result<Hash, ClientError> {
        Ok(self.svm.borrow().latest_blockhash())
    }

    fn simulate(&self, transaction: &VersionedTransaction, watch: &[Pubkey]) -> Result<Simulation, ClientError> {
        let svm = self.svm.borrow();
        let mut transaction = transaction.clone();
        transaction.message.set_recent_blockhash(svm.latest_blockhash());
        Ok(match svm.simulate_transaction(transaction) {
            Ok(simulated) => {
                let after = |key: &Pubkey| {
                    let written = simulated.post_accounts.iter().find(|(written, _)| written == key);
                    Self::existing(written.map_or_else(
                        || svm.get_account(key),
                        |(_, account)| {
                            Some(Account {
                                lamports: account.lamports(),
                                data: account.data().to_vec(),
                                owner: *account.owner(),
                                executable: account.executable(),
                                rent_epoch: account.rent_epoch(),
                            })
                        },
                    ))
                };
                Simulation {
                    rejection: None,
                    logs: simulated.meta.logs,
                    compute_units: simulated.meta.compute_units_consumed,
                    accounts: watch.iter().map(after).collect(),
                }
            }
            Err(failed) => Simulation {
                rejection: Some(Rejection::new(failed.err, failed.meta.logs.clone())),
                logs: failed.meta.logs,
                compute_units: failed.meta.compute_units_consumed,
                accounts: Vec::new(),
            },
        })
    }

    fn send(&self, transaction: &VersionedTransaction) -> Result<Signature, ClientError> {
        let outcome = self.execute(transaction);
        self.close_block();
        outcome
    }

    fn send_all(&self, transactions: &[VersionedTransaction]) -> Result<(), ClientError> {
        let outcome = transactions.iter().try_for_each(|transaction| self.execute(transaction).map(|_| ()));
        self.close_block();
        outcome
    }

    fn minimum_balance(&self, size: usize) -> Result<u64, ClientError> {
        Ok(self.svm.borrow().minimum_balance_for_rent_exemption(size))
    }

    fn recent_priority_fees(&self, _: &[Pubkey]) -> Result<Vec<u64>, ClientError> {
        // Nobody else wants into these blocks.
        Ok(Vec::new())
    }
}
