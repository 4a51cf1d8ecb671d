import { useMemo } from 'react';
import { wordsOf } from '../chain/errors';
import type { Holdings, State } from '../chain/state';
import { isRefused, type Risk, type ReserveView, type VaultView } from '../risk';
import { useSession } from '../session';
import { ActionPanel } from './ActionPanel';
import { Positions } from './Positions';
import { Review } from './Review';
import { Summary } from './Summary';
import { useTransaction } from './useTransaction';
import { ConnectButton } from './WalletBar';
import { WhatIf } from './WhatIf';

/** An open vault, and what the previews say of it now. */
export interface OpenVault {
  risk: Risk;
  state: State;
  holdings: Holdings;
  raw: NonNullable<Holdings['vault']>;
  view: VaultView;
  reserves: readonly ReserveView[];
}

export function VaultPage() {
  const { config, base, state, holdings, wallet } = useSession();
  const { progress, review, confirm, reset } = useTransaction();
  const vault = useMemo((): OpenVault | undefined => {
    if (base === undefined || state === undefined || holdings?.vault === undefined) {
      return undefined;
    }
    const raw = holdings.vault;
    const reserves = base.risk.reserves(state.snapshot, state.moment);
    const view = base.risk.vault(state.snapshot, state.moment, raw);
    return { risk: base.risk, state, holdings, raw, view, reserves: isRefused(reserves) ? [] : reserves };
  }, [base, state, holdings]);

  const isEmpty = vault?.view.positions.length === 0 && !isRefused(vault.view.liquidation);
  const openOrClose = (
    <Review
      progress={progress}
      summary={
        <p>
          {progress.at === 'review' && progress.wish.kind === 'close'
            ? 'The vault is closed, and its deposit comes back to the wallet.'
            : 'A vault is opened. Its account costs a deposit, which comes back when it is closed.'}
        </p>
      }
      onConfirm={() => void confirm(isEmpty ? 'The vault is closed.' : 'The vault is open.')}
      onCancel={reset}
    />
  );
  return (
    <>
      <h1>Your vault</h1>
      {wallet === undefined ? (
        <section className="card hero">
          <h2>Borrow against what you hold</h2>
          <p>
            A vault holds your collateral and your debts, with one number that says how safe it is. Connect a wallet to
            open one.
          </p>
          <ConnectButton />
        </section>
      ) : holdings === undefined ? (
        <section className="card hero" aria-busy="true">
          <p>Loading…</p>
        </section>
      ) : vault === undefined ? (
        <section className="card hero">
          <h2>Open a vault</h2>
          <p>
            Everything you deposit and borrow is in it. Opening costs a small deposit in SOL, which closing returns.
          </p>
          {holdings.lamports === 0n && (
            <p>This wallet has no SOL yet{config?.local === true && ': get test tokens first'}.</p>
          )}
          {progress.at !== 'review' && (
            <button
              type="button"
              disabled={holdings.lamports === 0n || progress.at === 'simulating' || progress.at === 'confirming'}
              onClick={() => void review({ kind: 'open' })}
            >
              Open vault
            </button>
          )}
          {openOrClose}
        </section>
      ) : (
        <div className="vault">
          <Summary vault={vault} />
          <ActionPanel vault={vault} />
          <div className="column">
            {isRefused(vault.view.liquidation) && (
              <p className="problem" role="alert">
                The vault cannot be valued: {wordsOf(vault.view.liquidation.refused)}
              </p>
            )}
            <Positions vault={vault} />
            {isEmpty ? (
              <section className="card">
                <h2>Close the vault</h2>
                <p>It is empty. Closing it returns the deposit for its account.</p>
                {progress.at !== 'review' && (
                  <button type="button" className="quiet" onClick={() => void review({ kind: 'close' })}>
                    Close vault
                  </button>
                )}
                {openOrClose}
              </section>
            ) : (
              <WhatIf vault={vault} />
            )}
          </div>
        </div>
      )}
    </>
  );
}
