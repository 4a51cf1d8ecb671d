//! The chain: an embedded Surfpool, offline, with its clock in our hands.
//!
//! Every transaction makes a few blocks, and a block moves the clock by a millisecond. Time passes when
//! [`Chain::set_time`] says so, and [`Chain::send`] takes the milliseconds back: how many blocks there are depends on the
//! wall's clock, and what a vault owes must not. Everything else goes over RPC, as it would on a real cluster.

use crate::BadInput;
use anchor_lang::prelude::Pubkey;
use anchor_lang::{AnchorDeserialize, Discriminator};
use anyhow::{Context, Result, anyhow};
use base64::Engine;
use keel_client::Rejection;
use keel_client::health::{PriceAccount, PriceAccounts};
use keel_client::keel_risk::price::Moment;
use keel_client::transaction::{self, Budget};
use keel_client::transport::{CLOCK, LAST_RESTART_SLOT, Time};
use solana_clock::Clock;
use solana_commitment_config::CommitmentConfig;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::AddressLookupTableAccount;
use solana_rpc_client_api::client_error::ErrorKind;
use solana_rpc_client_api::request::{RpcError, RpcRequest, RpcResponseErrorData};
use solana_rpc_client_api::response::RpcSimulateTransactionResult;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use surfpool_sdk::cheatcodes::builders::DeployProgram;
use surfpool_sdk::{BlockProductionMode, RpcClient, SimnetCommand, Surfnet};
use tokio::runtime::Runtime;

/// What the payer begins with.
const PAYER_LAMPORTS: u64 = 100_000_000_000_000;
/// Slots in two seconds of the scenario.
const SLOTS_PER_TWO_SECONDS: u64 = 5;
/// What a transaction may use unless it says otherwise.
const COMPUTE_UNITS: u32 = 400_000;

/// Why a transaction was not executed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SendError {
    /// A program refused.
    #[error("{message} ({name}, {code})")]
    Refused {
        /// The error's name; that of Keel's errors as in [`keel::KeelError`].
        name: String,
        /// Its number; zero for one of the runtime or of a program that is not built with Anchor.
        code: u32,
        /// Its text.
        message: String,
    },
    /// It did not come to that.
    #[error("{0}")]
    Failed(String),
}

impl SendError {
    /// Whether the program refused with this error.
    pub fn is(&self, error: keel::KeelError) -> bool {
        // Other programs count their errors from the same number.
        matches!(self, Self::Refused { name, code, .. } if *code == u32::from(error) && *name == error.name())
    }
}

/// An account as fetched.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its address.
    pub key: Pubkey,
    /// The program that owns it.
    pub owner: Pubkey,
    /// Its data.
    pub data: Vec<u8>,
}

/// From which slot on the chain's clock said what. The times of its blocks, which a node tells, are other ones: they
/// follow from the number of blocks.
pub type Times = Arc<Mutex<BTreeMap<u64, i64>>>;

/// The embedded chain.
pub struct Chain {
    surfnet: Surfnet,
    runtime: Runtime,
    rpc: RpcClient,
    payer: Keypair,
    /// Slot and time at which the chain's clock was first set, and the time that it was last set to.
    clock: Cell<Option<(u64, i64, i64)>>,
    sent: Cell<u32>,
    times: Times,
}

impl Chain {
    /// Starts an empty chain. `payer` pays for whatever has no other payer.
    pub fn start(payer: Keypair) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let builder = Surfnet::builder()
            .offline(true)
            .block_production_mode(BlockProductionMode::Transaction)
            .slot_time_ms(1)
            .airdrop_sol(PAYER_LAMPORTS)
            .payer(payer.insecure_clone());
        let surfnet =
            runtime.block_on(builder.start()).map_err(|error| anyhow!("the embedded chain did not start: {error}"))?;
        // While a runbook is executed, the chain does not run every transaction again for each of its instructions to
        // profile them: that is most of its time. Ours never ends.
        surfnet
            .send_command(SimnetCommand::StartRunbookExecution("keel-localnet".into()))
            .map_err(|error| anyhow!("the embedded chain does not take commands: {error}"))?;
        let rpc = RpcClient::new_with_timeout_and_commitment(
            surfnet.rpc_url().to_string(),
            Duration::from_secs(30),
            CommitmentConfig::processed(),
        );
        Ok(Self { surfnet, runtime, rpc, payer, clock: Cell::new(None), sent: Cell::new(0), times: Times::default() })
    }

    /// Where the chain answers HTTP requests.
    pub fn rpc_url(&self) -> &str {
        self.surfnet.rpc_url()
    }

    /// Where it takes subscriptions.
    pub fn ws_url(&self) -> &str {
        self.surfnet.ws_url()
    }

    /// Where its background tasks run.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Pays for whatever has no other payer.
    pub fn payer(&self) -> &Keypair {
        &self.payer
    }

    /// Puts the program of a file at `id`; `flag` is what names another file.
    pub fn deploy(&self, id: Pubkey, program: &Path, flag: &str) -> Result<()> {
        let shown = program.display();
        let bytes = std::fs::read(program).map_err(|error| {
            BadInput::error(format!(
                "cannot read the program {shown}: {error}; build it with `cargo xtask build`, or name another with {flag}"
            ))
        })?;
        if !bytes.starts_with(b"\x7fELF") {
            return Err(BadInput::error(format!(
                "{shown} is not a compiled program; build one with `cargo xtask build`"
            )));
        }
        self.surfnet
            .cheatcodes()
            .deploy(DeployProgram::new(id).so_bytes(bytes))
            .map_err(|error| anyhow!("the program {shown} could not be deployed: {error}"))?;
        Ok(())
    }

    /// What its clock said when.
    pub fn times(&self) -> Times {
        self.times.clone()
    }

    /// Sets the chain's clock, and moves its slot along.
    pub fn set_time(&self, now: i64) -> Result<()> {
        let slot = self.rpc.get_slot().context(self.silent())?;
        let last = self.clock.get();
        let (first, began, _) = last.unwrap_or((slot.saturating_add(1), now, now));
        self.clock.set(Some((first, began, now)));
        let elapsed = u64::try_from(now.saturating_sub(began)).unwrap_or(0);
        let planned = first.saturating_add(elapsed.saturating_mul(SLOTS_PER_TWO_SECONDS) / 2);
        // The chain closes the running block first.
        let moved_to = planned.max(slot.saturating_add(1));
        let clock = Clock {
            slot: moved_to,
            epoch_start_timestamp: began,
            epoch: 0,
            leader_schedule_epoch: 0,
            unix_timestamp: now,
        };
        let (confirm, confirmed) = crossbeam_channel::bounded(1);
        let command = SimnetCommand::UpdateInternalClockWithConfirmation(None, clock, confirm);
        self.surfnet.send_command(command).map_err(|error| anyhow!("{}: {error}", self.silent()))?;
        confirmed.recv_timeout(Duration::from_secs(10)).map_err(|_| anyhow!("{}: its clock stands", self.silent()))?;
        if last.is_none_or(|(_, _, last)| last != now) {
            self.times.lock().unwrap_or_else(PoisonError::into_inner).insert(moved_to, now);
        }
        // The chain tells of everything that happens; nobody listens.
        self.surfnet.events().try_iter().for_each(drop);
        Ok(())
    }

    fn silent(&self) -> String {
        format!("the chain at {} does not answer", self.rpc_url())
    }

    /// Sets an account, whoever owns it.
    pub fn set_account(&self, key: &Pubkey, owner: &Pubkey, data: &[u8]) -> Result<()> {
        // Rent exemption as on mainnet: 128 bytes of overhead, two years of 3,480 lamports a byte-year.
        let lamports = (data.len() as u64).saturating_add(128).saturating_mul(6_960);
        self.surfnet
            .cheatcodes()
            .set_account(key, lamports, data, owner)
            .map_err(|error| anyhow!("account {key} could not be set: {error}"))
    }

    /// Gives somebody lamports.
    pub fn fund(&self, key: &Pubkey, lamports: u64) -> Result<()> {
        self.surfnet
            .cheatcodes()
            .fund_sol(key, lamports)
            .map_err(|error| anyhow!("{key} could not be given SOL: {error}"))
    }

    /// All accounts of the program, by address.
    pub fn program_accounts(&self) -> Result<Vec<Fetched>> {
        let accounts = self.rpc.get_program_accounts(&keel::ID).context(self.silent())?;
        let mut accounts: Vec<Fetched> = accounts
            .into_iter()
            .map(|(key, account)| Fetched { key, owner: account.owner, data: account.data })
            .collect();
        accounts.sort_by_key(|account| account.key);
        Ok(accounts)
    }

    /// Accounts by address, those that exist.
    pub fn accounts(&self, keys: &[Pubkey]) -> Result<Vec<Option<Fetched>>> {
        let accounts = self.rpc.get_multiple_accounts(keys).context(self.silent())?;
        let fetched = |(key, account): (&Pubkey, Option<solana_account::Account>)| {
            let account = account?;
            Some(Fetched { key: *key, owner: account.owner, data: account.data })
        };
        Ok(keys.iter().zip(accounts).map(fetched).collect())
    }

    /// Price accounts, and the moment at which the program would judge them.
    pub fn prices(&self, keys: &[Pubkey]) -> Result<(PriceAccounts, Moment)> {
        let mut wanted = vec![CLOCK, LAST_RESTART_SLOT];
        wanted.extend(keys);
        let mut accounts = self.rpc.get_multiple_accounts(&wanted).context(self.silent())?.into_iter();
        let mut sysvar = || accounts.next().flatten().context("the chain has no clock");
        let time = Time::decode(&sysvar()?, &sysvar()?)?;
        let prices = keys
            .iter()
            .zip(accounts)
            .filter_map(|(key, account)| account.map(|a| (*key, PriceAccount { owner: a.owner, data: a.data })))
            .collect();
        Ok((prices, time.moment()))
    }

    /// The slot of the newest block.
    pub fn slot(&self) -> Result<u64> {
        self.rpc.get_slot().context(self.silent())
    }

    /// Sends instructions in one transaction and waits until it is executed. The first signer pays.
    pub fn send(
        &self,
        instructions: &[Instruction],
        signers: &[&Keypair],
        tables: &[AddressLookupTableAccount],
    ) -> Result<Signature, SendError> {
        let transaction = self.signed(instructions, signers, tables)?;
        self.rpc.send_transaction(&transaction).map_err(|error| match error.kind() {
            ErrorKind::RpcError(RpcError::RpcResponseError {
                data: RpcResponseErrorData::SendTransactionPreflightFailure(result),
                ..
            }) => refusal(result),
            other => SendError::Failed(other.to_string()),
        })
    }

    /// What [`Self::send`] would log and whether it would be refused, without changing anything.
    pub fn simulate(
        &self,
        instructions: &[Instruction],
        signers: &[&Keypair],
        tables: &[AddressLookupTableAccount],
    ) -> Result<(Vec<String>, Option<SendError>), SendError> {
        let transaction = self.signed(instructions, signers, tables)?;
        let answer = self.rpc.simulate_transaction(&transaction);
        let result = answer.map_err(|error| SendError::Failed(format!("{}: {error}", self.silent())))?.value;
        let refused = result.err.is_some().then(|| refusal(&result));
        Ok((result.logs.unwrap_or_default(), refused))
    }

    fn signed(
        &self,
        instructions: &[Instruction],
        signers: &[&Keypair],
        tables: &[AddressLookupTableAccount],
    ) -> Result<VersionedTransaction, SendError> {
        let failed = |error: String| SendError::Failed(error);
        if let Some((_, _, now)) = self.clock.get() {
            self.set_time(now).map_err(|error| failed(error.to_string()))?;
        }
        // Two equal transactions on one block hash would be taken for one: no two have the same limit.
        self.sent.set(self.sent.get().wrapping_add(1));
        let budget = Budget { compute_units: COMPUTE_UNITS + self.sent.get() % 10_000, priority_fee: 0 };
        let mut all = budget.instructions();
        all.extend_from_slice(instructions);
        let blockhash =
            self.rpc.get_latest_blockhash().map_err(|error| failed(format!("{}: {error}", self.silent())))?;
        transaction::sign(&all, tables, signers, blockhash).map_err(|error| failed(error.to_string()))
    }

    /// [`Self::send`] for what has no reason to fail; `what` names it in the error.
    pub fn must(
        &self,
        what: &str,
        instructions: &[Instruction],
        signers: &[&Keypair],
        tables: &[AddressLookupTableAccount],
    ) -> Result<Signature> {
        self.send(instructions, signers, tables).map_err(|error| anyhow!("{what} failed: {error}"))
    }

    /// What an executed transaction logged.
    pub fn logs(&self, signature: &Signature) -> Result<Vec<String>> {
        let params = serde_json::json!([
            signature.to_string(),
            { "encoding": "base64", "commitment": "confirmed", "maxSupportedTransactionVersion": 0 }
        ]);
        let answer: serde_json::Value = self
            .rpc
            .send(RpcRequest::GetTransaction, params)
            .with_context(|| format!("transaction {signature} was sent but cannot be fetched"))?;
        let lines = answer.pointer("/meta/logMessages").and_then(|logs| logs.as_array());
        let lines = lines.with_context(|| format!("transaction {signature} has no logs"))?;
        Ok(lines.iter().filter_map(|line| line.as_str().map(str::to_string)).collect())
    }
}

/// The events of one kind in a transaction's logs.
pub fn events<E: AnchorDeserialize + Discriminator>(logs: &[String]) -> Vec<E> {
    let decode = |line: &String| {
        let data = base64::engine::general_purpose::STANDARD.decode(line.strip_prefix("Program data: ")?).ok()?;
        E::try_from_slice(data.strip_prefix(E::DISCRIMINATOR)?).ok()
    };
    logs.iter().filter_map(decode).collect()
}

/// What a program, or the runtime, said about a refusal.
fn refusal(result: &RpcSimulateTransactionResult) -> SendError {
    let Some(error) = result.err.clone() else { return SendError::Failed("refused without a reason".into()) };
    Rejection::new(error.into(), result.logs.clone().unwrap_or_default()).into()
}

impl From<Rejection> for SendError {
    fn from(rejection: Rejection) -> Self {
        match (rejection.name, rejection.code) {
            (Some(name), Some(code)) => Self::Refused { name, code, message: rejection.message },
            _ => Self::Refused { name: "not Keel's error".into(), code: 0, message: rejection.message },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keel::KeelError;
    use solana_instruction::error::InstructionError;
    use solana_transaction_error::TransactionError;

    #[test]
    fn a_refusal_keeps_its_name_and_number() {
        let line = "Program log: AnchorError thrown in programs/keel/src/lib.rs:1. Error Code: Healthy. \
                    Error Number: 6100. Error Message: The vault is healthy and cannot be liquidated.";
        let custom = |code| TransactionError::InstructionError(2, InstructionError::Custom(code));
        let error = SendError::from(Rejection::new(custom(6_100), vec![line.into()]));
        assert!(error.is(KeelError::Healthy) && !error.is(KeelError::Unhealthy));
        assert_eq!(error.to_string(), "The vault is healthy and cannot be liquidated (Healthy, 6100)");
        // Another program's error of the same number.
        let error = SendError::from(Rejection::new(custom(6_100), Vec::new()));
        assert!(matches!(&error, SendError::Refused { code: 0, .. }) && !error.is(KeelError::Healthy), "{error:?}");
    }

    #[test]
    fn events_are_read_from_the_logs() {
        use anchor_lang::Event;
        use keel::events::{FeedChallenged, VaultClosed};
        let event = FeedChallenged { reserve: keel::ID, feed: 1 };
        let line = format!("Program data: {}", base64::engine::general_purpose::STANDARD.encode(event.data()));
        let logs = ["Program log: x".to_string(), line];
        let found: Vec<FeedChallenged> = events(&logs);
        assert_eq!((found.len(), found[0].feed, found[0].reserve), (1, 1, keel::ID));
        assert!(events::<VaultClosed>(&logs).is_empty());
    }
}
