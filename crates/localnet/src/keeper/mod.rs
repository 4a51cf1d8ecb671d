//! Two simple keepers. At every step they value all vaults with the program's own code and liquidate the unhealthy ones,
//! the worst first, repaying the largest debt and taking the largest collateral. One has capital. The other, which is
//! there if the scenario has an exchange, takes flash loans; then the two take turns.

mod capital;
mod flash;

use crate::chain::{self, Chain, SendError};
use crate::market::{Asset, Snapshot, World, keypair};
use crate::scenario::Scenario;
use crate::{approximate, solvency};
use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result, anyhow};
use keel::KeelError;
use keel::events::{BadDebtRecognized, Liquidated};
use keel::state::{Side, Vault};
use keel_client::instruction::{self, Liquidation};
use keel_client::keel_risk::Fraction;
use keel_client::keel_risk::price::Purpose;
use keel_client::token::{self, TOKEN_PROGRAM};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Liquidations of one vault at one step, at most: every one raises its health, so more are not needed.
const ROUNDS: u32 = 6;

/// Lamports for rent and fees: all that the keeper without capital has.
const POCKET_LAMPORTS: u64 = 100_000_000_000;

/// What a keeper pays with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// Tokens of its own.
    Capital,
    /// Tokens that it borrows for the length of the transaction.
    FlashLoan,
}

/// A vault as a keeper finds it.
pub struct Case<'a> {
    /// The chain.
    pub chain: &'a Chain,
    /// The market as it was set up.
    pub world: &'a World,
    /// The market as it is.
    pub snapshot: &'a Snapshot,
    /// The vault's address.
    pub key: Pubkey,
    /// The vault.
    pub vault: &'a Vault,
    /// Seconds into the scenario.
    pub elapsed: i64,
}

/// A liquidation that happened.
#[derive(Clone, Debug)]
pub struct Record {
    /// Seconds into the scenario.
    pub elapsed: i64,
    /// What the keeper paid with.
    pub means: Means,
    /// The vault.
    pub vault: Pubkey,
    /// The reserve whose debt was repaid.
    pub debt_reserve: Pubkey,
    /// The reserve whose collateral was seized.
    pub collateral_reserve: Pubkey,
    /// Health factor before.
    pub health_before: f64,
    /// Health factor after; none without debt.
    pub health_after: Option<f64>,
    /// Native units repaid.
    pub repaid: u64,
    /// Native units that left the vault.
    pub seized: u64,
    /// Native units that the keeper received.
    pub to_keeper: u64,
    /// Dollars repaid.
    pub repaid_usd: f64,
    /// Dollars that left the vault.
    pub seized_usd: f64,
    /// Dollars that the keeper received.
    pub received_usd: f64,
    /// What the keeper was left with after it sold what it received and repaid its loan, dollars; none with capital.
    pub profit_usd: Option<f64>,
}

impl Record {
    /// What the keeper earned.
    pub fn bounty_usd(&self) -> f64 {
        self.received_usd - self.repaid_usd
    }

    /// What the owner lost beyond the debt that is gone.
    pub fn owner_loss_usd(&self) -> f64 {
        self.seized_usd - self.repaid_usd
    }
}

/// Debt of one reserve that was written off.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WrittenOff {
    /// Native units owed that will not come back.
    pub owed: u64,
    /// Of those, paid by insurance.
    pub insured: u64,
    /// Of those, borne by suppliers.
    pub socialized: u64,
    /// Of those, recorded as the deficit of a minted reserve.
    pub deficit: u64,
    /// What was owed, dollars at the prices of the moment.
    pub owed_usd: f64,
    /// What suppliers bore, dollars at the prices of the moment.
    pub socialized_usd: f64,
    /// What became a deficit, dollars.
    pub deficit_usd: f64,
}

/// The keepers and their books.
pub struct Keepers {
    capital: Keypair,
    flash: Option<Keypair>,
    /// Whose turn it is.
    turn: Means,
    refresh_seconds: i64,
    refreshed: Option<i64>,
    /// Vaults that [`Self::step_late`] has found and not acted on.
    noticed: Vec<Pubkey>,
    /// What they did.
    pub records: Vec<Record>,
    /// What was written off, by reserve.
    pub written_off: BTreeMap<Pubkey, WrittenOff>,
    /// Refusals by their name, or text if they are not Keel's, and how often.
    pub refusals: BTreeMap<String, u32>,
    /// Refreshes sent.
    pub refreshes: u32,
}

impl Keepers {
    /// Creates the keepers' token accounts, and fills those of the one with the scenario's capital.
    pub fn set_up(chain: &Chain, world: &World, scenario: &Scenario, seed: u64) -> Result<Self> {
        let capital = keypair(seed, "keeper", 0);
        capital::fund(chain, world, scenario, &capital)?;
        let flash = scenario.exchange.as_ref().map(|_| keypair(seed, "keeper", 1));
        if let Some(flash) = &flash {
            let owner = flash.pubkey();
            chain.fund(&owner, POCKET_LAMPORTS)?;
            let accounts: Vec<_> = world
                .assets
                .iter()
                .map(|asset| token::create_associated(&owner, &owner, &asset.mint, &TOKEN_PROGRAM))
                .collect();
            chain.must("the accounts of the keeper without capital", &accounts, &[flash], &[])?;
        }
        Ok(Self {
            capital,
            flash,
            turn: Means::FlashLoan,
            refresh_seconds: (scenario.keeper.refresh_minutes * 60.0) as i64,
            refreshed: None,
            noticed: Vec::new(),
            records: Vec::new(),
            written_off: BTreeMap::new(),
            refusals: BTreeMap::new(),
            refreshes: 0,
        })
    }

    /// One look at the market, `elapsed` seconds into the scenario, and what follows from it.
    pub fn step(&mut self, chain: &Chain, world: &World, elapsed: i64) -> Result<()> {
        self.step_on(chain, world, elapsed, |_| true)
    }

    /// The same, but that a vault is only noticed at first, and acted on at the next of these looks.
    pub fn step_late(&mut self, chain: &Chain, world: &World, elapsed: i64) -> Result<()> {
        let due = std::mem::take(&mut self.noticed);
        let found = worst_first(&world.snapshot(chain)?)?.into_iter().map(|(key, _)| key);
        self.noticed = found.filter(|key| !due.contains(key)).collect();
        self.step_on(chain, world, elapsed, |key| due.contains(key))
    }

    fn step_on(&mut self, chain: &Chain, world: &World, elapsed: i64, is_due: impl Fn(&Pubkey) -> bool) -> Result<()> {
        if self.refreshed.is_none_or(|last| elapsed - last >= self.refresh_seconds) {
            self.refresh(chain, world)?;
            self.refreshed = Some(elapsed);
        }
        for _ in 0..ROUNDS {
            let snapshot = world.snapshot(chain)?;
            let mut acted = false;
            for (key, vault) in worst_first(&snapshot)?.into_iter().filter(|(key, _)| is_due(key)) {
                acted |= self.act(&Case { chain, world, snapshot: &snapshot, key, vault: &vault, elapsed })?;
            }
            if !acted {
                break;
            }
        }
        Ok(())
    }

    /// Accrues every reserve and stores its price.
    pub fn refresh(&mut self, chain: &Chain, world: &World) -> Result<()> {
        let snapshot = world.snapshot(chain)?;
        for asset in &world.assets {
            let refresh = instruction::refresh_reserve(&snapshot.book, asset.reserve)?;
            self.attempt(chain, world, Means::Capital, &[refresh])?;
            self.refreshes += 1;
        }
        Ok(())
    }

    /// Resolves the bad debt of a vault, or liquidates it. Whether anything changed.
    fn act(&mut self, case: &Case) -> Result<bool> {
        let Case { snapshot, vault, .. } = case;
        let min_position = snapshot.market.min_position().map_err(|error| anyhow!("{error}"))?;
        let bad = vault.is_insolvent() || snapshot.totals(vault, Purpose::Liquidation)?.is_bad_debt(min_position);
        if bad {
            return self.resolve(case);
        }
        let pairs = pairs(snapshot, vault)?;
        for means in self.in_turn().iter().copied() {
            for (debt_reserve, collateral_reserve) in &pairs {
                if self.liquidate(case, means, debt_reserve, collateral_reserve)? {
                    self.turn = if means == Means::Capital { Means::FlashLoan } else { Means::Capital };
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn in_turn(&self) -> &'static [Means] {
        match (&self.flash, self.turn) {
            (None, _) => &[Means::Capital],
            (Some(_), Means::Capital) => &[Means::Capital, Means::FlashLoan],
            (Some(_), Means::FlashLoan) => &[Means::FlashLoan, Means::Capital],
        }
    }

    fn liquidate(&mut self, case: &Case, means: Means, debt: &Pubkey, collateral: &Pubkey) -> Result<bool> {
        let Case { chain, world, snapshot, .. } = case;
        let (owner, asset) = (self.signer(means)?.pubkey(), world.asset_of(debt)?);
        let before = balance(chain, &owner, asset)?;
        let terms = Liquidation {
            keeper: owner,
            vault: case.key,
            debt_reserve: *debt,
            collateral_reserve: *collateral,
            max_repay: before,
            // No slippage: nobody else changes this vault, and the program pays no less than was repaid.
            min_seize: 1,
        };
        let instructions = match means {
            Means::Capital => capital::plan(case, terms)?,
            Means::FlashLoan => match flash::plan(case, self.signer(means)?, &terms)? {
                flash::Plan::Send(instructions) => instructions,
                flash::Plan::Unprofitable => return Ok(false),
                flash::Plan::Refused(error) => return self.refused(error).map(|()| false),
            },
        };
        let Some(signature) = self.attempt(chain, world, means, &instructions)? else { return Ok(false) };
        let profit = match means {
            Means::Capital => None,
            Means::FlashLoan => Some(snapshot.dollars(debt, balance(chain, &owner, asset)?.saturating_sub(before))?),
        };
        self.record(case, means, &signature, profit)?;
        Ok(true)
    }

    /// Clears the first debt, or what is left when there is none.
    fn resolve(&mut self, case: &Case) -> Result<bool> {
        let Case { chain, world, snapshot, vault, .. } = case;
        let debt = vault.occupied().find(|(_, side)| *side == Side::Debt);
        let Some((position, _)) = debt.or_else(|| vault.occupied().next()) else { return Ok(false) };
        let resolve = instruction::resolve_bad_debt(&snapshot.book, case.key, vault, position.reserve)?;
        let Some(signature) = self.attempt(chain, world, Means::Capital, &[resolve])? else { return Ok(false) };
        self.note_losses(snapshot, &chain.logs(&signature)?)?;
        Ok(true)
    }

    fn signer(&self, means: Means) -> Result<&Keypair> {
        match means {
            Means::Capital => Ok(&self.capital),
            Means::FlashLoan => self.flash.as_ref().context("there is no keeper without capital"),
        }
    }

    /// Sends one transaction. `None` when the program refused, which is counted.
    fn attempt(
        &mut self,
        chain: &Chain,
        world: &World,
        means: Means,
        instructions: &[Instruction],
    ) -> Result<Option<Signature>> {
        match chain.send(instructions, &[self.signer(means)?], std::slice::from_ref(&world.table)) {
            Ok(signature) => Ok(Some(signature)),
            Err(error) => self.refused(error).map(|()| None),
        }
    }

    /// Counts a refusal. What says more than no is an error.
    fn refused(&mut self, error: SendError) -> Result<()> {
        if error.is(KeelError::BooksBroken) || error.is(KeelError::LiquidityMismatch) {
            return Err(anyhow!("the program found its books broken: {error}"));
        }
        let SendError::Refused { name, code, message } = error else {
            return Err(anyhow!("the keeper's transaction failed: {error}"));
        };
        *self.refusals.entry(if code == 0 { message } else { name }).or_default() += 1;
        Ok(())
    }

    fn record(&mut self, case: &Case, means: Means, signature: &Signature, profit_usd: Option<f64>) -> Result<()> {
        let snapshot = case.snapshot;
        let logs = case.chain.logs(signature)?;
        let event: Liquidated =
            chain::events(&logs).into_iter().next().context("a liquidation logged no Liquidated event")?;
        let health = |bits: u128| approximate(Fraction::from_bits(bits));
        self.records.push(Record {
            elapsed: case.elapsed,
            means,
            vault: event.vault,
            debt_reserve: event.debt_reserve,
            collateral_reserve: event.collateral_reserve,
            health_before: health(event.health_before),
            health_after: (event.health_after != u128::MAX).then(|| health(event.health_after)),
            repaid: event.repaid,
            seized: event.seized,
            to_keeper: event.to_keeper,
            repaid_usd: snapshot.dollars(&event.debt_reserve, event.repaid)?,
            seized_usd: snapshot.dollars(&event.collateral_reserve, event.seized)?,
            received_usd: snapshot.dollars(&event.collateral_reserve, event.to_keeper)?,
            profit_usd,
        });
        self.note_losses(snapshot, &logs)
    }

    fn note_losses(&mut self, snapshot: &Snapshot, logs: &[String]) -> Result<()> {
        for loss in chain::events::<BadDebtRecognized>(logs) {
            let sum = self.written_off.entry(loss.reserve).or_default();
            sum.owed += loss.owed;
            sum.insured += loss.insured;
            sum.socialized += loss.socialized;
            sum.deficit += loss.deficit;
            sum.owed_usd += snapshot.dollars(&loss.reserve, loss.owed)?;
            sum.socialized_usd += snapshot.dollars(&loss.reserve, loss.socialized)?;
            sum.deficit_usd += snapshot.dollars(&loss.reserve, loss.deficit)?;
        }
        Ok(())
    }
}

/// What a keeper has of an asset, in its associated token account.
fn balance(chain: &Chain, owner: &Pubkey, asset: &Asset) -> Result<u64> {
    let account = token::associated_address(owner, &asset.mint, &TOKEN_PROGRAM);
    let fetched = chain.accounts(&[account])?.into_iter().flatten().next();
    solvency::token_balance(&fetched.with_context(|| format!("a keeper has no account of {}", asset.symbol))?.data)
}

/// The vaults that need a keeper: those whose bad debt is being resolved, then the unhealthy by rising health.
fn worst_first(snapshot: &Snapshot) -> Result<Vec<(Pubkey, Vault)>> {
    let mut found = Vec::new();
    for (key, vault) in &snapshot.vaults {
        if vault.is_insolvent() {
            found.push((None, *key, *vault));
        } else if vault.has(Side::Debt) {
            let totals = snapshot.totals(vault, Purpose::Liquidation)?;
            if !totals.is_healthy() {
                found.push((totals.health_factor(), *key, *vault));
            }
        }
    }
    found.sort_by_key(|(health, key, _)| (*health, *key));
    Ok(found.into_iter().map(|(_, key, vault)| (key, vault)).collect())
}

/// Pairs of a debt and a collateral of a vault, the most valuable first.
fn pairs(snapshot: &Snapshot, vault: &Vault) -> Result<Vec<(Pubkey, Pubkey)>> {
    let by_value = |wanted: Side| -> Result<Vec<Pubkey>> {
        let mut found = Vec::new();
        for (position, side) in vault.occupied().filter(|(_, side)| *side == wanted) {
            found.push((Reverse(snapshot.position_value(position, side)?), position.reserve));
        }
        found.sort();
        Ok(found.into_iter().map(|(_, reserve)| reserve).collect())
    };
    let collateral = by_value(Side::Collateral)?;
    let debts = by_value(Side::Debt)?;
    Ok(debts.iter().flat_map(|debt| collateral.iter().map(|held| (*debt, *held))).collect())
}
