//! People with vaults. Lenders only supply; borrowers deposit, borrow, and some of them react when their health falls.

use crate::approximate;
use crate::chain::{Chain, SendError};
use crate::market::{Asset, Snapshot, World, keypair};
use crate::scenario::{Group, Reactions, Scenario};
use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result, anyhow};
use keel::AmountSpec;
use keel::state::{Side, Vault};
use keel_client::address;
use keel_client::instruction::{self, Actor};
use keel_client::keel_risk::price::Purpose;
use keel_client::token::{self, TOKEN_PROGRAM};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::collections::BTreeMap;

/// Lamports for rent and fees.
const POCKET_LAMPORTS: u64 = 10_000_000_000;
/// Whoever borrows to the limit leaves this much of it, so that rounding and interest do not refuse them.
const OF_THE_LIMIT: f64 = 0.985;

/// What a borrower who watches does about a falling health.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Watch {
    below: f64,
    repays: bool,
    left: u32,
}

/// A borrower.
pub struct User {
    /// For the report.
    pub name: String,
    /// Signs.
    pub keypair: Keypair,
    /// The vault.
    pub vault: Pubkey,
    /// Collateral: index of the asset, native units deposited, native units kept aside.
    collateral: Vec<(usize, u64, u64)>,
    /// Loans: index of the asset, part of all that is borrowed.
    loans: Vec<(usize, f64)>,
    health: f64,
    watch: Option<Watch>,
    rng: ChaCha8Rng,
}

/// How often users did what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Reacted {
    /// Repayments.
    pub repaid: u32,
    /// Deposits.
    pub added: u32,
    /// What the program refused, for instance because a keeper was faster.
    pub refused: u32,
}

/// All borrowers.
pub struct Users {
    /// In the order of the scenario's groups.
    pub all: Vec<User>,
    /// What they did in the crash.
    pub reacted: Reacted,
    /// Why the program refused loans at the beginning, and how many.
    pub refused_loans: BTreeMap<String, u32>,
}

impl User {
    fn new(
        number: u32,
        group: &Group,
        scenario: &Scenario,
        market: &Pubkey,
        seed: u64,
        reactions: &Reactions,
    ) -> Result<Self> {
        let keypair = keypair(seed, "user", number);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(number));
        let [low, high] = group.collateral_usd.map(f64::ln);
        let dollars = (low + (high - low) * rng.random::<f64>()).exp() / group.collateral.len() as f64;
        let find = |symbol: &String| scenario.index_of(symbol).with_context(|| format!("no asset {symbol}"));
        let mut collateral = Vec::new();
        for symbol in &group.collateral {
            let index = find(symbol)?;
            let terms = scenario.assets.get(index).context("no such asset")?;
            let deposited = terms.worth(dollars);
            let aside = u128::from(deposited) * u128::from(reactions.deposit_bps) / 10_000;
            let aside = u64::try_from(aside)? * u64::from(reactions.times);
            collateral.push((index, deposited, aside));
        }
        let within = |rng: &mut ChaCha8Rng, [low, high]: [f64; 2]| low + (high - low) * rng.random::<f64>();
        let health = within(&mut rng, group.health);
        let below = within(&mut rng, reactions.act_below);
        let (watches, repays) = (rng.random::<f64>() < group.watching, rng.random::<bool>());
        let assets = group.borrow.iter().map(find).collect::<Result<Vec<_>>>()?;
        Ok(Self {
            name: format!("{number:02} {}", group.name),
            vault: address::vault(market, &keypair.pubkey(), 0),
            collateral,
            loans: assets.into_iter().zip(parts(&mut rng, group.borrow.len())).collect(),
            health,
            watch: watches.then_some(Watch { below, repays, left: reactions.times }),
            rng,
            keypair,
        })
    }

    /// Opens the vault and deposits.
    fn deposit(&self, chain: &Chain, world: &World, snapshot: &Snapshot) -> Result<()> {
        let owner = self.keypair.pubkey();
        let mut lamports = POCKET_LAMPORTS;
        let mut instructions = vec![instruction::open_vault(owner, owner, world.market, 0)];
        for (index, deposited, aside) in &self.collateral {
            let asset = asset(world, *index)?;
            let total = deposited.saturating_add(*aside);
            if asset.native {
                lamports = lamports.saturating_add(total);
            }
            instructions.extend(world.give(&owner, &owner, asset, total)?);
            let actor = Actor::new(&snapshot.book, owner, self.vault, asset.reserve)?;
            instructions.push(instruction::deposit(&snapshot.book, &actor, AmountSpec::Exact(*deposited))?);
        }
        chain.fund(&owner, lamports)?;
        let minted = self.collateral.iter().any(|(i, ..)| world.assets.get(*i).is_some_and(|a| !a.native));
        let mut signers = vec![&self.keypair];
        if minted {
            signers.push(&world.authority);
        }
        chain.must(&format!("the deposit of {}", self.name), &instructions, &signers, table(world))?;
        Ok(())
    }

    /// Takes a loan; all of them together go down to the health that was drawn, or as far as the program allows.
    fn borrow(&self, chain: &Chain, world: &World, snapshot: &Snapshot, loan: (usize, f64)) -> Result<(), SendError> {
        let failed = |error: anyhow::Error| SendError::Failed(format!("{error:#}"));
        let (instructions, signers) = self.loan(world, snapshot, loan).map_err(failed)?;
        chain.send(&instructions, &signers, table(world)).map(drop)
    }

    fn loan(
        &self,
        world: &World,
        snapshot: &Snapshot,
        (index, part): (usize, f64),
    ) -> Result<(Vec<solana_instruction::Instruction>, Vec<&Keypair>)> {
        let owner = self.keypair.pubkey();
        let borrowed = asset(world, index)?;
        let vault = snapshot.vault(&self.vault)?;
        let maintenance = approximate(snapshot.totals(vault, Purpose::Liquidation)?.limit.0);
        let initial = approximate(snapshot.totals(vault, Purpose::NewRisk)?.limit.0);
        let dollars = (maintenance / self.health).min(initial * OF_THE_LIMIT) * part;
        let one = snapshot.dollars(&borrowed.reserve, 10u64.pow(borrowed.decimals.into()))?;
        let amount = (dollars / one * 10f64.powi(borrowed.decimals.into())) as u64;
        let actor = Actor::new(&snapshot.book, owner, self.vault, borrowed.reserve)?;
        let instructions = vec![
            token::create_associated(&owner, &owner, &borrowed.mint, &TOKEN_PROGRAM),
            instruction::borrow(&snapshot.book, vault, &actor, amount)?,
        ];
        Ok((instructions, vec![&self.keypair]))
    }

    /// What the user does now, if anything: the instruction, and whether it repays.
    fn reaction(
        &mut self,
        world: &World,
        snapshot: &Snapshot,
        reactions: &Reactions,
        chance: f64,
    ) -> Result<Option<(solana_instruction::Instruction, bool)>> {
        let Some(watch) = self.watch.filter(|watch| watch.left > 0) else { return Ok(None) };
        // On an open chain, somebody may have closed it.
        let Ok(vault) = snapshot.vault(&self.vault) else { return Ok(None) };
        if vault.is_insolvent() || !vault.has(Side::Debt) {
            return Ok(None);
        }
        let health = snapshot.totals(vault, Purpose::Liquidation)?.health_factor().map(approximate);
        if health.is_none_or(|health| health >= watch.below) || self.rng.random::<f64>() >= chance {
            return Ok(None);
        }
        self.watch = Some(Watch { left: watch.left - 1, ..watch });
        let part =
            |amount: u64, bps: u32| u64::try_from(u128::from(amount) * u128::from(bps) / 10_000).unwrap_or(u64::MAX);
        let owner = self.keypair.pubkey();
        if watch.repays {
            let Some(debt) = largest_debt(snapshot, vault)? else { return Ok(None) };
            let amount = part(snapshot.owed(vault, &debt)?, reactions.repay_bps);
            let actor = Actor::new(&snapshot.book, owner, self.vault, debt)?;
            return Ok(Some((instruction::repay(&snapshot.book, vault, &actor, AmountSpec::Exact(amount))?, true)));
        }
        let Some((index, deposited, _)) = self.collateral.first() else { return Ok(None) };
        let asset = asset(world, *index)?;
        let actor = Actor::new(&snapshot.book, owner, self.vault, asset.reserve)?;
        let amount = part(*deposited, reactions.deposit_bps);
        Ok(Some((instruction::deposit(&snapshot.book, &actor, AmountSpec::Exact(amount))?, false)))
    }
}

/// Random parts of one, none of which is small.
fn parts(rng: &mut ChaCha8Rng, count: usize) -> Vec<f64> {
    if count == 1 {
        return vec![1.0];
    }
    let drawn: Vec<f64> = (0..count).map(|_| 0.5 + rng.random::<f64>()).collect();
    let sum: f64 = drawn.iter().sum();
    drawn.into_iter().map(|part| part / sum).collect()
}

/// The reserve of the debt that is worth most.
fn largest_debt(snapshot: &Snapshot, vault: &Vault) -> Result<Option<Pubkey>> {
    let mut largest = None;
    for (position, side) in vault.occupied().filter(|(_, side)| *side == Side::Debt) {
        largest = largest.max(Some((snapshot.position_value(position, side)?, position.reserve)));
    }
    Ok(largest.map(|(_, reserve)| reserve))
}

fn asset(world: &World, index: usize) -> Result<&Asset> {
    world.assets.get(index).context("no such asset")
}

fn table(world: &World) -> &[solana_message::AddressLookupTableAccount] {
    std::slice::from_ref(&world.table)
}

/// The lenders supply what the scenario says of every asset, in equal parts.
pub fn lend(chain: &Chain, world: &World, scenario: &Scenario, seed: u64, done: impl Fn()) -> Result<()> {
    let snapshot = world.snapshot(chain)?;
    let count = scenario.lenders.count;
    for number in 0..count {
        let lender = keypair(seed, "lender", number);
        let owner = lender.pubkey();
        let vault = address::vault(&world.market, &owner, 0);
        let mut lamports = POCKET_LAMPORTS;
        let mut steps = vec![vec![instruction::open_vault(owner, owner, world.market, 0)]];
        for (asset, terms) in world.assets.iter().zip(&scenario.assets) {
            let amount = terms.native_units(terms.supplied / f64::from(count));
            if amount == 0 {
                continue;
            }
            if asset.native {
                lamports = lamports.saturating_add(amount);
            }
            let mut step = world.give(&owner, &owner, asset, amount)?;
            let actor = Actor::new(&snapshot.book, owner, vault, asset.reserve)?;
            step.push(instruction::deposit(&snapshot.book, &actor, AmountSpec::Exact(amount))?);
            steps.push(step);
        }
        chain.fund(&owner, lamports)?;
        for step in steps {
            let minted = step.iter().any(|i| i.program_id == TOKEN_PROGRAM && is_signer(i, &world.authority.pubkey()));
            let signers = if minted { vec![&lender, &world.authority] } else { vec![&lender] };
            chain.must("a lender's deposit", &step, &signers, table(world))?;
        }
        done();
    }
    Ok(())
}

fn is_signer(instruction: &solana_instruction::Instruction, key: &Pubkey) -> bool {
    instruction.accounts.iter().any(|meta| meta.is_signer && meta.pubkey == *key)
}

impl Users {
    /// Draws the users of a scenario from the seed; nothing of them is on the chain yet.
    pub fn draw(scenario: &Scenario, world: &World, seed: u64) -> Result<Self> {
        let groups = scenario.users.iter().flat_map(|g| std::iter::repeat_n(g, g.count as usize));
        let all = (0u32..)
            .zip(groups)
            .map(|(number, group)| User::new(number, group, scenario, &world.market, seed, &scenario.reactions))
            .collect::<Result<_>>()?;
        Ok(Self { all, reacted: Reacted::default(), refused_loans: BTreeMap::new() })
    }

    /// All deposit.
    pub fn deposit(&self, chain: &Chain, world: &World, done: impl Fn()) -> Result<()> {
        let snapshot = world.snapshot(chain)?;
        for user in &self.all {
            user.deposit(chain, world, &snapshot)?;
            done();
        }
        Ok(())
    }

    /// All borrow: first everybody's first loan, by one snapshot of their deposits, then everybody's second.
    pub fn borrow(&mut self, chain: &Chain, world: &World, done: impl Fn()) -> Result<()> {
        for number in 0..self.all.iter().map(|user| user.loans.len()).max().unwrap_or(0) {
            let snapshot = world.snapshot(chain)?;
            for user in &self.all {
                let Some(loan) = user.loans.get(number) else { continue };
                match user.borrow(chain, world, &snapshot, *loan) {
                    Ok(()) => {}
                    Err(error @ SendError::Refused { .. }) => {
                        *self.refused_loans.entry(error.to_string()).or_default() += 1;
                    }
                    Err(error) => return Err(anyhow!("the loan of {} failed: {error}", user.name)),
                }
                done();
            }
        }
        Ok(())
    }

    /// Those who watch act with the scenario's chance for `seconds`.
    pub fn react(&mut self, chain: &Chain, world: &World, reactions: &Reactions, seconds: f64) -> Result<()> {
        if self.all.iter().all(|user| user.watch.is_none_or(|watch| watch.left == 0)) {
            return Ok(());
        }
        let snapshot = world.snapshot(chain)?;
        let chance = 1.0 - (1.0 - reactions.chance_per_minute).powf(seconds / 60.0);
        for user in &mut self.all {
            let Some((instruction, repays)) = user.reaction(world, &snapshot, reactions, chance)? else { continue };
            match chain.send(&[instruction], &[&user.keypair], table(world)) {
                Ok(_) if repays => self.reacted.repaid += 1,
                Ok(_) => self.reacted.added += 1,
                Err(SendError::Refused { .. }) => self.reacted.refused += 1,
                Err(error) => return Err(anyhow!("{} could not react: {error}", user.name)),
            }
        }
        Ok(())
    }

    /// The name of a vault's owner.
    pub fn name_of(&self, vault: &Pubkey) -> String {
        self.all.iter().find(|u| u.vault == *vault).map_or_else(|| "?".into(), |u| u.name.clone())
    }
}
