import type { Address } from '@solana/kit';
import { expect, it } from 'vitest';
import { inOrder, isSameMarket, sameData } from '../src/chain/state';
import { KEEL_PROGRAM_ADDRESS } from '../src/generated';
import type { RawReserve, Snapshot } from '../src/risk';

const reserve = (address: string, ...priceAccounts: string[]): RawReserve => ({
  address: address as Address,
  owner: KEEL_PROGRAM_ADDRESS,
  data: new Uint8Array(),
  priceAccounts: priceAccounts as Address[],
});
const addresses = (reserves: readonly RawReserve[]) => reserves.map(({ address }) => address).join('');

it('keeps the numbers of reserves when another is listed', () => {
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((address) => reserve(address)) as [RawReserve, ...RawReserve[]];
  const before = inOrder([a, b, c] as RawReserve[], ['c', 'a'] as Address[]);
  expect(addresses(before)).toBe('cab');
  const after = inOrder(
    [d, c, b, a] as RawReserve[],
    before.map(({ address }) => address),
  );
  expect(addresses(after)).toBe('cabd');
});

it('tells a market with other reserves or price accounts', () => {
  const market = (...reserves: RawReserve[]): Snapshot => ({ market: reserve('m'), reserves, prices: [] });
  const known = market(reserve('a', 'p'), reserve('b', 'q', 'r'));
  expect(isSameMarket(known, market(reserve('a', 'p'), reserve('b', 'q', 'r')))).toBe(true);
  expect(isSameMarket(known, market(reserve('a', 'p')))).toBe(false);
  expect(isSameMarket(known, market(reserve('a', 'x'), reserve('b', 'q', 'r')))).toBe(false);
  expect(isSameMarket(known, market(reserve('a', 'p', 'q'), reserve('b', 'r')))).toBe(false);
});

it('tells data that has changed', () => {
  expect(sameData(new Uint8Array([1, 2]), new Uint8Array([1, 2]))).toBe(true);
  expect(sameData(new Uint8Array([1, 2]), new Uint8Array([1, 3]))).toBe(false);
  expect(sameData(new Uint8Array([1]), new Uint8Array([1, 2]))).toBe(false);
  expect(sameData(undefined, new Uint8Array())).toBe(false);
  expect(sameData(undefined, undefined)).toBe(true);
});
