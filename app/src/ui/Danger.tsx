import { useMemo } from 'react';
import { spendable } from '../chain/state';
import { ONE } from '../fixed';
import * as format from '../format';
import { isRefused, type Position } from '../risk';
import { CLOSE_HEALTH } from './Summary';
import type { OpenVault } from './VaultPage';
import './Danger.css';

/** The health that the ways out lead to: all collateral may then fall by a fifth. */
const SAFE_HEALTH = (ONE * 5n) / 4n;
/** Digits behind the point of a suggested amount. */
const DIGITS = 4;

/** What gets a vault out of danger, as the panel of actions takes it. */
export interface WayOut {
  action: 'deposit' | 'repay';
  /** The number of the reserve. */
  reserve: number;
  /** Native units. */
  amount: bigint;
  /** Whether the wallet holds as much. */
  isHeld: boolean;
}

type Level = 'due' | 'close' | 'insolvent';

/** Read out when it begins, and not again at every look at the chain. */
const ALERTS: Record<Level, string> = {
  due: 'Your vault can be liquidated now.',
  close: 'Your vault is close to liquidation.',
  insolvent: 'Your vault owes more than it holds, and is being cleared.',
};

/** Warns the owner, and says what ends the danger. */
export function Danger({ vault, onChoose }: { vault: OpenVault; onChoose: (way: WayOut) => void }) {
  const level = levelOf(vault);
  const ways = useMemo(() => (level === undefined || level === 'insolvent' ? [] : waysOut(vault)), [level, vault]);
  const { state } = vault;
  return (
    <>
      <p className="unseen" role="alert">
        {level !== undefined && ALERTS[level]}
      </p>
      {level !== undefined && (
        <section className="card danger-card" aria-labelledby="danger-title">
          <h2 id="danger-title">{ALERTS[level]}</h2>
          {level === 'insolvent' && (
            <p>What it holds goes to those who lent. Nothing can be taken out until that is done.</p>
          )}
          {ways.length > 0 && (
            <>
              <p>
                {ways.length === 1 ? 'This brings' : 'Either of these brings'} its health to{' '}
                {format.health(SAFE_HEALTH)}, where all collateral may fall by 20 %:
              </p>
              <div className="ways">
                {ways.map((way) => (
                  <button
                    key={way.action}
                    type="button"
                    onClick={() => {
                      onChoose(way);
                    }}
                  >
                    {way.action === 'repay' ? 'Repay' : 'Deposit'}{' '}
                    {format.amount(way.amount, vault.reserves[way.reserve]?.decimals ?? 0)}{' '}
                    {state.listings[way.reserve]?.symbol}
                  </button>
                ))}
              </div>
              {ways.some(({ isHeld }) => !isHeld) && (
                <p className="small">
                  The wallet does not hold enough for {ways.some(({ isHeld }) => isHeld) ? 'both' : 'that'}. A part
                  helps too: every repayment and every deposit raises health.
                </p>
              )}
            </>
          )}
        </section>
      )}
    </>
  );
}

function levelOf({ view }: OpenVault): Level | undefined {
  const totals = view.liquidation;
  if (view.insolvent) {
    return 'insolvent';
  }
  if (isRefused(totals) || totals.health === null) {
    return undefined;
  }
  if (!totals.healthy) {
    return 'due';
  }
  return totals.health < CLOSE_HEALTH ? 'close' : undefined;
}

/** A repayment and a deposit that make the vault safe: those that the wallet can pay first, then the most valuable position. */
function waysOut(vault: OpenVault): WayOut[] {
  const { view } = vault;
  const of = (side: Position['side'], action: WayOut['action']) =>
    view.positions
      .filter((position) => position.side === side)
      .toSorted((a, b) => (a.value > b.value ? -1 : 1))
      .flatMap((position) => wayOut(vault, position, action) ?? [])
      .toSorted((a, b) => Number(b.isHeld) - Number(a.isHeld))
      .slice(0, 1);
  return [...of('debt', 'repay'), ...of('collateral', 'deposit')];
}

function wayOut(
  { risk, state, raw, reserves, holdings }: OpenVault,
  position: Position,
  action: WayOut['action'],
): WayOut | undefined {
  const { reserve } = position;
  const [listing, view] = [state.listings[reserve], reserves[reserve]];
  if (listing === undefined || view === undefined) {
    return undefined;
  }
  const least = risk.least(state.snapshot, state.moment, raw, listing.address, action, SAFE_HEALTH);
  if (isRefused(least) || least.amount === null) {
    return undefined;
  }
  // Rounded up, but a repayment not beyond what is owed.
  const step = 10n ** BigInt(Math.max(0, view.decimals - DIGITS));
  const rounded = ((least.amount + step - 1n) / step) * step;
  const units = action === 'repay' && rounded > position.amount ? position.amount : rounded;
  return { action, reserve, amount: units, isHeld: units <= spendable(holdings, state.listings, reserve) };
}
