import * as format from '../format';
import type { Position } from '../risk';
import type { OpenVault } from './VaultPage';

export function Positions({ vault }: { vault: OpenVault }) {
  const { positions } = vault.view;
  return (
    <section className="card" aria-labelledby="positions-title">
      <h2 id="positions-title">Positions</h2>
      {positions.length === 0 ? (
        <p>The vault is empty. Deposit something to borrow against.</p>
      ) : (
        <ul className="positions">
          {positions.map((position) => (
            <Holding key={position.reserve} vault={vault} position={position} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Holding({ vault, position }: { vault: OpenVault; position: Position }) {
  const { side, criticalPrice } = position;
  const listing = vault.state.listings[position.reserve];
  const reserve = vault.reserves[position.reserve];
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
          <dd>{format.amount(position.amount, decimals)}</dd>
        </div>
        <div>
          <dt>Value</dt>
          <dd>{format.dollars(position.value)}</dd>
        </div>
        <div>
          <dt>{isDebt ? 'Costs a year' : 'Earns a year'}</dt>
          <dd>{format.percent(isDebt ? reserve.borrowYield : reserve.supplyYield)}</dd>
        </div>
        <div>
          <dt>Liquidation price</dt>
          <dd>
            {criticalPrice === null ? (
              'None'
            ) : (
              <>
                {format.price(criticalPrice, decimals, isDebt ? 'floor' : 'ceil')}
                <span className="small"> now {format.price(position.price, decimals)}</span>
              </>
            )}
          </dd>
        </div>
      </dl>
    </li>
  );
}
