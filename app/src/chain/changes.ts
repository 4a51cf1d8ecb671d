/** The changes that governance has queued, how they come into force, and how they ended. */
import {
  AccountRole,
  createNoopSigner,
  fetchEncodedAccount,
  getAddressDecoder,
  getBase16Encoder,
  getBase64Encoder,
  getProgramDerivedAddress,
  getU16Encoder,
  type AccountMeta,
  type Address,
  type Instruction,
  type Rpc,
  type SolanaRpcApi,
} from '@solana/kit';
import {
  findPendingPda,
  getChangeDecoder,
  getCloseExpiredChangeInstruction,
  getExecuteChangeInstruction,
  getInitMintedReserveInstructionAsync,
  getInitReserveInstructionAsync,
  getMarketDecoder,
  getPendingChangeCodec,
  getPendingChangeDecoder,
  getVetoChangeInstruction,
  getWithdrawInsuranceInstruction,
  Role,
  type Change,
  type Market,
  type PendingChange,
} from '../generated';
import { decodeKeelEvent } from '../generated/events';
import type { ChangeView, RawAccount } from '../risk';
import { findAccounts } from './find';
import type { State } from './state';

/** How many of the changes that were queued last are looked for when they are not queued any more. */
const LATELY = 5n;
const PROGRAM_DATA = 'Program data: ';

/** A change in the queue. */
export interface QueuedChange {
  raw: RawAccount;
  pending: PendingChange;
  change: Change;
  /** Of a listing: the program of the mint, if that is there. */
  tokenProgram: Address | undefined;
}

/** A change that is not queued any more. */
export interface EndedChange {
  nonce: bigint;
  /** `closed` because it had expired. */
  end: 'executed' | 'vetoed' | 'closed';
  /** Who vetoed or closed it. */
  by: Address | undefined;
  /** Unix seconds; some nodes have forgotten. */
  at: bigint | null;
}

/** The queued changes of a market, by number. */
export async function fetchChanges(rpc: Rpc<SolanaRpcApi>, market: Address): Promise<QueuedChange[]> {
  const found = await findAccounts(rpc, getPendingChangeCodec(), { market });
  const changes = await Promise.all(
    found.map(async (raw): Promise<QueuedChange> => {
      const pending = getPendingChangeDecoder().decode(raw.data);
      const change = getChangeDecoder().decode(pending.payload.slice(0, pending.len));
      const mint = change.__kind === 'List' ? await fetchEncodedAccount(rpc, pending.target) : undefined;
      return { raw, pending, change, tokenProgram: mint?.exists === true ? mint.programAddress : undefined };
    }),
  );
  return changes.sort((a, b) => Number(a.pending.nonce - b.pending.nonce));
}

/** How the changes ended that were queued last: what the chain logged when their accounts were closed. */
export async function fetchEnded(
  rpc: Rpc<SolanaRpcApi>,
  market: Address,
  next: bigint,
  queued: readonly bigint[],
): Promise<EndedChange[]> {
  const first = next > LATELY ? next - LATELY : 0n;
  const nonces = Array.from({ length: Number(next - first) }, (_, i) => next - 1n - BigInt(i));
  const gone = nonces.filter((nonce) => !queued.includes(nonce));
  const ends = await Promise.all(gone.map((nonce) => endOf(rpc, market, nonce)));
  return ends.filter((end) => end !== undefined);
}

async function endOf(rpc: Rpc<SolanaRpcApi>, market: Address, nonce: bigint): Promise<EndedChange | undefined> {
  const [address] = await findPendingPda({ market, nonce });
  const signatures = await rpc.getSignaturesForAddress(address, { limit: 3, commitment: 'confirmed' }).send();
  for (const { signature, err, blockTime } of signatures) {
    if (err !== null) {
      continue;
    }
    const transaction = await rpc
      .getTransaction(signature, { commitment: 'confirmed', encoding: 'base64', maxSupportedTransactionVersion: 0 })
      .send();
    for (const line of transaction?.meta?.logMessages ?? []) {
      if (!line.startsWith(PROGRAM_DATA)) {
        continue;
      }
      const event = decodeKeelEvent(getBase64Encoder().encode(line.slice(PROGRAM_DATA.length)));
      if (event?.name === 'ChangeExecuted' && event.data.change === address) {
        return { nonce, end: 'executed', by: undefined, at: blockTime };
      }
      if (event?.name === 'ChangeClosed' && event.data.change === address) {
        return { nonce, end: event.data.vetoed ? 'vetoed' : 'closed', by: event.data.by, at: blockTime };
      }
    }
  }
  return undefined;
}

/** The market of a state, decoded. */
export function marketOf(state: State): Market {
  return getMarketDecoder().decode(state.snapshot.market.data);
}

/** Whether `address` may veto: a guardian whose key was stolen could otherwise never be replaced. */
export function mayVeto(market: Market, { change }: QueuedChange, address: Address): boolean {
  const isOfGuardian = change.__kind === 'Role' && change.role === Role.Guardian;
  return address === market.governance || (address === market.guardian && !isOfGuardian);
}

/** What a wallet does about a queued change. */
export type ChangeAct = 'execute' | 'veto' | 'closeExpired';

/** The program of Pyth's push oracle, and the shard of the feeds that Pyth sponsors. */
const PUSH_ORACLE = 'pythWSnswVUd12oZpeFP8e9CVaEqJg25g1Vtc2biRsT' as Address;
const PUSH_SHARD = 0;

/** The price account of a feed: the pinned one, or that of Pyth's push oracle. */
async function priceAccount({ id, account }: ChangeView['feeds'][number]): Promise<Address> {
  if (!/^0*$/.test(account)) {
    return addressOf(account);
  }
  const seeds = [getU16Encoder().encode(PUSH_SHARD), getBase16Encoder().encode(id)];
  return (await getProgramDerivedAddress({ programAddress: PUSH_ORACLE, seeds }))[0];
}

/** An address from its hexadecimal digits. */
export function addressOf(digits: string): Address {
  return getAddressDecoder().decode(getBase16Encoder().encode(digits));
}

/** The instruction for that. `view` is what the previews say of the change. */
export async function changeInstruction(
  act: ChangeAct,
  state: State,
  wallet: Address,
  queued: QueuedChange,
  view: ChangeView,
): Promise<Instruction> {
  const { change, raw, tokenProgram } = queued;
  const { target, rentPayer } = queued.pending;
  const signer = createNoopSigner(wallet);
  const common = { market: state.snapshot.market.address, pending: raw.address, rentPayer };
  if (act !== 'execute') {
    const build = act === 'veto' ? getVetoChangeInstruction : getCloseExpiredChangeInstruction;
    return build({ ...common, signer });
  }
  const feeds = (await Promise.all(view.feeds.map(priceAccount))).map((price) => ({
    address: price,
    role: AccountRole.READONLY,
  }));
  switch (change.__kind) {
    case 'Market':
    case 'Role':
      return getExecuteChangeInstruction(common);
    case 'Reserve':
      return withAccounts(getExecuteChangeInstruction({ ...common, reserve: target }), feeds);
    case 'List':
      if (tokenProgram === undefined) {
        throw new Error(`the chain has no mint at ${target}: it cannot be listed`);
      }
      return withAccounts(
        await getInitReserveInstructionAsync({ ...common, payer: signer, mint: target, tokenProgram }),
        feeds,
      );
    case 'ListMinted':
      return getInitMintedReserveInstructionAsync({ ...common, payer: signer, swapReserve: target });
    case 'WithdrawInsurance': {
      const reserve = state.listings.find((listing) => listing.address === target)?.reserve;
      if (reserve === undefined) {
        throw new Error(`the market has no reserve at ${target}`);
      }
      const { liquidity, mint, tokenProgram: program } = reserve;
      const accounts = { ...common, reserve: target, liquidity, mint, tokenProgram: program };
      return getWithdrawInsuranceInstruction({ ...accounts, tokenAccount: change.to });
    }
  }
}

/** An instruction with remaining accounts behind its own. */
export function withAccounts(
  instruction: Instruction & { accounts: readonly AccountMeta[] },
  more: readonly AccountMeta[],
): Instruction {
  return { ...instruction, accounts: [...instruction.accounts, ...more] };
}
