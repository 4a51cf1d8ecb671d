//! Values a vault from the accounts of the running instruction.
//!
//! The remaining accounts of an instruction that needs prices are, in this order:
//! 1. for each reserve that the instruction acts on, in the order of its accounts: its price account, and the second
//!    one if the reserve has two feeds;
//! 2. for every other occupied slot of the vault, in slot order: the reserve, then its price accounts.
//!
//! The reserve of an isolated collateral is there to be written when a debt that counts against its ceiling rises or falls: in
//! its slot, or anywhere after these, if the vault holds none of it any more.
//!
//! Other than that, only the reserves acted on are writable. The others are projected to the present in memory, so that two users of
//! different assets do not contend for a lock.

use crate::errors::KeelError;
use crate::oracle::{self, NO_READINGS, Readings};
use crate::state::{Market, Position, Reserve, Vault};
use anchor_lang::Discriminator;
use anchor_lang::compat::solana_sysvar::{Sysvar, last_restart_slot::LastRestartSlot};
use anchor_lang::prelude::*;
use keel_risk::health::Totals;
use keel_risk::price::{Moment, Purpose, Side, UnitPrice};

type Outcome<T> = core::result::Result<T, KeelError>;

/// The remaining accounts, taken one by one.
pub struct Cursor<'a, 'info> {
    accounts: core::slice::Iter<'a, AccountInfo<'info>>,
}

impl<'a, 'info> Cursor<'a, 'info> {
    pub fn new(accounts: &'a [AccountInfo<'info>]) -> Self {
        Self { accounts: accounts.iter() }
    }

    /// Whether all were taken.
    pub fn is_empty(&self) -> bool {
        self.accounts.len() == 0
    }

    fn take(&mut self) -> Outcome<&'a AccountInfo<'info>> {
        self.accounts.next().ok_or(KeelError::MissingAccount)
    }

    /// Takes the price accounts of `reserve` and reads them.
    pub fn readings(&mut self, reserve: &Reserve, receiver: &Pubkey) -> Outcome<Readings> {
        let mut readings = NO_READINGS;
        for (reading, feed) in readings.iter_mut().zip(reserve.config.oracle.active_feeds()) {
            *reading = oracle::read_account(self.take()?, feed, receiver);
        }
        Ok(readings)
    }
}

/// The account of the reserve `key` among the remaining ones, to be written.
///
/// # Errors
/// `MissingAccount` when it is not there.
pub fn writable_reserve<'info>(
    remaining: &'info [AccountInfo<'info>],
    key: &Pubkey,
) -> Result<AccountLoader<'info, Reserve>> {
    let info = remaining.iter().find(|info| info.key == key && info.is_writable).ok_or(KeelError::MissingAccount)?;
    AccountLoader::try_from(info)
}

/// The present: time, and the cluster's last restart.
pub fn moment(clock: &Clock) -> Result<Moment> {
    Ok(Moment { now: clock.unix_timestamp, last_restart_slot: LastRestartSlot::get()?.last_restart_slot })
}

/// After a cluster restart liquidations wait, so that owners and fresh prices come first.
///
/// # Errors
/// `RestartGracePeriod`.
pub fn require_past_restart(market: &AccountLoader<Market>, clock: &Clock, moment: &Moment) -> Result<()> {
    let grace = market.load()?.restart_grace_slots;
    let waiting = moment.last_restart_slot != 0 && clock.slot < moment.last_restart_slot.saturating_add(grace);
    require!(!waiting, KeelError::RestartGracePeriod);
    Ok(())
}

/// A reserve that the instruction acts on, its books already accrued, and its price for this purpose.
pub struct Acted<'a> {
    pub key: &'a Pubkey,
    pub reserve: &'a Reserve,
    /// For collateral under new risk an unusable price is an `Err` here, and counts as zero.
    pub price: Outcome<UnitPrice>,
}

/// The sums of a vault, and what was seen on the way.
#[derive(Default)]
pub struct Valuation {
    pub totals: Totals,
    /// The efficiency group whose weights count, or 0.
    pub group: u32,
    /// Why a collateral counted as zero, if one did.
    pub discarded: Option<KeelError>,
    /// An isolated collateral, if there is one.
    pub isolated_collateral: Option<Pubkey>,
    /// How many collaterals and debts there are.
    pub collaterals: u32,
    pub debts: u32,
    /// Whether a debt is isolated.
    pub isolated_debt: bool,
}

impl Valuation {
    /// Initial health of at least 1.
    ///
    /// # Errors
    /// The reason why a collateral's price was unusable, if one was; else `Unhealthy`.
    pub fn require_healthy(&self) -> Outcome<()> {
        if self.totals.is_healthy() { Ok(()) } else { Err(self.discarded.unwrap_or(KeelError::Unhealthy)) }
    }

    /// An isolated collateral stands alone, and so does an isolated debt.
    pub fn require_isolation(&self) -> Outcome<()> {
        if self.isolated_collateral.is_some() && self.collaterals > 1 {
            return Err(KeelError::IsolatedCollateralMixed);
        }
        if self.isolated_debt && self.debts > 1 {
            return Err(KeelError::IsolatedDebtMixed);
        }
        Ok(())
    }
}

/// Where the reserves and prices come from that an action leaves alone: the accounts of the running instruction, or
/// what a client has fetched. Both value a vault with the same code.
pub trait Source {
    /// Calls `then` with the reserve at `key` and the readings of its feeds.
    fn reserve<T>(&mut self, key: &Pubkey, then: impl FnOnce(&Reserve, &Readings) -> Outcome<T>) -> Outcome<T>;
}

/// The remaining accounts of an instruction, which follow the vault's slots.
pub struct Others<'c, 'a, 'info> {
    pub cursor: &'c mut Cursor<'a, 'info>,
    pub receiver: &'c Pubkey,
}

impl Source for Others<'_, '_, '_> {
    /// # Errors
    /// `MissingAccount` and `WrongReserve` when the accounts do not follow the slots.
    fn reserve<T>(&mut self, key: &Pubkey, then: impl FnOnce(&Reserve, &Readings) -> Outcome<T>) -> Outcome<T> {
        let info = self.cursor.take()?;
        // A vault only ever holds addresses of this program's reserves, so that the key is proof enough.
        if info.key != key {
            return Err(KeelError::WrongReserve);
        }
        let data = info.try_borrow_data().map_err(|_| KeelError::WrongReserve)?;
        let reserve = view(&data)?;
        let readings = self.cursor.readings(reserve, self.receiver)?;
        then(reserve, &readings)
    }
}

/// Sums up all positions of `vault` for `purpose`: those in `acted` as given, the others from `source`, projected to
/// the present.
///
/// # Errors
/// Those of the source. For new risk: why the price of a debt is unusable. In a liquidation: why a price is unusable
/// whose feed is not provably dead.
pub fn value(
    vault: &Vault,
    acted: &[Acted],
    source: &mut impl Source,
    purpose: Purpose,
    moment: &Moment,
) -> Outcome<Valuation> {
    let group = if vault.is_grouped() { vault.group } else { 0 };
    let mut valuation = Valuation { group, ..Valuation::default() };
    for (position, side) in vault.occupied() {
        if let Some(known) = acted.iter().find(|a| *a.key == position.reserve) {
            valuation.note(position, side, known.reserve);
            let price = valuation.usable(known.price, side, purpose)?;
            let amount = known.reserve.amount(position, side, moment.now)?;
            known.reserve.count(&mut valuation.totals, group, side, amount, price, purpose, moment.now)?;
            continue;
        }
        source.reserve(&position.reserve, |reserve, readings| {
            let price = match purpose {
                Purpose::NewRisk => reserve.new_risk_price(readings, side, moment),
                Purpose::Liquidation => reserve.maintenance_price(readings, side, moment),
            };
            valuation.note(position, side, reserve);
            let price = valuation.usable(price, side, purpose)?;
            let amount = reserve.amount(position, side, moment.now)?;
            reserve.count(&mut valuation.totals, group, side, amount, price, purpose, moment.now)
        })?;
    }
    Ok(valuation)
}

impl Valuation {
    fn note(&mut self, position: &Position, side: Side, reserve: &Reserve) {
        match side {
            Side::Collateral => {
                self.collaterals = self.collaterals.saturating_add(1);
                if reserve.is_isolated_collateral() {
                    self.isolated_collateral = Some(position.reserve);
                }
            }
            Side::Debt => {
                self.debts = self.debts.saturating_add(1);
                self.isolated_debt |= reserve.is_isolated_debt();
            }
        }
    }

    /// Under new risk, collateral without a usable price counts as zero and does not block what is safe without it.
    fn usable(&mut self, price: Outcome<UnitPrice>, side: Side, purpose: Purpose) -> Outcome<UnitPrice> {
        match (price, side, purpose) {
            (Ok(price), _, _) => Ok(price),
            (Err(error), Side::Collateral, Purpose::NewRisk) => {
                self.discarded.get_or_insert(error);
                Ok(UnitPrice::ZERO)
            }
            (Err(error), _, _) => Err(error),
        }
    }
}

/// The reserve in an account's data, read in place. The discriminator is the caller's to have checked.
fn view(data: &[u8]) -> Outcome<&Reserve> {
    data.get(Reserve::DISCRIMINATOR.len()..Reserve::SPACE)
        .and_then(|bytes| bytemuck::try_from_bytes(bytes).ok())
        .ok_or(KeelError::WrongReserve)
}

/// The market's receiver of price updates.
pub fn receiver(market: &AccountLoader<Market>) -> Result<Pubkey> {
    Ok(market.load()?.price_receiver)
}
