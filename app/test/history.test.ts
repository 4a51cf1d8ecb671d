import { describe as group, expect, it } from 'vitest';
import { continued, joined, type EventPage, type HistoryEvent, type HistoryPoint } from '../src/chain/history';
import { assetOfPath, marketPath } from '../src/router';
import { describe } from '../src/ui/describe';
import { columnsOf, summaryOf, type Series } from '../src/ui/series';

function event(number: number, kind = 'Moved', data: Record<string, unknown> = {}): HistoryEvent {
  return { signature: `s${number.toString()}`, index: 0, time: number, final: true, kind, data };
}

function page(numbers: number[], next: string | null): EventPage {
  return { events: numbers.map((number) => event(number)), next };
}

group('pages of events', () => {
  it('keep what was loaded when new events come', () => {
    expect(joined(page([9, 8], '8'), undefined)).toEqual(page([9, 8], '8'));
    expect(joined(page([10, 9], '9'), page([9, 8, 7, 6], '6'))).toEqual(page([10, 9, 8, 7, 6], '6'));
  });

  it('begin anew when events may be missing in between, or are gone', () => {
    expect(joined(page([20, 19], '19'), page([9, 8, 7], null))).toEqual(page([20, 19], '19'));
    // A fork: 9 is gone, and all that there is fits the newest page.
    expect(joined(page([8, 7], null), page([9, 8, 7], null))).toEqual(page([8, 7], null));
  });

  it('grow at their end, each event once', () => {
    expect(continued(page([9, 8], '8'), page([8, 7], '7'))).toEqual(page([9, 8, 7], '7'));
  });
});

group('events in words', () => {
  const assets: Record<string, { symbol: string; decimals: number }> = {
    sol: { symbol: 'SOL', decimals: 9 },
    usdc: { symbol: 'USDC', decimals: 6 },
  };
  const say = (kind: string, data: Record<string, unknown>) => describe(event(1, kind, data), (one) => assets[one]);
  const half = (1n << 59n).toString();

  it('say what moved, with every digit', () => {
    expect(say('Moved', { flow: 'Deposit', reserve: 'sol', amount: '18446744073709551615' })).toEqual({
      title: 'Deposited 18,446,744,073.709551615 SOL',
    });
    expect(say('Moved', { flow: 'Repay', reserve: 'elsewhere', amount: '7' }).title).toBe(
      'Repaid 7 units of an asset that is not listed here',
    );
  });

  it('say what a liquidation took', () => {
    const data = {
      collateralReserve: 'sol',
      debtReserve: 'usdc',
      seized: '1500000000',
      repaid: '200000000',
      bonus: half,
      healthBefore: half,
      healthAfter: ((1n << 128n) - 1n).toString(),
      keeper: 'KeeperKeeperKeeper',
    };
    expect(say('Liquidated', data)).toEqual({
      title: 'Liquidated: 1.5 SOL taken for 200 USDC of debt',
      detail: 'Bonus 50.00 %, health 0.50 → No debt, by Keep…eper',
    });
  });

  it('name what they do not know', () => {
    expect(say('DelegateSet', { delegate: 'x'.repeat(32), rights: 0 }).title).toBe('Delegate removed');
    expect(say('SomethingNew', {}).title).toBe('SomethingNew');
  });
});

group('lines', () => {
  const point = (time: number, hole: boolean, utilization: bigint, price: bigint | null): HistoryPoint => ({
    time,
    hole,
    supplied: 0n,
    borrowed: 0n,
    utilization,
    supplyYield: 0n,
    borrowYield: 0n,
    maintenanceHaircut: 0n,
    targetHaircut: 0n,
    price,
  });
  const series: Series[] = [
    {
      name: 'Use',
      pick: (one) => one.utilization,
      digits: { fractional: 60, scale: 100n },
      show: (bits) => `${bits.toString()} bits`,
    },
    {
      name: 'Price',
      pick: (one) => one.price,
      digits: { fractional: 96, scale: 1_000_000n },
      show: (bits) => bits.toString(),
    },
  ];
  const points = [point(0, true, 1n << 59n, 1n << 77n), point(10, false, 1n << 58n, null), point(30, true, 0n, 0n)];

  it('are broken where nobody looked, and where there is no number', () => {
    expect(columnsOf(points, series)).toEqual([
      [0, 10, 20, 30],
      [50, 25, null, 0],
      [1_000_000 / 2 ** 19, null, null, 0].map((n) => (n === null ? null : Math.floor(n * 1e6) / 1e6)),
    ]);
  });

  it('are told in words', () => {
    expect(summaryOf('Use', series.slice(0, 1), points)).toBe(
      `Use over time. Use from ${(1n << 59n).toString()} bits to 0 bits, at least 0 bits, at most ${(1n << 59n).toString()} bits.`,
    );
    expect(summaryOf('Use', series.slice(0, 1), [])).toBe('Use over time. Use: no numbers.');
  });
});

group('paths of assets', () => {
  it('lead back to the asset', () => {
    expect(assetOfPath(marketPath('k/USD %'))).toBe('k/USD %');
    expect(['/', '/vault', '/market', '/market/%'].map(assetOfPath)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
