/**
 * Numbers of the program as people read them. Nothing here is computed with afterwards.
 *
 * Prices and values are rounded to the nearest: the program stores a price of $200 as a little less. Where a number is a
 * promise (health, what is owed, where liquidation begins), the caller says which way.
 */
import { fractionToDecimal, fractionToPercent, priceToDecimal, unitsToDecimal, type Rounding } from './fixed';

/** A health above this is shown as "over" it. */
const HIGHEST_HEALTH = 100n;

/** Decimal text with the thousands of its whole part apart. */
export function grouped(decimal: string): string {
  const [whole = '', part] = decimal.split('.');
  const apart = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return part === undefined ? apart : `${apart}.${part}`;
}

/** Without zeros at its end, but with at least `least` digits behind the point. */
function trimmed(decimal: string, least: number): string {
  const [whole = '', part = ''] = decimal.split('.');
  const kept = part.replace(/0+$/, '').padEnd(least, '0');
  return kept === '' ? whole : `${whole}.${kept}`;
}

/** Dollars from a fraction. */
export function dollars(bits: bigint, rounding: Rounding = 'nearest'): string {
  return `$${grouped(fractionToDecimal(bits, 2, rounding))}`;
}

const STEPS: readonly { from: bigint; size: bigint; letter: string }[] = [
  { from: 1_000_000_000n, size: 1_000_000_000n, letter: 'B' },
  { from: 1_000_000n, size: 1_000_000n, letter: 'M' },
  { from: 10_000n, size: 1_000n, letter: 'k' },
];

/** Dollars from a fraction, in thousands and more where that is shorter. */
export function shortDollars(bits: bigint): string {
  const whole = BigInt(fractionToDecimal(bits, 0));
  const step = STEPS.find(({ from }) => whole >= from);
  return step === undefined ? dollars(bits) : `$${fractionToDecimal(bits / step.size, 2, 'nearest')}${step.letter}`;
}

/** An amount of native units with all digits that are not zero. */
export function amount(units: bigint, decimals: number): string {
  return grouped(trimmed(unitsToDecimal(units, decimals), 0));
}

/** An amount in a table: with at most four digits behind the point. Rounded down; what is owed or paid is rounded up. */
export function shortAmount(units: bigint, decimals: number, rounding: 'floor' | 'ceil' = 'floor'): string {
  const digits = Math.min(4, decimals);
  const step = 10n ** BigInt(decimals - digits);
  const steps = (rounding === 'ceil' ? units + step - 1n : units) / step;
  return grouped(trimmed(unitsToDecimal(steps, digits), 0));
}

/** A price per native unit as dollars of a whole token: with more digits where it is small. */
export function price(bits: bigint, decimals: number, rounding: Rounding = 'nearest'): string {
  const long = priceToDecimal(bits, decimals, 6, rounding);
  const isSmall = long.startsWith('0.');
  return `$${grouped(isSmall ? trimmed(long, 2) : priceToDecimal(bits, decimals, 2, rounding))}`;
}

/** A fraction as a percentage. */
export function percent(bits: bigint, rounding: Rounding = 'nearest'): string {
  return `${fractionToPercent(bits, 2, rounding)} %`;
}

/** A health factor, rounded down; without debt there is none. */
export function health(bits: bigint | null): string {
  if (bits === null) {
    return 'No debt';
  }
  return BigInt(fractionToDecimal(bits, 0)) >= HIGHEST_HEALTH
    ? `over ${HIGHEST_HEALTH.toString()}`
    : fractionToDecimal(bits, 2);
}

/** How long ago. */
export function ago(seconds: bigint): string {
  if (seconds < 120n) {
    return `${seconds.toString()} s ago`;
  }
  return seconds < 7_200n ? `${(seconds / 60n).toString()} min ago` : `${(seconds / 3_600n).toString()} h ago`;
}

/** A time span in its two largest units. */
export function duration(seconds: bigint): string {
  const units: [bigint, string][] = [
    [seconds / 86_400n, 'd'],
    [(seconds / 3_600n) % 24n, 'h'],
    [(seconds / 60n) % 60n, 'min'],
    [seconds % 60n, 's'],
  ];
  const first = units.findIndex(([count]) => count > 0n);
  const shown = first < 0 ? units.slice(-1) : units.slice(first, first + 2).filter(([count]) => count > 0n);
  return shown.map(([count, unit]) => `${count.toString()} ${unit}`).join(' ');
}

const LIST = new Intl.ListFormat('en', { type: 'conjunction' });

/** Several things: "a, b, and c". */
export function listed(things: readonly string[]): string {
  return LIST.format(things);
}

/** A moment in Unix seconds, to the minute. */
export function moment(seconds: bigint): string {
  return `${new Date(Number(seconds) * 1_000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The beginning and the end of an address. */
export function short(address: string): string {
  return `${address.slice(0, 4)}…${address.slice(-4)}`;
}
