/** A user's wishes as instructions: token accounts are created, SOL is wrapped before it is needed and unwrapped at the end. */
import { AccountRole, createNoopSigner, type AccountMeta, type Address, type Instruction } from '@solana/kit';
import {
  getCloseAccountInstruction,
  findAssociatedTokenPda,
  getCreateAssociatedTokenIdempotentInstruction,
  getSyncNativeInstruction,
} from '@solana-program/token';
import { getTransferSolInstruction } from '@solana-program/system';
import {
  getAcceptRoleInstruction,
  getAcceptVaultInstruction,
  getBorrowInstruction,
  getCloseVaultInstruction,
  getDepositInstruction,
  getLiquidateInstruction,
  getOfferVaultInstruction,
  getOpenVaultInstructionAsync,
  getRepayInstruction,
  getSetDelegateInstruction,
  getSetEfficiencyGroupInstruction,
  getVaultDecoder,
  getWithdrawInstruction,
  Receive,
  type Role,
} from '../generated';
import { isRefused, type Action, type Amount, type Moment, type RawAccount, type Risk } from '../risk';
import { changeInstruction, withAccounts, type ChangeAct, type QueuedChange } from './changes';
import { WRAPPED_SOL, type Holdings, type Listing, type State } from './state';

/** For how long the SOL that is wrapped to repay everything covers the interest. The rest comes back. */
const INTEREST_MARGIN_SECONDS = 3_600n;

/** What a user wants. */
export type Wish =
  | { kind: 'open'; index: number }
  | { kind: 'close' }
  | { kind: 'act'; action: Action; reserve: number; amount: Amount }
  /** To nobody (the address of zeros) without rights, to take them away. */
  | { kind: 'delegate'; delegate: Address; rights: number; until: bigint }
  /** To nobody, to take the offer back. */
  | { kind: 'offer'; to: Address }
  | { kind: 'accept'; vault: Address }
  /** 0 for none. */
  | { kind: 'group'; group: number }
  | { kind: 'change'; act: ChangeAct; queued: QueuedChange }
  | { kind: 'acceptRole'; role: Role }
  | { kind: 'liquidate'; terms: LiquidationTerms };

/** A liquidation of somebody's vault. Reserves by their numbers, amounts in native units. */
export interface LiquidationTerms {
  vault: RawAccount;
  debt: number;
  collateral: number;
  /** Most that is repaid. */
  maxRepay: bigint;
  /** Least that is received: with less, the program refuses. */
  minSeize: bigint;
  /** The keeper's vault, for supply shares; without it, the keeper receives tokens. */
  into: Address | undefined;
}

/** The instructions of a wish, for one transaction. */
export async function instructionsOf(risk: Risk, state: State, holdings: Holdings, wish: Wish): Promise<Instruction[]> {
  const owner = createNoopSigner(holdings.owner);
  switch (wish.kind) {
    case 'open':
      return [
        await getOpenVaultInstructionAsync({
          payer: owner,
          owner,
          market: state.snapshot.market.address,
          index: wish.index,
        }),
      ];
    case 'close':
      return [getCloseVaultInstruction({ owner, vault: holdings.vaultAddress })];
    case 'delegate': {
      const { delegate, rights, until } = wish;
      return [getSetDelegateInstruction({ signer: owner, vault: holdings.vaultAddress, delegate, rights, until })];
    }
    case 'offer':
      return [getOfferVaultInstruction({ signer: owner, vault: holdings.vaultAddress, to: wish.to })];
    case 'accept':
      return [getAcceptVaultInstruction({ signer: owner, vault: wish.vault })];
    case 'group':
      return [setGroup(risk, state, holdings, wish.group)];
    case 'change': {
      const view = risk.change(state.snapshot, state.moment, wish.queued.raw);
      return [await changeInstruction(wish.act, state, holdings.owner, wish.queued, view)];
    }
    case 'acceptRole':
      return [getAcceptRoleInstruction({ signer: owner, market: state.snapshot.market.address, role: wish.role })];
    case 'act':
      return act(risk, state, holdings, wish);
    case 'liquidate':
      return liquidate(risk, state, holdings, wish.terms);
  }
}

function setGroup(risk: Risk, state: State, { owner, vault }: Holdings, group: number): Instruction {
  if (vault === undefined) {
    throw new Error('there is no vault');
  }
  const market = state.snapshot.market.address;
  const set = getSetEfficiencyGroupInstruction({ user: createNoopSigner(owner), market, vault: vault.address, group });
  return withAccounts(set, hasDebt(vault) ? risk.remaining(state.snapshot, vault, []) : []);
}

const BUILDERS = {
  deposit: getDepositInstruction,
  withdraw: getWithdrawInstruction,
  borrow: getBorrowInstruction,
  repay: getRepayInstruction,
};

async function act(
  risk: Risk,
  state: State,
  holdings: Holdings,
  wish: Extract<Wish, { kind: 'act' }>,
): Promise<Instruction[]> {
  const listing = state.listings[wish.reserve];
  const { vault } = holdings;
  if (listing?.tokenAccount === undefined || vault === undefined) {
    throw new Error('there is no vault, or no such asset');
  }
  const { reserve } = listing;
  const { mint, tokenProgram } = reserve;
  const owner = createNoopSigner(holdings.owner);
  const comesIn = wish.action === 'deposit' || wish.action === 'repay';
  // What a delegate takes out goes to the vault's owner, where nobody else can unwrap it.
  const payee = comesIn ? holdings.owner : getVaultDecoder().decode(vault.data).owner;
  const isOwn = payee === holdings.owner;
  const tokenAccount = isOwn
    ? listing.tokenAccount
    : (await findAssociatedTokenPda({ owner: payee, mint, tokenProgram }))[0];
  const isSol = mint === WRAPPED_SOL;
  const instructions = isSol || !comesIn ? [createTokenAccount(holdings.owner, listing, payee, tokenAccount)] : [];
  if (isSol && comesIn) {
    const amount = wish.amount === 'all' ? owedLater(risk, state, vault, listing) : wish.amount;
    instructions.push(...wrap(holdings.owner, tokenAccount, amount));
  }
  const build = BUILDERS[wish.action]({
    user: owner,
    market: state.snapshot.market.address,
    vault: vault.address,
    reserve: listing.address,
    liquidity: reserve.liquidity,
    tokenAccount,
    mint,
    tokenProgram,
    amount: wish.amount === 'all' ? { __kind: 'All' } : { __kind: 'Exact', fields: [wish.amount] },
  });
  instructions.push(withAccounts(build, remaining(risk, state, vault, listing.address, wish.action)));
  if (isSol && isOwn) {
    instructions.push(unwrap(holdings.owner, tokenAccount));
  }
  return instructions;
}

function liquidate(risk: Risk, state: State, holdings: Holdings, terms: LiquidationTerms): Instruction[] {
  const [debt, collateral] = [state.listings[terms.debt], state.listings[terms.collateral]];
  if (debt?.tokenAccount === undefined || collateral?.tokenAccount === undefined) {
    throw new Error('there is no such asset');
  }
  const { owner } = holdings;
  const { vault, maxRepay, minSeize, into } = terms;
  const instructions: Instruction[] = into === undefined ? [createTokenAccount(owner, collateral)] : [];
  if (debt.reserve.mint === WRAPPED_SOL) {
    instructions.push(createTokenAccount(owner, debt), ...wrap(owner, debt.tokenAccount, maxRepay));
  }
  const build = getLiquidateInstruction({
    keeper: createNoopSigner(owner),
    market: state.snapshot.market.address,
    vault: vault.address,
    debtReserve: debt.address,
    collateralReserve: collateral.address,
    debtLiquidity: debt.reserve.liquidity,
    collateralLiquidity: collateral.reserve.liquidity,
    keeperDebtAccount: debt.tokenAccount,
    keeperCollateralAccount: into ?? collateral.tokenAccount,
    debtMint: debt.reserve.mint,
    collateralMint: collateral.reserve.mint,
    debtTokenProgram: debt.reserve.tokenProgram,
    collateralTokenProgram: collateral.reserve.tokenProgram,
    maxRepay,
    minSeize,
    receive: into === undefined ? Receive.Tokens : Receive.Shares,
  });
  instructions.push(withAccounts(build, risk.remaining(state.snapshot, vault, [debt.address, collateral.address])));
  const moved = into === undefined ? [debt, collateral] : [debt];
  const sol = moved.find(({ reserve }) => reserve.mint === WRAPPED_SOL);
  if (sol?.tokenAccount !== undefined) {
    instructions.push(unwrap(owner, sol.tokenAccount));
  }
  return instructions;
}

/** The account for what a wallet receives of an asset, unless it has one. */
function createTokenAccount(
  payer: Address,
  { reserve, tokenAccount }: Listing,
  owner = payer,
  ata = tokenAccount,
): Instruction {
  if (ata === undefined) {
    throw new Error('there is no wallet');
  }
  const { mint, tokenProgram } = reserve;
  return getCreateAssociatedTokenIdempotentInstruction({
    payer: createNoopSigner(payer),
    owner,
    ata,
    mint,
    tokenProgram,
  });
}

function wrap(owner: Address, tokenAccount: Address, amount: bigint): Instruction[] {
  const source = createNoopSigner(owner);
  return [
    getTransferSolInstruction({ source, destination: tokenAccount, amount }),
    getSyncNativeInstruction({ account: tokenAccount }),
  ];
}

/** All of it, also what was wrapped before. */
function unwrap(owner: Address, tokenAccount: Address): Instruction {
  return getCloseAccountInstruction({
    account: tokenAccount,
    destination: owner,
    owner: createNoopSigner(owner),
  });
}

/** As the program's side of a position. */
const DEBT = 2;

function hasDebt({ data }: RawAccount): boolean {
  return getVaultDecoder()
    .decode(data)
    .positions.some(({ side }) => side === DEBT);
}

/** What follows the named accounts: prices, where the vault's health decides. */
function remaining(risk: Risk, state: State, raw: RawAccount, acted: Address, action: Action): readonly AccountMeta[] {
  switch (action) {
    case 'deposit':
      return [];
    case 'withdraw':
      return hasDebt(raw) ? risk.remaining(state.snapshot, raw, [acted]) : [];
    case 'borrow':
      return risk.remaining(state.snapshot, raw, [acted]);
    case 'repay': {
      // A debt that counts against an isolated collateral's ceiling is counted out of it.
      const vault = getVaultDecoder().decode(raw.data);
      const counts = vault.positions.some(({ reserve, isolatedDebt }) => reserve === acted && isolatedDebt > 0n);
      return counts ? [{ address: vault.isolatedReserve, role: AccountRole.WRITABLE }] : [];
    }
  }
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
