//! Accounts of layout 1, as they are and brought up to date.

use crate::fixtures::{self, Fixture};
use anchor_lang::prelude::{Clock, Pubkey};
use anchor_lang::solana_program::program_pack::Pack;
use anchor_spl::token::spl_token::state::{Account as TokenAccount, AccountState, Mint};
use keel::AmountSpec::Exact;
use keel::KeelError;
use keel::events::LayoutUpgraded;
use keel::state::{Change, DEFAULT_WINDOW, Market, MarketParams, Reserve, pause};
use keel_client::book::Book;
use keel_client::instruction::{self, Actor};
use keel_client::token;
use keel_tests::check::{keys, only_event};
use keel_tests::world::Asset;
use keel_tests::{Chain, LiteChain, World};
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Numbers of the two assets of [`world`].
const USDC: usize = 0;
const KUSD: usize = 1;

/// The market of the fixtures, a little later, and the tokens that its books speak of.
fn world() -> World<LiteChain> {
    let mut chain = LiteChain::new();
    let (market, usdc, kusd) =
        (fixtures::decoded_market(), fixtures::decoded_reserve(), fixtures::decoded_minted_reserve());
    for Fixture { key, data } in
        [fixtures::market(), fixtures::reserve(), fixtures::minted_reserve(), fixtures::vault()]
    {
        chain.set_data(&key, &keel::ID, data.to_vec());
    }
    let now = Clock { unix_timestamp: usdc.updated_at + 60, slot: 300_000, ..chain.clock() };
    chain.set_clock(&now);
    // The first keypairs of any chain.
    let (governance, guardian) = (chain.funded(), chain.funded());
    assert_eq!((governance.pubkey(), guardian.pubkey()), (market.governance, market.guardian));
    // The next ones are mints and users of the fixtures.
    *chain.keypairs() += 50;
    let circulating = kusd.pool().circulating().unwrap().0;
    set_mint(&mut chain, usdc.mint, governance.pubkey(), 1_000_000_000_000);
    set_mint(&mut chain, kusd.mint, fixtures::minted_reserve().key, circulating);
    let held = TokenAccount {
        mint: usdc.mint,
        owner: fixtures::reserve().key,
        amount: usdc.available,
        state: AccountState::Initialized,
        ..TokenAccount::default()
    };
    chain.set_data(&usdc.liquidity, &token::TOKEN_PROGRAM, packed(held));
    let mut book = Book::new(fixtures::market().key);
    let prices = vec![usdc.config.oracle.feeds[0].account, Pubkey::new_unique()];
    book.insert(usdc, &prices);
    book.insert(kusd, &[]);
    let asset = |reserve: &Reserve, key, prices, feeds| Asset {
        mint: reserve.mint,
        token_program: token::TOKEN_PROGRAM,
        decimals: 6,
        reserve: key,
        prices,
        feed_ids: reserve.config.oracle.feeds.iter().take(feeds).map(|feed| feed.feed_id).collect(),
        cents: 1_01,
    };
    let assets = vec![
        asset(&usdc, fixtures::reserve().key, prices, 2),
        asset(&kusd, fixtures::minted_reserve().key, Vec::new(), 0),
    ];
    let (market, risk_steward) = (fixtures::market().key, Keypair::new());
    let mut world = World { chain, governance, guardian, risk_steward, market, assets, book, tables: Vec::new() };
    world.refresh_prices();
    world
}

fn packed<T: Pack>(state: T) -> Vec<u8> {
    let mut data = vec![0; T::LEN];
    state.pack_into_slice(&mut data);
    data
}

fn set_mint(chain: &mut LiteChain, key: Pubkey, authority: Pubkey, supply: u64) {
    let mint =
        Mint { mint_authority: Some(authority).into(), supply, decimals: 6, is_initialized: true, ..Mint::default() };
    chain.set_data(&key, &token::TOKEN_PROGRAM, packed(mint));
}

/// Upgrades an account, by anybody, and nothing else.
fn upgrade(w: &mut World<LiteChain>, key: Pubkey) {
    let (anybody, before) = (w.chain.funded(), w.snapshot(&[]));
    let receipt = w.send(instruction::upgrade_layout(key), &anybody).unwrap();
    assert_eq!(only_event::<LayoutUpgraded>(&receipt).account, key);
    assert_eq!(before.changed(w), keys([key]));
    w.refuse(&instruction::upgrade_layout(key), &[&anybody], KeelError::NothingToUpgrade);
}

/// Every byte of before: the version is another, and the market has a window, in what was reserved.
#[test]
fn an_upgrade_keeps_every_value() {
    let mut w = world();
    upgrade(&mut w, fixtures::market().key);
    let expected = Market { version: 2, window: DEFAULT_WINDOW, ..fixtures::decoded_market() };
    let mut bytes = fixtures::market().data.to_vec();
    bytes[8..].copy_from_slice(bytemuck::bytes_of(&expected));
    assert_eq!(w.chain.account(&fixtures::market().key).unwrap().data, bytes);
    for fixture in [fixtures::reserve(), fixtures::minted_reserve()] {
        upgrade(&mut w, fixture.key);
        let mut bytes = fixture.data.to_vec();
        assert_eq!(bytes[8], 1);
        bytes[8] = 2;
        assert_eq!(w.chain.account(&fixture.key).unwrap().data, bytes);
    }
    assert_eq!(w.chain.account(&fixtures::vault().key).unwrap().data, fixtures::vault().data);
}

/// What users do, with a vault of their own and with the old one.
fn act(w: &mut World<LiteChain>) {
    let user = w.supplier(USDC, 10_000_000_000);
    w.fund(&user.key(), KUSD, 0);
    w.borrow(&user, KUSD, 1_000_000_000).unwrap();
    w.pass(60);
    w.refresh_prices();
    w.repay(&user, KUSD, Exact(400_000_000)).unwrap();
    w.withdraw(&user, USDC, Exact(1_000_000_000)).unwrap();
    assert_eq!((w.balance(&user.key(), KUSD), w.balance(&user.key(), USDC)), (600_000_000, 1_000_000_000));
    let old = fixtures::vault().key;
    let before = w.vault(&old);
    let help = Actor { vault: old, ..w.actor(&user, KUSD) };
    let help = instruction::repay(&w.book, &before, &help, Exact(100_000_000)).unwrap();
    w.send(help, &user.keypair).unwrap();
    assert!(w.vault(&old).positions[2].shares.get() < before.positions[2].shares.get());
    w.refresh(USDC).unwrap();
    w.challenge(USDC, 0).unwrap();
}

#[test]
fn users_act_on_old_and_on_upgraded_accounts() {
    let mut w = world();
    act(&mut w);
    assert_eq!((w.market_state().version, w.reserve(USDC).version, w.reserve(KUSD).version), (1, 1, 1));
    // One after the other: each works beside accounts that were not upgraded.
    for key in [fixtures::reserve().key, fixtures::market().key, fixtures::minted_reserve().key] {
        upgrade(&mut w, key);
        act(&mut w);
    }
    assert_eq!((w.market_state().version, w.reserve(USDC).version, w.reserve(KUSD).version), (2, 2, 2));
}

/// A pause can be set and ended; everything else of governance's waits for the upgrade.
#[test]
fn governance_acts_on_upgraded_accounts_only() {
    let mut w = world();
    let (governance, market) = (w.governance.insecure_clone(), w.market);
    let key = governance.pubkey();
    w.send(instruction::set_pause(key, market, pause::BORROW, 60), &governance).unwrap();
    w.send(instruction::set_pause(key, market, 0, 0), &governance).unwrap();

    let params = MarketParams { window: DEFAULT_WINDOW, min_position_micro_usd: 7, ..w.market_state().params() };
    let mut config = w.reserve(USDC).config;
    config.flash_fee_bps += 1;
    let change = w.change_reserve_ixs(USDC, config, 0, &[]);
    let of_market = w.change_market_ixs(Change::Market(params));
    config = w.reserve(USDC).config;
    config.limits.deposit_cap -= 1;
    let tighten = Change::Reserve { config, ramp: 0 };
    let tighten = instruction::tighten(key, market, Some(fixtures::reserve().key), tighten);
    for instructions in [&change[..], &of_market, std::slice::from_ref(&tighten)] {
        w.refuse_all(instructions, &[&governance], KeelError::LayoutOutdated);
    }
    upgrade(&mut w, market);
    for instructions in [&change[..], std::slice::from_ref(&tighten)] {
        w.refuse_all(instructions, &[&governance], KeelError::LayoutOutdated);
    }
    w.send_all(&of_market, &[&governance]).unwrap();
    assert_eq!(w.market_state().min_position_micro_usd, 7);
    for asset in [USDC, KUSD] {
        let reserve = w.assets[asset].reserve;
        upgrade(&mut w, reserve);
        let fee = w.reserve(asset).config.flash_fee_bps;
        w.configure(asset, |c| c.flash_fee_bps = fee + 1).unwrap();
        assert_eq!(w.reserve(asset).config.flash_fee_bps, fee + 1);
    }
    let mut config = w.reserve(USDC).config;
    config.limits.deposit_cap -= 1;
    let change = Change::Reserve { config, ramp: 0 };
    w.send(instruction::tighten(key, market, Some(fixtures::reserve().key), change), &governance).unwrap();
}
