//! What one token is worth in another.

use anchor_lang::prelude::*;

/// `numerator` native units of quote for `denominator` native units of base.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    pub numerator: u64,
    pub denominator: u64,
}

impl Price {
    /// Neither side is for nothing.
    pub fn is_valid(self) -> bool {
        self.numerator != 0 && self.denominator != 0
    }

    /// What `base` is worth in quote, rounded down. `None` when that exceeds 64 bits.
    pub fn quote_for(self, base: u64) -> Option<u64> {
        // Two factors of 64 bits: the product always fits.
        let worth = (u128::from(base) * u128::from(self.numerator)).checked_div(self.denominator.into())?;
        worth.try_into().ok()
    }

    /// What `quote` is worth in base, rounded down. `None` when that exceeds 64 bits.
    pub fn base_for(self, quote: u64) -> Option<u64> {
        Price { numerator: self.denominator, denominator: self.numerator }.quote_for(quote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_down_both_ways() {
        let price = Price { numerator: 3, denominator: 2 };
        assert_eq!((price.quote_for(3), price.base_for(4)), (Some(4), Some(2)));
        assert_eq!((price.quote_for(0), price.base_for(1)), (Some(0), Some(0)));
    }

    #[test]
    fn what_does_not_fit_is_none() {
        let price = Price { numerator: u64::MAX, denominator: 1 };
        assert_eq!(price.quote_for(1), Some(u64::MAX));
        assert_eq!(price.quote_for(2), None);
        assert_eq!(price.base_for(u64::MAX), Some(1));
        assert_eq!(Price { numerator: 1, denominator: 0 }.quote_for(1), None);
    }
}
