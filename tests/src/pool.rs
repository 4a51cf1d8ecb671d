//! An exchange on the chain, to which keepers sell.

use crate::chain::Chain;
use crate::mock_pool;
use crate::world::World;
use keel_mock_pool::{Pair, Price, Token};
use solana_signer::Signer;

/// Opens a pool of two assets with `holdings` native units of base and quote. Governance sets its price.
pub fn open<C: Chain>(w: &mut World<C>, base: usize, quote: usize, price: Price, holdings: (u64, u64)) -> Pair {
    w.chain.set_program(&keel_mock_pool::ID, mock_pool());
    let token = |asset: usize| Token { mint: w.assets[asset].mint, program: w.assets[asset].token_program };
    let pair = Pair { base: token(base), quote: token(quote) };
    w.chain.send(&[pair.initialize(w.governance.pubkey(), price)], &[&w.governance]).unwrap();
    w.fund(&pair.address(), base, holdings.0);
    w.fund(&pair.address(), quote, holdings.1);
    pair
}
