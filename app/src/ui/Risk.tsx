import { useMemo } from 'react';
import { unitsToDecimal } from '../fixed';
import * as format from '../format';
import { getMarketDecoder } from '../generated';
import type { Listing } from '../chain/state';
import { isRefused, type ReserveView } from '../risk';
import { useSession } from '../session';
import { Fall } from './RiskFall';
import './Risk.css';

/** Basis points as a percentage. */
function bps(number: number): string {
  return `${unitsToDecimal(BigInt(number), 2)} %`;
}

/** What can happen to a vault, for whoever has never had one, in the numbers of this market. */
export function RiskPage() {
  const { base, state } = useSession();
  const reserves = useMemo(() => {
    const views = base && state && base.risk.reserves(state.snapshot, state.moment);
    return views === undefined || isRefused(views) ? [] : views;
  }, [base, state]);
  const collaterals = reserves.flatMap((view, i) => {
    const listing = state?.listings[i];
    return listing === undefined || view.liquidationThreshold === 0n ? [] : [{ view, listing }];
  });
  if (base === undefined || state === undefined) {
    return (
      <>
        <Head />
        <p aria-busy="true">Loading…</p>
      </>
    );
  }
  const target = getMarketDecoder().decode(state.snapshot.market.data).targetHealthBps;
  const most = collaterals[0];
  return (
    <>
      <Head />
      <div className="risk">
        <section className="card" aria-labelledby="fall-title">
          <h2 id="fall-title">What happens to my vault if prices fall?</h2>
          <Fall risk={base.risk} state={state} reserves={reserves} />
        </section>
        <section className="card prose" aria-labelledby="words-title">
          <h2 id="words-title">In three words</h2>
          <h3>Haircut</h3>
          <p>
            The part of a collateral&rsquo;s price that does not count. A restless price may fall further before the
            collateral is sold, so the haircut grows with it. New loans feel that at once; a vault that exists feels it
            slowly, by at most so much an hour: there is time to act.
          </p>
          <h3>Health</h3>
          <p>
            What your collateral carries, divided by what you owe. A collateral carries its value, less the haircut,
            times its threshold
            {most !== undefined &&
              `: $100 of ${most.listing.symbol} carry ${format.dollars(most.view.liquidationFactor * 100n, 'floor')}`}
            . Above 1 nobody can touch the vault. Every repayment and every deposit raises it.
          </p>
          <h3>Liquidation</h3>
          <p>
            Below 1, anyone may repay a part of your debt and take collateral worth as much, and a bonus. The bonus is
            what it costs you: small just below 1, larger further down. It ends when health is back at{' '}
            {format.grouped(unitsToDecimal(BigInt(target), 4).replace(/0{1,2}$/, ''))}; a small debt, or one far below
            1, may be repaid whole. What is left stays yours.
          </p>
        </section>
      </div>
      <section className="card numbers" aria-labelledby="numbers-title">
        <h2 id="numbers-title">The numbers of this market</h2>
        <ul className="positions">
          {collaterals.map(({ view, listing }) => (
            <Numbers key={listing.address} view={view} listing={listing} />
          ))}
        </ul>
      </section>
    </>
  );
}

function Head() {
  return (
    <>
      <h1>Risk</h1>
      <p className="lead">
        Whoever borrows can lose a part of the collateral. This page says when, how much, and lets you try it out.
      </p>
    </>
  );
}

function Numbers({ view, listing }: { view: ReserveView; listing: Listing }) {
  const { collateral, volatility } = listing.reserve.config;
  const [now, target] = [format.percent(view.maintenanceHaircut, 'ceil'), format.percent(view.targetHaircut, 'ceil')];
  return (
    <li>
      <div className="position-name">
        <h3>{listing.symbol}</h3>
      </div>
      <dl className="facts">
        <div>
          <dt>Haircut now</dt>
          <dd>
            {now} <span className="small">{now === target ? 'steady' : `on its way to ${target}`}</span>
          </dd>
        </div>
        <div>
          <dt>Rises by at most</dt>
          <dd>
            {bps(volatility.upBpsPerHour)} <span className="small">an hour</span>
          </dd>
        </div>
        <div>
          <dt>Liquidation threshold</dt>
          <dd>{format.percent(view.liquidationThreshold, 'floor')}</dd>
        </div>
        <div>
          <dt>$100 of it carry</dt>
          <dd>{format.dollars(view.liquidationFactor * 100n, 'floor')}</dd>
        </div>
        <div>
          <dt>Bonus of a liquidation</dt>
          <dd>
            {bps(collateral.minBonusBps)} to {bps(collateral.maxBonusBps)}
          </dd>
        </div>
      </dl>
    </li>
  );
}
