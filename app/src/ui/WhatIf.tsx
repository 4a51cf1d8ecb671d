import { useId, useState } from 'react';
import { wordsOf } from '../chain/errors';
import * as format from '../format';
import { isRefused } from '../risk';
import { meaningOf, moodOf } from './Summary';
import type { OpenVault } from './VaultPage';

/** The slider's middle: the price as it is, in percent of itself. */
const NOW = 100;
const MOST = 200;

/** What the vault would be at another price of one asset. */
export function WhatIf({ vault }: { vault: OpenVault }) {
  const { risk, state, raw, view } = vault;
  const [chosen, setChosen] = useState<number>();
  const [percent, setPercent] = useState(NOW);
  const [assetId, sliderId] = [useId(), useId()];
  // A collateral to begin with: its price is what people ask about.
  const first = view.positions.find(({ side }) => side === 'collateral') ?? view.positions[0];
  const position = view.positions.find(({ reserve }) => reserve === chosen) ?? first;
  const listing = position && state.listings[position.reserve];
  const reserve = position && vault.reserves[position.reserve];
  if (position === undefined || listing === undefined || reserve === undefined) {
    return null;
  }
  const price = (position.price * BigInt(percent)) / BigInt(NOW);
  const totals = risk.priced(state.snapshot, state.moment, raw, listing.address, price);
  const shown = format.price(price, reserve.decimals);
  const critical = position.criticalPrice;
  const isDebt = position.side === 'debt';
  return (
    <section className="card" aria-labelledby="what-if-title">
      <h2 id="what-if-title">What if the price changes?</h2>
      <div className="what-if">
        <div className="field">
          <label htmlFor={assetId}>Asset</label>
          <select
            id={assetId}
            value={position.reserve}
            onChange={(event) => {
              setChosen(Number(event.target.value));
              setPercent(NOW);
            }}
          >
            {view.positions.map((one) => (
              <option key={one.reserve} value={one.reserve}>
                {state.listings[one.reserve]?.symbol}
              </option>
            ))}
          </select>
        </div>
        <div className="field">
          <label htmlFor={sliderId}>
            Price of {listing.symbol}: <strong>{shown}</strong>
            {percent !== NOW && ` (${percent > NOW ? '+' : '−'}${Math.abs(percent - NOW).toString()} %)`}
          </label>
          <input
            id={sliderId}
            type="range"
            min={0}
            max={MOST}
            step={1}
            value={percent}
            aria-valuetext={shown}
            onChange={(event) => {
              setPercent(Number(event.target.value));
            }}
          />
        </div>
      </div>
      <p data-testid="critical">
        {critical === null
          ? `No price of ${listing.symbol} alone would lead to a liquidation.`
          : `Liquidation begins when ${listing.symbol} ${isDebt ? 'rises above' : 'falls below'} ${format.price(critical, reserve.decimals, isDebt ? 'floor' : 'ceil')}, while the other prices stand still.`}
      </p>
      {isRefused(totals) ? (
        <p className="problem">{wordsOf(totals.refused)}</p>
      ) : (
        <p className="what-if-result" aria-live="polite" data-testid="what-if">
          {totals.health !== null && (
            <>
              Health would be <strong className={moodOf(totals.health).mood}>{format.health(totals.health)}</strong>
              .{' '}
            </>
          )}
          {meaningOf(totals)}
        </p>
      )}
    </section>
  );
}
