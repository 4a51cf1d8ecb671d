import { gzipSync } from 'node:zlib';
import type { Address } from '@solana/kit';
import { beforeAll, describe, expect, it } from 'vitest';
import { KEEL_PROGRAM_ADDRESS } from '../src/generated';
import { isRefused, Risk, withPricesAt, type RawAccount, type Snapshot } from '../src/risk';
import { readAnswer } from '../src/risk/answer';
import { writeRequest } from '../src/risk/request';
import { loadRisk, moduleBytes } from './support';

const ZERO = '11111111111111111111111111111111' as Address;
const moment = { now: -2n, lastRestartSlot: 3n };

function account(bytes: number[]): RawAccount {
  return { address: ZERO, owner: KEEL_PROGRAM_ADDRESS, data: new Uint8Array(bytes) };
}

const nothing: Snapshot = { market: account([]), reserves: [], prices: [] };

describe('the module', () => {
  let risk: Risk;
  beforeAll(async () => {
    risk = await loadRisk();
  });

  it('is small, and needs nothing of its host', () => {
    const bytes = moduleBytes();
    expect(gzipSync(bytes, { level: 9 }).length).toBeLessThan(120_000);
    expect(WebAssembly.Module.imports(new WebAssembly.Module(bytes))).toEqual([]);
  });

  it('says what is wrong with a request', () => {
    expect(risk.answer(new Uint8Array())).toBe('{"invalid":"the request cannot be read"}');
    expect(() => risk.reserves(nothing, moment)).toThrow(
      'an account is not what it should be: one of them is no market',
    );
  });

  it('takes more than its first memory holds, and gives it back', () => {
    const large = { ...nothing, prices: [account([]), account(Array<number>(5_000_000).fill(7))] };
    for (let i = 0; i < 100; i += 1) {
      expect(() => risk.reserves(large, moment)).toThrow('no market');
    }
    // One request at a time: a hundred of five megabytes each did not stay.
    expect(risk.memoryBytes()).toBeLessThan(40_000_000);
  });

  it('is recognized', async () => {
    const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    await expect(Risk.load(empty)).rejects.toThrow('cargo xtask app');
  });
});

describe('a request', () => {
  it('begins with question and moment', () => {
    const bytes = writeRequest(nothing, moment, { kind: 'reserves' });
    expect([...bytes.subarray(0, 17)]).toEqual([1, 254, 255, 255, 255, 255, 255, 255, 255, 3, 0, 0, 0, 0, 0, 0, 0]);
    expect(bytes.length).toBe(17 + 68 + 2 + 2);
  });

  it('refuses amounts that are none', () => {
    for (const amount of [-1n, 2n ** 64n]) {
      const question = { kind: 'preview', vault: account([]), reserve: ZERO, action: 'borrow', amount } as const;
      expect(() => writeRequest(nothing, moment, question)).toThrow(RangeError);
    }
    const outlook = { kind: 'outlook', vault: account([]), seconds: 0.5 } as const;
    expect(() => writeRequest(nothing, moment, outlook)).toThrow(RangeError);
  });
});

describe('prices', () => {
  const address = (first: string) => first.padStart(32, '1') as Address;
  const price = (first: string) => ({ ...account([]), address: address(first) });
  const reserve = (first: string, ...prices: string[]) => ({ ...price(first), priceAccounts: prices.map(address) });
  const market: Snapshot = {
    ...nothing,
    reserves: [reserve('2', '5'), reserve('3', '5', '6'), reserve('4', '7')],
    prices: [price('5'), price('6'), price('7')],
  };

  it('of some reserves are moved once, also those that two of them share', () => {
    const bps = (reserves: string[]) => withPricesAt(market, reserves.map(address), 8_000).prices.map((p) => p.bps);
    expect(bps(['2', '3'])).toEqual([8_000, 8_000, undefined]);
    expect(bps(['4'])).toEqual([undefined, undefined, 8_000]);
    expect(bps([])).toEqual([undefined, undefined, undefined]);
  });

  it('are looked at as they are unless said', () => {
    const asked = (snapshot: Snapshot) => writeRequest(snapshot, moment, { kind: 'reserves' });
    const last = new DataView(asked(market).slice(-4).buffer).getUint32(0, true);
    expect(last).toBe(10_000);
    expect(asked(withPricesAt(market, [address('4')], 10_000))).toEqual(asked(market));
    expect(asked(withPricesAt(market, [address('4')], 1))).not.toEqual(asked(market));
  });
});

describe('an answer', () => {
  it('has large numbers as bigint', () => {
    expect(readAnswer('{"a":"0xff","b":[{"c":"0x0"}],"d":7,"e":null,"side":"debt"}')).toEqual({
      a: 255n,
      b: [{ c: 0n }],
      d: 7,
      e: null,
      side: 'debt',
    });
  });

  it('may be a refusal', () => {
    expect(isRefused({ refused: 6016 })).toBe(true);
    expect(isRefused({ amount: 1n })).toBe(false);
    expect(isRefused(5n)).toBe(false);
  });
});
