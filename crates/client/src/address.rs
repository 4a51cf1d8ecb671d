//! Addresses that the program derives. Each function returns the address without its bump.

use anchor_lang::prelude::Pubkey;
use keel::seeds;

fn derive(seeds: &[&[u8]]) -> Pubkey {
    Pubkey::find_program_address(seeds, &keel::ID).0
}

/// Market number `id`.
pub fn market(id: u16) -> Pubkey {
    derive(&[seeds::MARKET, &id.to_le_bytes()])
}

/// The reserve of `mint` in `market`; also the authority of its liquidity.
pub fn reserve(market: &Pubkey, mint: &Pubkey) -> Pubkey {
    derive(&[seeds::RESERVE, market.as_ref(), mint.as_ref()])
}

/// The token account of `reserve`.
pub fn liquidity(reserve: &Pubkey) -> Pubkey {
    derive(&[seeds::LIQUIDITY, reserve.as_ref()])
}

/// Vault number `index` of `owner` in `market`.
pub fn vault(market: &Pubkey, owner: &Pubkey, index: u16) -> Pubkey {
    derive(&[seeds::VAULT, market.as_ref(), owner.as_ref(), &index.to_le_bytes()])
}

/// The mint of a market's minted reserve.
pub fn minted_mint(market: &Pubkey) -> Pubkey {
    derive(&[seeds::MINT, market.as_ref()])
}
