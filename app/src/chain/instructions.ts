/** A user's wishes as instructions: token accounts are created, SOL is wrapped before it is needed and unwrapped at the end. */
import { AccountRole, createNoopSigner, type AccountMeta, type Address, type Instruction } from '@solana/kit';
import {
  getCloseAccountInstruction,
  getCreateAssociatedTokenIdempotentInstruction,
  getSyncNativeInstruction,
} from '@solana-program/token';
import { getTransferSolInstruction } from '@solana-program/system';
import {
  getBorrowInstruction,
  getCloseVaultInstruction,
  getDepositInstruction,
  getOpenVaultInstructionAsync,
  getRepayInstruction,
  getVaultDecoder,
  getWithdrawInstruction,
} from '../generated';
import { isRefused, type Action, type Amount, type Moment, type RawAccount, type Risk } from '../risk';
import { WRAPPED_SOL, type Holdings, type Listing, type State } from './state';

/** For how long the SOL that is wrapped to repay everything covers the interest. The rest comes back. */
const INTEREST_MARGIN_SECONDS = 3_600n;

/** What a user wants. */
export type Wish =
  { kind: 'open' } | { kind: 'close' } | { kind: 'act'; action: Action; reserve: number; amount: Amount };

/** The instructions of a wish, for one transaction. */
export async function instructionsOf(risk: Risk, state: State, holdings: Holdings, wish: Wish): Promise<Instruction[]> {
  const owner = createNoopSigner(holdings.owner);
  switch (wish.kind) {
    case 'open':
      return [
        await getOpenVaultInstructionAsync({ payer: owner, owner, market: state.snapshot.market.address, index: 0 }),
      ];
    case 'close':
      return [getCloseVaultInstruction({ owner, vault: holdings.vaultAddress })];
    case 'act':
      return act(risk, state, holdings, wish);
  }
}

const BUILDERS = {
  deposit: getDepositInstruction,
  withdraw: getWithdrawInstruction,
  borrow: getBorrowInstruction,
  repay: getRepayInstruction,
};

function act(risk: Risk, state: State, holdings: Holdings, wish: Extract<Wish, { kind: 'act' }>): Instruction[] {
  const listing = state.listings[wish.reserve];
  const { vault } = holdings;
  if (listing?.tokenAccount === undefined || vault === undefined) {
    throw new Error('there is no vault, or no such asset');
  }
  const { reserve, tokenAccount } = listing;
  const owner = createNoopSigner(holdings.owner);
  const isSol = reserve.mint === WRAPPED_SOL;
  const comesIn = wish.action === 'deposit' || wish.action === 'repay';
  const instructions: Instruction[] = [];
  if (isSol || !comesIn) {
    instructions.push(
      getCreateAssociatedTokenIdempotentInstruction({
        payer: owner,
        owner: holdings.owner,
        ata: tokenAccount,
        mint: reserve.mint,
        tokenProgram: reserve.tokenProgram,
      }),
    );
  }
  if (isSol && comesIn) {
    const amount = wish.amount === 'all' ? owedLater(risk, state, vault, listing) : wish.amount;
    instructions.push(
      getTransferSolInstruction({ source: owner, destination: tokenAccount, amount }),
      getSyncNativeInstruction({ account: tokenAccount }),
    );
  }
  const build = BUILDERS[wish.action]({
    user: owner,
    market: state.snapshot.market.address,
    vault: vault.address,
    reserve: listing.address,
    liquidity: reserve.liquidity,
    tokenAccount,
    mint: reserve.mint,
    tokenProgram: reserve.tokenProgram,
    amount: wish.amount === 'all' ? { __kind: 'All' } : { __kind: 'Exact', fields: [wish.amount] },
  });
  instructions.push(withAccounts(build, remaining(risk, state, vault, listing.address, wish.action)));
  if (isSol) {
    instructions.push(getCloseAccountInstruction({ account: tokenAccount, destination: holdings.owner, owner }));
  }
  return instructions;
}

/** As the program's side of a position. */
const DEBT = 2;

/** What follows the named accounts: prices, where the vault's health decides. */
function remaining(risk: Risk, state: State, raw: RawAccount, acted: Address, action: Action): readonly AccountMeta[] {
  const vault = getVaultDecoder().decode(raw.data);
  switch (action) {
    case 'deposit':
      return [];
    case 'withdraw':
      return vault.positions.some(({ side }) => side === DEBT) ? risk.remaining(state.snapshot, raw, [acted]) : [];
    case 'borrow':
      return risk.remaining(state.snapshot, raw, [acted]);
    case 'repay': {
      // A debt that counts against an isolated collateral's ceiling is counted out of it.
      const counts = vault.positions.some(({ reserve, isolatedDebt }) => reserve === acted && isolatedDebt > 0n);
      return counts ? [{ address: vault.isolatedReserve, role: AccountRole.WRITABLE }] : [];
    }
  }
}

function withAccounts(
  instruction: Instruction & { accounts: readonly AccountMeta[] },
  more: readonly AccountMeta[],
): Instruction {
  return { ...instruction, accounts: [...instruction.accounts, ...more] };
}

/** What is owed when the transaction may be executed at the latest: until then, more than now. */
function owedLater(risk: Risk, state: State, vault: RawAccount, listing: Listing): bigint {
  const later: Moment = { ...state.moment, now: state.moment.now + INTEREST_MARGIN_SECONDS };
  const preview = risk.preview(state.snapshot, later, vault, listing.address, 'repay', 'all');
  if (isRefused(preview)) {
    throw new Error('the debt cannot be repaid at the moment');
  }
  return preview.amount;
}
