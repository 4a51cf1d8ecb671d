//! The books of the minted reserve: whether every token in circulation has something behind it.

use super::{liquidity, shares};
use crate::chain::Chain;
use crate::keeper::WrittenOff;
use crate::market::{Asset, Snapshot, World};
use crate::{approximate, risk_error};
use anchor_lang::solana_program::program_pack::Pack;
use anchor_spl::token::spl_token;
use anyhow::{Context, Result, anyhow};
use keel::state::Reserve;
use keel_client::keel_risk::pool::Pool;
use keel_client::keel_risk::price::UnitPrice;
use keel_client::keel_risk::swap;
use keel_client::keel_risk::units::{Amount, DebtShares, SupplyShares};
use keel_client::keel_risk::{Fraction, RiskError};

/// The books of the minted reserve, and what the chain says beside them.
#[derive(Clone, Debug)]
pub struct MintedBooks {
    /// The token.
    pub symbol: String,
    /// Decimals of its mint.
    pub decimals: u8,
    /// The asset that the swap holds.
    pub swap_symbol: String,
    /// The books, accrued to the present.
    pub pool: Pool,
    /// Tokens that exist, says the mint.
    pub mint_supply: u64,
    /// What the swap's shares of the pooled reserve are worth, a dollar per unit of its asset at most.
    pub swap_worth: Amount,
    /// The sum of all vaults' debt shares.
    pub vault_debt: DebtShares,
    /// The sum of all vaults' supply shares, which no vault can have.
    pub vault_supply: SupplyShares,
    /// What was written off in the run.
    pub written_off: WrittenOff,
}

/// The minted reserve's figures for people, in whole tokens, which are dollars.
#[derive(Clone, Debug, serde::Serialize)]
pub struct MintedFigures {
    /// The token.
    pub asset: String,
    /// Owed by borrowers.
    pub owed: f64,
    /// In circulation, say the books.
    pub circulating: f64,
    /// In circulation, says the mint.
    pub mint_supply: f64,
    /// Earned and not yet minted.
    pub surplus: f64,
    /// In circulation with nothing behind it: losses beyond the surplus, recorded or of what the swap holds.
    pub deficit: f64,
    /// The asset that the swap holds.
    pub swap_asset: String,
    /// What the swap holds, say the books.
    pub swap_holdings: f64,
    /// What its shares of the pooled reserve are worth, a dollar per unit at most.
    pub swap_worth: f64,
    /// Debt written off.
    pub bad_debt: f64,
    /// Of that, paid by the surplus.
    pub bad_debt_insured: f64,
    /// Of that, recorded as a deficit.
    pub bad_debt_deficit: f64,
    /// Whether all checks hold.
    pub sound: bool,
}

/// The tokens that exist, from a mint's data.
fn mint_supply(data: &[u8]) -> Result<u64> {
    let base = data.get(..spl_token::state::Mint::LEN).context("a mint is too short")?;
    Ok(spl_token::state::Mint::unpack(base).map_err(|error| anyhow!("a mint is unreadable: {error}"))?.supply)
}

/// What the swap's shares are worth at a dollar per unit of the pooled asset.
fn swap_worth(minted: &Reserve, pooled: &Reserve) -> Result<Amount> {
    let held = pooled.pool().supply_index.amount_of(swap_shares(minted)).map_err(risk_error)?;
    swap::tokens_for_assets(held, pooled.decimals, UnitPrice::MAX, minted.decimals).map_err(risk_error)
}

/// What the swap holds of the pooled reserve.
pub(super) fn swap_shares(minted: &Reserve) -> SupplyShares {
    SupplyShares(minted.minted.swap_shares.into())
}

impl MintedBooks {
    pub(super) fn fetch(
        chain: &Chain,
        world: &World,
        snapshot: &Snapshot,
        asset: &Asset,
        written_off: WrittenOff,
    ) -> Result<Self> {
        let reserve = snapshot.reserve(&asset.reserve)?;
        let swap = world.asset_of(&reserve.minted.swap_reserve)?;
        let (vault_supply, vault_debt) = shares(snapshot, &asset.reserve)?;
        Ok(Self {
            symbol: asset.symbol.clone(),
            decimals: asset.decimals,
            swap_symbol: swap.symbol.clone(),
            pool: reserve.pool(),
            mint_supply: mint_supply(&liquidity(chain, asset)?)?,
            swap_worth: swap_worth(reserve, snapshot.reserve(&swap.reserve)?)?,
            vault_debt,
            vault_supply,
            written_off,
        })
    }

    /// Tokens that nothing stands behind. A loss of the swap's holding counts, though the books only learn of it from the
    /// next swap or refresh; interest that the next accrual fills the deficit with counts too.
    fn deficit(&self) -> Result<Fraction, RiskError> {
        let mut pool = self.pool;
        pool.mark_swap(Amount::ZERO, self.swap_worth)?;
        let claims = pool.supply_shares.0.mul_ceil(pool.supply_index.0)?;
        Ok(pool.deficit.min(claims.sub_or_zero(pool.assets()?)))
    }

    /// What is wrong with the books.
    pub fn breaches(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut check = |holds: bool, what: String| {
            if !holds {
                found.push(format!("{}: {what}", self.symbol));
            }
        };
        check(self.pool.check().is_ok(), "claims exceed what the reserve holds and is owed".into());
        // Fewer is nobody's loss: everyone may burn tokens of their own.
        let circulating = self.pool.circulating();
        check(
            circulating.is_ok_and(|books| self.mint_supply <= books.0),
            format!("{} exist, more than the books say", self.mint_supply),
        );
        check(
            self.vault_debt == self.pool.debt_shares,
            "the debt shares of all vaults do not add up to the reserve's".into(),
        );
        check(self.vault_supply.is_zero(), "a vault holds it as collateral".into());
        let deficit = self.deficit();
        check(
            deficit.is_ok_and(Fraction::is_zero),
            format!("{:.2} in circulation have nothing behind them: a deficit", self.whole(deficit)),
        );
        found
    }

    fn whole(&self, units: Result<Fraction, RiskError>) -> f64 {
        units.map_or(f64::NAN, |units| approximate(units) / 10f64.powi(self.decimals.into()))
    }

    /// The figures for people.
    pub fn figures(&self) -> MintedFigures {
        let whole = |units| self.whole(Ok(Fraction::from_integer(units)));
        MintedFigures {
            asset: self.symbol.clone(),
            owed: self.whole(self.pool.debt_index.asset_of(self.pool.debt_shares)),
            circulating: self.pool.circulating().map_or(f64::NAN, |amount| whole(amount.0)),
            mint_supply: whole(self.mint_supply),
            surplus: self.whole(self.pool.supply_index.claim_of(self.pool.insurance_shares)),
            deficit: self.whole(self.deficit()),
            swap_asset: self.swap_symbol.clone(),
            swap_holdings: whole(self.pool.available.0),
            swap_worth: whole(self.swap_worth.0),
            bad_debt: whole(self.written_off.owed),
            bad_debt_insured: whole(self.written_off.insured),
            bad_debt_deficit: whole(self.written_off.deficit),
            sound: self.breaches().is_empty(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::solvency::tests::free;
    use keel_client::keel_risk::pool::Kind;

    /// 100 borrowed by a vault, 50 swapped in of which half a token is surplus.
    pub(crate) fn minted() -> MintedBooks {
        let mut pool = free(Kind::Minted);
        let borrowed = pool.borrow(Amount(100_000_000), Amount::MAX).unwrap();
        pool.swap_in(Amount(50_000_000), Amount(500_000), Amount::MAX).unwrap();
        pool.accrue(1).unwrap();
        MintedBooks {
            symbol: "kUSD".into(),
            decimals: 6,
            swap_symbol: "USDC".into(),
            pool,
            mint_supply: 149_500_000,
            swap_worth: Amount(50_000_000),
            vault_debt: borrowed.shares,
            vault_supply: SupplyShares::ZERO,
            written_off: WrittenOff::default(),
        }
    }

    fn breaches(change: impl Fn(&mut MintedBooks)) -> Vec<String> {
        let mut books = minted();
        change(&mut books);
        books.breaches()
    }

    #[test]
    fn sound_books_have_no_breach() {
        assert_eq!(breaches(|_| ()), Vec::<String>::new());
        // Somebody burned tokens; the swap's holding earned interest; a loss is less than the surplus.
        assert_eq!(breaches(|b| b.mint_supply -= 1), Vec::<String>::new());
        assert_eq!(breaches(|b| b.swap_worth.0 += 1), Vec::<String>::new());
        assert_eq!(breaches(|b| b.swap_worth.0 -= 500_000), Vec::<String>::new());
    }

    #[test]
    fn every_breach_is_found() {
        let only = |change: fn(&mut MintedBooks)| {
            let found = breaches(change);
            assert_eq!(found.len(), 1, "{found:?}");
            found[0].clone()
        };
        assert!(only(|b| b.mint_supply += 1).contains("kUSD: 149500001 exist, more than the books say"));
        assert!(only(|b| b.vault_debt = DebtShares::ZERO).contains("debt shares"));
        assert!(only(|b| b.vault_supply = SupplyShares(Fraction::ONE)).contains("collateral"));
        assert!(only(|b| b.swap_worth.0 -= 2_500_000).contains("2.00 in circulation have nothing behind them"));
        let loss = only(|b| {
            let shares = b.vault_debt;
            b.pool.write_off(shares).unwrap();
            b.vault_debt = DebtShares::ZERO;
        });
        assert!(loss.contains("99.50 in circulation have nothing behind them: a deficit"), "{loss}");
    }

    #[test]
    fn figures_are_in_whole_tokens() {
        let figures = minted().figures();
        assert_eq!((figures.owed, figures.circulating, figures.mint_supply), (100.0, 149.5, 149.5));
        assert_eq!((figures.surplus, figures.deficit, figures.swap_holdings), (0.5, 0.0, 50.0));
        assert!(figures.sound);
    }
}
