//! A cluster's RPC node.

use super::{ACCOUNTS_PER_REQUEST, Filter, Simulation, Transport};
use crate::error::{ClientError, Rejection};
use anchor_lang::prelude::Pubkey;
use solana_account::Account;
use solana_account_decoder_client_types::{UiAccount, UiAccountEncoding};
use solana_commitment_config::CommitmentConfig;
use solana_hash::Hash;
use solana_rpc_client::rpc_client::RpcClient;
use solana_rpc_client_api::client_error::{Error, ErrorKind};
use solana_rpc_client_api::config::{
    RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcSendTransactionConfig, RpcSimulateTransactionAccountsConfig,
    RpcSimulateTransactionConfig,
};
use solana_rpc_client_api::filter::{Memcmp, RpcFilterType};
use solana_rpc_client_api::request::{RpcError, RpcRequest, RpcResponseErrorData};
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often the node is asked whether a transaction is confirmed.
const POLL: Duration = Duration::from_millis(200);
/// How often a transaction is sent again while it is not included: leaders drop what they cannot take.
const RESEND: Duration = Duration::from_secs(2);
/// After this long the node is asked whether the block hash is still valid.
const DOUBT: Duration = Duration::from_secs(15);
/// Transactions on their way at once.
const BATCH: usize = 64;
/// Signatures that a node looks up in one request.
const STATUSES_PER_REQUEST: usize = 256;

/// A cluster's RPC node.
pub struct Rpc {
    client: RpcClient,
    commitment: CommitmentConfig,
}

impl Rpc {
    /// The node at `url`. What it says counts once it has reached `commitment`.
    pub fn new(url: impl ToString, commitment: CommitmentConfig) -> Self {
        Self { client: RpcClient::new_with_timeout_and_commitment(url, TIMEOUT, commitment), commitment }
    }

    /// The URL.
    pub fn url(&self) -> String {
        self.client.url()
    }

    fn unreachable(&self, error: impl ToString) -> ClientError {
        ClientError::Unreachable { endpoint: self.url(), reason: error.to_string() }
    }

    /// What the node says about a transaction that it does not even try, or that failed when it did.
    fn refused(&self, error: &Error) -> ClientError {
        if let ErrorKind::RpcError(RpcError::RpcResponseError {
            data: RpcResponseErrorData::SendTransactionPreflightFailure(result),
            ..
        }) = error.kind()
        {
            let logs = result.logs.clone().unwrap_or_default();
            if let Some(error) = result.err.clone() {
                return Rejection::new(error.into(), logs).into();
            }
        }
        self.unreachable(error)
    }

    fn submit(&self, transaction: &VersionedTransaction, skip_preflight: bool) -> Result<Signature, ClientError> {
        let config = RpcSendTransactionConfig {
            skip_preflight,
            preflight_commitment: Some(self.commitment.commitment),
            max_retries: Some(0),
            ..RpcSendTransactionConfig::default()
        };
        self.client.send_transaction_with_config(transaction, config).map_err(|error| self.refused(&error))
    }

    /// Of each signature whether it is confirmed, and with what error.
    fn statuses(&self, signatures: &[Signature]) -> Result<Vec<Option<Result<(), TransactionError>>>, ClientError> {
        let mut found = Vec::with_capacity(signatures.len());
        for chunk in signatures.chunks(STATUSES_PER_REQUEST) {
            let statuses = self.client.get_signature_statuses(chunk).map_err(|error| self.unreachable(error))?.value;
            found.extend(statuses.into_iter().map(|status| {
                let status = status.filter(|status| status.satisfies_commitment(self.commitment))?;
                Some(match status.err {
                    Some(error) => Err(error),
                    None => Ok(()),
                })
            }));
        }
        Ok(found)
    }

    /// What an executed transaction logged, if the node has it.
    fn logs(&self, signature: &Signature) -> Vec<String> {
        let params = serde_json::json!([
            signature.to_string(),
            { "encoding": "base64", "commitment": "confirmed", "maxSupportedTransactionVersion": 0 }
        ]);
        let answer = self.client.send::<serde_json::Value>(RpcRequest::GetTransaction, params).ok();
        let lines = answer.as_ref().and_then(|answer| answer.pointer("/meta/logMessages")?.as_array());
        lines.into_iter().flatten().filter_map(|line| line.as_str().map(str::to_string)).collect()
    }

    /// Waits until all are confirmed, and sends again what is not.
    fn confirm(&self, transactions: &[VersionedTransaction]) -> Result<(), ClientError> {
        let (began, mut resent) = (Instant::now(), Instant::now());
        let mut waiting: Vec<&VersionedTransaction> = transactions.iter().collect();
        loop {
            let signatures: Vec<Signature> = waiting.iter().map(|t| signature_of(t)).collect();
            let mut left = Vec::new();
            for ((transaction, signature), status) in waiting.iter().zip(&signatures).zip(self.statuses(&signatures)?) {
                match status {
                    Some(Ok(())) => {}
                    Some(Err(error)) => return Err(Rejection::new(error, self.logs(signature)).into()),
                    None => left.push(*transaction),
                }
            }
            let Some(first) = left.first() else { return Ok(()) };
            if began.elapsed() > DOUBT {
                let hash = first.message.recent_blockhash();
                let valid = self.client.is_blockhash_valid(hash, self.commitment);
                if !valid.map_err(|error| self.unreachable(error))? {
                    return Err(ClientError::Expired(signature_of(first)));
                }
            }
            if resent.elapsed() > RESEND {
                resent = Instant::now();
                for transaction in &left {
                    // It was accepted once: whatever the node says now, the status decides.
                    let _ = self.submit(transaction, true);
                }
            }
            waiting = left;
            sleep(POLL);
        }
    }
}

fn signature_of(transaction: &VersionedTransaction) -> Signature {
    transaction.signatures.first().copied().unwrap_or_default()
}

fn decoded(key: &Pubkey, account: &UiAccount) -> Result<Account, ClientError> {
    let wrong = || ClientError::WrongAccount { key: *key, expected: "account", reason: "its data is no base64".into() };
    account.to_account().ok_or_else(wrong)
}

impl Transport for Rpc {
    fn accounts(&self, keys: &[Pubkey]) -> Result<Vec<Option<Account>>, ClientError> {
        let mut accounts = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(ACCOUNTS_PER_REQUEST) {
            accounts.extend(self.client.get_multiple_accounts(chunk).map_err(|error| self.unreachable(error))?);
        }
        Ok(accounts)
    }

    fn program_accounts(&self, program: &Pubkey, filters: &[Filter]) -> Result<Vec<(Pubkey, Account)>, ClientError> {
        let filters = filters.iter().map(|filter| match filter {
            Filter::Bytes { offset, bytes } => RpcFilterType::Memcmp(Memcmp::new_raw_bytes(*offset, bytes.clone())),
            Filter::Size(size) => RpcFilterType::DataSize(*size as u64),
        });
        let config = RpcProgramAccountsConfig {
            filters: Some(filters.collect()),
            account_config: RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                commitment: Some(self.commitment),
                ..RpcAccountInfoConfig::default()
            },
            ..RpcProgramAccountsConfig::default()
        };
        let found = self.client.get_program_ui_accounts_with_config(program, config);
        let found = found.map_err(|error| self.unreachable(error))?;
        let mut accounts = found
            .into_iter()
            .map(|(key, account)| Ok((key, decoded(&key, &account)?)))
            .collect::<Result<Vec<_>, ClientError>>()?;
        accounts.sort_by_key(|(key, _)| *key);
        Ok(accounts)
    }

    fn latest_blockhash(&self) -> Result<Hash, ClientError> {
        self.client.get_latest_blockhash().map_err(|error| self.unreachable(error))
    }

    fn simulate(&self, transaction: &VersionedTransaction, watch: &[Pubkey]) -> Result<Simulation, ClientError> {
        let config = RpcSimulateTransactionConfig {
            sig_verify: false,
            replace_recent_blockhash: true,
            commitment: Some(self.commitment),
            accounts: (!watch.is_empty()).then(|| RpcSimulateTransactionAccountsConfig {
                encoding: Some(UiAccountEncoding::Base64),
                addresses: watch.iter().map(ToString::to_string).collect(),
            }),
            ..RpcSimulateTransactionConfig::default()
        };
        let answer = self.client.simulate_transaction_with_config(transaction, config);
        let result = answer.map_err(|error| self.refused(&error))?.value;
        let logs = result.logs.unwrap_or_default();
        let rejection = result.err.map(|error| Rejection::new(error.into(), logs.clone()));
        let accounts = if rejection.is_some() { Vec::new() } else { result.accounts.unwrap_or_default() };
        let accounts = watch
            .iter()
            .zip(accounts)
            .map(|(key, account)| account.map(|account| decoded(key, &account)).transpose())
            .map(|account| account.map(|account| account.filter(|account| account.lamports > 0)))
            .collect::<Result<_, ClientError>>()?;
        Ok(Simulation { rejection, logs, compute_units: result.units_consumed.unwrap_or_default(), accounts })
    }

    fn send(&self, transaction: &VersionedTransaction) -> Result<Signature, ClientError> {
        let signature = self.submit(transaction, false)?;
        self.confirm(std::slice::from_ref(transaction))?;
        Ok(signature)
    }

    fn minimum_balance(&self, size: usize) -> Result<u64, ClientError> {
        self.client.get_minimum_balance_for_rent_exemption(size).map_err(|error| self.unreachable(error))
    }

    fn recent_priority_fees(&self, writable: &[Pubkey]) -> Result<Vec<u64>, ClientError> {
        let fees = self.client.get_recent_prioritization_fees(writable).map_err(|error| self.unreachable(error))?;
        Ok(fees.into_iter().map(|fee| fee.prioritization_fee).collect())
    }

    fn send_all(&self, transactions: &[VersionedTransaction]) -> Result<(), ClientError> {
        for batch in transactions.chunks(BATCH) {
            for transaction in batch {
                self.submit(transaction, true)?;
            }
            self.confirm(batch)?;
        }
        Ok(())
    }
}
