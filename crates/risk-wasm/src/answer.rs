//! Asks the client library and writes down what it says.

use crate::json::{Object, object};
use crate::request::{Account, Question, Request};
use anchor_lang::Discriminator;
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::state::{Market, Side, Vault};
use keel_client::ClientError;
use keel_client::account;
use keel_client::book::Book;
use keel_client::change::{self, Line, Value};
use keel_client::health::{self, PriceAccount, PriceAccounts};
use keel_client::preview::{Accounts, Holding, Liquidation, Preview};
use keel_client::price_update;
use keel_client::standing::Standing;
use keel_risk::Fraction;
use keel_risk::change::{Parameter, Unit};
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
        let price = |(a, bps): &(Account, u32)| {
            (a.key, PriceAccount { owner: a.owner, data: price_update::moved(a.data, *bps) })
        };
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
                    o.bytes("data", &[Vault::DISCRIMINATOR, bytemuck::bytes_of(&vault)].concat());
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
            Question::Liquidate(vault, [debt, collateral], max_repay, receive) => {
                let found = view.liquidate(&decode(vault)?, debt, collateral, *max_repay, *receive)?;
                Ok(object(|o| liquidation(o, &found)))
            }
            Question::Least(vault, key, action, health) => {
                let amount = view.least(&decode(vault)?, key, *action, *health)?;
                Ok(object(|o| o.number_or_null("amount", amount.map(u128::from))))
            }
            Question::Remaining(vault, acted) => {
                let vault = decode(vault)?;
                let accounts = match acted {
                    // Two are acted on in a liquidation, which repays the first.
                    [Some(debt), Some(collateral)] => {
                        self.book.remaining_to_repay(&vault, &[*debt, *collateral], debt)?
                    }
                    [acted, _] => self.book.remaining(&vault, acted.as_slice())?,
                };
                Ok(object(|o| {
                    o.list("accounts", accounts, |o, meta| {
                        o.bytes("address", meta.pubkey.as_ref());
                        o.truth("writable", meta.is_writable);
                    });
                }))
            }
            Question::Change(Account { key, owner, data }) => {
                let pending = account::change(key, owner, data)?;
                let change = change::effective(&view, &pending)?;
                let lines = change::lines(&view, &pending.target, &change)?;
                let feeds = change::feeds(&view, &pending.target, &change)?;
                Ok(object(|o| {
                    o.word("status", change::status(&view, &pending).name());
                    o.list("lines", lines, |o, line| write_line(o, &line));
                    o.list("feeds", feeds, |o, feed| {
                        o.bytes("id", &feed.feed_id);
                        o.bytes("account", feed.account.as_ref());
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
        o.list("amounts", view.amounts(vault).unwrap_or_default(), |o, (reserve, side, amount)| {
            self.held(o, &reserve, side, amount);
        });
        // Without prices there are no positions to tell of: `liquidation` then says why.
        o.list("positions", view.holdings(vault).unwrap_or_default(), |o, holding| self.holding(o, &holding));
    }

    fn held(&self, o: &mut Object, reserve: &Pubkey, side: Side, amount: Amount) {
        let number = self.reserves.iter().position(|key| key == reserve);
        o.small("reserve", number.and_then(|n| u32::try_from(n).ok()).unwrap_or(u32::MAX));
        o.word("side", if side == Side::Debt { "debt" } else { "collateral" });
        o.number("amount", amount.0.into());
    }

    fn holding(&self, o: &mut Object, holding: &Holding) {
        self.held(o, &holding.reserve, holding.side, holding.amount);
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
        Ok(object(|o| o.list("reserves", &states, write)))
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

fn liquidation(o: &mut Object, found: &Liquidation) {
    let plan = &found.plan;
    for (name, amount) in [("repay", plan.repay), ("seize", plan.seize), ("toKeeper", plan.to_keeper)] {
        o.number(name, amount.0.into());
    }
    o.truth("repaysAll", plan.repays_all);
    o.truth("seizesAll", plan.seizes_all);
    o.number("bonus", plan.bonus.to_bits());
    let (bounty, cost) = (found.bounty(), found.cost());
    let values = [("repaid", found.repaid), ("seized", found.seized), ("received", found.received)];
    for (name, value) in values.into_iter().chain([("bounty", bounty), ("cost", cost)]) {
        o.number(name, value.0.to_bits());
    }
    o.object("before", |o| totals(o, &found.before));
    o.object("after", |o| totals(o, &found.after));
}

fn write_line(o: &mut Object, line: &Line) {
    let parameter = line.parameter;
    o.word("parameter", parameter.name);
    o.word("unit", unit(parameter));
    for (name, value) in [("before", line.before), ("after", line.after)] {
        match value {
            Value::None => o.null(name),
            Value::Number(number) => o.number(name, number.into()),
            Value::Identity(bytes) => o.bytes(name, &bytes),
        }
    }
    o.word("meaning", change::meaning_text(line.moved.meaning));
    o.word("effect", change::effect_text(line.moved.effect));
}

fn unit(parameter: &Parameter) -> &'static str {
    match parameter.unit {
        Unit::Native => "native",
        Unit::MicroUsd => "microUsd",
        Unit::Bps => "bps",
        Unit::BpsPerHour => "bpsPerHour",
        Unit::Seconds => "seconds",
        Unit::Slots => "slots",
        Unit::Flag => "flag",
        Unit::Number => "number",
        Unit::Identity => "identity",
    }
}

fn code(o: &mut Object, name: &str, error: Option<KeelError>) {
    match error {
        Some(error) => o.small(name, error.into()),
        None => o.null(name),
    }
}

fn write(o: &mut Object, state: &Standing) {
    o.small("decimals", state.decimals.into());
    o.truth("minted", state.minted);
    for (name, amount) in [
        ("available", state.available),
        ("supplied", state.supplied),
        ("insured", state.insured),
        ("borrowed", state.borrowed),
    ] {
        o.number(name, amount.0.into());
    }
    for (name, fraction) in [
        ("utilization", state.utilization),
        ("borrowRate", state.borrow_rate),
        ("borrowYield", state.borrow_yield),
        ("supplyYield", state.supply_yield),
        ("initialHaircut", state.initial_haircut),
        ("maintenanceHaircut", state.maintenance_haircut),
        ("targetHaircut", state.target_haircut),
        ("newRiskFactor", state.new_risk_factor),
        ("liquidationFactor", state.liquidation_factor),
        ("liquidationThreshold", state.liquidation_threshold),
    ] {
        o.number(name, fraction.to_bits());
    }
    o.object("prices", |o| {
        for (name, price) in [
            ("collateralNewRisk", state.prices.collateral_new_risk),
            ("debtNewRisk", state.prices.debt_new_risk),
            ("collateralLiquidation", state.prices.collateral_liquidation),
            ("debtLiquidation", state.prices.debt_liquidation),
        ] {
            match price {
                Ok(price) => o.number(name, price.to_bits()),
                Err(error) => o.object(name, |o| o.small("refused", error.into())),
            }
        }
    });
    o.list("feeds", &state.feeds, |o, feed| match feed {
        Ok(seen) => {
            o.number("price", seen.price.to_bits());
            o.number("confidence", seen.confidence.to_bits());
            o.number("age", seen.age.into());
        }
        Err(error) => o.small("refused", (*error).into()),
    });
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
