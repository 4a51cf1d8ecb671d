//! The accounts and the question, as bytes.
//!
//! Integers are little-endian, addresses 32 bytes. An account is its address, the address of its owner, the length of its
//! data (`u32`) and its data.
//!
//! ```text
//! question u8 | now i64 | last_restart_slot u64
//! market: account
//! reserves: u16, and of each an account, the number of its price accounts u8 and their addresses
//! prices: u16, and of each an account, and at how many basis points of what it says the price is looked at u32
//! what the question needs, see `Question`
//! ```

use anchor_lang::prelude::Pubkey;
use keel::{AmountSpec, Receive};
use keel_client::preview::Action;
use keel_risk::Fraction;
use keel_risk::price::UnitPrice;

/// A fetched account.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// Its address.
    pub key: Pubkey,
    /// The program that owns it.
    pub owner: Pubkey,
    /// Its data.
    pub data: &'a [u8],
}

/// A reserve and the price accounts to show for its feeds.
#[derive(Clone, Debug)]
pub struct Listing<'a> {
    /// The reserve.
    pub reserve: Account<'a>,
    /// One price account per feed, in the order of the feeds.
    pub prices: Vec<Pubkey>,
}

/// What is asked, with the number that stands for it.
#[derive(Clone, Copy, Debug)]
pub enum Question<'a> {
    /// 1: what the reserves are like.
    Reserves,
    /// 2, a vault: what it is worth.
    Vault(Account<'a>),
    /// 3, a vault, a reserve's address, an action `u8`, `u8` 1 for all and 0 for the amount `u64`: what it would come to.
    Preview(Account<'a>, Pubkey, Action, AmountSpec),
    /// 4, a vault, a reserve's address, an action `u8`: the largest amount that the program accepts.
    Largest(Account<'a>, Pubkey, Action),
    /// 5, a vault, seconds `u32`: how low its health can get until then.
    Outlook(Account<'a>, u32),
    /// 6, a vault, up to two addresses of reserves that are acted on, with their number `u8` before: the remaining accounts.
    Remaining(Account<'a>, [Option<Pubkey>; 2]),
    /// 7, a vault, a reserve's address, dollars per native unit with 96 fractional bits `u128`: what liquidation would see
    /// at that price.
    Priced(Account<'a>, Pubkey, UnitPrice),
    /// 8, a queued change: what it does, and where it is on its way.
    Change(Account<'a>),
    /// 9, a vault, the addresses of the reserves of a debt and of a collateral, most that is repaid `u64`, how the keeper
    /// receives the collateral `u8` (0 in tokens, 1 in shares): what a liquidation would come to.
    Liquidate(Account<'a>, [Pubkey; 2], u64, Receive),
    /// 10, a vault, a reserve's address, an action `u8`, a health factor with 60 fractional bits `u128`: the least amount that
    /// gets the vault there.
    Least(Account<'a>, Pubkey, Action, Fraction),
}

/// A whole request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Unix seconds.
    pub now: i64,
    /// Slot of the cluster's last restart, or 0.
    pub last_restart_slot: u64,
    /// The market.
    pub market: Account<'a>,
    /// Its reserves.
    pub reserves: Vec<Listing<'a>>,
    /// Price accounts, and at how many basis points of what they say the prices are looked at.
    pub prices: Vec<(Account<'a>, u32)>,
    /// What is asked.
    pub question: Question<'a>,
}

impl<'a> Request<'a> {
    /// Reads a request. `None` when the bytes are none.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let question = reader.byte()?;
        let now = i64::from_le_bytes(reader.take()?);
        let last_restart_slot = u64::from_le_bytes(reader.take()?);
        let market = reader.account()?;
        let reserves = (0..u16::from_le_bytes(reader.take()?)).map(|_| reader.listing()).collect::<Option<_>>()?;
        let prices = (0..u16::from_le_bytes(reader.take()?)).map(|_| reader.price()).collect::<Option<_>>()?;
        let question = reader.question(question)?;
        reader.0.is_empty().then_some(Self { now, last_restart_slot, market, reserves, prices, question })
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        let [byte] = self.take()?;
        Some(byte)
    }

    fn key(&mut self) -> Option<Pubkey> {
        self.take().map(Pubkey::new_from_array)
    }

    fn account(&mut self) -> Option<Account<'a>> {
        let (key, owner) = (self.key()?, self.key()?);
        let length = usize::try_from(u32::from_le_bytes(self.take()?)).ok()?;
        let (data, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(Account { key, owner, data })
    }

    fn listing(&mut self) -> Option<Listing<'a>> {
        let reserve = self.account()?;
        let prices = (0..self.byte()?).map(|_| self.key()).collect::<Option<_>>()?;
        Some(Listing { reserve, prices })
    }

    fn price(&mut self) -> Option<(Account<'a>, u32)> {
        Some((self.account()?, u32::from_le_bytes(self.take()?)))
    }

    fn question(&mut self, number: u8) -> Option<Question<'a>> {
        Some(match number {
            1 => Question::Reserves,
            2 => Question::Vault(self.account()?),
            3 => Question::Preview(self.account()?, self.key()?, self.action()?, self.amount()?),
            4 => Question::Largest(self.account()?, self.key()?, self.action()?),
            5 => Question::Outlook(self.account()?, u32::from_le_bytes(self.take()?)),
            6 => {
                let vault = self.account()?;
                let acted = match self.byte()? {
                    0 => [None; 2],
                    1 => [Some(self.key()?), None],
                    2 => [Some(self.key()?), Some(self.key()?)],
                    _ => return None,
                };
                Question::Remaining(vault, acted)
            }
            7 => {
                let (vault, key) = (self.account()?, self.key()?);
                Question::Priced(vault, key, UnitPrice::from_bits(u128::from_le_bytes(self.take()?)))
            }
            8 => Question::Change(self.account()?),
            9 => {
                let (vault, pair) = (self.account()?, [self.key()?, self.key()?]);
                let most = u64::from_le_bytes(self.take()?);
                let receive = match self.byte()? {
                    0 => Receive::Tokens,
                    1 => Receive::Shares,
                    _ => return None,
                };
                Question::Liquidate(vault, pair, most, receive)
            }
            10 => {
                let (vault, key, action) = (self.account()?, self.key()?, self.action()?);
                Question::Least(vault, key, action, Fraction::from_bits(u128::from_le_bytes(self.take()?)))
            }
            _ => return None,
        })
    }

    fn action(&mut self) -> Option<Action> {
        Some(match self.byte()? {
            0 => Action::Deposit,
            1 => Action::Withdraw,
            2 => Action::Borrow,
            3 => Action::Repay,
            _ => return None,
        })
    }

    fn amount(&mut self) -> Option<AmountSpec> {
        let (kind, amount) = (self.byte()?, u64::from_le_bytes(self.take()?));
        match kind {
            0 => Some(AmountSpec::Exact(amount)),
            1 => Some(AmountSpec::All),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap().to_le_bytes();
        [&[1; 32], &[2; 32], &length[..], data].concat()
    }

    fn request(number: u8, question: &[u8]) -> Vec<u8> {
        let listing = [account(&[7, 8]), vec![1], vec![3; 32]].concat();
        let price = [account(&[1]), 8_000u32.to_le_bytes().to_vec()].concat();
        let head = [&[number][..], &5i64.to_le_bytes(), &6u64.to_le_bytes(), &account(&[])].concat();
        [&head[..], &[1, 0], &listing, &[1, 0], &price, question].concat()
    }

    #[test]
    fn a_request_is_read_to_its_last_byte() {
        let bytes = request(5, &[&account(&[9])[..], &60u32.to_le_bytes()].concat());
        let read = Request::read(&bytes).unwrap();
        assert_eq!((read.now, read.last_restart_slot, read.reserves.len(), read.prices.len()), (5, 6, 1, 1));
        assert_eq!((read.prices[0].0.data, read.prices[0].1), (&[1u8][..], 8_000));
        assert_eq!(read.reserves[0].reserve.data, [7, 8]);
        assert_eq!(read.reserves[0].prices, [Pubkey::new_from_array([3; 32])]);
        let Question::Outlook(vault, 60) = read.question else { panic!("{read:?}") };
        assert_eq!((vault.key.to_bytes(), vault.owner.to_bytes(), vault.data), ([1; 32], [2; 32], &[9u8][..]));
        for length in 0..bytes.len() {
            assert!(Request::read(&bytes[..length]).is_none(), "{length} bytes");
        }
        assert!(Request::read(&[bytes, vec![0]].concat()).is_none());
    }

    #[test]
    fn every_question_has_its_number() {
        let (vault, key) = (account(&[]), [4; 32]);
        let exact = [&vault[..], &key, &[2, 0], &7u64.to_le_bytes()].concat();
        let read =
            |number, question: &[u8]| Request::read(&request(number, question)).map(|r| format!("{:?}", r.question));
        assert!(read(1, &[]).unwrap().starts_with("Reserves"));
        assert!(read(2, &vault).unwrap().starts_with("Vault"));
        assert!(read(3, &exact).unwrap().ends_with("Borrow, Exact(7))"));
        assert!(read(3, &[&vault[..], &key, &[3, 1], &[0; 8]].concat()).unwrap().ends_with("Repay, All)"));
        assert!(read(4, &[&vault[..], &key, &[0]].concat()).unwrap().ends_with("Deposit)"));
        assert!(read(6, &[&vault[..], &[2], &key, &key].concat()).unwrap().starts_with("Remaining"));
        let priced = read(7, &[&vault[..], &key, &9u128.to_le_bytes()].concat()).unwrap();
        assert!(priced.starts_with("Priced") && priced.ends_with("UnitPrice(9))"), "{priced}");
        assert!(read(8, &vault).unwrap().starts_with("Change"));
        let liquidate = |receive: u8| read(9, &[&vault[..], &key, &key, &7u64.to_le_bytes(), &[receive]].concat());
        let (tokens, shares) = (liquidate(0).unwrap(), liquidate(1).unwrap());
        assert!(tokens.starts_with("Liquidate") && tokens.ends_with("], 7, Tokens)"), "{tokens}");
        assert!(shares.ends_with("], 7, Shares)"), "{shares}");
        assert_eq!(liquidate(2), None, "no such way to receive");
        let least = read(10, &[&vault[..], &key, &[3], &(3u128 << 60).to_le_bytes()].concat()).unwrap();
        assert!(least.starts_with("Least") && least.contains("Repay, "), "{least}");
        for (number, question) in [(0, &[][..]), (11, &[]), (6, &[&vault[..], &[3]].concat())] {
            assert_eq!(read(number, question), None);
        }
        assert_eq!(read(3, &[&vault[..], &key, &[4, 0], &[0; 8]].concat()), None, "no such action");
        assert_eq!(read(3, &[&vault[..], &key, &[0, 2], &[0; 8]].concat()), None, "no such kind of amount");
    }
}
