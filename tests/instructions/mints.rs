//! `init_reserve`: which mints it accepts.

use crate::support::*;
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::program_pack::Pack;
use anchor_lang::solana_program::rent::Rent;
use anchor_spl::token_2022::spl_token_2022::extension::{self, ExtensionType};
use anchor_spl::token_2022::spl_token_2022::instruction as token_2022;
use anchor_spl::token_2022::spl_token_2022::state::{AccountState, Mint};
use keel::{AmountSpec, KeelError};
use keel_client::{address, token};
use keel_tests::check::refused_with;
use keel_tests::world::refused;
use keel_tests::{AssetSpec, Chain};
use solana_instruction::Instruction;
use solana_instruction::error::InstructionError;
use solana_keypair::Keypair;
use solana_signer::Signer;

const TOKEN_2022: Pubkey = token::TOKEN_2022_PROGRAM;

fn spec() -> AssetSpec {
    AssetSpec { token_program: TOKEN_2022, ..AssetSpec::usdc() }
}

/// A mint with extensions, as Token-2022 makes it.
fn extended_mint(w: &mut Bank, types: &[ExtensionType], init: impl Fn(&Pubkey, &Pubkey) -> Vec<Instruction>) -> Pubkey {
    let mint = Keypair::new();
    let (payer, key) = (w.governance.pubkey(), mint.pubkey());
    let space = ExtensionType::try_calculate_account_len::<Mint>(types).unwrap();
    let lamports = Rent::default().minimum_balance(space);
    let space = u64::try_from(space).unwrap();
    let mut instructions =
        vec![solana_system_interface::instruction::create_account(&payer, &key, lamports, space, &TOKEN_2022)];
    instructions.extend(init(&key, &payer));
    instructions.push(token_2022::initialize_mint2(&TOKEN_2022, &key, &payer, Some(&payer), 6).unwrap());
    w.chain.send(&instructions, &[&w.governance, &mint]).unwrap();
    key
}

/// A mint whose account holds one entry of `kind` with `length` bytes, whatever Token-2022 would say of it.
fn raw_mint(w: &mut Bank, kind: u16, length: u16) -> Pubkey {
    let authority = w.governance.pubkey();
    let base = Mint {
        mint_authority: Some(authority).into(),
        supply: 0,
        decimals: 6,
        is_initialized: true,
        freeze_authority: None.into(),
    };
    let mut data = vec![0; 166];
    base.pack_into_slice(&mut data[..Mint::LEN]);
    data[165] = 1; // the account is a mint
    data.extend_from_slice(&kind.to_le_bytes());
    data.extend_from_slice(&length.to_le_bytes());
    data.extend(std::iter::repeat_n(0, usize::from(length)));
    let key = Pubkey::new_unique();
    w.chain.set_data(&key, &TOKEN_2022, data);
    key
}

#[track_caller]
fn refuse_mint(w: &mut Bank, mint: Pubkey, expected: KeelError) {
    let result = w.try_list(&spec(), mint);
    match result {
        Ok(_) => panic!("expected {expected:?}, but it was listed"),
        Err(failure) => {
            assert_eq!(failure.code(), Some(expected.into()), "expected {expected:?}, got {failure:#?}");
        }
    }
    let reserve = address::reserve(&w.market, &mint);
    assert_eq!(w.chain.account(&reserve), None);
    assert_eq!(w.chain.account(&address::liquidity(&reserve)), None);
}

fn empty() -> Bank {
    keel_tests::World::new(keel_tests::ProgramTestChain::new())
}

/// Lists the mint and moves tokens through the reserve.
fn accept_mint(w: &mut Bank, mint: Pubkey) {
    let asset = w.try_list(&spec(), mint).unwrap();
    let amount = w.assets[asset].whole(5);
    let user = w.supplier(asset, amount);
    assert_eq!((w.liquidity(asset), w.balance(&user.key(), asset)), (amount, 0));
    w.withdraw(&user, asset, AmountSpec::All).unwrap();
    assert_eq!((w.liquidity(asset), w.balance(&user.key(), asset)), (0, amount));
}

#[test]
fn effects_accepts_plain_mints_of_both_programs_with_0_to_18_decimals() {
    let mut w = empty();
    for program in [token::TOKEN_PROGRAM, TOKEN_2022] {
        for decimals in [0, 18] {
            let asset = w.list(&AssetSpec { token_program: program, ..AssetSpec::new(decimals, 1_00) });
            assert_eq!(w.reserve(asset).decimals, decimals);
            assert_eq!(w.reserve(asset).token_program, program);
        }
    }
}

#[test]
fn effects_accepts_metadata_and_group_pointers() {
    let mut w = empty();
    let metadata = extended_mint(&mut w, &[ExtensionType::MetadataPointer], |mint, payer| {
        vec![
            extension::metadata_pointer::instruction::initialize(&TOKEN_2022, mint, Some(*payer), Some(*mint)).unwrap(),
        ]
    });
    accept_mint(&mut w, metadata);
    let all = [ExtensionType::MetadataPointer, ExtensionType::GroupPointer, ExtensionType::GroupMemberPointer];
    let all = extended_mint(&mut w, &all, |mint, payer| {
        let (authority, at) = (Some(*payer), Some(*mint));
        vec![
            extension::metadata_pointer::instruction::initialize(&TOKEN_2022, mint, authority, at).unwrap(),
            extension::group_pointer::instruction::initialize(&TOKEN_2022, mint, authority, at).unwrap(),
            extension::group_member_pointer::instruction::initialize(&TOKEN_2022, mint, authority, at).unwrap(),
        ]
    });
    accept_mint(&mut w, all);
}

#[test]
fn effects_accepts_metadata_and_groups_in_the_mint() {
    let mut w = empty();
    let kinds =
        [(ExtensionType::TokenMetadata, 84), (ExtensionType::TokenGroup, 80), (ExtensionType::TokenGroupMember, 72)];
    for (kind, length) in kinds {
        let mint = raw_mint(&mut w, kind.into(), length);
        accept_mint(&mut w, mint);
    }
}

type Initialize = fn(&Pubkey, &Pubkey) -> Instruction;

#[test]
fn rejects_extensions_that_change_amounts_or_block_transfers() {
    use ExtensionType as E;
    let cases: [(E, Initialize, KeelError); 10] = [
        (
            E::TransferFeeConfig,
            |mint, key| {
                let authority = Some(key);
                extension::transfer_fee::instruction::initialize_transfer_fee_config(
                    &TOKEN_2022,
                    mint,
                    authority,
                    authority,
                    0,
                    0,
                )
                .unwrap()
            },
            KeelError::ExtensionTransferFee,
        ),
        (
            E::TransferHook,
            |mint, key| extension::transfer_hook::instruction::initialize(&TOKEN_2022, mint, Some(*key), None).unwrap(),
            KeelError::ExtensionTransferHook,
        ),
        (
            E::PermanentDelegate,
            |mint, key| token_2022::initialize_permanent_delegate(&TOKEN_2022, mint, key).unwrap(),
            KeelError::ExtensionPermanentDelegate,
        ),
        (
            E::DefaultAccountState,
            |mint, _| {
                extension::default_account_state::instruction::initialize_default_account_state(
                    &TOKEN_2022,
                    mint,
                    &AccountState::Frozen,
                )
                .unwrap()
            },
            KeelError::ExtensionDefaultAccountState,
        ),
        (
            E::NonTransferable,
            |mint, _| token_2022::initialize_non_transferable_mint(&TOKEN_2022, mint).unwrap(),
            KeelError::ExtensionNonTransferable,
        ),
        (
            E::ConfidentialTransferMint,
            |mint, key| {
                extension::confidential_transfer::instruction::initialize_mint(
                    &TOKEN_2022,
                    mint,
                    Some(*key),
                    true,
                    None,
                )
                .unwrap()
            },
            KeelError::ExtensionConfidential,
        ),
        (
            E::MintCloseAuthority,
            |mint, key| token_2022::initialize_mint_close_authority(&TOKEN_2022, mint, Some(key)).unwrap(),
            KeelError::ExtensionMintCloseAuthority,
        ),
        (
            E::InterestBearingConfig,
            |mint, key| {
                extension::interest_bearing_mint::instruction::initialize(&TOKEN_2022, mint, Some(*key), 10).unwrap()
            },
            KeelError::ExtensionUiAmount,
        ),
        (
            E::ScaledUiAmount,
            |mint, key| {
                extension::scaled_ui_amount::instruction::initialize(&TOKEN_2022, mint, Some(*key), 2.0).unwrap()
            },
            KeelError::ExtensionUiAmount,
        ),
        (
            E::Pausable,
            |mint, key| extension::pausable::instruction::initialize(&TOKEN_2022, mint, key).unwrap(),
            KeelError::ExtensionPausable,
        ),
    ];
    let mut w = empty();
    for (kind, initialize, expected) in cases {
        let mint = extended_mint(&mut w, &[kind], |mint, key| vec![initialize(mint, key)]);
        refuse_mint(&mut w, mint, expected);
    }
}

/// A refused extension behind an accepted one, and those that Token-2022 makes only in combinations.
#[test]
fn rejects_extensions_in_combination() {
    let mut w = empty();
    let hidden = [ExtensionType::MetadataPointer, ExtensionType::PermanentDelegate];
    let hidden = extended_mint(&mut w, &hidden, |mint, key| {
        vec![
            extension::metadata_pointer::instruction::initialize(&TOKEN_2022, mint, Some(*key), Some(*mint)).unwrap(),
            token_2022::initialize_permanent_delegate(&TOKEN_2022, mint, key).unwrap(),
        ]
    });
    refuse_mint(&mut w, hidden, KeelError::ExtensionPermanentDelegate);
    for (kind, length) in
        [(ExtensionType::ConfidentialTransferFeeConfig, 129), (ExtensionType::ConfidentialMintBurn, 196)]
    {
        let mint = raw_mint(&mut w, kind.into(), length);
        refuse_mint(&mut w, mint, KeelError::ExtensionConfidential);
    }
}

#[test]
fn rejects_extensions_that_are_not_on_the_allowlist() {
    let mut w = empty();
    for kind in [ExtensionType::ImmutableOwner, ExtensionType::MemoTransfer, ExtensionType::CpiGuard] {
        let length = u16::from(kind != ExtensionType::ImmutableOwner);
        let mint = raw_mint(&mut w, kind.into(), length);
        refuse_mint(&mut w, mint, KeelError::ExtensionNotAllowed);
    }
}

/// An extension that did not exist when the program was built: refused before the program sees it, when Anchor asks how
/// large a token account of this mint is.
#[test]
fn rejects_extensions_of_the_future() {
    let mut w = empty();
    let mint = raw_mint(&mut w, 60_000, 32);
    refused_with(w.try_list(&spec(), mint).map(|_| unreachable!()), InstructionError::InvalidAccountData);
    assert_eq!(w.chain.account(&address::reserve(&w.market, &mint)), None);
}

#[test]
fn rejects_too_many_decimals() {
    let mut w = empty();
    for program in [token::TOKEN_PROGRAM, TOKEN_2022] {
        for decimals in [19, 255] {
            let mint = w.create_mint(decimals, &program);
            let spec = AssetSpec { token_program: program, ..AssetSpec::new(decimals, 1_00) };
            refused(w.try_list(&spec, mint).map(|_| unreachable!()), KeelError::ConfigDecimals);
        }
    }
}
