import { useId, useState } from 'react';
import { wordsOf } from '../chain/errors';
import type { State } from '../chain/state';
import { share } from '../fixed';
import * as format from '../format';
import {
  isRefused,
  withPricesAt,
  type Position,
  type RawAccount,
  type ReserveView,
  type Risk,
  type Totals,
  type VaultView,
} from '../risk';
import { useSession } from '../session';
import { Arrow } from './Arrow';
import { dealsOf, type Deal } from './deals';
import { exampleVault } from './example';
import { meaningOf, moodOf } from './Summary';

/** Falls to choose from, percent. */
const FALLS = [10, 20, 30];
/** The largest that can be tried. */
const MOST = 90;
/** Not an asset, but every collateral. */
const ALL = -1;

/** The own vault, or an example, after a fall of prices. */
export function Fall({ risk, state, reserves }: { risk: Risk; state: State; reserves: readonly ReserveView[] }) {
  const { holdings } = useSession();
  // Once: an example whose numbers change while one looks would explain nothing.
  const [example] = useState(() => exampleVault(risk, state, reserves));
  const [chosen, setChosen] = useState(ALL);
  const [fall, setFall] = useState(20);
  const ids = { asset: useId(), fall: useId() };
  const own = holdings?.vault;
  const isOwn =
    own !== undefined && risk.vault(state.snapshot, state.moment, own).positions.some(({ side }) => side === 'debt');
  const raw = isOwn ? own : example;
  if (raw === undefined) {
    return (
      <p>There is no vault to try it on: the market has no two assets with prices, one to deposit and one to borrow.</p>
    );
  }
  const view = risk.vault(state.snapshot, state.moment, raw);
  const collaterals = view.positions.filter(({ side }) => side === 'collateral').map(({ reserve }) => reserve);
  const falling = collaterals.includes(chosen) ? [chosen] : collaterals;
  const symbol = (reserve: number) => state.listings[reserve]?.symbol ?? '';
  const addresses = falling.flatMap((reserve) => state.listings[reserve]?.address ?? []);
  const snapshot = withPricesAt(state.snapshot, addresses, (100 - fall) * 100);
  const after = risk.vault(snapshot, state.moment, raw);
  return (
    <>
      <p>
        {isOwn
          ? 'Your vault: '
          : holdings === undefined
            ? 'An example, as no wallet is connected: '
            : 'An example, as the vault of this wallet owes nothing: '}
        <Holdings view={view} state={state} reserves={reserves} />
      </p>
      <div className="fall">
        <div className="field">
          <label htmlFor={ids.asset}>What falls</label>
          <select
            id={ids.asset}
            value={collaterals.includes(chosen) ? chosen : ALL}
            onChange={(event) => {
              setChosen(Number(event.target.value));
            }}
          >
            <option value={ALL}>All collateral</option>
            {collaterals.map((reserve) => (
              <option key={reserve} value={reserve}>
                {symbol(reserve)}
              </option>
            ))}
          </select>
        </div>
        <div className="field">
          <label htmlFor={ids.fall}>
            It falls by <strong>{fall.toString()} %</strong>
            {falling.length === 1 && <Price view={after} reserve={falling[0]} reserves={reserves} symbol={symbol} />}
          </label>
          <input
            id={ids.fall}
            type="range"
            min={0}
            max={MOST}
            step={1}
            value={fall}
            aria-valuetext={`${fall.toString()} %`}
            onChange={(event) => {
              setFall(Number(event.target.value));
            }}
          />
          <div className="falls">
            {FALLS.map((one) => (
              <button
                key={one}
                type="button"
                className="quiet"
                aria-pressed={fall === one}
                onClick={() => {
                  setFall(one);
                }}
              >
                −{one.toString()} %
              </button>
            ))}
          </div>
        </div>
      </div>
      <div className="fall-result" aria-live="polite" data-testid="fall">
        <Outcome before={view} after={after} risk={risk} state={{ ...state, snapshot }} raw={raw} />
      </div>
    </>
  );
}

/** What a vault has and owes. */
function Holdings({ view, state, reserves }: { view: VaultView; state: State; reserves: readonly ReserveView[] }) {
  const of = (wanted: Position['side']) =>
    view.positions
      .filter(({ side }) => side === wanted)
      .map(
        ({ reserve, amount }) =>
          `${format.shortAmount(amount, reserves[reserve]?.decimals ?? 0, wanted === 'debt' ? 'ceil' : 'floor')} ${state.listings[reserve]?.symbol ?? ''}`,
      )
      .join(', ');
  return (
    <>
      {of('collateral') || 'nothing'} deposited, {of('debt')} borrowed.
    </>
  );
}

function Price({
  view,
  reserve,
  reserves,
  symbol,
}: {
  view: VaultView;
  reserve: number | undefined;
  reserves: readonly ReserveView[];
  symbol: (reserve: number) => string;
}) {
  const position = view.positions.find((one) => one.reserve === reserve);
  const decimals = position && reserves[position.reserve]?.decimals;
  return position === undefined || decimals === undefined
    ? null
    : `: ${symbol(position.reserve)} at ${format.price(position.price, decimals)}`;
}

function Outcome({
  before,
  after,
  risk,
  state,
  raw,
}: {
  before: VaultView;
  after: VaultView;
  risk: Risk;
  state: State;
  raw: RawAccount;
}) {
  const [now, then] = [before.liquidation, after.liquidation];
  if (isRefused(now)) {
    return <p className="problem">{wordsOf(now.refused)}</p>;
  }
  if (isRefused(then)) {
    return <p className="problem">{wordsOf(then.refused)}</p>;
  }
  const { deals, refusal } = then.healthy ? { deals: [], refusal: undefined } : dealsOf(risk, state, raw, after);
  const [deal] = deals;
  return (
    <>
      <dl className="facts outcome">
        <div>
          <dt>Health</dt>
          <dd>
            <Health totals={now} /> <Arrow /> <Health totals={then} />
          </dd>
        </div>
        <div>
          <dt>Collateral</dt>
          <dd>
            {format.dollars(now.collateral)} <Arrow /> {format.dollars(then.collateral)}
          </dd>
        </div>
      </dl>
      {then.healthy ? (
        <p>
          <strong className={moodOf(then.health).mood}>Nothing is sold.</strong> {meaningOf(then)}
        </p>
      ) : deal === undefined ? (
        <p>{refusal === undefined ? 'There is nothing to seize.' : wordsOf(refusal)}</p>
      ) : (
        <Sale deal={deal} state={state} />
      )}
    </>
  );
}

function Health({ totals }: { totals: Totals }) {
  return <strong className={moodOf(totals.health).mood}>{format.health(totals.health)}</strong>;
}

/** The first liquidation, as a keeper who can pay everything would do it. */
function Sale({ deal, state }: { deal: Deal; state: State }) {
  const { found } = deal;
  const [debt, collateral] = [state.listings[deal.debt]?.symbol, state.listings[deal.collateral]?.symbol];
  const isLost = found.after.debt > 0n && found.after.collateral < found.after.debt;
  return (
    <>
      <p>
        <strong className="bad">The vault can be liquidated.</strong> About {format.dollars(found.seized)} of{' '}
        {collateral} would be taken to repay {format.dollars(found.repaid)} of its {debt} debt. The difference,{' '}
        <strong>{format.dollars(found.cost)}</strong> or {format.percent(share(found.cost, found.repaid))} of what is
        repaid, is what it costs you.
      </p>
      <p>
        {isLost
          ? 'What is left would not cover the rest of the debt: all collateral would be lost.'
          : found.after.health === null
            ? `The debt would be gone, and ${format.dollars(found.after.collateral)} of collateral left.`
            : `Health would be ${format.health(found.after.health)} then, with ${format.dollars(found.after.collateral)} of collateral and ${format.dollars(found.after.debt)} of debt left.`}
      </p>
    </>
  );
}
