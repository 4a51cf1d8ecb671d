//! Moves tokens, and decides which mints are accepted.

use crate::errors::KeelError;
use crate::seeds;
use crate::state::Reserve;
use anchor_lang::prelude::*;
use anchor_lang::solana_program::program_pack::Pack;
use anchor_lang::system_program;
use anchor_spl::token_2022::spl_token_2022::extension::{BaseStateWithExtensions, ExtensionType, StateWithExtensions};
use anchor_spl::token_2022::spl_token_2022::state::Mint;
use anchor_spl::token_interface::{self, Burn, InitializeMint2, MintTo, TransferChecked};

/// Where tokens enter and leave a reserve: its liquidity account, or, of a minted reserve, the mint.
pub struct Door<'a, 'info> {
    reserve: &'a AccountInfo<'info>,
    liquidity: &'a AccountInfo<'info>,
    mint: &'a AccountInfo<'info>,
    program: &'a AccountInfo<'info>,
    signer: (Pubkey, Pubkey, u8),
    decimals: u8,
    minted: bool,
}

impl<'a, 'info> Door<'a, 'info> {
    /// The door of `reserve`, whose state is `state`.
    ///
    /// # Errors
    /// `WrongLiquidityAccount`, `WrongMint`, `WrongTokenProgram` when an account is not the reserve's.
    pub fn new(
        reserve: &'a AccountInfo<'info>,
        state: &Reserve,
        liquidity: &'a AccountInfo<'info>,
        mint: &'a AccountInfo<'info>,
        program: &'a AccountInfo<'info>,
    ) -> Result<Self> {
        require_keys_eq!(*liquidity.key, state.liquidity, KeelError::WrongLiquidityAccount);
        require_keys_eq!(*mint.key, state.mint, KeelError::WrongMint);
        require_keys_eq!(*program.key, state.token_program, KeelError::WrongTokenProgram);
        let signer = (state.market, state.mint, state.bump);
        let minted = state.is_minted();
        Ok(Self { reserve, liquidity, mint, program, signer, decimals: state.decimals, minted })
    }

    /// Takes `amount` from an account whose authority signed the transaction, or burns it. Nothing moves at zero.
    pub fn take(&self, from: &AccountInfo<'info>, authority: &AccountInfo<'info>, amount: u64) -> Result<()> {
        if amount == 0 {
            return Ok(());
        }
        let (from, mint, authority) = (from.clone(), self.mint.clone(), authority.clone());
        if self.minted {
            let accounts = Burn { mint, from, authority };
            return token_interface::burn(CpiContext::new(*self.program.key, accounts), amount);
        }
        let accounts = TransferChecked { from, mint, to: self.liquidity.clone(), authority };
        token_interface::transfer_checked(CpiContext::new(*self.program.key, accounts), amount, self.decimals)
    }

    /// Pays `amount` out, or mints it. Nothing moves at zero.
    pub fn pay(&self, to: &AccountInfo<'info>, amount: u64) -> Result<()> {
        if amount == 0 {
            return Ok(());
        }
        let (market, mint, bump) = &self.signer;
        let seeds: &[&[u8]] = &[seeds::RESERVE, market.as_ref(), mint.as_ref(), &[*bump]];
        let (to, mint, authority) = (to.clone(), self.mint.clone(), self.reserve.clone());
        let signer = &[seeds];
        if self.minted {
            let accounts = MintTo { mint, to, authority };
            return token_interface::mint_to(CpiContext::new_with_signer(*self.program.key, accounts, signer), amount);
        }
        let accounts = TransferChecked { from: self.liquidity.clone(), mint, to, authority };
        let context = CpiContext::new_with_signer(*self.program.key, accounts, signer);
        token_interface::transfer_checked(context, amount, self.decimals)
    }

    /// After every movement of tokens: the reserve holds at least what its books say, and no more of a minted token
    /// exists than they say. `books` are [`Reserve::tokens`].
    pub fn require_backed(&self, books: u64) -> Result<()> {
        if self.minted {
            require_gte!(books, supply(self.liquidity)?, KeelError::LiquidityMismatch);
        } else {
            require_gte!(balance(self.liquidity)?, books, KeelError::LiquidityMismatch);
        }
        Ok(())
    }
}

/// Creates `mint`, which signs with `seeds`, without a freeze authority. Lamports that somebody sent to the address before
/// are in nobody's way.
pub fn create_mint<'info>(
    mint: &AccountInfo<'info>,
    decimals: u8,
    authority: &Pubkey,
    payer: &AccountInfo<'info>,
    program: &AccountInfo<'info>,
    seeds: &[&[u8]],
) -> Result<()> {
    let missing = Rent::get()?.minimum_balance(Mint::LEN).saturating_sub(mint.lamports());
    if missing > 0 {
        let accounts = system_program::Transfer { from: payer.clone(), to: mint.clone() };
        system_program::transfer(CpiContext::new(system_program::ID, accounts), missing)?;
    }
    let signer = &[seeds];
    let accounts = system_program::Allocate { account_to_allocate: mint.clone() };
    system_program::allocate(CpiContext::new_with_signer(system_program::ID, accounts, signer), Mint::LEN as u64)?;
    let accounts = system_program::Assign { account_to_assign: mint.clone() };
    system_program::assign(CpiContext::new_with_signer(system_program::ID, accounts, signer), program.key)?;
    let accounts = InitializeMint2 { mint: mint.clone() };
    token_interface::initialize_mint2(CpiContext::new(*program.key, accounts), decimals, authority, None)
}

/// The balance in a token account's data, at the same place for both token programs. Whether it is a token account at
/// all is for the token program to say, when it moves tokens.
pub fn balance(account: &AccountInfo) -> Result<u64> {
    let data = account.try_borrow_data()?;
    let amount = data.get(64..72).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
    Ok(amount.ok_or(KeelError::NotATokenAccount)?)
}

/// The owner in a token account's data.
pub fn owner(account: &AccountInfo) -> Result<Pubkey> {
    let data = account.try_borrow_data()?;
    let owner = data.get(32..64).and_then(|bytes| Pubkey::try_from(bytes).ok());
    Ok(owner.ok_or(KeelError::NotATokenAccount)?)
}

/// The supply in a mint's data.
fn supply(mint: &AccountInfo) -> Result<u64> {
    let data = mint.try_borrow_data()?;
    let supply = data.get(36..44).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
    Ok(supply.ok_or(KeelError::WrongMint)?)
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
