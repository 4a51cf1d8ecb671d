//! Whether what is owed to suppliers is there, from the chain's own accounts, in exact arithmetic.

mod minted;

pub use minted::{MintedBooks, MintedFigures};

use crate::chain::Chain;
use crate::keeper::WrittenOff;
use crate::market::{Asset, Snapshot, World};
use crate::{approximate, risk_error};
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::program_pack::Pack;
use anchor_spl::token::spl_token;
use anyhow::{Context, Result, anyhow};
use keel_client::keel_risk::Fraction;
use keel_client::keel_risk::RiskError;
use keel_client::keel_risk::pool::Pool;
use keel_client::keel_risk::price::Purpose;
use keel_client::keel_risk::units::{DebtShares, SupplyShares};
use std::collections::BTreeMap;

/// The tokens in a token account's data.
pub fn token_balance(data: &[u8]) -> Result<u64> {
    // Token-2022 appends its extensions to the same layout.
    let base = data.get(..spl_token::state::Account::LEN).context("a token account is too short")?;
    Ok(spl_token::state::Account::unpack(base)
        .map_err(|error| anyhow!("a token account is unreadable: {error}"))?
        .amount)
}

/// The data of the account where an asset's tokens are: the reserve's token account, or the mint.
fn liquidity(chain: &Chain, asset: &Asset) -> Result<Vec<u8>> {
    let account = chain.accounts(&[asset.liquidity])?.into_iter().flatten().next();
    Ok(account.with_context(|| format!("{} has no liquidity account", asset.symbol))?.data)
}

/// The books of one pooled reserve, and what the chain says beside them.
#[derive(Clone, Debug)]
pub struct Books {
    /// The asset.
    pub symbol: String,
    /// Decimals of its mint.
    pub decimals: u8,
    /// Dollars per whole token.
    pub price: f64,
    /// The books, accrued to the present.
    pub pool: Pool,
    /// Tokens in the reserve's account.
    pub token_balance: u64,
    /// The sum of all vaults' supply shares.
    pub vault_supply: SupplyShares,
    /// What the minted token's swap holds.
    pub swap_supply: SupplyShares,
    /// The sum of all vaults' debt shares.
    pub vault_debt: DebtShares,
    /// What was written off in the run.
    pub written_off: WrittenOff,
}

/// A reserve's figures for people, in whole tokens.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Figures {
    /// The asset.
    pub asset: String,
    /// Dollars per token.
    pub price_usd: f64,
    /// In the books, not lent.
    pub available: f64,
    /// In the token account.
    pub token_balance: f64,
    /// Owed by borrowers.
    pub owed: f64,
    /// What the reserve holds and is owed.
    pub assets: f64,
    /// Claims of suppliers, those of the swap and the insurance included.
    pub claims: f64,
    /// Of those, the reserve's own.
    pub insurance: f64,
    /// Part of the assets that is lent.
    pub utilization: f64,
    /// Debt written off.
    pub bad_debt: f64,
    /// Of that, paid by insurance.
    pub bad_debt_insured: f64,
    /// Of that, borne by suppliers.
    pub bad_debt_socialized: f64,
    /// Whether all checks hold.
    pub sound: bool,
}

/// The result for the whole market.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The pooled reserves, in the order of the scenario.
    pub reserves: Vec<Books>,
    /// The minted reserve.
    pub minted: Option<MintedBooks>,
    /// What is wrong.
    pub breaches: Vec<String>,
    /// Debt beyond the collateral of its vaults, dollars: not written off, and not covered.
    pub uncovered_usd: f64,
    /// Unhealthy vaults that are left.
    pub unhealthy: u32,
    /// The smallest health factor that is left.
    pub lowest_health: Option<f64>,
}

impl Books {
    fn fetch(chain: &Chain, snapshot: &Snapshot, asset: &Asset, written_off: WrittenOff) -> Result<Self> {
        let (vault_supply, vault_debt) = shares(snapshot, &asset.reserve)?;
        Ok(Self {
            symbol: asset.symbol.clone(),
            decimals: asset.decimals,
            price: snapshot.dollars(&asset.reserve, 10u64.pow(asset.decimals.into()))?,
            pool: snapshot.reserve(&asset.reserve)?.pool(),
            token_balance: token_balance(&liquidity(chain, asset)?)?,
            vault_supply,
            swap_supply: swap_supply(snapshot, &asset.reserve)?,
            vault_debt,
            written_off,
        })
    }

    /// What is wrong with the books of this reserve.
    pub fn breaches(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut check = |holds: bool, what: String| {
            if !holds {
                found.push(format!("{}: {what}", self.symbol));
            }
        };
        check(self.pool.check().is_ok(), "claims exceed what the reserve holds and is owed".into());
        check(
            self.token_balance >= self.pool.available.0,
            format!("the token account holds {}, the books say {}", self.token_balance, self.pool.available.0),
        );
        let supply = self.vault_supply.checked_add(self.swap_supply);
        let supply = supply.and_then(|supply| supply.checked_add(self.pool.insurance_shares));
        check(
            supply == Ok(self.pool.supply_shares),
            "the supply shares of all vaults, the swap and the insurance do not add up to the reserve's".into(),
        );
        check(
            self.vault_debt == self.pool.debt_shares,
            "the debt shares of all vaults do not add up to the reserve's".into(),
        );
        found
    }

    /// The figures for people.
    pub fn figures(&self) -> Figures {
        let scale = 10f64.powi(self.decimals.into());
        let tokens = |fraction: Result<Fraction, RiskError>| fraction.map_or(f64::NAN, |f| approximate(f) / scale);
        let whole = |units: u64| units as f64 / scale;
        let claims = |shares| tokens(self.pool.supply_index.claim_of(shares));
        Figures {
            asset: self.symbol.clone(),
            price_usd: self.price,
            available: whole(self.pool.available.0),
            token_balance: whole(self.token_balance),
            owed: tokens(self.pool.debt_index.asset_of(self.pool.debt_shares)),
            assets: tokens(self.pool.assets()),
            claims: claims(self.pool.supply_shares),
            insurance: claims(self.pool.insurance_shares),
            utilization: self.pool.utilization().map_or(f64::NAN, approximate),
            bad_debt: whole(self.written_off.owed),
            bad_debt_insured: whole(self.written_off.insured),
            bad_debt_socialized: whole(self.written_off.socialized),
            sound: self.breaches().is_empty(),
        }
    }
}

impl Verdict {
    /// Fetches every account of the market and checks it.
    pub fn check(chain: &Chain, world: &World, written_off: &BTreeMap<Pubkey, WrittenOff>) -> Result<Self> {
        let snapshot = world.snapshot(chain)?;
        let loss = |asset: &Asset| written_off.get(&asset.reserve).copied().unwrap_or_default();
        let (minted, pooled): (Vec<&Asset>, Vec<&Asset>) = world.assets.iter().partition(|asset| asset.is_minted());
        let reserves = pooled.into_iter().map(|asset| Books::fetch(chain, &snapshot, asset, loss(asset)));
        let minted = minted.first().map(|asset| MintedBooks::fetch(chain, world, &snapshot, asset, loss(asset)));
        let (reserves, minted) = (reserves.collect::<Result<Vec<_>>>()?, minted.transpose()?);
        let mut verdict =
            Self { breaches: Vec::new(), reserves, minted, uncovered_usd: 0.0, unhealthy: 0, lowest_health: None };
        verdict.breaches.extend(verdict.reserves.iter().flat_map(Books::breaches));
        verdict.breaches.extend(verdict.minted.iter().flat_map(MintedBooks::breaches));
        for (key, vault) in &snapshot.vaults {
            if vault.check().is_err() {
                verdict.breaches.push(format!("vault {key}: its positions are malformed"));
            }
            let totals = snapshot.totals(vault, Purpose::Liquidation)?;
            verdict.unhealthy += u32::from(!totals.is_healthy());
            verdict.uncovered_usd += approximate(totals.debt.0.sub_or_zero(totals.collateral.0));
            if let Some(health) = totals.health_factor().map(approximate) {
                verdict.lowest_health = Some(verdict.lowest_health.map_or(health, |lowest| lowest.min(health)));
            }
        }
        Ok(verdict)
    }

    /// Whether everything that is owed to suppliers is there.
    pub fn is_solvent(&self) -> bool {
        self.breaches.is_empty()
    }

    /// Claims of all suppliers and of those who hold minted tokens, dollars. What the swap has supplied counts once: as the
    /// claim of those who hold the tokens that were minted for it.
    pub fn supplied_usd(&self) -> f64 {
        self.sum(|figures| figures.claims, |minted| minted.circulating + minted.surplus - minted.swap_holdings)
    }

    /// What all reserves hold and are owed, dollars; without the swap's claim on a pooled reserve.
    pub fn assets_usd(&self) -> f64 {
        self.sum(|figures| figures.assets, |minted| minted.owed)
    }

    /// Owed by all borrowers, dollars.
    pub fn owed_usd(&self) -> f64 {
        self.sum(|figures| figures.owed, |minted| minted.owed)
    }

    /// Insurance of all reserves, dollars.
    pub fn insurance_usd(&self) -> f64 {
        self.sum(|figures| figures.insurance, |minted| minted.surplus)
    }

    fn sum(&self, of: impl Fn(&Figures) -> f64, of_minted: impl Fn(&MintedFigures) -> f64) -> f64 {
        let pooled = self.reserves.iter().map(Books::figures).map(|figures| of(&figures) * figures.price_usd);
        pooled.chain(self.minted.iter().map(|books| of_minted(&books.figures()))).sum()
    }

    /// Debt written off, dollars at the prices of the moment.
    pub fn bad_debt_usd(&self) -> f64 {
        self.written_off().map(|sum| sum.owed_usd).sum()
    }

    /// The part of it that suppliers bore.
    pub fn socialized_usd(&self) -> f64 {
        self.written_off().map(|sum| sum.socialized_usd).sum()
    }

    /// The part of it that is the minted reserve's deficit.
    pub fn deficit_usd(&self) -> f64 {
        self.written_off().map(|sum| sum.deficit_usd).sum()
    }

    fn written_off(&self) -> impl Iterator<Item = &WrittenOff> {
        let pooled = self.reserves.iter().map(|books| &books.written_off);
        pooled.chain(self.minted.iter().map(|books| &books.written_off))
    }
}

/// The swap's shares in a pooled reserve.
fn swap_supply(snapshot: &Snapshot, reserve: &Pubkey) -> Result<SupplyShares> {
    let mut held = SupplyShares::ZERO;
    for (_, listing) in snapshot.book.iter().filter(|(_, listing)| listing.reserve.minted.swap_reserve == *reserve) {
        held = held.checked_add(minted::swap_shares(&listing.reserve)).map_err(risk_error)?;
    }
    Ok(held)
}

/// The sums of all vaults' shares in a reserve.
fn shares(snapshot: &Snapshot, reserve: &Pubkey) -> Result<(SupplyShares, DebtShares)> {
    let (mut supply, mut debt) = (SupplyShares::ZERO, DebtShares::ZERO);
    for (_, vault) in &snapshot.vaults {
        supply = supply.checked_add(vault.collateral_or_zero(reserve)).map_err(risk_error)?;
        debt = debt.checked_add(vault.debt_or_zero(reserve)).map_err(risk_error)?;
    }
    Ok((supply, debt))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use keel_client::keel_risk::interest::{RateCurve, RateModel};
    use keel_client::keel_risk::pool::{Kind, RateTerms};
    use keel_client::keel_risk::units::{Amount, SupplyIndex};
    pub(crate) use minted::tests::minted as minted_books;

    /// An empty reserve that charges nothing.
    pub(crate) fn free(kind: Kind) -> Pool {
        let model = RateModel::Kinked(RateCurve { optimal_utilization_bps: 8_000, ..RateCurve::default() });
        Pool::new(kind, 0, &RateTerms { model, reserve_factor_bps: 0 }).unwrap()
    }

    /// 100 supplied by one vault, 40 borrowed by another.
    pub(crate) fn books() -> Books {
        let mut pool = free(Kind::Pooled);
        let supplied = pool.deposit(Amount(100_000_000), Amount::MAX).unwrap();
        let borrowed = pool.borrow(Amount(40_000_000), Amount::MAX).unwrap();
        Books {
            symbol: "USDC".into(),
            decimals: 6,
            price: 2.0,
            pool,
            token_balance: 60_000_000,
            vault_supply: supplied.shares,
            swap_supply: SupplyShares::ZERO,
            vault_debt: borrowed.shares,
            written_off: WrittenOff::default(),
        }
    }

    pub(crate) fn verdict(books: Books) -> Verdict {
        let breaches = books.breaches();
        let (reserves, minted, lowest_health) = (vec![books], None, Some(1.25));
        Verdict { reserves, minted, breaches, uncovered_usd: 0.0, unhealthy: 0, lowest_health }
    }

    fn only_breach(change: impl Fn(&mut Books)) -> String {
        let mut books = books();
        change(&mut books);
        let found = books.breaches();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(!verdict(books).is_solvent());
        found[0].clone()
    }

    #[test]
    fn sound_books_have_no_breach() {
        assert_eq!(books().breaches(), Vec::<String>::new());
        let mut richer = books();
        richer.token_balance += 1; // a donation
        assert_eq!(richer.breaches(), Vec::<String>::new());
    }

    #[test]
    fn every_breach_is_found() {
        let index = SupplyIndex(Fraction::ONE.checked_add(Fraction::EPSILON).unwrap());
        assert!(only_breach(|b| b.pool.supply_index = index).contains("claims exceed"));
        assert!(only_breach(|b| b.token_balance -= 1).contains("holds 59999999, the books say 60000000"));
        assert!(only_breach(|b| b.vault_supply = SupplyShares::ZERO).contains("supply shares"));
        assert!(only_breach(|b| b.vault_debt = DebtShares::ZERO).contains("debt shares"));
    }

    #[test]
    fn figures_are_in_whole_tokens_and_dollars() {
        let verdict = verdict(books());
        let figures = verdict.reserves[0].figures();
        assert_eq!((figures.available, figures.owed, figures.assets, figures.claims), (60.0, 40.0, 100.0, 100.0));
        assert_eq!((figures.insurance, figures.utilization), (0.0, 0.4));
        assert_eq!((verdict.supplied_usd(), verdict.owed_usd()), (200.0, 80.0));
    }

    #[test]
    fn insurance_and_swap_count_with_the_vaults() {
        let mut books = books();
        let part = SupplyShares(Fraction::from_integer(5));
        books.pool.insurance_shares = part;
        books.vault_supply = books.vault_supply.checked_sub(part).unwrap();
        assert_eq!(books.breaches(), Vec::<String>::new());
        books.swap_supply = part;
        assert_eq!(books.breaches().len(), 1);
        books.vault_supply = books.vault_supply.checked_sub(part).unwrap();
        assert_eq!(books.breaches(), Vec::<String>::new());
    }

    #[test]
    fn what_the_swap_has_supplied_counts_once() {
        let mut verdict = verdict(books());
        verdict.reserves[0].price = 1.0;
        verdict.minted = Some(minted_books());
        // 100 USDC supplied, half of them by the swap; 149.5 tokens and a surplus of 0.5, backed by the swap and by loans.
        assert_eq!(verdict.supplied_usd(), 100.0 + 150.0 - 50.0);
        assert_eq!((verdict.assets_usd(), verdict.owed_usd()), (200.0, 140.0));
        assert_eq!(verdict.insurance_usd(), 0.5);
    }

    #[test]
    fn a_token_account_is_read_by_its_layout() {
        let mut data = vec![0; spl_token::state::Account::LEN];
        data[64..72].copy_from_slice(&77u64.to_le_bytes());
        data[108] = 1; // initialized
        assert_eq!(token_balance(&data).unwrap(), 77);
        assert!(token_balance(&data[..100]).is_err());
    }
}
