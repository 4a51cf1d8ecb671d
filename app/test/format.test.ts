import { describe, expect, it } from 'vitest';
import { ONE, PRICE_BITS, share, valueOf } from '../src/fixed';
import * as format from '../src/format';

describe('numbers are shown', () => {
  it('with their thousands apart', () => {
    expect(['0', '999.5', '1000', '1234567.891'].map(format.grouped)).toEqual(['0', '999.5', '1,000', '1,234,567.891']);
  });

  it('as dollars, short where they are large', () => {
    expect(format.dollars(ONE * 2_000n - 1n)).toBe('$2,000.00');
    expect(format.dollars(ONE * 2_000n - 1n, 'floor')).toBe('$1,999.99');
    expect([9_999n, 10_000n, 1_234_567n, 2_000_000_000n].map((n) => format.shortDollars(n * ONE))).toEqual([
      '$9,999.00',
      '$10.00k',
      '$1.23M',
      '$2.00B',
    ]);
  });

  it('as amounts without zeros behind', () => {
    expect(format.amount(1_500_000_000n, 9)).toBe('1.5');
    expect(format.amount(1_234_000_000_001n, 9)).toBe('1,234.000000001');
    expect(format.shortAmount(1_999_999_999n, 9)).toBe('1.9999');
    expect(format.shortAmount(7n, 0)).toBe('7');
    // What is owed is never shown as less.
    expect(format.shortAmount(1n, 9, 'ceil')).toBe('0.0001');
    expect(format.shortAmount(1_999_900_000n, 9, 'ceil')).toBe('1.9999');
    expect(format.shortAmount(1_999_999_999n, 9, 'ceil')).toBe('2');
    expect(format.shortAmount(0n, 0, 'ceil')).toBe('0');
  });

  it('as prices of a whole token', () => {
    // A millionth of a dollar for a unit of six decimals.
    const dollar = (1n << PRICE_BITS) / 1_000_000n;
    expect(format.price(dollar, 6)).toBe('$1.00');
    expect(format.price(dollar * 1_234n + dollar / 2n, 6)).toBe('$1,234.50');
    expect(format.price(dollar / 10_000n, 6)).toBe('$0.0001');
  });

  it('as health, never better than it is', () => {
    expect(format.health(null)).toBe('No debt');
    expect(format.health(ONE - 1n)).toBe('0.99');
    expect(format.health(ONE * 100n)).toBe('over 100');
  });

  it('as ages', () => {
    expect([0n, 119n, 120n, 7_200n].map(format.ago)).toEqual(['0 s ago', '119 s ago', '2 min ago', '2 h ago']);
  });
});

describe('for showing', () => {
  it('an amount is worth its price', () => {
    expect(valueOf(10n, 2n << PRICE_BITS)).toBe(20n * ONE);
  });

  it('a part of nothing is none', () => {
    expect(share(5n, 0n)).toBe(0n);
    expect(share(1n, 4n)).toBe(ONE / 4n);
  });

  it('of time and of several things', () => {
    expect([0n, 59n, 60n, 3_725n, 90_061n].map(format.duration)).toEqual([
      '0 s',
      '59 s',
      '1 min',
      '1 h 2 min',
      '1 d 1 h',
    ]);
    expect(format.moment(1_760_127_060n)).toBe('2025-10-10 20:11 UTC');
    expect([['a'], ['a', 'b'], ['a', 'b', 'c']].map(format.listed)).toEqual(['a', 'a and b', 'a, b, and c']);
  });
});
