//! Several actions of a user on a vault, one after the other in one transaction.

use crate::error::ClientError;
use crate::instruction::{self, Actor};
use crate::view::View;
use crate::{address, token};
use anchor_lang::prelude::Pubkey;
use bytemuck::Zeroable;
use keel::AmountSpec;
use keel::state::{Side, Vault};
use keel_risk::Fraction;
use keel_risk::units::{DebtShares, SupplyShares};
use solana_instruction::Instruction;

/// For how long the SOL that is wrapped to repay everything covers the interest, in seconds: until the transaction is
/// executed, more is owed than when it was built. The rest comes back.
const INTEREST_MARGIN: i64 = 3_600;

/// Several actions of a user on a vault, one after the other in one transaction.
///
/// Token accounts that receive something are created, SOL is wrapped before it is needed and unwrapped at the end: also
/// what was wrapped before. Each action needs the accounts that the vault has when it is its turn, so the actions before
/// it are counted in: opening a vault, depositing and borrowing go together.
///
/// ```no_run
/// use keel_client::actions::Actions;
/// use keel_client::keel::AmountSpec;
/// use keel_client::sending::Sender;
/// use keel_client::transport::{Rpc, Transport};
/// use keel_client::view::View;
/// use keel_client::{address, token};
/// # use solana_keypair::Keypair;
/// # use solana_signer::Signer;
/// # use anchor_lang::prelude::Pubkey;
/// # fn main() -> Result<(), keel_client::ClientError> {
/// # let (owner, usdc, table) = (Keypair::new(), Pubkey::new_unique(), Pubkey::new_unique());
/// let rpc = Rpc::new("http://localhost:8899", Default::default());
/// let market = address::market(0);
/// let view = View::fetch(&rpc, &market)?;
/// let (sol, usdc) = (address::reserve(&market, &token::WRAPPED_SOL), address::reserve(&market, &usdc));
///
/// let instructions = Actions::opening(&view, owner.pubkey(), 0)
///     .deposit(&sol, AmountSpec::Exact(2_000_000_000))?
///     .borrow(&usdc, 150_000_000)?
///     .instructions();
/// let sent = Sender::new(&rpc, &owner).with_table(&table)?.send(&instructions, &[])?;
/// println!("{} used at most {} compute units", sent.signature, sent.budget.compute_units);
/// # Ok(())
/// # }
/// ```
pub struct Actions<'a> {
    view: &'a View,
    user: Pubkey,
    key: Pubkey,
    /// As it will be when it is the next action's turn. How many shares there are does not matter, only in which slots.
    vault: Vault,
    instructions: Vec<Instruction>,
    has_wrapped_sol: bool,
    keeps_wrapped: bool,
}

impl<'a> Actions<'a> {
    /// On `vault` at `key`, which must be as on chain when the transaction runs.
    pub fn on(view: &'a View, user: Pubkey, key: Pubkey, vault: &Vault) -> Self {
        Self { view, user, key, vault: *vault, instructions: Vec::new(), has_wrapped_sol: false, keeps_wrapped: false }
    }

    /// On vault `index` of `owner`, which is opened first.
    pub fn opening(view: &'a View, owner: Pubkey, index: u16) -> Self {
        let market = *view.key();
        let vault = Vault { market, owner, index, ..Vault::zeroed() };
        let mut actions = Self::on(view, owner, address::vault(&market, &owner, index), &vault);
        actions.instructions.push(instruction::open_vault(owner, owner, market, index));
        actions
    }

    /// Leaves wrapped SOL wrapped.
    pub fn keeping_wrapped(mut self) -> Self {
        self.keeps_wrapped = true;
        self
    }

    /// Deposits. An exact amount of SOL is wrapped first; ALL is what the token account holds.
    pub fn deposit(mut self, reserve: &Pubkey, amount: AmountSpec) -> Result<Self, ClientError> {
        let group = self.view.reserve(reserve)?.config.group.id;
        self.vault.add_collateral(reserve, group, SupplyShares(Fraction::EPSILON))?;
        if let AmountSpec::Exact(lamports) = amount {
            self.wrap(reserve, lamports)?;
        }
        self.has_wrapped_sol |= self.is_sol(reserve)?;
        let actor = self.actor(reserve)?;
        self.instructions.push(instruction::deposit(&self.view.book, &actor, amount)?);
        Ok(self)
    }

    /// Withdraws. To take everything, say ALL: an exact amount leaves the vault its position.
    pub fn withdraw(mut self, reserve: &Pubkey, amount: AmountSpec) -> Result<Self, ClientError> {
        let held = self.vault.collateral(reserve)?;
        self.receive(reserve)?;
        let actor = self.actor(reserve)?;
        self.instructions.push(instruction::withdraw(&self.view.book, &self.vault, &actor, amount)?);
        if amount == AmountSpec::All {
            self.vault.remove_collateral(reserve, held)?;
        }
        Ok(self)
    }

    /// Borrows.
    pub fn borrow(mut self, reserve: &Pubkey, amount: u64) -> Result<Self, ClientError> {
        self.receive(reserve)?;
        let actor = self.actor(reserve)?;
        self.instructions.push(instruction::borrow(&self.view.book, &self.vault, &actor, amount)?);
        let group = self.view.reserve(reserve)?.config.group.id;
        self.vault.add_debt(reserve, group, DebtShares(Fraction::EPSILON))?;
        Ok(self)
    }

    /// Repays. To clear the debt, say ALL: an exact amount leaves the vault its position. SOL is wrapped first.
    pub fn repay(mut self, reserve: &Pubkey, amount: AmountSpec) -> Result<Self, ClientError> {
        let owed = self.vault.debt(reserve)?;
        let lamports = match amount {
            AmountSpec::Exact(lamports) => lamports,
            AmountSpec::All => self.owed_later(reserve)?,
        };
        self.wrap(reserve, lamports)?;
        let actor = self.actor(reserve)?;
        self.instructions.push(instruction::repay(&self.view.book, &self.vault, &actor, amount)?);
        if amount == AmountSpec::All {
            self.vault.remove_debt(reserve, owed)?;
        }
        Ok(self)
    }

    /// Closes the vault, which must be empty by then.
    pub fn close(mut self) -> Self {
        self.instructions.push(instruction::close_vault(self.user, self.key));
        self
    }

    /// The instructions, for one transaction.
    pub fn instructions(mut self) -> Vec<Instruction> {
        if self.has_wrapped_sol && !self.keeps_wrapped {
            self.instructions.push(token::unwrap_sol(&self.user));
        }
        self.instructions
    }

    fn actor(&self, reserve: &Pubkey) -> Result<Actor, ClientError> {
        Actor::new(&self.view.book, self.user, self.key, *reserve)
    }

    fn is_sol(&self, reserve: &Pubkey) -> Result<bool, ClientError> {
        Ok(self.view.reserve(reserve)?.mint == token::WRAPPED_SOL)
    }

    fn wrap(&mut self, reserve: &Pubkey, lamports: u64) -> Result<(), ClientError> {
        if self.is_sol(reserve)? {
            self.instructions.extend(token::wrap_sol(&self.user, lamports));
            self.has_wrapped_sol = true;
        }
        Ok(())
    }

    /// Sees to a token account for what comes out of a reserve.
    fn receive(&mut self, reserve: &Pubkey) -> Result<(), ClientError> {
        let state = self.view.reserve(reserve)?;
        let create = token::create_associated(&self.user, &self.user, &state.mint, &state.token_program);
        self.has_wrapped_sol |= state.mint == token::WRAPPED_SOL;
        self.instructions.push(create);
        Ok(())
    }

    /// What is owed a while from now, native units.
    fn owed_later(&self, reserve: &Pubkey) -> Result<u64, ClientError> {
        let Some(position) = self.vault.find(reserve) else { return Ok(0) };
        let later = self.view.time.now.saturating_add(INTEREST_MARGIN);
        Ok(self.view.reserve(reserve)?.amount(position, Side::Debt, later)?.0)
    }
}
