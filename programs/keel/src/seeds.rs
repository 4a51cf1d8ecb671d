//! Seeds of the program's addresses.

/// `["market", id: u16 little-endian]`.
pub const MARKET: &[u8] = b"market";
/// `["reserve", market, mint]`. Also the authority of the reserve's liquidity.
pub const RESERVE: &[u8] = b"reserve";
/// `["liquidity", reserve]`: the token account that holds what is not lent.
pub const LIQUIDITY: &[u8] = b"liquidity";
/// `["vault", market, owner, index: u16 little-endian]`.
pub const VAULT: &[u8] = b"vault";
/// `["mint", market]`: the mint of a market's minted reserve.
pub const MINT: &[u8] = b"mint";
/// `["change", market, nonce: u64 little-endian]`: a queued change.
pub const CHANGE: &[u8] = b"change";
