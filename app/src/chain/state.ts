/** Everything that a page shows, fetched at one moment of the chain. */
import {
  fetchEncodedAccounts,
  type Address,
  type MaybeEncodedAccount,
  type ReadonlyUint8Array,
  type Rpc,
  type SolanaRpcApi,
} from '@solana/kit';
import { getSysvarClockDecoder, getSysvarLastRestartSlotDecoder } from '@solana/sysvars';
import { findAssociatedTokenPda, getTokenDecoder } from '@solana-program/token';
import { findVaultPda, getReserveDecoder, type Reserve } from '../generated';
import type { Moment, RawAccount, RawReserve, Snapshot } from '../risk';
import { fetchSnapshot, priceAccounts } from '../snapshot';
import type { Config } from './config';

const CLOCK = 'SysvarC1ock11111111111111111111111111111111' as Address;
const LAST_RESTART_SLOT = 'SysvarLastRestartS1ot1111111111111111111111' as Address;
/** The mint of wrapped SOL. */
export const WRAPPED_SOL = 'So11111111111111111111111111111111111111112' as Address;
/** Lamports that stay in the wallet for fees and the deposits of token accounts when all SOL is to be used. */
const SOL_FOR_FEES = 50_000_000n;
/** The vault that is shown unless another is chosen. */
const FIRST_VAULT = 0;

/** A reserve with what the app has to know of it beside the previews. */
export interface Listing {
  address: Address;
  symbol: string;
  reserve: Reserve;
  /** Where the wallet's tokens are. */
  tokenAccount: Address | undefined;
}

/** What the wallet holds. */
export interface Holdings {
  owner: Address;
  lamports: bigint;
  /** Native units by the number of the reserve. SOL is what is not wrapped. */
  tokens: readonly bigint[];
  /** Of the vault that is shown: the wallet's own, or one that it acts on. */
  vaultAddress: Address;
  vault: RawAccount | undefined;
}

/** What of an asset can be paid, native units: all of it, but for what SOL is needed for beside. */
export function spendable({ tokens }: Holdings, listings: readonly Listing[], number: number): bigint {
  const held = tokens[number] ?? 0n;
  const kept = listings[number]?.reserve.mint === WRAPPED_SOL ? SOL_FOR_FEES : 0n;
  return held > kept ? held - kept : 0n;
}

export interface State {
  snapshot: Snapshot;
  moment: Moment;
  /** In the order of the snapshot's reserves. */
  listings: readonly Listing[];
  holdings: Holdings | undefined;
}

/**
 * Which reserves there are, and which prices they take. Both change seldom: the other fetches are one request. Reserves are known by
 * their numbers: those of `before` keep theirs, or else they come as the configuration has them; others follow.
 */
export async function discover(rpc: Rpc<SolanaRpcApi>, config: Config, before?: Snapshot): Promise<Snapshot> {
  const snapshot = await fetchSnapshot(rpc, config.market);
  if (snapshot === undefined) {
    throw new Error(`there is no market ${config.market} on the chain at ${config.rpc}`);
  }
  const configured = new Map(config.assets.map((asset) => [asset.reserve, asset.priceAccounts]));
  const reserves = snapshot.reserves.map((reserve): RawReserve => {
    const accounts = configured.get(reserve.address) ?? [];
    const { config: parameters } = getReserveDecoder().decode(reserve.data);
    return { ...reserve, priceAccounts: priceAccounts(parameters, (_, i) => accounts[i]) };
  });
  const first = before?.reserves.map(({ address }) => address) ?? config.assets.map(({ reserve }) => reserve);
  return { ...snapshot, reserves: inOrder(reserves, first) };
}

/** Reserves in the order of these addresses, and behind them the others. */
export function inOrder(reserves: readonly RawReserve[], first: readonly Address[]): RawReserve[] {
  const place = ({ address }: RawReserve) => (first.includes(address) ? first.indexOf(address) : first.length);
  return reserves.toSorted((a, b) => place(a) - place(b) || (a.address < b.address ? -1 : 1));
}

/** Whether two snapshots are of the same reserves, with the same price accounts. */
export function isSameMarket(a: Snapshot, b: Snapshot): boolean {
  const text = ({ reserves }: Snapshot) =>
    reserves.map(({ address, priceAccounts: accounts }) => [address, ...accounts].join()).join(';');
  return text(a) === text(b);
}

/** Fetches everything anew, at one slot; of the wallet's vaults the chosen one, or its first. */
export async function fetchState(
  rpc: Rpc<SolanaRpcApi>,
  config: Config,
  known: Snapshot,
  owner: Address | undefined,
  abortSignal: AbortSignal,
  chosen?: Address,
): Promise<State> {
  const listings = known.reserves.map((raw) => ({ raw, reserve: getReserveDecoder().decode(raw.data) }));
  const prices = [...new Set(known.reserves.flatMap((reserve) => reserve.priceAccounts))];
  const vaultAddress =
    chosen ?? (owner && (await findVaultPda({ market: known.market.address, owner, index: FIRST_VAULT }))[0]);
  const tokenAccounts =
    owner === undefined
      ? []
      : await Promise.all(
          listings.map(async ({ reserve: { mint, tokenProgram } }) => {
            const [account] = await findAssociatedTokenPda({ owner, mint, tokenProgram });
            return account;
          }),
        );
  const wanted = [
    CLOCK,
    LAST_RESTART_SLOT,
    known.market.address,
    ...known.reserves.map((reserve) => reserve.address),
    ...prices,
    ...(owner === undefined || vaultAddress === undefined ? [] : [owner, vaultAddress, ...tokenAccounts]),
  ];
  const fetched = new Map(
    (await fetchEncodedAccounts(rpc, wanted, { commitment: 'processed', abortSignal })).map((account) => [
      account.address,
      account,
    ]),
  );
  const raw = (address: Address, what: string): RawAccount => {
    const account = existing(fetched.get(address));
    if (account === undefined) {
      throw new Error(`the chain has no ${what} at ${address}`);
    }
    return account;
  };
  const snapshot: Snapshot = {
    market: raw(known.market.address, 'market'),
    reserves: known.reserves.map((reserve) => ({
      ...raw(reserve.address, 'reserve'),
      priceAccounts: reserve.priceAccounts,
    })),
    prices: prices.flatMap((address) => existing(fetched.get(address)) ?? []),
  };
  const restart = existing(fetched.get(LAST_RESTART_SLOT));
  const moment = {
    now: getSysvarClockDecoder().decode(raw(CLOCK, 'clock').data).unixTimestamp,
    lastRestartSlot:
      restart === undefined ? 0n : getSysvarLastRestartSlotDecoder().decode(restart.data).lastRestartSlot,
  };
  const symbols = new Map(config.assets.map((asset) => [asset.reserve, asset.symbol]));
  const current = snapshot.reserves.map((account, i): Listing => {
    const reserve = getReserveDecoder().decode(account.data);
    const symbol = symbols.get(account.address) ?? `${reserve.mint.slice(0, 4)}…`;
    return { address: account.address, symbol, reserve, tokenAccount: tokenAccounts[i] };
  });
  let holdings: Holdings | undefined;
  if (owner !== undefined && vaultAddress !== undefined) {
    const lamports = lamportsOf(fetched.get(owner));
    const tokens = current.map(({ reserve, tokenAccount }) =>
      reserve.mint === WRAPPED_SOL ? lamports : tokensIn(tokenAccount && fetched.get(tokenAccount)),
    );
    holdings = { owner, lamports, tokens, vaultAddress, vault: existing(fetched.get(vaultAddress)) };
  }
  return { snapshot, moment, listings: current, holdings };
}

/** Whether an account has not changed. */
export function sameData(a: ReadonlyUint8Array | undefined, b: ReadonlyUint8Array | undefined): boolean {
  return a?.length === b?.length && (a?.every((byte, i) => byte === b?.[i]) ?? true);
}

function existing(account: MaybeEncodedAccount | undefined): RawAccount | undefined {
  return account?.exists === true
    ? { address: account.address, owner: account.programAddress, data: account.data }
    : undefined;
}

function lamportsOf(account: MaybeEncodedAccount | undefined): bigint {
  return account?.exists === true ? account.lamports : 0n;
}

function tokensIn(account: MaybeEncodedAccount | undefined): bigint {
  return account?.exists === true ? getTokenDecoder().decode(account.data).amount : 0n;
}
