//! Asks the client library and writes down what it says.

use crate::json::{Object, object};
use crate::request::{Account, Question, Request};
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::oracle::Reading;
use keel::state::{Market, Reserve, Side, Vault};
use keel_client::ClientError;
use keel_client::account;
use keel_client::book::Book;
use keel_client::health::{self, PriceAccount, PriceAccounts};
use keel_client::preview::{Accounts, Holding, Preview};
use keel_risk::Fraction;
use keel_risk::health::Totals;
use keel_risk::price::{Moment, Purpose, UnitPrice};
use keel_risk::units::Amount;

type Outcome<T> = Result<T, ClientError>;

/// The answer to a request, as JSON. Whatever goes wrong is in it: `{"refused": CODE}` with the program's error code, or
/// `{"invalid": REASON}` for a request that makes no sense.
pub fn answer(request: &[u8]) -> Vec<u8> {
    let Some(request) = Request::read(request) else {
        return object(|o| o.word("invalid", "the request cannot be read"));
    };
    match Snapshot::of(&request).and_then(|snapshot| snapshot.answer(&request.question)) {
        Ok(text) => text,
        Err(error) => object(|o| failure(o, &error)),
    }
}

fn failure(o: &mut Object, error: &ClientError) {
    match error {
        ClientError::Refused(error) => o.small("refused", u32::from(*error)),
        ClientError::WrongAccount { expected, .. } => {
            o.word("invalid", "an account is not what it should be");
            o.word("expected", expected);
        }
        ClientError::UnknownReserve(_) => o.word("invalid", "a reserve is not among those of the request"),
        ClientError::MissingPrice(_) => o.word("invalid", "a price account is not among those of the request"),
        // What concerns sending, which a preview does not do.
        _ => o.word("invalid", "no preview is possible"),
    }
}

/// The decoded accounts.
struct Snapshot {
    market: Market,
    book: Book,
    /// The reserves in the order of the request: answers name them by their number.
    reserves: Vec<Pubkey>,
    prices: PriceAccounts,
    moment: Moment,
}

impl Snapshot {
    fn of(request: &Request) -> Outcome<Self> {
        let Account { key, owner, data } = &request.market;
        let market = account::market(key, owner, data)?;
        let (mut book, mut reserves) = (Book::new(*key), Vec::new());
        for listing in &request.reserves {
            let Account { key, owner, data } = &listing.reserve;
            book.insert_at(*key, account::reserve(key, owner, data)?, &listing.prices);
            reserves.push(*key);
        }
        let price = |a: &Account| (a.key, PriceAccount { owner: a.owner, data: a.data.to_vec() });
        let prices = request.prices.iter().map(price).collect();
        let moment = Moment { now: request.now, last_restart_slot: request.last_restart_slot };
        Ok(Self { market, book, reserves, prices, moment })
    }

    fn view<'a>(&'a self, book: &'a Book) -> Accounts<'a> {
        Accounts { book, market: &self.market, prices: &self.prices, moment: self.moment }
    }

    fn answer(&self, question: &Question) -> Outcome<Vec<u8>> {
        let view = self.view(&self.book);
        match question {
            Question::Reserves => self.reserves(&view),
            Question::Vault(vault) => {
                let vault = decode(vault)?;
                Ok(object(|o| self.vault(o, &view, &vault)))
            }
            Question::Preview(vault, key, action, amount) => {
                let Preview { amount, vault, reserve, refused } =
                    view.preview(&decode(vault)?, key, *action, *amount)?;
                let mut book = self.book.clone();
                let prices = book.listing(key)?.prices.clone();
                book.insert_at(*key, reserve, &prices);
                Ok(object(|o| {
                    o.number("amount", amount.0.into());
                    code(o, "refusal", refused);
                    o.object("after", |o| self.vault(o, &self.view(&book), &vault));
                }))
            }
            Question::Largest(vault, key, action) => {
                let (amount, reason) = view.largest(&decode(vault)?, key, *action)?;
                Ok(object(|o| {
                    o.number("amount", amount.into());
                    code(o, "reason", reason);
                }))
            }
            Question::Outlook(vault, horizon) => {
                let vault = decode(vault)?;
                let lowest = health::outlook(&self.book, &self.market, &vault, &self.prices, &self.moment, *horizon)?;
                Ok(object(|o| totals(o, &lowest)))
            }
            Question::Priced(vault, key, price) => {
                let at = view.value_at(&decode(vault)?, key, *price, Purpose::Liquidation)?;
                Ok(object(|o| totals(o, &at.totals)))
            }
            Question::Remaining(vault, acted) => {
                let acted: Vec<_> = acted.iter().flatten().copied().collect();
                let accounts = self.book.remaining(&decode(vault)?, &acted)?;
                Ok(object(|o| {
                    o.list("accounts", accounts, |o, meta| {
                        o.bytes("address", meta.pubkey.as_ref());
                        o.truth("writable", meta.is_writable);
                    });
                }))
            }
        }
    }

    fn vault(&self, o: &mut Object, view: &Accounts, vault: &Vault) {
        o.small("group", vault.group);
        o.truth("grouped", vault.is_grouped());
        o.truth("insolvent", vault.is_insolvent());
        for (name, purpose) in [("newRisk", Purpose::NewRisk), ("liquidation", Purpose::Liquidation)] {
            o.object(name, |o| match view.value(vault, purpose) {
                Ok(valuation) => {
                    totals(o, &valuation.totals);
                    code(o, "discarded", valuation.discarded);
                }
                Err(error) => failure(o, &error),
            });
        }
        // Without prices there are no positions to tell of: `liquidation` then says why.
        o.list("positions", view.holdings(vault).unwrap_or_default(), |o, holding| self.holding(o, &holding));
    }

    fn holding(&self, o: &mut Object, holding: &Holding) {
        let number = self.reserves.iter().position(|key| *key == holding.reserve);
        o.small("reserve", number.and_then(|n| u32::try_from(n).ok()).unwrap_or(u32::MAX));
        o.word("side", if holding.side == Side::Debt { "debt" } else { "collateral" });
        o.number("amount", holding.amount.0.into());
        o.number("price", holding.price.to_bits());
        o.number("value", holding.value.0.to_bits());
        o.number("factor", holding.factor.to_bits());
        o.number_or_null("criticalPrice", holding.critical.map(UnitPrice::to_bits));
    }

    fn reserves(&self, view: &Accounts) -> Outcome<Vec<u8>> {
        let mut states = Vec::new();
        for key in &self.reserves {
            states.push(Standing::of(view, key)?);
        }
        Ok(object(|o| o.list("reserves", states, |o, state| state.write(o))))
    }
}

fn decode(vault: &Account) -> Outcome<Vault> {
    account::vault(&vault.key, &vault.owner, vault.data)
}

fn totals(o: &mut Object, totals: &Totals) {
    o.number("collateral", totals.collateral.0.to_bits());
    o.number("limit", totals.limit.0.to_bits());
    o.number("debt", totals.debt.0.to_bits());
    o.number_or_null("health", totals.health_factor().map(Fraction::to_bits));
    o.truth("healthy", totals.is_healthy());
}

fn code(o: &mut Object, name: &str, error: Option<KeelError>) {
    match error {
        Some(error) => o.small(name, error.into()),
        None => o.null(name),
    }
}

/// A reserve at the moment of the request.
struct Standing {
    decimals: u8,
    minted: bool,
    amounts: [(&'static str, Amount); 4],
    fractions: [(&'static str, Fraction); 10],
    prices: [(&'static str, Result<UnitPrice, KeelError>); 4],
    feeds: Vec<Result<Seen, KeelError>>,
}

/// What a price account says.
struct Seen {
    price: UnitPrice,
    /// Half the width of the confidence interval.
    confidence: UnitPrice,
    /// Seconds since it was published.
    age: u64,
}

impl Seen {
    fn of(reading: Reading, decimals: u8, now: i64) -> Result<Self, KeelError> {
        let seen = reading?;
        Ok(Self {
            price: seen.spot(decimals)?,
            confidence: UnitPrice::new(seen.confidence.into(), seen.exponent, decimals)?,
            // A clock that is behind the publisher's makes it new, not old.
            age: u64::try_from(now.saturating_sub(seen.publish_time)).unwrap_or(0),
        })
    }
}

impl Standing {
    fn of(view: &Accounts, key: &Pubkey) -> Outcome<Self> {
        let reserve = &view.book.listing(key)?.reserve;
        let readings = view.readings(key)?;
        let standing = Self::compute(reserve, &view.moment, |side, purpose| match purpose {
            Purpose::NewRisk => reserve.new_risk_price(&readings, side, &view.moment),
            Purpose::Liquidation => reserve.maintenance_price(&readings, side, &view.moment),
        })?;
        let feeds = reserve.config.oracle.active_feeds().zip(readings);
        let feeds = feeds.map(|(_, reading)| Seen::of(reading, reserve.decimals, view.moment.now)).collect();
        Ok(Self { feeds, ..standing })
    }

    fn compute(
        reserve: &Reserve,
        moment: &Moment,
        price: impl Fn(Side, Purpose) -> Result<UnitPrice, KeelError>,
    ) -> Result<Self, KeelError> {
        let now = moment.now;
        let pool = reserve.accrued_pool(now)?;
        let (haircut, yields) = (reserve.haircut(), pool.yields()?);
        let haircuts = haircut.at(now, &reserve.config.haircut_terms())?;
        Ok(Self {
            decimals: reserve.decimals,
            minted: reserve.is_minted(),
            amounts: [
                ("available", pool.available),
                ("supplied", pool.supply_index.amount_of(pool.supply_shares)?),
                ("insured", pool.supply_index.amount_of(pool.insurance_shares)?),
                ("borrowed", pool.debt_index.amount_owed(pool.debt_shares)?),
            ],
            fractions: [
                ("utilization", pool.utilization()?),
                ("borrowRate", pool.rate.borrow),
                ("borrowYield", yields.borrow),
                ("supplyYield", yields.supply),
                ("initialHaircut", haircuts.initial),
                ("maintenanceHaircut", haircuts.maintenance),
                ("targetHaircut", haircut.target),
                ("newRiskFactor", reserve.collateral_factor(Purpose::NewRisk, now, false)?),
                ("liquidationFactor", reserve.collateral_factor(Purpose::Liquidation, now, false)?),
                ("liquidationThreshold", reserve.liquidation_threshold(now, false)?),
            ],
            prices: [
                ("collateralNewRisk", price(Side::Collateral, Purpose::NewRisk)),
                ("debtNewRisk", price(Side::Debt, Purpose::NewRisk)),
                ("collateralLiquidation", price(Side::Collateral, Purpose::Liquidation)),
                ("debtLiquidation", price(Side::Debt, Purpose::Liquidation)),
            ],
            feeds: Vec::new(),
        })
    }

    fn write(self, o: &mut Object) {
        o.small("decimals", self.decimals.into());
        o.truth("minted", self.minted);
        for (name, amount) in self.amounts {
            o.number(name, amount.0.into());
        }
        for (name, fraction) in self.fractions {
            o.number(name, fraction.to_bits());
        }
        o.object("prices", |o| {
            for (name, price) in self.prices {
                match price {
                    Ok(price) => o.number(name, price.to_bits()),
                    Err(error) => o.object(name, |o| o.small("refused", error.into())),
                }
            }
        });
        o.list("feeds", self.feeds, |o, feed| match feed {
            Ok(seen) => {
                o.number("price", seen.price.to_bits());
                o.number("confidence", seen.confidence.to_bits());
                o.number("age", seen.age.into());
            }
            Err(error) => o.small("refused", error.into()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_answered() {
        assert_eq!(answer(&[]), br#"{"invalid":"the request cannot be read"}"#);
        let account = [[0; 32], [0; 32]].concat();
        let request = [&[1][..], &[0; 16], &account, &[0; 4], &[0; 4]].concat();
        assert_eq!(
            String::from_utf8(answer(&request)).unwrap(),
            r#"{"invalid":"an account is not what it should be","expected":"market"}"#
        );
    }
}
