import { AccountRole, type Instruction } from '@solana/kit';
import { expect, it } from 'vitest';
import { priceFor, priorityFee, recentPrice } from '../src/chain/priority';
import { KEEL_PROGRAM_ADDRESS } from '../src/generated';

it('is what most of the others paid, but never more than the bound', () => {
  expect(priceFor([])).toBe(0n);
  expect(priceFor([7n])).toBe(7n);
  expect(priceFor([40n, 10n, 30n, 20n])).toBe(40n);
  expect(priceFor([...Array<bigint>(80).fill(5n), ...Array<bigint>(20).fill(9_000n)])).toBe(5n);
  expect(priceFor([10n ** 12n])).toBe(200_000n);
});

it('is rounded up to whole lamports', () => {
  expect(priorityFee(0n, 1_400_000)).toBe(0n);
  expect(priorityFee(1n, 1)).toBe(1n);
  expect(priorityFee(200_000n, 50_000)).toBe(10_000n);
});

it('asks for the written accounts, and is nothing where nobody answers', async () => {
  const address = KEEL_PROGRAM_ADDRESS;
  const instruction: Instruction = {
    programAddress: address,
    accounts: [
      { address, role: AccountRole.WRITABLE },
      { address, role: AccountRole.WRITABLE_SIGNER },
      { address: '11111111111111111111111111111111' as typeof address, role: AccountRole.READONLY },
    ],
  };
  const node = (answer: () => Promise<unknown>) => {
    const asked: unknown[] = [];
    const rpc = { getRecentPrioritizationFees: (of: unknown) => ({ send: () => (asked.push(of), answer()) }) };
    return { asked, rpc: rpc as unknown as Parameters<typeof recentPrice>[0] };
  };
  const one = node(() => Promise.resolve([{ slot: 1n, prioritizationFee: 12n }]));
  expect(await recentPrice(one.rpc, [instruction])).toBe(12n);
  expect(one.asked).toEqual([[address]]);
  expect(await recentPrice(node(() => Promise.reject(new Error('no such method'))).rpc, [instruction])).toBe(0n);
});
