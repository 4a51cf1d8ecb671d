import { useMemo, useState, type ReactNode } from 'react';
import { wordsOf } from '../chain/errors';
import type { Listing, State } from '../chain/state';
import { share, valueOf } from '../fixed';
import * as format from '../format';
import { isRefused, priceOf, type Feed, type Risk, type Refused, type ReserveView } from '../risk';
import { Link, marketPath } from '../router';
import { useSession } from '../session';
import { Meter } from './Meter';

/** An asset, as a row or a card. */
interface Row {
  listing: Listing;
  view: ReserveView;
  /** Dollars per native unit, or why there is no price. */
  price: bigint | Refused;
  /** Of native units, as a fraction of dollars; zero without a price. */
  suppliedValue: bigint;
  borrowedValue: bigint;
}

/** A column: how it is named, sorted and shown. */
interface Column {
  name: string;
  /** What is compared; text by the alphabet. */
  key: (row: Row) => bigint | string;
  show: (row: Row) => ReactNode;
}

const COLUMNS: readonly Column[] = [
  {
    name: 'Asset',
    key: (row) => row.listing.symbol,
    show: (row) => <AssetLink symbol={row.listing.symbol} />,
  },
  {
    name: 'Price',
    key: (row) => (isRefused(row.price) ? -1n : row.price * 10n ** BigInt(row.view.decimals)),
    show: (row) => <PriceCell row={row} />,
  },
  {
    name: 'Supplied',
    key: (row) => row.suppliedValue,
    show: (row) =>
      row.view.minted ? (
        <Pair first="—" second="Minted, not supplied" />
      ) : (
        <Used
          amount={row.view.supplied}
          value={row.suppliedValue}
          cap={row.listing.reserve.config.limits.depositCap}
          row={row}
        />
      ),
  },
  {
    name: 'Borrowed',
    key: (row) => row.borrowedValue,
    show: (row) => (
      <Used
        amount={row.view.borrowed}
        value={row.borrowedValue}
        cap={row.listing.reserve.config.limits.borrowCap}
        row={row}
      />
    ),
  },
  {
    name: 'Utilization',
    key: (row) => row.view.utilization,
    show: (row) => (row.view.minted ? '—' : format.percent(row.view.utilization)),
  },
  {
    name: 'Supply APY',
    key: (row) => row.view.supplyYield,
    show: (row) => (row.view.minted ? '—' : format.percent(row.view.supplyYield, 'floor')),
  },
  {
    name: 'Borrow APY',
    key: (row) => row.view.borrowYield,
    show: (row) => format.percent(row.view.borrowYield, 'ceil'),
  },
  {
    name: 'Haircut',
    key: (row) => row.view.maintenanceHaircut,
    show: (row) => (row.view.minted ? '—' : <HaircutCell view={row.view} />),
  },
];

function AssetLink({ symbol }: { symbol: string }) {
  return <Link to={marketPath(symbol)}>{symbol}</Link>;
}

function Pair({ first, second }: { first: ReactNode; second: ReactNode }) {
  return (
    <span className="pair">
      <span>{first}</span>
      <span className="small">{second}</span>
    </span>
  );
}

function Used({ amount, value, cap, row }: { amount: bigint; value: bigint; cap: bigint; row: Row }) {
  const used = share(amount, cap, 'ceil');
  return (
    <span className="pair">
      <span>{isRefused(row.price) ? 'No price' : format.shortDollars(value)}</span>
      <span className="small">
        {format.shortAmount(amount, row.view.decimals)} {row.listing.symbol}
      </span>
      <span className="small">
        <Meter part={used} /> {format.percent(used, 'ceil')} of cap
      </span>
    </span>
  );
}

function PriceCell({ row }: { row: Row }) {
  const { view, price } = row;
  if (isRefused(price)) {
    return <Pair first="No price" second={wordsOf(price.refused)} />;
  }
  return (
    <Pair first={format.price(price, view.decimals)} second={view.minted ? 'Owed at par' : <FeedText view={view} />} />
  );
}

/** The oldest of an asset's feeds tells how old its price is. */
function FeedText({ view }: { view: ReserveView }) {
  const feeds = view.feeds.filter((feed): feed is Feed => !isRefused(feed));
  const oldest = feeds.reduce<Feed | undefined>((a, b) => (a === undefined || b.age > a.age ? b : a), undefined);
  if (oldest === undefined) {
    return 'No reading of the oracle';
  }
  return (
    <>
      ± {format.price(oldest.confidence, view.decimals, 'ceil')} · {format.ago(oldest.age)}
    </>
  );
}

function HaircutCell({ view }: { view: ReserveView }) {
  const { maintenanceHaircut: now, targetHaircut: target } = view;
  const [current, goal] = [format.percent(now), format.percent(target)];
  if (current === goal) {
    return <Pair first={current} second="Steady" />;
  }
  return <Pair first={current} second={`${target > now ? 'Rising' : 'Falling'} to ${goal}`} />;
}

function rowsOf(risk: Risk, state: State): Row[] | Refused {
  const views = risk.reserves(state.snapshot, state.moment);
  if (isRefused(views)) {
    return views;
  }
  return state.listings.flatMap((listing, i) => {
    const view = views[i];
    if (view === undefined) {
      return [];
    }
    const price = priceOf(view);
    const value = (amount: bigint) => (isRefused(price) ? 0n : valueOf(amount, price));
    return { listing, view, price, suppliedValue: value(view.supplied), borrowedValue: value(view.borrowed) };
  });
}

function compare(a: bigint | string, b: bigint | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function Markets() {
  const { config, base, state } = useSession();
  const [sorting, setSorting] = useState({ by: 'Supplied', down: true });
  const rows = useMemo(() => (base && state ? rowsOf(base.risk, state) : undefined), [base, state]);
  const isFailure = rows !== undefined && isRefused(rows);
  const sorted = useMemo(() => {
    const column = COLUMNS.find((one) => one.name === sorting.by);
    if (rows === undefined || isRefused(rows) || column === undefined) {
      return undefined;
    }
    const order = (a: Row, b: Row) => compare(column.key(a), column.key(b));
    return rows.toSorted((a, b) => (sorting.down ? order(b, a) : order(a, b)));
  }, [rows, sorting]);
  const placeholders = config?.assets.length ?? 4;
  return (
    <>
      <h1>Markets</h1>
      <p className="lead">
        What is supplied earns the supply APY and can be borrowed against. A haircut is the part of a collateral&rsquo;s
        price that does not count; it follows the market&rsquo;s volatility.
      </p>
      {isFailure && (
        <p className="problem" role="alert">
          {wordsOf(rows.refused)}
        </p>
      )}
      <div className="card table-card" aria-busy={sorted === undefined}>
        <table>
          <caption className="unseen">Assets of this market</caption>
          <thead>
            <tr>
              {COLUMNS.map(({ name }) => (
                <th
                  key={name}
                  scope="col"
                  aria-sort={sorting.by === name ? (sorting.down ? 'descending' : 'ascending') : undefined}
                >
                  <button
                    type="button"
                    className="sort"
                    onClick={() => {
                      setSorting({ by: name, down: sorting.by === name ? !sorting.down : name !== 'Asset' });
                    }}
                  >
                    {name}
                    <span aria-hidden="true" className="arrow">
                      {sorting.by === name ? (sorting.down ? '↓' : '↑') : ''}
                    </span>
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted?.map((row) => (
              <tr key={row.listing.address}>
                {COLUMNS.map(({ name, show }, i) =>
                  i === 0 ? (
                    <th key={name} scope="row">
                      {show(row)}
                    </th>
                  ) : (
                    <td key={name}>{show(row)}</td>
                  ),
                )}
              </tr>
            )) ??
              Array.from({ length: placeholders }, (_, i) => (
                <tr key={i}>
                  <td colSpan={COLUMNS.length} className="waiting">
                    {i === 0 ? 'Loading…' : ''}
                  </td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
      <ul className="cards" aria-label="Assets of this market">
        {sorted?.map((row) => (
          <li key={row.listing.address} className="card">
            <h2>
              <AssetLink symbol={row.listing.symbol} />
            </h2>
            <dl className="facts">
              {COLUMNS.slice(1).map(({ name, show }) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{show(row)}</dd>
                </div>
              ))}
            </dl>
          </li>
        )) ??
          Array.from({ length: placeholders }, (_, i) => (
            <li key={i} className="card waiting-card">
              {i === 0 ? 'Loading…' : ''}
            </li>
          ))}
      </ul>
    </>
  );
}
