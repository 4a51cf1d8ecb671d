import { useEffect, useMemo, useRef, useState } from 'react';
import { explain, wordsOf } from '../chain/errors';
import { fetchReserveHistory, type HistoryPoint } from '../chain/history';
import type { Listing } from '../chain/state';
import type { Rounding } from '../fixed';
import * as format from '../format';
import { isRefused, priceOf, type ReserveView } from '../risk';
import { Link } from '../router';
import { useSession } from '../session';
import { Chart } from './Chart';
import type { Series } from './series';
import { usePolled } from './usePolled';
import './MarketPage.css';

/** How often the history is asked for. */
const PERIOD_MILLISECONDS = 5_000;
const POINTS = 300;
/** Rows of the table that says what the charts show. */
const ROWS = 24;

const RANGES = [
  { name: '1 hour', seconds: 3_600 },
  { name: '1 day', seconds: 86_400 },
  { name: '7 days', seconds: 7 * 86_400 },
  { name: '30 days', seconds: 30 * 86_400 },
] as const;

/** A figure with one chart. */
interface Figure {
  title: string;
  series: readonly Series[];
}

const percent = (pick: (point: HistoryPoint) => bigint, rounding: Rounding = 'nearest') => ({
  pick,
  digits: { fractional: 60 as const, scale: 100n },
  show: (bits: bigint) => format.percent(bits, rounding),
});

/** What there is to see of an asset. The minted token is not supplied, and no collateral. */
function figuresOf(minted: boolean, decimals: number): Figure[] {
  const price: Figure = {
    title: 'Price',
    series: [
      {
        name: minted ? 'Owed at' : 'Price',
        pick: (point) => point.price,
        digits: { fractional: 96, scale: 10n ** BigInt(decimals) },
        show: (bits) => format.price(bits, decimals),
      },
    ],
  };
  const borrow: Series = { name: 'Borrow APY', ...percent((point) => point.borrowYield, 'ceil') };
  if (minted) {
    return [{ title: 'Borrow APY', series: [borrow] }, price];
  }
  return [
    { title: 'Yields', series: [{ name: 'Supply APY', ...percent((point) => point.supplyYield, 'floor') }, borrow] },
    { title: 'Utilization', series: [{ name: 'Utilization', ...percent((point) => point.utilization) }] },
    price,
    {
      title: 'Haircut',
      series: [
        { name: 'Haircut', ...percent((point) => point.maintenanceHaircut) },
        { name: 'Going to', ...percent((point) => point.targetHaircut) },
      ],
    },
  ];
}

/** An asset: what it is like now, and what it was like. */
export default function MarketPage({ symbol }: { symbol: string }) {
  const { base, state } = useSession();
  const number = state?.listings.findIndex((listing) => listing.symbol === symbol) ?? -1;
  const listing = state?.listings[number];
  const view = useMemo(() => {
    const views = base && state ? base.risk.reserves(state.snapshot, state.moment) : undefined;
    return views === undefined || isRefused(views) ? views : views[number];
  }, [base, state, number]);
  if (state !== undefined && listing === undefined) {
    return (
      <section className="card market-missing">
        <h1>There is no asset {symbol}</h1>
        <p>
          The <Link to="/">markets</Link> are here.
        </p>
      </section>
    );
  }
  return (
    <>
      <p className="way-back">
        <Link to="/">All markets</Link>
      </p>
      <h1>{symbol}</h1>
      {view !== undefined && isRefused(view) ? (
        <p className="problem" role="alert">
          {wordsOf(view.refused)}
        </p>
      ) : (
        <>
          <Now view={view} symbol={symbol} />
          <Past view={view} listing={listing} />
        </>
      )}
    </>
  );
}

function Now({ view, symbol }: { view: ReserveView | undefined; symbol: string }) {
  const price = view && priceOf(view);
  const facts: [string, string | undefined][] = [
    [
      'Price',
      view && (price === undefined || isRefused(price) ? 'No usable price' : format.price(price, view.decimals)),
    ],
    ['Supply APY', view && (view.minted ? '—' : format.percent(view.supplyYield, 'floor'))],
    ['Borrow APY', view && format.percent(view.borrowYield, 'ceil')],
    ['Utilization', view && (view.minted ? '—' : format.percent(view.utilization))],
    ['Haircut', view && (view.minted ? '—' : format.percent(view.maintenanceHaircut))],
    [`Supplied, ${symbol}`, view && (view.minted ? '—' : format.shortAmount(view.supplied, view.decimals))],
    [`Borrowed, ${symbol}`, view && format.shortAmount(view.borrowed, view.decimals)],
  ];
  return (
    <section className="card" aria-labelledby="now-title" aria-busy={view === undefined}>
      <h2 id="now-title">Now</h2>
      <dl className="facts figures-now">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value ?? '…'}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Past({ view, listing }: { view: ReserveView | undefined; listing: Listing | undefined }) {
  const api = useSession().config?.api;
  const [range, setRange] = useState(3_600);
  const { history, problem } = useReserveHistory(listing, range);
  const [minted, decimals] = [view?.minted, view?.decimals];
  const figures = useMemo(
    () => (minted === undefined || decimals === undefined ? [] : figuresOf(minted, decimals)),
    [minted, decimals],
  );
  if (api === undefined) {
    return (
      <section className="card past" aria-labelledby="past-title">
        <h2 id="past-title">History</h2>
        <p>This server keeps no history.</p>
      </section>
    );
  }
  const holes = history?.points.slice(1).filter((point) => point.hole).length ?? 0;
  return (
    <section className="past" aria-labelledby="past-title">
      <div className="past-head">
        <h2 id="past-title">History</h2>
        <fieldset className="tabs ranges">
          <legend className="unseen">How far back</legend>
          {RANGES.map(({ name, seconds }) => (
            <label key={seconds}>
              <input
                className="unseen"
                type="radio"
                name="range"
                checked={range === seconds}
                onChange={() => {
                  setRange(seconds);
                }}
              />
              <span>{name}</span>
            </label>
          ))}
        </fieldset>
      </div>
      <p className="small past-note">
        {problem !== undefined ? (
          <span className="bad" role="alert">
            {problem}
          </span>
        ) : holes > 0 ? (
          `Where a line is broken nobody looked: ${holes === 1 ? 'once' : `${holes.toString()} times`} in this time.`
        ) : (
          'Looked at all the time, from where a line begins.'
        )}
      </p>
      <div className="figures">
        {figures.map(({ title, series }) => (
          <Chart key={title} title={title} series={series} history={history} failed={problem !== undefined} />
        ))}
      </div>
      {history !== undefined && history.points.length > 0 && <Table figures={figures} points={history.points} />}
    </section>
  );
}

/** The history of a reserve, asked for again and again. */
function useReserveHistory(listing: Listing | undefined, seconds: number) {
  const { config, state } = useSession();
  const api = config?.api;
  const reserve = listing?.address;
  // The chain's clock, not this machine's. It goes on without another question being asked.
  const now = useRef<bigint>(undefined);
  useEffect(() => {
    now.current = state?.moment.now;
  }, [state]);
  const ask = useMemo(
    () =>
      api === undefined || reserve === undefined
        ? undefined
        : () => fetchReserveHistory(api, reserve, now.current ?? 0n, seconds, POINTS),
    [api, reserve, seconds],
  );
  const { found, error } = usePolled(ask, PERIOD_MILLISECONDS);
  return { history: found, problem: error === undefined ? undefined : explain(error) };
}

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** What the charts show, for whoever does not see them. */
function Table({ figures, points }: { figures: readonly Figure[]; points: readonly HistoryPoint[] }) {
  const columns = figures.flatMap((figure) => figure.series);
  const step = Math.max(1, Math.ceil(points.length / ROWS));
  const rows = points.filter((_, i) => (points.length - 1 - i) % step === 0).toReversed();
  return (
    <details className="card past-table">
      <summary>The same as a table</summary>
      <div className="scroll" role="region" aria-label="Table of the history" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              {columns.map(({ name }) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((point) => (
              <tr key={point.time}>
                <th scope="row">{MOMENT.format(new Date(point.time * 1_000))}</th>
                {columns.map(({ name, pick, show }) => {
                  const bits = pick(point);
                  return <td key={name}>{bits === null ? 'None' : show(bits)}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
