/**
 * The program's fixed point numbers, as `bigint` only: floating point would show a user other digits than the chain has.
 *
 * A fraction has 60 fractional bits, a price (dollars per native unit) 96. Amounts are native units.
 */

/** Fractional bits of the program's numbers. */
export const FRACTION_BITS = 60n;
/** Fractional bits of its prices. */
export const PRICE_BITS = 96n;
/** 1 as a fraction. */
export const ONE = 1n << FRACTION_BITS;

/** Which way a number is rounded that has more digits than are shown; halves up. */
export type Rounding = 'floor' | 'ceil' | 'nearest';

function divide(numerator: bigint, denominator: bigint, rounding: Rounding): bigint {
  if (numerator < 0n || denominator <= 0n) {
    throw new RangeError(
      `cannot divide ${numerator.toString()} by ${denominator.toString()}: only positive numbers here`,
    );
  }
  switch (rounding) {
    case 'floor':
      return numerator / denominator;
    case 'ceil':
      return (numerator + denominator - 1n) / denominator;
    case 'nearest':
      return (2n * numerator + denominator) / (2n * denominator);
  }
}

function pow10(exponent: number): bigint {
  if (!Number.isInteger(exponent) || exponent < 0) {
    throw new RangeError(`${exponent.toString()} is not a number of digits`);
  }
  return 10n ** BigInt(exponent);
}

/** `units / 10^digits` as decimal text with all its digits: `1500000`, 6 is `1.500000`. */
export function unitsToDecimal(units: bigint, digits: number): string {
  const scale = pow10(digits);
  const sign = units < 0n ? '-' : '';
  const size = units < 0n ? -units : units;
  const whole = (size / scale).toString();
  return digits === 0 ? `${sign}${whole}` : `${sign}${whole}.${(size % scale).toString().padStart(digits, '0')}`;
}

/**
 * Decimal text as native units of a token with `decimals`: what a user types. Text that is no number, negative, or has
 * more digits than the token is refused with `undefined`: nothing is rounded.
 */
export function decimalToUnits(text: string, decimals: number): bigint | undefined {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text.trim());
  const whole = match?.[1];
  if (whole === undefined) {
    return undefined;
  }
  const part = match?.[2] ?? '';
  if (part.length > decimals) {
    return undefined;
  }
  return BigInt(whole) * pow10(decimals) + BigInt(part.padEnd(decimals, '0') || '0');
}

/** A fraction as decimal text with `digits` digits behind the point. */
export function fractionToDecimal(bits: bigint, digits: number, rounding: Rounding = 'floor'): string {
  return unitsToDecimal(divide(bits * pow10(digits), ONE, rounding), digits);
}

/** A fraction as a percentage: half of one is `50.00`. */
export function fractionToPercent(bits: bigint, digits: number, rounding: Rounding = 'floor'): string {
  return fractionToDecimal(bits * 100n, digits, rounding);
}

/** Dollars per whole token, as decimal text, from a price per native unit of a token with `decimals`. */
export function priceToDecimal(bits: bigint, decimals: number, digits: number, rounding: Rounding = 'floor'): string {
  const scaled = divide(bits * pow10(decimals + digits), 1n << PRICE_BITS, rounding);
  return unitsToDecimal(scaled, digits);
}

/** What `amount` native units are worth, as a fraction of dollars, from a price per native unit. For showing, rounded down. */
export function valueOf(amount: bigint, price: bigint): bigint {
  return (amount * price) >> (PRICE_BITS - FRACTION_BITS);
}

/** How much of `whole` a part is, as a fraction. 0 of nothing. */
export function share(part: bigint, whole: bigint, rounding: Rounding = 'floor'): bigint {
  return whole === 0n ? 0n : divide(part * ONE, whole, rounding);
}
