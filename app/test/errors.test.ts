import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/chain/config';
import { explainTransaction, wordsOf } from '../src/chain/errors';
import * as generated from '../src/generated';

describe('an error', () => {
  it('of the program has its own words, whichever it is', () => {
    const codes = Object.entries(generated).filter(([name]) => name.startsWith('KEEL_ERROR__'));
    expect(codes.length).toBeGreaterThan(100);
    for (const [name, code] of codes) {
      expect(wordsOf(code as number), name).toMatch(/^\w.{8,}\.$/);
      expect(wordsOf(code as number), name).not.toMatch(/code \d/);
    }
  });

  it('of another program is told with its code', () => {
    expect(wordsOf(1)).toBe('The wallet holds less than that.');
    expect(wordsOf(5_999)).toContain('5999');
    expect(wordsOf(65_535)).toContain('65535');
  });

  it('of a transaction is read in every shape', () => {
    expect(explainTransaction({ InstructionError: [2n, { Custom: 6016n }] })).toContain(
      'health factor would be under 1',
    );
    expect(explainTransaction({ InsufficientFundsForRent: { account_index: 0n } })).toContain('too little SOL');
    expect(explainTransaction('AccountNotFound')).toContain('too little SOL');
    expect(explainTransaction({ InstructionError: [0n, 'InvalidAccountData'] })).toContain('InvalidAccountData');
  });
});

describe('a configuration', () => {
  const KEY = 'So11111111111111111111111111111111111111112';
  const asset = { symbol: 'SOL', mint: KEY, reserve: KEY, priceAccounts: [KEY] };
  const whole = { local: true, rpc: 'http://x', ws: 'ws://x', market: KEY, lookupTable: KEY, assets: [asset] };

  it('is read', () => {
    expect(readConfig(whole)).toEqual(whole);
    expect(readConfig({ ...whole, local: 'yes' }).local).toBe(false);
  });

  it('names what is wrong with it', () => {
    expect(() => readConfig(null)).toThrow('the configuration is no object');
    expect(() => readConfig({ ...whole, rpc: 7 })).toThrow('"rpc"');
    expect(() => readConfig({ ...whole, market: 'no address' })).toThrow();
    expect(() => readConfig({ ...whole, assets: {} })).toThrow('"assets"');
    expect(() => readConfig({ ...whole, assets: [{ ...asset, symbol: 1 }] })).toThrow('"symbol"');
  });
});
