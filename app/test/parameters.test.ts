import { describe, expect, it } from 'vitest';
import type { ChangeLine, ParameterValue, Unit } from '../src/risk';
import { nameOf, valueText } from '../src/ui/parameters';

function line(parameter: string, unit: Unit): ChangeLine {
  return { parameter, unit, before: null, after: null, meaning: 'looser', effect: 'nothing' };
}

describe('a parameter', () => {
  it('has a name in words', () => {
    expect(nameOf(line('limits.deposit_cap', 'native'))).toEqual({ section: 'Limits', name: 'deposit cap' });
    expect(nameOf(line('collateral.max_ltv_bps', 'bps')).name).toBe('max loan to value');
    expect(nameOf(line('market.min_position_micro_usd', 'microUsd')).name).toBe('min position');
    expect(nameOf(line('volatility.up_bps_per_hour', 'bpsPerHour')).name).toBe('up');
  });

  it('has a value in its unit', () => {
    const sol = { symbol: 'SOL', decimals: 9 };
    const text = (unit: Unit, value: ParameterValue, name = 'a.b') => valueText(line(name, unit), value, sol);
    expect(text('native', null)).toBe('none');
    expect(text('native', 1_500_000_000n)).toBe('1.5 SOL');
    expect(valueText(line('a.b', 'native'), 7n, undefined)).toBe('7');
    expect(text('microUsd', 10_000_000n)).toBe('$10');
    expect(text('bps', 25n)).toBe('0.25 %');
    expect(text('bpsPerHour', 100n)).toBe('1 % an hour');
    expect(text('seconds', 90_000n)).toBe('1 d 1 h');
    expect(text('slots', 1_500n)).toBe('1,500 slots');
    expect([text('flag', 0n), text('flag', 1n)]).toEqual(['no', 'yes']);
    expect(text('number', 3n)).toBe('3');
    expect(text('identity', '00'.repeat(32), 'oracle.first_account')).toBe('1111…1111');
    expect(text('identity', `ef0d${'00'.repeat(28)}b56d`, 'oracle.first_feed')).toBe('ef0d…b56d');
  });
});
