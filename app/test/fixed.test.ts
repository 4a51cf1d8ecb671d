import { describe, expect, it } from 'vitest';
import {
  decimalToUnits,
  fractionToDecimal,
  fractionToPercent,
  ONE,
  PRICE_BITS,
  priceToDecimal,
  unitsToDecimal,
} from '../src/fixed';

describe('amounts', () => {
  it('are shown with all their digits', () => {
    expect(unitsToDecimal(1_500_000n, 6)).toBe('1.500000');
    expect(unitsToDecimal(1n, 9)).toBe('0.000000001');
    expect(unitsToDecimal(0n, 2)).toBe('0.00');
    expect(unitsToDecimal(42n, 0)).toBe('42');
    expect(unitsToDecimal(-1_050n, 3)).toBe('-1.050');
    expect(unitsToDecimal(2n ** 64n - 1n, 6)).toBe('18446744073709.551615');
  });

  it('are read without rounding', () => {
    expect(decimalToUnits('1.5', 6)).toBe(1_500_000n);
    expect(decimalToUnits(' 007 ', 2)).toBe(700n);
    expect(decimalToUnits('0.000001', 6)).toBe(1n);
    expect(decimalToUnits('3', 0)).toBe(3n);
    // Beyond 2^53, where floating point has no odd numbers.
    expect(decimalToUnits('9007199254740993', 0)).toBe(9_007_199_254_740_993n);
    for (const text of ['', '.', '1.', '.5', '-1', '1e3', '1,5', '0x10', '1.0000001', 'NaN', '1 2']) {
      expect(decimalToUnits(text, 6), text).toBeUndefined();
    }
  });

  it('come back as they were', () => {
    for (const units of [0n, 1n, 999_999n, 1_000_000n, 123_456_789_012_345n, 2n ** 64n - 1n]) {
      expect(decimalToUnits(unitsToDecimal(units, 6), 6)).toBe(units);
    }
  });
});

describe('fractions', () => {
  it('round as they are told to', () => {
    const third = ONE / 3n;
    expect(fractionToDecimal(third, 4)).toBe('0.3333');
    expect(fractionToDecimal(third, 4, 'ceil')).toBe('0.3334');
    expect(fractionToDecimal(ONE, 2, 'ceil')).toBe('1.00');
    expect(fractionToDecimal(ONE - 1n, 6)).toBe('0.999999');
    expect(fractionToDecimal(ONE - 1n, 6, 'ceil')).toBe('1.000000');
    expect(fractionToPercent(ONE / 8n, 1)).toBe('12.5');
    expect(fractionToPercent(0n, 2, 'ceil')).toBe('0.00');
  });

  it('are never negative', () => {
    expect(() => fractionToDecimal(-1n, 2)).toThrow(RangeError);
    expect(() => fractionToDecimal(1n, -1)).toThrow(RangeError);
  });
});

describe('prices', () => {
  it('are of a whole token', () => {
    // 200 dollars for 10^9 native units.
    const price = (200n << PRICE_BITS) / 10n ** 9n;
    expect(priceToDecimal(price, 9, 2, 'ceil')).toBe('200.00');
    expect(priceToDecimal(price, 9, 2)).toBe('199.99');
    expect(priceToDecimal(3n << (PRICE_BITS - 1n), 0, 1)).toBe('1.5');
  });
});
