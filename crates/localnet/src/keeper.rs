//! A simple keeper: at every step it values all vaults with the program's own code and liquidates the unhealthy ones,
//! the worst first, repaying the largest debt and taking the largest collateral.

use crate::approximate;
use crate::chain::{self, Chain, SendError};
use crate::market::{Snapshot, World, keypair};
use crate::scenario::Scenario;
use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result, anyhow};
use keel::KeelError;
use keel::events::{BadDebtRecognized, Liquidated};
use keel::state::{Side, Vault};
use keel_client::instruction::{self, Liquidation};
use keel_client::keel_risk::Fraction;
use keel_client::keel_risk::price::Purpose;
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Liquidations of one vault at one step, at most: every one raises its health, so more are not needed.
const ROUNDS: u32 = 6;

/// A liquidation that happened.
#[derive(Clone, Debug)]
pub struct Record {
    /// Seconds into the scenario.
    pub elapsed: i64,
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
    /// What was owed, dollars at the prices of the moment.
    pub owed_usd: f64,
    /// What suppliers bore, dollars at the prices of the moment.
    pub socialized_usd: f64,
}

/// The keeper and its books.
pub struct Keeper {
    keypair: Keypair,
    refresh_seconds: i64,
    refreshed: Option<i64>,
    /// What it did.
    pub records: Vec<Record>,
    /// What was written off, by reserve.
    pub written_off: BTreeMap<Pubkey, WrittenOff>,
    /// Refusals by their name, or text if they are not Keel's, and how often.
    pub refusals: BTreeMap<String, u32>,
    /// Refreshes sent.
    pub refreshes: u32,
}

impl Keeper {
    /// Creates the keeper's token accounts and fills them with the scenario's capital.
    pub fn set_up(chain: &Chain, world: &World, scenario: &Scenario, seed: u64) -> Result<Self> {
        let keypair = keypair(seed, "keeper", 0);
        let owner = keypair.pubkey();
        let amounts: Vec<u64> = scenario
            .assets
            .iter()
            .map(|terms| terms.native_units(scenario.keeper.capital_usd / terms.price_at(0.0)))
            .collect();
        let wrapped: u64 = world.assets.iter().zip(&amounts).filter(|(a, _)| a.native).map(|(_, amount)| amount).sum();
        chain.fund(&owner, wrapped.saturating_add(100_000_000_000))?;
        for (asset, amount) in world.assets.iter().zip(&amounts) {
            let instructions = world.give(&owner, &owner, asset, *amount)?;
            let signers = if asset.native { vec![&keypair] } else { vec![&keypair, &world.authority] };
            chain.must("the keeper's capital", &instructions, &signers, &[])?;
        }
        Ok(Self {
            keypair,
            refresh_seconds: (scenario.keeper.refresh_minutes * 60.0) as i64,
            refreshed: None,
            records: Vec::new(),
            written_off: BTreeMap::new(),
            refusals: BTreeMap::new(),
            refreshes: 0,
        })
    }

    /// One look at the market, `elapsed` seconds into the scenario, and what follows from it.
    pub fn step(&mut self, chain: &Chain, world: &World, elapsed: i64) -> Result<()> {
        if self.refreshed.is_none_or(|last| elapsed - last >= self.refresh_seconds) {
            self.refresh(chain, world)?;
            self.refreshed = Some(elapsed);
        }
        for _ in 0..ROUNDS {
            let snapshot = world.snapshot(chain)?;
            let mut acted = false;
            for (key, vault) in worst_first(&snapshot)? {
                acted |= self.act(chain, world, &snapshot, &key, &vault, elapsed)?;
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
            self.attempt(chain, world, refresh)?;
            self.refreshes += 1;
        }
        Ok(())
    }

    /// Resolves the bad debt of a vault, or liquidates it. Whether anything changed.
    fn act(
        &mut self,
        chain: &Chain,
        world: &World,
        snapshot: &Snapshot,
        key: &Pubkey,
        vault: &Vault,
        elapsed: i64,
    ) -> Result<bool> {
        let min_position = snapshot.market.min_position().map_err(|error| anyhow!("{error}"))?;
        let bad = vault.is_insolvent() || snapshot.totals(vault, Purpose::Liquidation)?.is_bad_debt(min_position);
        if bad {
            return self.resolve(chain, world, snapshot, key, vault);
        }
        for (debt_reserve, collateral_reserve) in pairs(snapshot, vault)? {
            let terms = Liquidation {
                keeper: self.keypair.pubkey(),
                vault: *key,
                debt_reserve,
                collateral_reserve,
                max_repay: self.balance(chain, snapshot, &debt_reserve)?,
                // No slippage: nobody else changes this vault, and the program pays no less than was repaid.
                min_seize: 1,
            };
            let liquidate = instruction::liquidate(&snapshot.book, vault, &terms)?;
            if let Some(signature) = self.attempt(chain, world, liquidate)? {
                self.record(chain, snapshot, &signature, elapsed)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Clears the first debt, or what is left when there is none.
    fn resolve(
        &mut self,
        chain: &Chain,
        world: &World,
        snapshot: &Snapshot,
        key: &Pubkey,
        vault: &Vault,
    ) -> Result<bool> {
        let debt = vault.occupied().find(|(_, side)| *side == Side::Debt);
        let Some((position, _)) = debt.or_else(|| vault.occupied().next()) else { return Ok(false) };
        let resolve = instruction::resolve_bad_debt(&snapshot.book, *key, vault, position.reserve)?;
        let Some(signature) = self.attempt(chain, world, resolve)? else { return Ok(false) };
        self.note_losses(snapshot, &chain.logs(&signature)?)?;
        Ok(true)
    }

    /// Sends one instruction. `None` when the program refused, which is counted.
    fn attempt(
        &mut self,
        chain: &Chain,
        world: &World,
        instruction: solana_instruction::Instruction,
    ) -> Result<Option<Signature>> {
        match chain.send(&[instruction], &[&self.keypair], std::slice::from_ref(&world.table)) {
            Ok(signature) => Ok(Some(signature)),
            Err(error) if error.is(KeelError::BooksBroken) || error.is(KeelError::LiquidityMismatch) => {
                Err(anyhow!("the program found its books broken: {error}"))
            }
            Err(SendError::Refused { name, code, message }) => {
                *self.refusals.entry(if code == 0 { message } else { name }).or_default() += 1;
                Ok(None)
            }
            Err(error) => Err(anyhow!("the keeper's transaction failed: {error}")),
        }
    }

    fn balance(&self, chain: &Chain, snapshot: &Snapshot, reserve: &Pubkey) -> Result<u64> {
        let reserve = snapshot.reserve(reserve)?;
        let account =
            keel_client::token::associated_address(&self.keypair.pubkey(), &reserve.mint, &reserve.token_program);
        let fetched = chain.accounts(&[account])?.into_iter().flatten().next();
        crate::solvency::token_balance(&fetched.context("the keeper has no token account")?.data)
    }

    fn record(&mut self, chain: &Chain, snapshot: &Snapshot, signature: &Signature, elapsed: i64) -> Result<()> {
        let logs = chain.logs(signature)?;
        let event: Liquidated =
            chain::events(&logs).into_iter().next().context("a liquidation logged no Liquidated event")?;
        let health = |bits: u128| approximate(Fraction::from_bits(bits));
        self.records.push(Record {
            elapsed,
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
        });
        self.note_losses(snapshot, &logs)
    }

    fn note_losses(&mut self, snapshot: &Snapshot, logs: &[String]) -> Result<()> {
        for loss in chain::events::<BadDebtRecognized>(logs) {
            let sum = self.written_off.entry(loss.reserve).or_default();
            sum.owed += loss.owed;
            sum.insured += loss.insured;
            sum.socialized += loss.socialized;
            sum.owed_usd += snapshot.dollars(&loss.reserve, loss.owed)?;
            sum.socialized_usd += snapshot.dollars(&loss.reserve, loss.socialized)?;
        }
        Ok(())
    }
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
