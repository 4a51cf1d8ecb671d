import type { Address } from '@solana/kit';
import { describe, expect, it } from 'vitest';
import { KEEL_PROGRAM_ADDRESS } from '../src/generated';
import type { Liquidation, Position, Risk, VaultView } from '../src/risk';
import { dealsOf, termsOf, whyAgain } from '../src/ui/deals';

const raw = {
  address: '11111111111111111111111111111111' as Address,
  owner: KEEL_PROGRAM_ADDRESS,
  data: new Uint8Array(),
};
const state = {
  snapshot: { market: raw, reserves: [], prices: [] },
  moment: { now: 0n, lastRestartSlot: 0n },
  listings: ['a', 'b', 'c', 'd'].map((address) => ({ address })),
} as unknown as Parameters<typeof dealsOf>[1];
const position = (reserve: number, side: Position['side']) => ({ reserve, side }) as Position;
const view = {
  positions: [position(0, 'debt'), position(1, 'collateral'), position(2, 'debt'), position(3, 'collateral')],
} as VaultView;
/** Answers with bounties by pair; of the others that nothing would be seized. */
function riskOf(bounties: Record<string, bigint>, asked: [string, bigint][] = []): Risk {
  return {
    liquidate: (_: unknown, __: unknown, ___: unknown, debt: string, collateral: string, most: bigint) => {
      asked.push([debt + collateral, most]);
      const bounty = bounties[debt + collateral];
      return bounty === undefined ? { refused: 6_040 } : { bounty };
    },
  } as unknown as Risk;
}

describe('deals', () => {
  it('are all pairs, the largest bounty first', () => {
    const { deals, refusal } = dealsOf(riskOf({ ab: 1n, ad: 3n, cb: 2n }), state, raw, view);
    expect(deals.map(({ debt, collateral }) => [debt, collateral])).toEqual([
      [0, 3],
      [2, 1],
      [0, 1],
    ]);
    expect(refusal).toBe(6_040);
  });

  it('are asked for with what there is, and not without', () => {
    const asked: [string, bigint][] = [];
    dealsOf(riskOf({}, asked), state, raw, view, (reserve) => (reserve === 2 ? 7n : 0n));
    expect(asked).toEqual([
      ['cb', 7n],
      ['cd', 7n],
    ]);
  });

  it('have bounds of a hundredth, within what there is', () => {
    const deal = { debt: 0, collateral: 1, found: { repay: 10_000n, toKeeper: 999n } as Liquidation };
    expect(termsOf(raw, deal, 2n ** 64n)).toMatchObject({ maxRepay: 10_101n, minSeize: 989n });
    expect(termsOf(raw, deal, 10_050n).maxRepay).toBe(10_050n);
  });

  it('are reviewed again when the bounds do not hold any more', () => {
    const deal = { debt: 0, collateral: 1, found: { repay: 10_000n, toKeeper: 999n } as Liquidation };
    const terms = termsOf(raw, deal, 10_050n);
    const received = (toKeeper: bigint) => ({ ...deal, found: { ...deal.found, toKeeper } });
    expect(whyAgain(terms, raw, received(989n), 10_050n)).toBeUndefined();
    expect(whyAgain(terms, raw, received(988n), 10_050n)).toMatch(/^Prices have moved/);
    expect(whyAgain(terms, raw, received(988n), 10_049n)).toMatch(/^The wallet holds less/);
    expect(whyAgain(terms, { ...raw, data: new Uint8Array(1) }, deal, 10_050n)).toMatch(/^The vault has changed/);
  });
});
