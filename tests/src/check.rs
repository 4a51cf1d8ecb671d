//! What tests assert: exactly this error, exactly these accounts changed, exactly these events.

use crate::chain::{Chain, Failure, Receipt};
use crate::world::{User, World};
use anchor_lang::__private::base64::{Engine, engine::general_purpose::STANDARD};
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_lang::{AnchorDeserialize, Event};
use anchor_spl::token::spl_token::error::TokenError;
use keel::KeelError;
use keel_client::{address, token};
use solana_account::Account;
use solana_instruction::Instruction;
use solana_instruction::error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_system_interface::error::SystemError;
use solana_transaction_error::TransactionError;
use std::collections::{BTreeMap, BTreeSet};

/// The error that a transaction must fail with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// By an instruction: this program's, Anchor's, or that of a program it called.
    Instruction(InstructionError),
    /// Before any instruction ran.
    Transaction(TransactionError),
}

impl Refusal {
    fn custom(code: u32) -> Self {
        Self::Instruction(InstructionError::Custom(code))
    }
}

impl From<KeelError> for Refusal {
    fn from(error: KeelError) -> Self {
        Self::custom(error.into())
    }
}

impl From<ErrorCode> for Refusal {
    fn from(error: ErrorCode) -> Self {
        Self::custom(error.into())
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        Self::custom(error as u32)
    }
}

impl From<SystemError> for Refusal {
    fn from(error: SystemError) -> Self {
        Self::custom(error as u32)
    }
}

impl From<InstructionError> for Refusal {
    fn from(error: InstructionError) -> Self {
        Self::Instruction(error)
    }
}

impl From<TransactionError> for Refusal {
    fn from(error: TransactionError) -> Self {
        Self::Transaction(error)
    }
}

impl From<&Failure> for Refusal {
    fn from(failure: &Failure) -> Self {
        match &failure.error {
            TransactionError::InstructionError(_, error) => Self::Instruction(error.clone()),
            other => Self::Transaction(other.clone()),
        }
    }
}

/// Accounts as they were at one moment; `None` where there was none.
#[derive(Clone, Debug)]
pub struct Snapshot(BTreeMap<Pubkey, Option<Account>>);

impl Snapshot {
    /// The accounts that differ now, in data, lamports or owner.
    pub fn changed<C: Chain>(&self, world: &mut World<C>) -> BTreeSet<Pubkey> {
        self.0.iter().filter(|(key, account)| world.chain.account(key) != **account).map(|(key, _)| *key).collect()
    }
}

/// A set of addresses, to compare with [`Snapshot::changed`].
pub fn keys<const N: usize>(keys: [Pubkey; N]) -> BTreeSet<Pubkey> {
    keys.into()
}

impl<C: Chain> World<C> {
    /// These accounts, now.
    pub fn snapshot_of(&mut self, keys: impl IntoIterator<Item = Pubkey>) -> Snapshot {
        Snapshot(keys.into_iter().map(|key| (key, self.chain.account(&key))).collect())
    }

    /// Everything that an instruction of this program could change: the market, all reserves with their liquidity, mints
    /// and prices, and the vaults and associated token accounts of `users`. Not their lamports, which pay fees.
    pub fn snapshot(&mut self, users: &[&User]) -> Snapshot {
        let mut keys = vec![self.market];
        for asset in &self.assets {
            keys.extend([asset.reserve, address::liquidity(&asset.reserve), asset.mint]);
            keys.extend(&asset.prices);
            keys.extend(users.iter().map(|u| token::associated_address(&u.key(), &asset.mint, &asset.token_program)));
        }
        keys.extend(users.iter().map(|user| user.vault));
        self.snapshot_of(keys)
    }

    /// The associated token account of `owner` for `asset`.
    pub fn token_account(&self, owner: &Pubkey, asset: usize) -> Pubkey {
        token::associated_address(owner, &self.assets[asset].mint, &self.assets[asset].token_program)
    }

    /// The liquidity account of `asset`.
    pub fn liquidity_key(&self, asset: usize) -> Pubkey {
        address::liquidity(&self.assets[asset].reserve)
    }

    /// Asserts that `instruction` fails with exactly `expected`, and that it leaves every account that it names as it
    /// was, except for the fee.
    #[track_caller]
    pub fn refuse(&mut self, instruction: &Instruction, signers: &[&Keypair], expected: impl Into<Refusal>) {
        self.refuse_case("", instruction, signers, expected);
    }

    /// [`Self::refuse`], with the name of the case in the message.
    #[track_caller]
    pub fn refuse_case(
        &mut self,
        case: &str,
        instruction: &Instruction,
        signers: &[&Keypair],
        expected: impl Into<Refusal>,
    ) {
        self.refuse_all_case(case, std::slice::from_ref(instruction), signers, expected);
    }

    /// Asserts that a transaction of these instructions fails with exactly `expected`, as in [`Self::refuse`].
    #[track_caller]
    pub fn refuse_all(&mut self, instructions: &[Instruction], signers: &[&Keypair], expected: impl Into<Refusal>) {
        self.refuse_all_case("", instructions, signers, expected);
    }

    /// [`Self::refuse_all`], with the name of the case in the message.
    #[track_caller]
    pub fn refuse_all_case(
        &mut self,
        case: &str,
        instructions: &[Instruction],
        signers: &[&Keypair],
        expected: impl Into<Refusal>,
    ) {
        let expected = expected.into();
        let payer = signers[0].pubkey();
        let named = instructions.iter().flat_map(|instruction| &instruction.accounts);
        let before = self.snapshot_of(named.map(|meta| meta.pubkey).filter(|key| *key != payer));
        let tables = self.tables.clone();
        match self.chain.send_with_tables(instructions, signers, &tables) {
            Ok(receipt) => panic!("{case}: expected {expected:?}, but it succeeded: {:#?}", receipt.logs),
            Err(failure) => assert_eq!(Refusal::from(&failure), expected, "{case}: {:#?}", failure.logs),
        }
        assert_eq!(before.changed(self), BTreeSet::new(), "{case}: a failed instruction changed accounts");
    }
}

/// Asserts that `result` is exactly the refusal `expected`.
#[track_caller]
pub fn refused_with(result: Result<Receipt, Failure>, expected: impl Into<Refusal>) {
    let expected = expected.into();
    match result {
        Ok(_) => panic!("expected {expected:?}, but it succeeded"),
        Err(failure) => assert_eq!(Refusal::from(&failure), expected, "{:#?}", failure.logs),
    }
}

/// The events of type `E` in a log, in the order of their emission.
pub fn events<E: Event + AnchorDeserialize>(receipt: &Receipt) -> Vec<E> {
    let bytes = receipt.logs.iter().filter_map(|line| line.strip_prefix("Program data: "));
    bytes
        .filter_map(|line| {
            let data = STANDARD.decode(line).unwrap();
            data.strip_prefix(E::DISCRIMINATOR).map(|body| E::try_from_slice(body).unwrap())
        })
        .collect()
}

/// The only event of a transaction, of type `E`.
#[track_caller]
pub fn only_event<E: Event + AnchorDeserialize>(receipt: &Receipt) -> E {
    event_among(receipt, 1)
}

/// The only event of type `E` of a transaction that emits `count` in all.
#[track_caller]
pub fn event_among<E: Event + AnchorDeserialize>(receipt: &Receipt, count: usize) -> E {
    let emitted = receipt.logs.iter().filter(|line| line.starts_with("Program data: ")).count();
    assert_eq!(emitted, count, "{:#?}", receipt.logs);
    let mut events = events(receipt);
    assert_eq!(events.len(), 1, "{} events of this type", events.len());
    events.remove(0)
}
