//! What the modules share: instructions with one account exchanged, and prices that are refused.

use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_spl::token::spl_token::error::TokenError;
use keel::KeelError;
use keel::state::Change;
use keel_client::instruction::{self, Queued};
use keel_client::{address, price_update};
use keel_risk::price::Observation;
use keel_tests::Chain;
use keel_tests::check::Refusal;
use keel_tests::world::User;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

pub use keel_tests::bank::*;

/// Another market on the same chain, which lists the mint of one asset of the first, at the same prices.
pub struct OtherMarket {
    pub market: Pubkey,
    pub reserve: Pubkey,
    /// Vault 0 of the user it was made for.
    pub vault: Pubkey,
}

/// Creates market 1 with `asset` and a vault of `owner`.
pub fn other_market(w: &mut Bank, asset: usize, owner: &User) -> OtherMarket {
    let (governance, market) = (w.governance.insecure_clone(), address::market(1));
    let create = w.init_market_ix(1, keel_tests::world::market_params());
    let (a, key, config) = (w.assets[asset].clone(), governance.pubkey(), w.reserve(asset).config.without_caps());
    let queued = Queued { market, nonce: 0, rent_payer: key };
    let queue = instruction::queue_change(key, &queued, a.mint, Change::List { config });
    let list = instruction::init_reserve(key, &queued, a.mint, a.token_program, &a.prices);
    w.send(create, &governance).unwrap();
    w.send_all(&[queue, list], &[&governance]).unwrap();
    let open = instruction::open_vault(owner.key(), owner.key(), market, 0);
    w.send(open, &owner.keypair).unwrap();
    OtherMarket { market, reserve: address::reserve(&market, &a.mint), vault: address::vault(&market, &owner.key(), 0) }
}

/// `instruction` with another account at `index`.
pub fn with_account(instruction: &Instruction, index: usize, key: Pubkey) -> Instruction {
    let mut changed = instruction.clone();
    changed.accounts[index].pubkey = key;
    changed
}

/// `instruction` with the account at `index` locked for reading only.
pub fn read_only(instruction: &Instruction, index: usize) -> Instruction {
    let mut changed = instruction.clone();
    changed.accounts[index].is_writable = false;
    changed
}

/// `instruction` without the signature of the account at `index`.
pub fn unsigned(instruction: &Instruction, index: usize) -> Instruction {
    let mut changed = instruction.clone();
    changed.accounts[index].is_signer = false;
    changed
}

/// `instruction` with only its first `count` accounts.
pub fn truncated(instruction: &Instruction, count: usize) -> Instruction {
    let mut changed = instruction.clone();
    changed.accounts.truncate(count);
    changed
}

/// `instruction` with the accounts at `a` and `b` in each other's place.
pub fn swapped(instruction: &Instruction, a: usize, b: usize) -> Instruction {
    let mut changed = instruction.clone();
    changed.accounts.swap(a, b);
    changed
}

/// Puts a copy of the account at `key` elsewhere, under another owner: what an attacker can make.
pub fn forged(w: &mut Bank, key: &Pubkey) -> Pubkey {
    let (at, owner) = (Pubkey::new_unique(), Pubkey::new_unique());
    let data = w.chain.account(key).unwrap().data;
    w.chain.set_data(&at, &owner, data);
    at
}

/// An account of zeros that the program owns, as long as the account at `like`: anyone can create one.
pub fn zeroed(w: &mut Bank, like: &Pubkey) -> Pubkey {
    let at = Pubkey::new_unique();
    let size = w.chain.account(like).unwrap().data.len();
    w.chain.set_data(&at, &keel::ID, vec![0; size]);
    at
}

/// Asserts that an account of the program at `index` can be exchanged for nothing of another kind: not a forged copy,
/// not an account that does not exist, not zeros, not one of the `others`, which are the program's, but of another kind.
#[track_caller]
pub fn refuse_imposters(
    w: &mut Bank,
    valid: &Instruction,
    signers: &[&Keypair],
    index: usize,
    others: &[(&str, Pubkey)],
) {
    let key = valid.accounts[index].pubkey;
    let (forged, zeroed) = (forged(w, &key), zeroed(w, &key));
    let mut cases = vec![
        ("forged", forged, ErrorCode::AccountOwnedByWrongProgram),
        ("missing", Pubkey::new_unique(), ErrorCode::AccountOwnedByWrongProgram),
        ("zeroed", zeroed, ErrorCode::AccountDiscriminatorMismatch),
    ];
    cases.extend(others.iter().map(|(name, key)| (*name, *key, ErrorCode::AccountDiscriminatorMismatch)));
    for (case, key, expected) in cases {
        let case = format!("account {index} {case}");
        w.refuse_case(&case, &with_account(valid, index, key), signers, expected);
    }
}

/// Where the accounts of `deposit`, `withdraw`, `borrow` and `repay` stand.
pub mod flow {
    pub const USER: usize = 0;
    pub const MARKET: usize = 1;
    pub const VAULT: usize = 2;
    pub const RESERVE: usize = 3;
    pub const LIQUIDITY: usize = 4;
    pub const TOKEN_ACCOUNT: usize = 5;
    pub const MINT: usize = 6;
    pub const TOKEN_PROGRAM: usize = 7;
    pub const REMAINING: usize = 8;
}

/// Asserts that none of the accounts of `valid`, an instruction of `user` on `asset`, can be exchanged. `user` has a
/// token account for each of the first two assets.
#[track_caller]
pub fn refuse_wrong_flow_accounts(w: &mut Bank, valid: &Instruction, user: &User, asset: usize) {
    let signer = user.keypair.insecure_clone();
    let signers = [&signer];
    let elsewhere = other_market(w, asset, user);
    let other = 1 - asset;
    let (market, vault) = (w.market, user.vault);
    let (reserve, other_reserve) = (w.assets[asset].reserve, w.assets[other].reserve);
    refuse_imposters(w, valid, &signers, flow::MARKET, &[("vault", vault), ("reserve", reserve)]);
    refuse_imposters(w, valid, &signers, flow::VAULT, &[("market", market), ("reserve", reserve)]);
    refuse_imposters(w, valid, &signers, flow::RESERVE, &[("market", market), ("vault", vault)]);

    let other_liquidity = address::liquidity(&other_reserve);
    w.fund(&user.key(), other, 1_000_000);
    let (own_tokens, other_tokens) = (w.token_account(&user.key(), asset), w.token_account(&user.key(), other));
    let cases: [(&str, usize, Pubkey, KeelError); 11] = [
        ("market", flow::MARKET, elsewhere.market, KeelError::WrongMarket),
        ("vault of another market", flow::VAULT, elsewhere.vault, KeelError::WrongMarket),
        ("reserve of another market", flow::RESERVE, elsewhere.reserve, KeelError::WrongMarket),
        ("other reserve", flow::RESERVE, other_reserve, KeelError::WrongLiquidityAccount),
        ("other liquidity", flow::LIQUIDITY, other_liquidity, KeelError::WrongLiquidityAccount),
        ("user's tokens as liquidity", flow::LIQUIDITY, own_tokens, KeelError::WrongLiquidityAccount),
        (
            "liquidity of another market",
            flow::LIQUIDITY,
            address::liquidity(&elsewhere.reserve),
            KeelError::WrongLiquidityAccount,
        ),
        ("other mint", flow::MINT, w.assets[other].mint, KeelError::WrongMint),
        ("no mint", flow::MINT, Pubkey::new_unique(), KeelError::WrongMint),
        ("token program", flow::TOKEN_PROGRAM, keel_client::token::TOKEN_2022_PROGRAM, KeelError::WrongTokenProgram),
        ("system program", flow::TOKEN_PROGRAM, anchor_lang::system_program::ID, KeelError::WrongTokenProgram),
    ];
    for (case, index, key, expected) in cases {
        w.refuse_case(case, &with_account(valid, index, key), &signers, expected);
    }
    let other_tokens = with_account(valid, flow::TOKEN_ACCOUNT, other_tokens);
    w.refuse_case("tokens of another mint", &other_tokens, &signers, TokenError::MintMismatch);

    for index in [flow::VAULT, flow::RESERVE, flow::LIQUIDITY, flow::TOKEN_ACCOUNT] {
        let case = format!("account {index} read-only");
        w.refuse_case(&case, &read_only(valid, index), &signers, ErrorCode::ConstraintMut);
    }
    let governance = w.governance.insecure_clone();
    w.refuse_case("unsigned", &unsigned(valid, flow::USER), &[&governance], ErrorCode::AccountNotSigner);
    for count in 0..flow::REMAINING {
        let case = format!("{count} accounts");
        let expected = ErrorCode::AccountNotEnoughKeys;
        let short = truncated(valid, count);
        let payer = if count == 0 { &governance } else { &signer };
        w.refuse_case(&case, &short, &[payer], expected);
    }
}

/// Every reason for which a price is refused on its own, without a second one to compare it with.
pub const UNUSABLE: [KeelError; 11] = [
    KeelError::PriceWrongOwner,
    KeelError::PriceMalformed,
    KeelError::PriceWrongFeed,
    KeelError::PricePartiallyVerified,
    KeelError::PriceFromFuture,
    KeelError::PriceStale,
    KeelError::PriceReplayed,
    KeelError::PriceNotPositive,
    KeelError::PriceLowConfidence,
    KeelError::PriceExponentOutOfRange,
    KeelError::PriceBeforeRestart,
];

/// What an action demands of a price.
#[derive(Clone, Copy)]
pub struct Demand {
    pub max_age: i64,
    pub max_confidence_bps: u64,
}

/// Borrow and withdraw, as [`AssetSpec::new`] configures them.
pub const NEW_RISK: Demand = Demand { max_age: 60, max_confidence_bps: 200 };
/// Liquidation and refresh.
pub const LIQUIDATION: Demand = Demand { max_age: 120, max_confidence_bps: 1_000 };

/// Makes the price of one feed unusable for exactly this reason, and the prices of all others fresh.
pub fn spoil(w: &mut Bank, asset: usize, feed: usize, reason: KeelError, demand: Demand) {
    if reason == KeelError::PriceBeforeRestart {
        // Long enough ago for liquidations to be possible again.
        w.pass(60);
        let slot = w.chain.clock().slot - 101;
        w.chain.set_last_restart_slot(slot);
    }
    w.refresh_prices();
    if reason == KeelError::PriceReplayed {
        w.refresh(asset).unwrap();
    }
    let mut o = w.observation(w.assets[asset].cents);
    let (key, id, now) = (w.assets[asset].prices[feed], w.assets[asset].feed_ids[feed], w.chain.clock().unix_timestamp);
    match reason {
        KeelError::PriceFromFuture => o.publish_time = now + 11,
        KeelError::PriceStale => o.publish_time = now - demand.max_age - 1,
        KeelError::PriceReplayed => o.publish_time = w.reserve(asset).last_prices[feed].publish_time - 1,
        KeelError::PriceNotPositive => o.price = 0,
        KeelError::PriceLowConfidence => {
            o.confidence = o.price.unsigned_abs() * demand.max_confidence_bps / 10_000 + 1;
        }
        KeelError::PriceExponentOutOfRange => o.exponent = i32::from(w.assets[asset].decimals) + 1,
        KeelError::PriceBeforeRestart => o.posted_slot = w.chain.clock().slot - 101,
        _ => {}
    }
    let mut update = price_update::update(id, &o);
    let mut owner = price_update::PYTH_RECEIVER;
    match reason {
        KeelError::PriceWrongOwner => owner = Pubkey::new_unique(),
        KeelError::PriceWrongFeed => update.price_message.feed_id = [7; 32],
        KeelError::PricePartiallyVerified => {
            update.verification_level = price_update::VerificationLevel::Partial { num_signatures: 12 };
        }
        _ => {}
    }
    let mut data = price_update::encode(&update);
    if reason == KeelError::PriceMalformed {
        data[0] ^= 1;
    }
    w.chain.set_data(&key, &owner, data);
}

/// Undoes [`spoil`].
pub fn restore(w: &mut Bank) {
    w.chain.set_last_restart_slot(0);
    w.refresh_prices();
}

/// An observation of `cents` with the given publish time.
pub fn published(w: &mut Bank, cents: i64, publish_time: i64) -> Observation {
    Observation { publish_time, ..w.observation(cents) }
}

/// Overwrites the flags of a user's vault: its bad debt is being resolved.
pub fn mark_insolvent(w: &mut Bank, user: &User) {
    let mut vault = w.vault(&user.vault);
    vault.flags |= keel::state::Vault::INSOLVENT;
    let mut account = w.chain.account(&user.vault).unwrap();
    account.data[8..].copy_from_slice(bytemuck::bytes_of(&vault));
    w.chain.set_account(&user.vault, account);
}

/// Asserts that the remaining accounts of `valid`, which start at `start`, can neither be left out, nor exchanged, nor
/// reordered. `reserves` are the offsets of the reserves among them; extra accounts at the end are ignored.
#[track_caller]
pub fn refuse_wrong_remaining(w: &mut Bank, valid: &Instruction, user: &User, start: usize, reserves: &[usize]) {
    let signer = user.keypair.insecure_clone();
    let signers = [&signer];
    for count in start..valid.accounts.len() {
        let case = format!("only {} remaining", count - start);
        w.refuse_case(&case, &truncated(valid, count), &signers, KeelError::MissingAccount);
    }
    let (market, first) = (w.market, valid.accounts[start + reserves[0]].pubkey);
    for offset in reserves {
        let index = start + offset;
        let forged = forged(w, &valid.accounts[index].pubkey);
        for (case, key) in
            [("forged", forged), ("market", market), ("vault", user.vault), ("none", Pubkey::new_unique())]
        {
            let case = format!("{case} as reserve at {offset}");
            w.refuse_case(&case, &with_account(valid, index, key), &signers, KeelError::WrongReserve);
        }
        if *offset != reserves[0] {
            let twice = with_account(valid, index, first);
            w.refuse_case("a reserve twice", &twice, &signers, KeelError::WrongReserve);
            let reordered = swapped(valid, start + reserves[0], index);
            w.refuse_case("reserves reordered", &reordered, &signers, KeelError::WrongReserve);
        }
        let left_out = {
            let mut changed = valid.clone();
            changed.accounts.remove(index);
            changed
        };
        let expected =
            if index == valid.accounts.len() - 1 { KeelError::MissingAccount } else { KeelError::WrongReserve };
        w.refuse_case("a reserve left out", &left_out, &signers, expected);
    }
    let mut extra = valid.clone();
    for key in [market, first, Pubkey::new_unique()] {
        extra.accounts.push(solana_instruction::AccountMeta::new_readonly(key, false));
    }
    w.send(extra, &signer).unwrap();
}

/// A flash loan of one USDC, which costs nothing, and its repayment. The user has an account for them.
pub fn flash_loan(w: &Bank, user: &User) -> [Instruction; 2] {
    let (reserve, tokens) = (w.assets[USDC].reserve, w.token_account(&user.key(), USDC));
    [instruction::flash_borrow, instruction::flash_repay]
        .map(|build| build(&w.book, user.key(), reserve, tokens, 1_000_000).unwrap())
}

/// Asserts that `instruction` is refused while a flash loan of `user`, who signs with `signers`, is open, whatever other
/// loans were repaid before, and nothing with it. Then sends it after the repayment, in the same transaction.
#[track_caller]
pub fn refuse_inside_a_flash_loan(w: &mut Bank, instruction: &Instruction, user: &User, signers: &[&Keypair]) {
    let [lend, repay] = flash_loan(w, user);
    let inside = [lend.clone(), instruction.clone(), repay.clone()];
    let inside_the_second = [&[lend.clone(), repay.clone()], &inside[..]].concat();
    let before = w.snapshot_of(instruction.accounts.iter().map(|meta| meta.pubkey));
    for instructions in [&inside[..], &inside_the_second] {
        let failure = w.chain.send(instructions, signers).unwrap_err();
        assert_eq!(Refusal::from(&failure), KeelError::InFlashLoan.into(), "{:#?}", failure.logs);
    }
    let changed = before.changed(w);
    assert!(changed.iter().all(|key| *key == signers[0].pubkey()), "{changed:?}");
    w.chain.send(&[lend, repay, instruction.clone()], signers).unwrap();
}

/// Asserts that the vault at `index` of `valid`, which `owner` signs, can be exchanged for nothing else, and that the
/// instructions sysvar, the last account, is the real one.
#[track_caller]
pub fn refuse_wrong_life_accounts(w: &mut Bank, valid: &Instruction, owner: &User, index: usize) {
    let signers = [&owner.keypair];
    let (market, reserve) = (w.market, w.assets[SOL].reserve);
    refuse_imposters(w, valid, &signers, index, &[("market", market), ("reserve", reserve)]);
    w.refuse(&read_only(valid, index), &signers, ErrorCode::ConstraintMut);
    let sysvar = valid.accounts.len() - 1;
    assert_eq!(valid.accounts[sysvar].pubkey, keel::introspection::ID);
    // It would say that there is no other instruction.
    let other = Pubkey::new_unique();
    w.chain.set_data(&other, &Pubkey::from_str_const("Sysvar1111111111111111111111111111111111111"), vec![0; 100]);
    for key in [other, Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111"), market] {
        w.refuse(&with_account(valid, sysvar, key), &signers, ErrorCode::ConstraintAddress);
    }
    for count in 1..=sysvar {
        w.refuse(&truncated(valid, count), &signers, ErrorCode::AccountNotEnoughKeys);
    }
}
