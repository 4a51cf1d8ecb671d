import { useId, useState } from 'react';
import type { Listing } from '../chain/state';
import * as format from '../format';
import { isRefused, type VaultView } from '../risk';
import { Arrow } from './Arrow';
import { Review } from './Review';
import { useTransaction } from './useTransaction';
import type { OpenVault } from './VaultPage';

const BPS_DECIMALS = 2;

/** The assets of each efficiency group of a market. */
export function groupsOf(listings: readonly Listing[]): ReadonlyMap<number, readonly Listing[]> {
  const groups = new Map<number, Listing[]>();
  for (const listing of listings) {
    const { id } = listing.reserve.config.group;
    if (id !== 0) {
      groups.set(id, [...(groups.get(id) ?? []), listing]);
    }
  }
  return groups;
}

/** Puts the vault into an efficiency group, or out of any. Only where the market has some. */
export function EfficiencyGroup({ vault }: { vault: OpenVault }) {
  const { risk, state, view } = vault;
  const { progress, review, confirm, reset, isOff } = useTransaction();
  const [chosen, setChosen] = useState<number>();
  const id = useId();
  const groups = groupsOf(state.listings);
  if (groups.size === 0) {
    return null;
  }
  const group = chosen ?? view.group;
  const members = groups.get(group) ?? [];
  const isReview = progress.at === 'review';
  const after = isReview ? progress.prepared.vaultAfter : undefined;
  return (
    <section className="card" aria-labelledby="group-title">
      <h2 id="group-title">Efficiency group</h2>
      <p className="small">
        While everything that the vault owes is in its group, the group&rsquo;s assets carry more.{' '}
        {view.group !== 0 && !view.grouped && 'Now it owes something else: the usual weights count.'}
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void review({ kind: 'group', group });
        }}
      >
        <div className="field">
          <label htmlFor={id}>Group</label>
          <select
            id={id}
            value={group}
            disabled={isReview || isOff}
            onChange={(event) => {
              setChosen(Number(event.target.value));
              reset();
            }}
          >
            <option value={0}>None</option>
            {[...groups].map(([number, listings]) => (
              <option key={number} value={number}>
                {format.listed(listings.map(({ symbol }) => symbol))}
              </option>
            ))}
          </select>
        </div>
        <ul className="small">
          {members.map(({ address, symbol, reserve: { config } }) => (
            <li key={address}>
              {symbol}: loans of up to {format.amount(BigInt(config.group.maxLtvBps), BPS_DECIMALS)} % of its value,
              instead of {format.amount(BigInt(config.collateral.maxLtvBps), BPS_DECIMALS)} % less the haircut
            </li>
          ))}
        </ul>
        {!isReview && (
          <button type="submit" className="quiet" disabled={isOff || group === view.group}>
            Set group
          </button>
        )}
      </form>
      <Review
        progress={progress}
        summary={
          after !== undefined && (
            <dl className="facts">
              <Becomes
                name="Health factor"
                before={view}
                after={risk.vault(state.snapshot, state.moment, after)}
                of={health}
              />
              <Becomes
                name="Borrow limit"
                before={view}
                after={risk.vault(state.snapshot, state.moment, after)}
                of={limit}
              />
            </dl>
          )
        }
        onConfirm={() => void confirm('The group is set.')}
        onCancel={reset}
      />
    </section>
  );
}

function Becomes({
  name,
  before,
  after,
  of,
}: {
  name: string;
  before: VaultView;
  after: VaultView;
  of: (view: VaultView) => string;
}) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {of(before)} <Arrow /> <strong>{of(after)}</strong>
      </dd>
    </div>
  );
}

function health({ liquidation }: VaultView): string {
  return isRefused(liquidation) ? 'No price' : format.health(liquidation.health);
}

function limit({ newRisk }: VaultView): string {
  return isRefused(newRisk) ? 'No price' : format.dollars(newRisk.limit, 'floor');
}
