import { useCallback, useMemo, useState } from 'react';
import { explain, wordsOf } from '../chain/errors';
import type { Wish } from '../chain/instructions';
import type { Holdings, State } from '../chain/state';
import { freeIndex, relationOf, type VaultEntry } from '../chain/vaults';
import * as format from '../format';
import { findVaultPda, getVaultDecoder, type Vault } from '../generated';
import { isRefused, type Risk, type ReserveView, type VaultView } from '../risk';
import { Link } from '../router';
import { useSession } from '../session';
import { ActionPanel } from './ActionPanel';
import { Danger, type WayOut } from './Danger';
import { Delegate, rightsText } from './Delegate';
import { EfficiencyGroup } from './EfficiencyGroup';
import { History } from './History';
import { Positions } from './Positions';
import { Review } from './Review';
import { Summary } from './Summary';
import { useTransaction } from './useTransaction';
import { useWalletVaults } from './useWalletVaults';
import { VaultSwitcher } from './VaultSwitcher';
import { ConnectButton } from './WalletBar';
import { WhatIf } from './WhatIf';

/** An open vault, and what the previews say of it now. */
export interface OpenVault {
  risk: Risk;
  state: State;
  holdings: Holdings;
  raw: NonNullable<Holdings['vault']>;
  decoded: Vault;
  /** What the wallet has to do with it; nothing, when somebody has just taken that away. */
  as: VaultEntry['as'] | undefined;
  view: VaultView;
  reserves: readonly ReserveView[];
}

/** What happens to a whole vault. */
type Event = Extract<Wish, { kind: 'open' | 'close' | 'accept' }>;

const EVENTS: Record<Event['kind'], { summary: string; done: string }> = {
  open: {
    summary: 'A vault is opened. Its account costs a deposit, which comes back when it is closed.',
    done: 'The vault is open.',
  },
  close: { summary: 'The vault is closed, and its deposit comes back to the wallet.', done: 'The vault is closed.' },
  accept: { summary: 'The vault becomes yours, with its collateral and its debt.', done: 'The vault is yours.' },
};

export function VaultPage() {
  const { config, base, state, holdings, wallet, chooseVault } = useSession();
  const { progress, review, confirm, reset, isOff } = useTransaction();
  const { vaults, refresh } = useWalletVaults();
  const [event, setEvent] = useState<Event>();
  /** Why no vault can be opened. */
  const [problem, setProblem] = useState<string>();
  const [filled, setFilled] = useState<{ way: WayOut | undefined; times: number }>({ way: undefined, times: 0 });
  const vault = useMemo((): OpenVault | undefined => {
    if (base === undefined || state === undefined || holdings?.vault === undefined) {
      return undefined;
    }
    const raw = holdings.vault;
    const decoded = getVaultDecoder().decode(raw.data);
    const reserves = base.risk.reserves(state.snapshot, state.moment);
    const view = base.risk.vault(state.snapshot, state.moment, raw);
    const as = relationOf(decoded, holdings.owner);
    return { risk: base.risk, state, holdings, raw, decoded, as, view, reserves: isRefused(reserves) ? [] : reserves };
  }, [base, state, holdings]);

  const listings = state?.listings;
  const assetOf = useCallback(
    (address: string) => {
      const listing = listings?.find((one) => one.address === address);
      return listing && { symbol: listing.symbol, decimals: listing.reserve.decimals };
    },
    [listings],
  );
  const start = (wish: Event) => {
    setProblem(undefined);
    setEvent(wish);
    void review(wish);
  };
  const openAnother = async () => {
    if (base === undefined || config === undefined || wallet === undefined) {
      return;
    }
    try {
      start({ kind: 'open', index: await freeIndex(base.rpc, config.market, wallet.address) });
    } catch (error) {
      setProblem(explain(error));
    }
  };
  const finish = async () => {
    if (event === undefined || config === undefined || wallet === undefined) {
      return;
    }
    if (await confirm(EVENTS[event.kind].done)) {
      if (event.kind === 'open') {
        const { index } = event;
        chooseVault((await findVaultPda({ market: config.market, owner: wallet.address, index }))[0]);
      }
      if (event.kind === 'accept') {
        chooseVault(event.vault);
      }
      refresh();
    }
  };
  const isBusy = ['simulating', 'review', 'signing', 'confirming'].includes(progress.at);
  const isEmpty = vault?.view.amounts.length === 0;
  const eventReview = (kinds: Event['kind'][]) =>
    event !== undefined &&
    kinds.includes(event.kind) && (
      <Review
        progress={progress}
        summary={<p>{EVENTS[event.kind].summary}</p>}
        onConfirm={() => void finish()}
        onCancel={reset}
      />
    );
  return (
    <>
      <h1>
        {vault === undefined || vault.as === 'owner' ? 'Your vault' : `Vault of ${format.short(vault.decoded.owner)}`}
      </h1>
      {problem !== undefined && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {base !== undefined &&
        state !== undefined &&
        holdings !== undefined &&
        vaults !== undefined &&
        vaults.length > 0 && (
          <VaultSwitcher
            vaults={vaults}
            risk={base.risk}
            state={state}
            shown={holdings.vaultAddress}
            current={holdings.vault}
            isBusy={isBusy}
            onChoose={(address) => {
              reset();
              chooseVault(address);
            }}
            onOpen={() => void openAnother()}
            onAccept={({ raw }) => {
              start({ kind: 'accept', vault: raw.address });
            }}
          >
            {eventReview(vault === undefined ? ['accept'] : ['open', 'accept'])}
          </VaultSwitcher>
        )}
      {wallet === undefined ? (
        <section className="card hero">
          <h2>Borrow against what you hold</h2>
          <p>
            A vault holds your collateral and your debts, with one number that says how safe it is. Connect a wallet to
            open one.
          </p>
          <ConnectButton />
        </section>
      ) : holdings === undefined || vaults === undefined ? (
        <section className="card hero" aria-busy="true">
          <p>Loading…</p>
        </section>
      ) : vault === undefined ? (
        <>
          <section className="card hero">
            <h2>Open a vault</h2>
            <p>
              Everything you deposit and borrow is in it. Opening costs a small deposit in SOL, which closing returns.
            </p>
            {holdings.lamports === 0n && (
              <p>This wallet has no SOL yet{config?.local === true && ': get test tokens first'}.</p>
            )}
            {!isBusy && (
              <button type="button" disabled={isOff || holdings.lamports === 0n} onClick={() => void openAnother()}>
                Open vault
              </button>
            )}
            {eventReview(['open'])}
          </section>
          {/* Of the one before: it was at the same address. */}
          <History vault={holdings.vaultAddress} assetOf={assetOf} onlyIfAny />
        </>
      ) : (
        <div className="vault" key={vault.raw.address}>
          {vault.as !== 'owner' && <Acting vault={vault} />}
          <div className="column">
            <Summary vault={vault} />
            <Danger
              vault={vault}
              onChoose={(way) => {
                setFilled({ way, times: filled.times + 1 });
              }}
            />
          </div>
          <ActionPanel key={filled.times} vault={vault} filled={filled.way} />
          <div className="column">
            {isRefused(vault.view.liquidation) && (
              <p className="problem" role="alert">
                The vault cannot be valued: {wordsOf(vault.view.liquidation.refused)}
              </p>
            )}
            <Positions vault={vault} />
            {!isEmpty ? (
              <>
                <WhatIf vault={vault} />
                <p className="small">
                  <Link to="/risk">What haircuts, health and liquidations are</Link>, and what falls of all prices would
                  do.
                </p>
              </>
            ) : (
              vault.as === 'owner' && (
                <section className="card">
                  <h2>Close the vault</h2>
                  <p>It is empty. Closing it returns the deposit for its account.</p>
                  {!isBusy && (
                    <button
                      type="button"
                      className="quiet"
                      disabled={isOff}
                      onClick={() => {
                        start({ kind: 'close' });
                      }}
                    >
                      Close vault
                    </button>
                  )}
                  {eventReview(['close'])}
                </section>
              )
            )}
            {(vault.as === 'owner' || vault.as === 'delegate') && <EfficiencyGroup vault={vault} />}
            {vault.as === 'owner' && <Delegate vault={vault} />}
            <History vault={vault.holdings.vaultAddress} assetOf={assetOf} />
          </div>
        </div>
      )}
    </>
  );
}

/** What the wallet may do with a vault of somebody else. */
function Acting({ vault: { as, decoded, state } }: { vault: OpenVault }) {
  const others = 'Anyone may repay its debts, and add to collateral that it has.';
  const isOver = state.moment.now >= decoded.delegateUntil;
  if (as === 'delegate' && !isOver) {
    return (
      <p className="notice acting">
        You are the delegate of {format.short(decoded.owner)}. You may {rightsText(decoded.delegateRights)}, until{' '}
        {format.moment(decoded.delegateUntil)}. What you withdraw or borrow goes to the owner.
      </p>
    );
  }
  return (
    <p className="notice acting">
      {as === 'offered'
        ? `${format.short(decoded.owner)} offers you this vault.`
        : as === 'delegate'
          ? `Your rights as its delegate ended at ${format.moment(decoded.delegateUntil)}.`
          : `This vault is ${format.short(decoded.owner)}’s, and you are not its delegate.`}{' '}
      {others}
    </p>
  );
}
