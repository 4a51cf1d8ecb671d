/** Fetches the accounts of a market, as previews take them. */
import {
  getBase58Decoder,
  type Address,
  type Base58EncodedBytes,
  type GetAccountInfoApi,
  type GetMultipleAccountsApi,
  type GetProgramAccountsApi,
  type ReadonlyUint8Array,
  type Rpc,
  fetchEncodedAccount,
  fetchEncodedAccounts,
  getBase64Encoder,
} from '@solana/kit';
import { KEEL_PROGRAM_ADDRESS, RESERVE_DISCRIMINATOR, getReserveDecoder, type ReserveConfig } from './generated';
import type { RawAccount, RawReserve, Snapshot } from './risk';

type Api = GetAccountInfoApi & GetMultipleAccountsApi & GetProgramAccountsApi;

/** Where the market stands in a reserve's data: behind the discriminator and eight bytes. */
const MARKET_OFFSET = 16n;

/** The price accounts to show for a reserve: pinned ones stand in it, of others `priceOf` knows, by the feed's identity. */
export function priceAccounts(
  config: ReserveConfig,
  priceOf: (feedId: ReadonlyUint8Array) => Address | undefined,
): Address[] {
  const set = config.oracle.feeds.filter((feed) => feed.feedId.some((byte) => byte !== 0));
  return set.flatMap((feed) => (feed.account === UNSET ? (priceOf(feed.feedId) ?? []) : feed.account));
}

const UNSET = '11111111111111111111111111111111' as Address;

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
  const base58 = getBase58Decoder();
  const memcmp = (offset: bigint, bytes: string) => ({
    memcmp: { offset, bytes: bytes as Base58EncodedBytes, encoding: 'base58' as const },
  });
  const found = await rpc
    .getProgramAccounts(KEEL_PROGRAM_ADDRESS, {
      encoding: 'base64',
      filters: [memcmp(0n, base58.decode(RESERVE_DISCRIMINATOR)), memcmp(MARKET_OFFSET, address)],
    })
    .send();
  const reserves = found.map(({ pubkey, account }): RawReserve => {
    const data = getBase64Encoder().encode(account.data[0]);
    const { config } = getReserveDecoder().decode(data);
    return { address: pubkey, owner: account.owner, data, priceAccounts: priceAccounts(config, priceOf) };
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
