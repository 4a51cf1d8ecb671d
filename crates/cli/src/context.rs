//! What every command needs: the chain, the signer, the market; and how transactions are sent or tried.

use crate::BadInput;
use crate::args::{Global, MarketRef};
use crate::assets::Labels;
use crate::config::Config;
use crate::report::Report;
use crate::{difference, proposal, signers};
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use keel_client::keel::state::{Market, Role};
use keel_client::sending::{Priority, Sender};
use keel_client::transport::{Rpc, Transport};
use keel_client::view::View;
use keel_client::{ClientError, address};
use serde_json::json;
use solana_instruction::Instruction;
use solana_signer::Signer;
use std::cell::OnceCell;

/// What every command needs.
pub struct Context {
    /// The chain.
    pub transport: Box<dyn Transport>,
    /// What the user calls things.
    pub labels: Labels,
    /// Which market.
    pub market: MarketRef,
    /// Whether transactions are only tried.
    pub dry_run: bool,
    /// Whether instructions are printed for a DAO's proposal, in place of being sent.
    pub print_instruction: bool,
    /// Whose instruction a proposal executes, if not that of who usually does it.
    pub proposal_role: Option<Role>,
    /// Who pays in a proposal, if not governance itself.
    pub proposal_payer: Option<Pubkey>,
    /// What to pay for priority.
    pub priority: Priority,
    /// A lookup table to use.
    pub lookup_table: Option<Pubkey>,
    /// Where the signer is.
    pub keypair: String,
    signer: OnceCell<Box<dyn Signer>>,
}

impl Context {
    /// From the command line and the configuration.
    pub fn new(global: &Global) -> Result<Self> {
        let config = Config::load(global.config.as_deref())?;
        let rpc = Rpc::new(config.url(global.url.as_deref()), config.commitment(global.commitment)?);
        let mut context = Self::on(Box::new(rpc), Labels::new(&config.address_labels)).with(global);
        context.keypair = config.keypair(global.keypair.as_deref());
        Ok(context)
    }

    /// On a chain, with everything else as it is by default.
    pub fn on(transport: Box<dyn Transport>, labels: Labels) -> Self {
        Self {
            transport,
            labels,
            market: MarketRef::Id(0),
            dry_run: false,
            print_instruction: false,
            proposal_role: None,
            proposal_payer: None,
            priority: Priority::default(),
            lookup_table: None,
            keypair: String::new(),
            signer: OnceCell::new(),
        }
    }

    /// The same, as far as the command line says so: which market, what is sent and at what price.
    pub fn with(mut self, global: &Global) -> Self {
        self.market = global.market;
        self.dry_run = global.dry_run;
        self.print_instruction = global.print_instruction;
        self.proposal_role = global.role.map(Role::from);
        self.proposal_payer = global.payer;
        self.priority = global.priority_fee.map_or_else(Priority::default, Priority::Exact);
        self.lookup_table = global.lookup_table;
        self
    }

    /// The same, signing with `signer`.
    pub fn signing(self, signer: Box<dyn Signer>) -> Self {
        Self { signer: OnceCell::from(signer), ..self }
    }

    /// Who signs. Looked for when it is first needed.
    pub fn signer(&self) -> Result<&dyn Signer> {
        if self.signer.get().is_none() {
            // Nobody else sets it in between: this is one thread.
            let _ = self.signer.set(signers::load(&self.keypair)?);
        }
        self.signer.get().map(Box::as_ref).ok_or_else(|| BadInput::error("there is no signer; name one with --keypair"))
    }

    /// The signer's address.
    pub fn user(&self) -> Result<Pubkey> {
        Ok(self.signer()?.try_pubkey()?)
    }

    /// Who signs as the holder of a role: for a proposal the holder of `role`, or of the one that the command line names;
    /// otherwise the user, whose role the program checks.
    pub fn authority(&self, market: &Market, role: Role) -> Result<Pubkey> {
        if self.print_instruction { Ok(market.holder(self.proposal_role.unwrap_or(role))) } else { self.user() }
    }

    /// Who pays for what `authority` creates: in a proposal somebody whose SOL the DAO can spend.
    pub fn payer(&self, authority: &Pubkey) -> Result<Pubkey> {
        if self.print_instruction { Ok(self.proposal_payer.unwrap_or(*authority)) } else { self.user() }
    }

    /// The market's address.
    pub fn market_key(&self) -> Pubkey {
        match self.market {
            MarketRef::Id(id) => address::market(id),
            MarketRef::Key(key) => key,
        }
    }

    /// The market, fetched now.
    pub fn view(&self) -> Result<View> {
        View::fetch(&*self.transport, &self.market_key()).map_err(|error| match error {
            ClientError::NoAccount { expected: "market", .. } => BadInput::error(format!(
                "there is no market {}; `keel market list` shows those there are, --market chooses one",
                self.market
            )),
            error => error.into(),
        })
    }

    /// Sends for the user, or for whoever pays.
    pub fn sender(&self) -> Result<Sender<'_>> {
        let mut sender = Sender::new(&*self.transport, self.signer()?);
        sender.priority = self.priority;
        match &self.lookup_table {
            Some(table) => Ok(sender.with_table(table)?),
            None => Ok(sender),
        }
    }

    /// Executes instructions that the user signs, or tries them when this is a dry run. `done` says what happened.
    pub fn execute(&self, done: &str, instructions: &[Instruction]) -> Result<Report> {
        self.execute_with(done, instructions, &[])
    }

    /// [`Self::execute`] with more signers.
    pub fn execute_with(&self, done: &str, instructions: &[Instruction], signers: &[&dyn Signer]) -> Result<Report> {
        if self.print_instruction {
            return Ok(proposal::report(done, instructions));
        }
        let sender = self.sender()?;
        if self.dry_run {
            return difference::report(&sender.dry_run(instructions)?, &self.labels);
        }
        let sent = sender.send(instructions, signers)?;
        let json = json!({
            "done": done,
            "signature": sent.signature.to_string(),
            "computeUnitLimit": sent.budget.compute_units,
            "priorityFeeMicroLamports": sent.budget.priority_fee,
        });
        Ok(Report::new(format!("{done}\nTransaction {}", sent.signature), json))
    }
}
