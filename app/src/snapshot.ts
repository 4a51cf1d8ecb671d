/** Fetches the accounts of a market, as previews take them. */
import {
  fetchEncodedAccount,
  fetchEncodedAccounts,
  type Address,
  type GetAccountInfoApi,
  type GetMultipleAccountsApi,
  type GetProgramAccountsApi,
  type ReadonlyUint8Array,
  type Rpc,
} from '@solana/kit';
import { findAccounts } from './chain/find';
import { getReserveCodec, getReserveDecoder, type ReserveConfig } from './generated';
import type { RawAccount, RawReserve, Snapshot } from './risk';

type Api = GetAccountInfoApi & GetMultipleAccountsApi & GetProgramAccountsApi;

/** The price accounts to show for a reserve: pinned ones stand in it, of others `priceOf` knows, by the feed's identity or its number. */
export function priceAccounts(
  config: ReserveConfig,
  priceOf: (feedId: ReadonlyUint8Array, number: number) => Address | undefined,
): Address[] {
  const set = config.oracle.feeds.filter((feed) => feed.feedId.some((byte) => byte !== 0));
  return set.flatMap((feed, i) => (feed.account === UNSET ? (priceOf(feed.feedId, i) ?? []) : feed.account));
}

/** What accounts say where no address is set. */
export const UNSET = '11111111111111111111111111111111' as Address;

/** The market at `address` with its reserves and their prices, or `undefined` when there is none. */
export async function fetchSnapshot(
  rpc: Rpc<Api>,
  address: Address,
  priceOf: (feedId: ReadonlyUint8Array) => Address | undefined = () => undefined,
): Promise<Snapshot | undefined> {
  const market = await fetchEncodedAccount(rpc, address);
  if (!market.exists) {
    return undefined;
  }
  const found = await findAccounts(rpc, getReserveCodec(), { market: address });
  const reserves = found.map((reserve): RawReserve => {
    const { config } = getReserveDecoder().decode(reserve.data);
    return { ...reserve, priceAccounts: priceAccounts(config, priceOf) };
  });
  const addresses = [...new Set(reserves.flatMap((reserve) => reserve.priceAccounts))];
  const prices = addresses.length === 0 ? [] : await fetchEncodedAccounts(rpc, addresses);
  return {
    market: raw(market.address, market.programAddress, market.data),
    reserves,
    prices: prices.flatMap((price) => (price.exists ? [raw(price.address, price.programAddress, price.data)] : [])),
  };
}

function raw(address: Address, owner: Address, data: ReadonlyUint8Array): RawAccount {
  return { address, owner, data };
}
