import type { Address, Rpc, GetMultipleAccountsApi } from '@solana/kit';
import { describe, expect, it } from 'vitest';
import { mayVeto, type QueuedChange } from '../src/chain/changes';
import { freeIndex, relationOf } from '../src/chain/vaults';
import {
  findVaultPda,
  getMarketDecoder,
  getMarketSize,
  getVaultDecoder,
  getVaultSize,
  KEEL_PROGRAM_ADDRESS,
  Role,
} from '../src/generated';
import { PAUSE_BORROW, PAUSE_LIQUIDATE, PAUSE_SWAP, RIGHT_BORROW, RIGHT_DEPOSIT } from '../src/generated/constants';
import { rightsText } from '../src/ui/Delegate';
import { pausedText } from '../src/ui/GovernanceRoles';

const [governance, guardian, stranger] = [
  'So11111111111111111111111111111111111111112',
  'SysvarC1ock11111111111111111111111111111111',
  KEEL_PROGRAM_ADDRESS,
] as [Address, Address, Address];

describe('a veto', () => {
  const market = { ...getMarketDecoder().decode(new Uint8Array(getMarketSize())), governance, guardian };
  const of = (role: Role) => ({ change: { __kind: 'Role', role, to: stranger } }) as QueuedChange;

  it('is governance’s and the guardian’s, but not of the guardian’s own role', () => {
    const vetoers = (role: Role) => [governance, guardian, stranger].map((who) => mayVeto(market, of(role), who));
    expect(vetoers(Role.RiskSteward)).toEqual([true, true, false]);
    expect(vetoers(Role.Guardian)).toEqual([true, false, false]);
  });
});

describe('a vault', () => {
  const vault = { ...getVaultDecoder().decode(new Uint8Array(getVaultSize())), owner: governance, delegate: guardian };

  it('is its owner’s, its delegate’s, or offered', () => {
    expect([governance, guardian, stranger].map((who) => relationOf(vault, who))).toEqual([
      'owner',
      'delegate',
      undefined,
    ]);
    expect(relationOf({ ...vault, offeredTo: stranger }, stranger)).toBe('offered');
  });

  it('is opened under the first free number, also beyond the first request', async () => {
    for (const taken of [0, 1, 17]) {
      const indices = Array.from({ length: taken }, (_, index) => index);
      const pdas = indices.map((index) => findVaultPda({ market: stranger, owner: governance, index }));
      const open = new Set((await Promise.all(pdas)).map(([address]) => address));
      const account = { data: ['', 'base64'], executable: false, lamports: 1n, owner: KEEL_PROGRAM_ADDRESS, space: 0n };
      const rpc = {
        getMultipleAccounts: (addresses: Address[]) => ({
          send: () => Promise.resolve({ value: addresses.map((one) => (open.has(one) ? account : null)) }),
        }),
      } as unknown as Rpc<GetMultipleAccountsApi>;
      expect(await freeIndex(rpc, stranger, governance)).toBe(taken);
    }
  });
});

it('bits are told in words', () => {
  expect(pausedText(PAUSE_BORROW | PAUSE_SWAP | PAUSE_LIQUIDATE)).toBe(
    'loans, the swap of the market’s token, and liquidations',
  );
  expect(rightsText(RIGHT_DEPOSIT | RIGHT_BORROW)).toBe('deposit and borrow');
  expect([pausedText(0), rightsText(0)]).toEqual(['', '']);
});
