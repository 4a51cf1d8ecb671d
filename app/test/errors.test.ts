import {
  SOLANA_ERROR__RPC__TRANSPORT_HTTP_ERROR,
  SOLANA_ERROR__TRANSACTION_ERROR__BLOCKHASH_NOT_FOUND,
  SOLANA_ERROR__TRANSACTION_ERROR__INSUFFICIENT_FUNDS_FOR_FEE,
  SolanaError,
} from '@solana/kit';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/chain/config';
import { explain, explainTransaction, wordsOf } from '../src/chain/errors';
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

describe('what was thrown', () => {
  it('is told in words, whatever it is', () => {
    const timeout = new DOMException('signal timed out', 'TimeoutError');
    const http = { statusCode: 503, message: 'Service Unavailable', headers: new Headers() };
    for (const [thrown, words] of [
      [new TypeError('Failed to fetch'), 'The chain does not answer.'],
      [new TypeError('NetworkError when attempting to fetch resource.'), 'The chain does not answer.'],
      [new TypeError('Load failed'), 'The chain does not answer.'],
      [timeout, 'does not answer in time'],
      [new SolanaError(SOLANA_ERROR__RPC__TRANSPORT_HTTP_ERROR, http), 'HTTP 503'],
      [new SolanaError(SOLANA_ERROR__TRANSACTION_ERROR__BLOCKHASH_NOT_FOUND), 'Review it again.'],
      [new SolanaError(SOLANA_ERROR__TRANSACTION_ERROR__INSUFFICIENT_FUNDS_FOR_FEE), 'too little SOL'],
      [new SyntaxError('Unexpected token <'), 'not what this app expects'],
      ['no more', 'No more.'],
    ] as const) {
      expect(explain(thrown)).toContain(words);
    }
    expect(explainTransaction('BlockhashNotFound')).toContain('Review it again.');
  });

  it('is no network’s fault when it is a mistake of the app', () => {
    expect(explain(new TypeError('x is not a function'))).toBe('X is not a function.');
  });
});

describe('a configuration', () => {
  const KEY = 'So11111111111111111111111111111111111111112';
  const asset = { symbol: 'SOL', mint: KEY, reserve: KEY, priceAccounts: [KEY] };
  const whole = { local: true, rpc: 'http://x', ws: 'ws://x', market: KEY, lookupTable: KEY, assets: [asset] };

  it('is read', () => {
    expect(readConfig(whole)).toEqual(whole);
    const explorer = 'https://explorer.example/tx/{signature}?cluster=devnet';
    expect(readConfig({ ...whole, explorer }).explorer).toBe(explorer);
    expect(readConfig({ ...whole, local: 'yes' }).local).toBe(false);
  });

  it('names what is wrong with it', () => {
    expect(() => readConfig(null)).toThrow('the configuration is no object');
    expect(() => readConfig({ ...whole, rpc: 7 })).toThrow('"rpc"');
    expect(() => readConfig({ ...whole, market: 'no address' })).toThrow();
    for (const explorer of ['javascript:alert(1)//{signature}', 'https://explorer.example/tx/', 7]) {
      expect(() => readConfig({ ...whole, explorer })).toThrow('"explorer"');
    }
    expect(() => readConfig({ ...whole, assets: {} })).toThrow('"assets"');
    expect(() => readConfig({ ...whole, assets: [{ ...asset, symbol: 1 }] })).toThrow('"symbol"');
  });
});
