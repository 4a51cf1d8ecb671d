import { expect, it } from 'vitest';
import { offsetOf } from '../src/chain/find';
import { getPendingChangeCodec, getReserveCodec, getVaultCodec } from '../src/generated';

it('finds where an address stands, as the program has it', () => {
  // Behind the discriminator and eight bytes, of a queued change sixteen.
  expect(offsetOf(getReserveCodec(), 'market')).toBe(16n);
  expect(offsetOf(getPendingChangeCodec(), 'market')).toBe(24n);
  expect(
    ['market', 'owner', 'delegate', 'offeredTo'].map((name) => offsetOf(getVaultCodec(), name as 'owner')),
  ).toEqual([16n, 48n, 80n, 112n]);
});
