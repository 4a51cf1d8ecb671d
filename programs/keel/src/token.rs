//! Moves tokens, and decides which mints are accepted.

use crate::errors::KeelError;
use crate::seeds;
use anchor_lang::prelude::*;
use anchor_spl::token_2022::spl_token_2022::extension::{BaseStateWithExtensions, ExtensionType, StateWithExtensions};
use anchor_spl::token_2022::spl_token_2022::state::Mint;
use anchor_spl::token_interface::{self, TransferChecked};

/// What a transfer needs besides the two accounts at its ends.
pub struct TokenAccounts<'a, 'info> {
    pub mint: &'a AccountInfo<'info>,
    pub program: &'a AccountInfo<'info>,
    pub decimals: u8,
}

/// The seeds of a reserve, which signs for its liquidity.
pub struct ReserveSigner {
    pub market: Pubkey,
    pub mint: Pubkey,
    pub bump: u8,
}

/// Takes `amount` from an account whose authority signed the transaction. Nothing moves at zero.
pub fn take<'info>(
    tokens: &TokenAccounts<'_, 'info>,
    from: &AccountInfo<'info>,
    to: &AccountInfo<'info>,
    authority: &AccountInfo<'info>,
    amount: u64,
) -> Result<()> {
    transfer(tokens, from, to, authority, amount, &[])
}

/// Pays `amount` out of a reserve's liquidity. Nothing moves at zero.
pub fn pay<'info>(
    tokens: &TokenAccounts<'_, 'info>,
    from: &AccountInfo<'info>,
    to: &AccountInfo<'info>,
    reserve: &AccountInfo<'info>,
    signer: &ReserveSigner,
    amount: u64,
) -> Result<()> {
    let seeds: &[&[u8]] = &[seeds::RESERVE, signer.market.as_ref(), signer.mint.as_ref(), &[signer.bump]];
    transfer(tokens, from, to, reserve, amount, &[seeds])
}

fn transfer<'info>(
    tokens: &TokenAccounts<'_, 'info>,
    from: &AccountInfo<'info>,
    to: &AccountInfo<'info>,
    authority: &AccountInfo<'info>,
    amount: u64,
    signer: &[&[&[u8]]],
) -> Result<()> {
    if amount == 0 {
        return Ok(());
    }
    let accounts =
        TransferChecked { from: from.clone(), mint: tokens.mint.clone(), to: to.clone(), authority: authority.clone() };
    let context = CpiContext::new_with_signer(*tokens.program.key, accounts, signer);
    token_interface::transfer_checked(context, amount, tokens.decimals)
}

/// The balance in a token account's data, at the same place for both token programs. Whether it is a token account at
/// all is for the token program to say, when it moves tokens.
pub fn balance(account: &AccountInfo) -> Result<u64> {
    let data = account.try_borrow_data()?;
    let amount = data.get(64..72).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
    Ok(amount.ok_or(KeelError::NotATokenAccount)?)
}

/// After every movement of tokens: the reserve holds at least what its books say.
pub fn require_backed(liquidity: &AccountInfo, available: u64) -> Result<()> {
    require_gte!(balance(liquidity)?, available, KeelError::LiquidityMismatch);
    Ok(())
}

/// Refuses a mint with any extension that could change balances, block transfers or change what an amount means.
///
/// Allowed are pointers to and records of metadata, groups and their members, which do none of that.
///
/// # Errors
/// One code per refused extension; the log names it.
pub fn require_plain_mint(mint: &AccountInfo) -> Result<()> {
    let data = mint.try_borrow_data()?;
    let state = StateWithExtensions::<Mint>::unpack(&data).map_err(|_| KeelError::WrongMint)?;
    for extension in state.get_extension_types().map_err(|_| KeelError::WrongMint)? {
        let refusal = match extension {
            ExtensionType::MetadataPointer
            | ExtensionType::TokenMetadata
            | ExtensionType::GroupPointer
            | ExtensionType::TokenGroup
            | ExtensionType::GroupMemberPointer
            | ExtensionType::TokenGroupMember => continue,
            ExtensionType::TransferFeeConfig => KeelError::ExtensionTransferFee,
            ExtensionType::TransferHook => KeelError::ExtensionTransferHook,
            ExtensionType::PermanentDelegate => KeelError::ExtensionPermanentDelegate,
            ExtensionType::DefaultAccountState => KeelError::ExtensionDefaultAccountState,
            ExtensionType::NonTransferable => KeelError::ExtensionNonTransferable,
            ExtensionType::ConfidentialTransferMint
            | ExtensionType::ConfidentialTransferFeeConfig
            | ExtensionType::ConfidentialMintBurn => KeelError::ExtensionConfidential,
            ExtensionType::MintCloseAuthority => KeelError::ExtensionMintCloseAuthority,
            ExtensionType::InterestBearingConfig | ExtensionType::ScaledUiAmount => KeelError::ExtensionUiAmount,
            ExtensionType::Pausable => KeelError::ExtensionPausable,
            _ => KeelError::ExtensionNotAllowed,
        };
        msg!("Mint extension {:?} is not accepted", extension);
        return Err(refusal.into());
    }
    Ok(())
}
