//! What a client sees of a market.

use keel::AmountSpec;
use keel::state::Side;
use keel_client::actions::Actions;
use keel_client::sending::Sender;
use keel_client::transport::Transport;
use keel_client::view::{self, View};
use keel_client::{ClientError, address};
use keel_risk::Fraction;
use keel_risk::price::Purpose;
use keel_tests::Desk;

#[test]
fn a_market_is_fetched_with_its_prices_and_the_time() {
    let desk = Desk::open();
    let view = View::fetch(&*desk.chain, &desk.market).unwrap();
    assert_eq!(view.time, desk.chain.time().unwrap());
    assert_eq!(view.book.iter().count(), 2);
    let sol = view.reserve(&desk.sol).unwrap();
    let price = view.price(&desk.sol, Side::Collateral, Purpose::Liquidation).unwrap();
    let whole = keel_risk::units::Amount(10u64.pow(sol.decimals.into()));
    let value = price.value_floor(whole).unwrap().0;
    assert!(Fraction::from_integer(200).sub_or_zero(value) <= Fraction::EPSILON, "{value:?}");
    desk.pass(61);
    let later = View::fetch(&*desk.chain, &desk.market).unwrap();
    assert_eq!(later.time.now, view.time.now + 61);
    let error = later.price(&desk.sol, Side::Collateral, Purpose::NewRisk).unwrap_err();
    assert!(error.is(keel::KeelError::PriceStale));
}

#[test]
fn vaults_are_found_by_their_owner() {
    let desk = Desk::open();
    let view = View::fetch(&*desk.chain, &desk.market).unwrap();
    let sender = Sender::new(&*desk.chain, &desk.user);
    for index in [0, 7] {
        let actions = Actions::opening(&view, desk.user(), index);
        let actions = actions.deposit(&desk.sol, AmountSpec::Exact(1_000_000)).unwrap();
        sender.send(&actions.instructions(), &[]).unwrap();
    }
    let mine = view::vaults(&*desk.chain, &desk.market, Some(&desk.user())).unwrap();
    let mut found: Vec<_> = mine.iter().map(|(key, vault)| (*key, vault.index)).collect();
    found.sort_by_key(|(_, index)| *index);
    assert_eq!(found, [0, 7].map(|index| (address::vault(&desk.market, &desk.user(), index), index)));
    let all = view::vaults(&*desk.chain, &desk.market, None).unwrap();
    assert_eq!(all.len(), 3, "the supplier has one");
    assert!(view::vaults(&*desk.chain, &address::market(1), None).unwrap().is_empty());
    assert_eq!(view::markets(&*desk.chain).unwrap().len(), 1);
}

#[test]
fn what_is_not_there_is_said_so() {
    let desk = Desk::open();
    let missing = address::market(9);
    let error = View::fetch(&*desk.chain, &missing).unwrap_err();
    assert!(matches!(error, ClientError::NoAccount { key, expected: "market" } if key == missing), "{error}");
    let error = view::vault(&*desk.chain, &desk.sol).unwrap_err();
    assert!(matches!(error, ClientError::WrongAccount { key, expected: "vault", .. } if key == desk.sol), "{error}");
}
