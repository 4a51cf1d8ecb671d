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

/// Queued change number `nonce` of a market.
pub fn change(market: &Pubkey, nonce: u64) -> Pubkey {
    derive(&[seeds::CHANGE, market.as_ref(), &nonce.to_le_bytes()])
}

/// The price account of a feed that Pyth's push oracle writes, in its shard `shard`. Pyth's sponsored feeds are in shard 0.
pub fn push_feed(feed_id: &[u8; 32], shard: u16) -> Pubkey {
    let seeds: &[&[u8]] = &[&shard.to_le_bytes(), feed_id];
    Pubkey::find_program_address(seeds, &pyth_solana_receiver_sdk::PYTH_PUSH_ORACLE_ID).0
}

/// The account that holds the code of an upgradeable program, and who may replace it.
pub fn program_data(program: &Pubkey) -> Pubkey {
    Pubkey::find_program_address(&[program.as_ref()], &UPGRADEABLE_LOADER).0
}

/// The loader of programs that can be upgraded.
pub const UPGRADEABLE_LOADER: Pubkey = Pubkey::from_str_const("BPFLoaderUpgradeab1e11111111111111111111111");
