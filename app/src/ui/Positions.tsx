import * as format from '../format';
import type { Held, Position } from '../risk';
import type { OpenVault } from './VaultPage';

export function Positions({ vault }: { vault: OpenVault }) {
  const { amounts, positions } = vault.view;
  return (
    <section className="card" aria-labelledby="positions-title">
      <h2 id="positions-title">Positions</h2>
      {amounts.length === 0 ? (
        <p>The vault is empty. Deposit something to borrow against.</p>
      ) : (
        <ul className="positions">
          {amounts.map((held) => {
            const position = positions.find(({ reserve }) => reserve === held.reserve);
            return <Holding key={held.reserve} vault={vault} held={held} position={position} />;
          })}
        </ul>
      )}
    </section>
  );
}

/** A position; without `position` there is no price for it. */
function Holding({ vault, held, position }: { vault: OpenVault; held: Held; position: Position | undefined }) {
  const { side, amount } = held;
  const listing = vault.state.listings[held.reserve];
  const reserve = vault.reserves[held.reserve];
  if (listing === undefined || reserve === undefined) {
    return null;
  }
  const { decimals } = reserve;
  const isDebt = side === 'debt';
  return (
    <li>
      <div className="position-name">
        <h3>{listing.symbol}</h3>
        <span className={isDebt ? 'tag debt' : 'tag'}>{isDebt ? 'Debt' : 'Collateral'}</span>
      </div>
      <dl className="facts">
        <div>
          <dt>Amount</dt>
          <dd>{format.amount(amount, decimals)}</dd>
        </div>
        <div>
          <dt>Value</dt>
          <dd>{position === undefined ? 'No price' : format.dollars(position.value)}</dd>
        </div>
        <div>
          <dt>{isDebt ? 'Costs a year' : 'Earns a year'}</dt>
          <dd>{isDebt ? format.percent(reserve.borrowYield, 'ceil') : format.percent(reserve.supplyYield, 'floor')}</dd>
        </div>
        <div>
          <dt>Liquidation price</dt>
          <dd>
            {position === undefined ? (
              'No price'
            ) : position.criticalPrice === null ? (
              'None'
            ) : (
              <>
                {format.price(position.criticalPrice, decimals, isDebt ? 'floor' : 'ceil')}
                <span className="small"> now {format.price(position.price, decimals)}</span>
              </>
            )}
          </dd>
        </div>
      </dl>
    </li>
  );
}
