//! Where keepers sell what they seize: pools of the mock exchange, told the scenario's prices less a slippage.
//!
//! A pool swaps both ways at one price, so there are two for each asset: one takes the asset at less than its price, the
//! other gives it at more. Each is only used in one direction.

use crate::chain::Chain;
use crate::market::{Asset, World};
use crate::scenario::{self, Scenario};
use anchor_lang::AccountDeserialize;
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::system_instruction;
use anchor_spl::token::spl_token;
use anyhow::{Context, Result};
use keel_client::token::{self, TOKEN_PROGRAM};
use keel_mock_pool::{Direction, Pair, Pool, Price, Token};
use solana_instruction::Instruction;
use solana_signer::Signer;

/// The larger number of a price: as many digits as a float has.
const DIGITS: f64 = 1e15;

/// The pools.
pub struct Exchange {
    quote: Pubkey,
    slippage: f64,
    markets: Vec<Market>,
}

/// The pools of one asset.
struct Market {
    asset: Pubkey,
    /// Takes the asset.
    bid: Pair,
    /// Gives it.
    ask: Pair,
}

/// A swap that is part of a transaction.
pub struct Leg {
    /// The swap.
    pub instruction: Instruction,
    /// What it pays, native units.
    pub pays: u64,
}

impl Exchange {
    /// Opens the pools and fills them.
    pub fn open(chain: &Chain, world: &World, scenario: &Scenario, terms: &scenario::Exchange) -> Result<Self> {
        let quote = world.named(&terms.quote)?;
        let others = world.assets.iter().filter(|asset| !asset.is_minted() && asset.mint != quote.mint);
        let markets = others.map(|asset| Market {
            asset: asset.mint,
            bid: Pair { base: token_of(asset), quote: token_of(quote) },
            ask: Pair { base: token_of(quote), quote: token_of(asset) },
        });
        let slippage = f64::from(terms.slippage_bps) / 10_000.0;
        let exchange = Self { quote: quote.mint, slippage, markets: markets.collect() };
        for (pair, price) in exchange.prices(world, scenario, &scenario.prices_at(0.0))? {
            let open = pair.initialize(world.authority.pubkey(), price);
            let mut instructions = vec![open];
            for mint in [pair.base.mint, pair.quote.mint] {
                let (asset, tokens) = find(world, scenario, &mint)?;
                // What comes in needs an account, what goes out is there from the beginning.
                let holding = if mint == pair.quote.mint { tokens.worth(terms.depth_usd) } else { 0 };
                instructions.extend(fill(chain, world, asset, &pair.address(), holding)?);
            }
            chain.must("opening the exchange", &instructions, &[chain.payer(), &world.authority], &[])?;
        }
        Ok(exchange)
    }

    /// Tells the pools these prices, dollars in the order of the scenario's assets.
    pub fn publish(&self, chain: &Chain, world: &World, scenario: &Scenario, prices: &[f64]) -> Result<()> {
        let authority = &world.authority;
        let prices = self.prices(world, scenario, prices)?;
        let set: Vec<_> = prices.iter().map(|(pair, price)| pair.set_price(authority.pubkey(), *price)).collect();
        chain.must("the prices of the exchange", &set, &[authority], std::slice::from_ref(&world.table))?;
        Ok(())
    }

    fn prices(&self, world: &World, scenario: &Scenario, dollars: &[f64]) -> Result<Vec<(Pair, Price)>> {
        let mut prices = Vec::new();
        for pair in self.pairs() {
            let unit = |mint: &Pubkey| -> Result<f64> {
                let (asset, _) = find(world, scenario, mint)?;
                let whole = scenario.index_of(&asset.symbol).and_then(|index| dollars.get(index));
                Ok(whole.with_context(|| format!("{} has no price", asset.symbol))? / 10f64.powi(asset.decimals.into()))
            };
            let rate = unit(&pair.base.mint)? / unit(&pair.quote.mint)?;
            prices.push((pair, price(rate * (1.0 - self.slippage))));
        }
        Ok(prices)
    }

    /// The swaps by which `user` turns `amount` of one mint into another, by way of the quote, with the pools' present
    /// prices. None when they are the same.
    pub fn route(&self, chain: &Chain, user: &Pubkey, from: &Pubkey, to: &Pubkey, amount: u64) -> Result<Vec<Leg>> {
        let mut legs: Vec<Leg> = Vec::new();
        let mut amount = amount;
        let market = |mint: &Pubkey| self.markets.iter().find(|market| market.asset == *mint);
        if from == to {
            return Ok(legs);
        }
        for pair in market(from).map(|market| market.bid).into_iter().chain(market(to).map(|market| market.ask)) {
            let pool = chain.accounts(&[pair.address()])?.into_iter().flatten().next().context("a pool is gone")?;
            let price = Pool::try_deserialize(&mut pool.data.as_slice())?.price;
            let pays = price.quote_for(amount).context("a pool's price is out of range")?;
            legs.push(Leg { instruction: pair.swap(*user, Direction::BaseToQuote, amount, pays), pays });
            amount = pays;
        }
        Ok(legs)
    }

    /// The mint that everything is sold for.
    pub fn quote(&self) -> &Pubkey {
        &self.quote
    }

    /// All pools; each takes its base.
    pub fn pairs(&self) -> impl Iterator<Item = Pair> {
        self.markets.iter().flat_map(|market| [market.bid, market.ask])
    }

    /// What transactions with the pools name again and again.
    pub fn addresses(&self) -> Vec<Pubkey> {
        let of = |pair: Pair| {
            let pool = pair.address();
            [pool, pair.base.account_of(&pool), pair.quote.account_of(&pool)]
        };
        self.pairs().flat_map(of).collect()
    }
}

fn token_of(asset: &Asset) -> Token {
    Token { mint: asset.mint, program: TOKEN_PROGRAM }
}

fn find<'a>(world: &'a World, scenario: &'a Scenario, mint: &Pubkey) -> Result<(&'a Asset, &'a scenario::Asset)> {
    world.assets.iter().zip(&scenario.assets).find(|(asset, _)| asset.mint == *mint).context("no such asset")
}

/// Native units of quote for one of base, as the pool takes it.
fn price(rate: f64) -> Price {
    let whole = |number: f64| number.round() as u64;
    if rate < 1.0 {
        Price { numerator: whole(rate * DIGITS).max(1), denominator: whole(DIGITS) }
    } else {
        Price { numerator: whole(DIGITS), denominator: whole(DIGITS / rate).max(1) }
    }
}

/// Instructions that give a pool `amount` of an asset; the payer and the authority sign.
fn fill(chain: &Chain, world: &World, asset: &Asset, pool: &Pubkey, amount: u64) -> Result<Vec<Instruction>> {
    let payer = chain.payer().pubkey();
    if !asset.native {
        return world.give(&payer, pool, asset, amount);
    }
    let account = token::associated_address(pool, &asset.mint, &TOKEN_PROGRAM);
    Ok(vec![
        token::create_associated(&payer, pool, &asset.mint, &TOKEN_PROGRAM),
        system_instruction::transfer(&payer, &account, amount),
        spl_token::instruction::sync_native(&TOKEN_PROGRAM, &account)?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_have_all_digits_that_a_float_has() {
        for rate in [1e-9, 0.2 * 0.995, 1.0, 1_164.15, 1e9] {
            let price = price(rate);
            let told = price.numerator as f64 / price.denominator as f64;
            assert!((told / rate - 1.0).abs() < 1e-5, "{rate}: {price:?}");
        }
        // A SOL for 199 USDC.
        assert_eq!(price(0.199).quote_for(1_000_000_000), Some(199_000_000));
    }
}
