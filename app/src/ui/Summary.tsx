import { useMemo } from 'react';
import { ONE, share } from '../fixed';
import * as format from '../format';
import { isRefused, type Totals, type VaultView } from '../risk';
import { Meter } from './Meter';
import type { OpenVault } from './VaultPage';

type Mood = 'good' | 'fair' | 'bad';

/** A health under this is close to a liquidation. */
export const CLOSE_HEALTH = (ONE * 11n) / 10n;

/** The number in one word. Where the lines are is a matter of taste, but for 1. */
export function moodOf(health: bigint | null): { mood: Mood; word: string } {
  if (health === null) {
    return { mood: 'good', word: 'No debt' };
  }
  if (health < ONE) {
    return { mood: 'bad', word: 'Can be liquidated' };
  }
  if (health < CLOSE_HEALTH) {
    return { mood: 'bad', word: 'Close to liquidation' };
  }
  return health < (ONE * 3n) / 2n ? { mood: 'fair', word: 'Some room' } : { mood: 'good', word: 'Plenty of room' };
}

/** What a health factor means, in a sentence. */
export function meaningOf(totals: Totals): string {
  if (totals.debt === 0n || totals.health === null) {
    return 'Without debt, no price can lead to a liquidation.';
  }
  if (!totals.healthy) {
    return 'The vault owes more than its collateral carries. Anyone may repay a part of the debt and take collateral for it, with a bonus. Repay or deposit to end that.';
  }
  const room = share(totals.limit - totals.debt, totals.limit);
  return `The value of all collateral may fall by ${format.percent(room, 'floor')} before a part of it can be sold to repay the debt.`;
}

/** How much of what may be borrowed is; `undefined` where nothing may be, or there is no price. */
function limitUsed({ newRisk }: VaultView): bigint | undefined {
  const isNumber = !isRefused(newRisk) && (newRisk.limit > 0n || newRisk.debt === 0n);
  return isNumber ? share(newRisk.debt, newRisk.limit, 'ceil') : undefined;
}

/** The same for people. */
export function limitUsedText(view: VaultView): string {
  const used = limitUsed(view);
  if (used !== undefined) {
    return format.percent(used, 'ceil');
  }
  return isRefused(view.newRisk) ? 'No price' : 'Nothing may be owed';
}

/** How far ahead the outlook looks. */
const OUTLOOK_SECONDS = 86_400;

/** The lowest health within a day if prices stand still, whatever others do, of a vault whose haircuts rise. */
function outlookOf({ risk, state, raw, view, reserves }: OpenVault): bigint | null {
  const isRising = view.positions.some(({ side, reserve }) => {
    const of = reserves[reserve];
    return side === 'collateral' && of !== undefined && of.targetHaircut > of.maintenanceHaircut;
  });
  const totals = isRising ? risk.outlook(state.snapshot, state.moment, raw, OUTLOOK_SECONDS) : undefined;
  return totals === undefined || isRefused(totals) ? null : totals.health;
}

export function Summary({ vault }: { vault: OpenVault }) {
  const { view } = vault;
  const lowest = useMemo(() => outlookOf(vault), [vault]);
  const totals = view.liquidation;
  if (isRefused(totals)) {
    return null;
  }
  const { mood, word } = moodOf(totals.health);
  const used = limitUsed(view);
  return (
    <section className="card summary" aria-labelledby="health-title">
      <div>
        <h2 id="health-title">Health factor</h2>
        <p className={`health ${mood}`} data-testid="health">
          {format.health(totals.health)}
          {totals.health !== null && <span className="badge">{word}</span>}
        </p>
        <p>{meaningOf(totals)}</p>
      </div>
      <dl className="facts">
        {lowest !== null && (
          <div>
            <dt>Lowest within a day, if prices stand still and haircuts rise as fast as they may</dt>
            <dd className={moodOf(lowest).mood}>{format.health(lowest)}</dd>
          </div>
        )}
        <div>
          <dt>Collateral</dt>
          <dd>{format.dollars(totals.collateral)}</dd>
        </div>
        <div>
          <dt>Debt</dt>
          <dd>{format.dollars(totals.debt)}</dd>
        </div>
        <div>
          <dt>Borrow limit</dt>
          <dd>{isRefused(view.newRisk) ? 'No price' : format.dollars(view.newRisk.limit, 'floor')}</dd>
        </div>
        <div>
          <dt>Limit used</dt>
          <dd>
            {used !== undefined && <Meter part={used} danger={used > (ONE * 9n) / 10n} />} {limitUsedText(view)}
          </dd>
        </div>
      </dl>
    </section>
  );
}
