//! The stand-in for an exchange, on both runtimes.

use crate::support::*;
use keel_client::token;
use keel_mock_pool::{Direction, Pair, PoolError, Price};
use keel_tests::{AssetSpec, Chain, LiteChain, ProgramTestChain, World, pool};
use solana_instruction::error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// SOL has nine decimals and USDC six: 200 dollars.
const PRICE: Price = Price { numerator: 200, denominator: 1_000 };

/// A pool of 100 SOL and 10,000 USDC, and a trader with a unit of each; the two are of different token programs.
fn traded<C: Chain>(chain: C) -> (World<C>, Pair, Keypair) {
    let usdc = AssetSpec { token_program: token::TOKEN_2022_PROGRAM, ..AssetSpec::usdc() };
    let mut w = World::with(chain, &[AssetSpec::sol(), usdc]);
    let pair = pool::open(&mut w, SOL, USDC, PRICE, (100_000_000_000, 10_000_000_000));
    let trader = w.chain.funded();
    w.fund(&trader.pubkey(), SOL, 1_000_000_000);
    w.fund(&trader.pubkey(), USDC, 1_000_000);
    (w, pair, trader)
}

fn swaps_both_ways<C: Chain>(chain: C) {
    let (mut w, pair, trader) = traded(chain);
    let key = trader.pubkey();
    let held = |w: &mut World<C>, owner| (w.balance(&owner, SOL), w.balance(&owner, USDC));

    // 0.5 SOL and four units that are not worth one of USDC.
    let sell = pair.swap(key, Direction::BaseToQuote, 500_000_004, 100_000_000);
    w.send(sell, &trader).unwrap();
    assert_eq!(held(&mut w, key), (499_999_996, 101_000_000));
    assert_eq!(held(&mut w, pair.address()), (100_500_000_004, 9_900_000_000));

    let halved = Price { numerator: 100, ..PRICE };
    let governance = w.governance.insecure_clone();
    w.send(pair.set_price(governance.pubkey(), halved), &governance).unwrap();
    w.send(pair.swap(key, Direction::QuoteToBase, 100_000_000, 1_000_000_000), &trader).unwrap();
    assert_eq!(held(&mut w, key), (1_499_999_996, 1_000_000));
    assert_eq!(held(&mut w, pair.address()), (99_500_000_004, 10_000_000_000));
}

#[test]
fn swaps_both_ways_in_litesvm() {
    swaps_both_ways(LiteChain::new());
}

#[test]
fn swaps_both_ways_on_agaves_bank() {
    swaps_both_ways(ProgramTestChain::new());
}

#[test]
fn refusals() {
    let (mut w, pair, trader) = traded(LiteChain::new());
    let (key, stranger) = (trader.pubkey(), w.chain.funded());
    let mut refuse = |instruction, signer: &Keypair, error: PoolError| {
        w.refuse(&instruction, &[signer], InstructionError::Custom(error.into()));
    };
    let sell = |min_out| pair.swap(key, Direction::BaseToQuote, 5_004, min_out);
    refuse(sell(1_001), &trader, PoolError::SlippageExceeded);
    refuse(pair.swap(key, Direction::QuoteToBase, 1_000, 5_001), &trader, PoolError::SlippageExceeded);
    refuse(pair.set_price(stranger.pubkey(), PRICE), &stranger, PoolError::NotAuthority);

    // Paid into an account of the trader, and a mint swapped for itself.
    let mut to_self = sell(0);
    to_self.accounts[5].pubkey = to_self.accounts[4].pubkey;
    refuse(to_self, &trader, PoolError::NotThePools);
    let mut same = sell(0);
    same.accounts[3].pubkey = same.accounts[2].pubkey;
    refuse(same, &trader, PoolError::NotThePair);

    let free = Price { numerator: 0, ..PRICE };
    let governance = w.governance.insecure_clone();
    let set = pair.set_price(governance.pubkey(), free);
    w.refuse(&set, &[&governance], InstructionError::Custom(PoolError::ZeroPrice.into()));

    w.send(sell(1_000), &trader).unwrap();
}
