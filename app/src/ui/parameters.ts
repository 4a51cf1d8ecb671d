/** Parameters as people read them: what they are called comes from the program's own table. */
import { addressOf } from '../chain/changes';
import * as format from '../format';
import type { ChangeLine, ParameterValue } from '../risk';

const BPS_DECIMALS = 2;
const MICRO_USD_DECIMALS = 6;

/** `limits.deposit_cap` as `Limits` and `deposit cap`. */
export function nameOf({ parameter }: ChangeLine): { section: string; name: string } {
  const [section = '', name = ''] = parameter.split('.');
  const words = name
    .replace(/_(micro_usd|bps|bps_per_hour)$/, '')
    .replaceAll('_', ' ')
    .replace(/\bltv\b/, 'loan to value');
  return { section: section.charAt(0).toUpperCase() + section.slice(1), name: words };
}

/** A value of a parameter, in its unit. The asset is that of the reserve that is changed. */
export function valueText(
  { parameter, unit }: ChangeLine,
  value: ParameterValue,
  asset: { symbol: string; decimals: number } | undefined,
): string {
  if (value === null) {
    return 'none';
  }
  if (typeof value === 'string') {
    return parameter.endsWith('_feed') ? format.short(value) : format.short(addressOf(value));
  }
  switch (unit) {
    case 'native':
      return `${format.amount(value, asset?.decimals ?? 0)} ${asset?.symbol ?? ''}`.trim();
    case 'microUsd':
      return `$${format.amount(value, MICRO_USD_DECIMALS)}`;
    case 'bps':
      return `${format.amount(value, BPS_DECIMALS)} %`;
    case 'bpsPerHour':
      return `${format.amount(value, BPS_DECIMALS)} % an hour`;
    case 'seconds':
      return format.duration(value);
    case 'slots':
      return `${format.grouped(value.toString())} slots`;
    case 'flag':
      return value === 0n ? 'no' : 'yes';
    case 'number':
    case 'identity':
      return value.toString();
  }
}
