import type { Address } from '@solana/kit';
import { useEffect, useMemo, useState } from 'react';
import { wordsOf } from '../chain/errors';
import { spendable } from '../chain/state';
import { share } from '../fixed';
import * as format from '../format';
import { getVaultDecoder, Receive } from '../generated';
import type { Position, RawAccount } from '../risk';
import { useSession } from '../session';
import { dealsOf, isSamePair, termsOf, whyAgain, type Deal } from './deals';
import { LiquidationDialog, type Target } from './LiquidationDialog';
import './Liquidations.css';
import { moodOf } from './Summary';
import { useTransaction } from './useTransaction';
import { useVaults, type Found } from './useVaults';

/** Vaults of each kind that are shown at most. */
const MOST = 50;
const GONE = 'This vault cannot be liquidated any more: prices have moved, or somebody was faster.';

/** A vault, and what is to be done about it. */
interface Choice {
  raw: RawAccount;
  /** The pair of assets; the best one, until one was chosen. */
  deal: Deal | undefined;
  isInShares: boolean;
}

export function Liquidations() {
  const { base, state, holdings, wallet } = useSession();
  const { vaults, problem, look } = useVaults();
  const { progress, review, confirm, reset } = useTransaction();
  /** What was chosen, and what was seen of it when it was signed. */
  const [chosen, setChosen] = useState<Choice>();
  const [signed, setSigned] = useState<Target>();
  const due = vaults?.near.filter(({ totals }) => !totals.healthy) ?? [];
  const close = vaults?.near.filter(({ totals }) => totals.healthy) ?? [];

  const held = (reserve: number) => (holdings && state ? spendable(holdings, state.listings, reserve) : 0n);
  const live = useMemo((): Target | undefined => {
    if (chosen === undefined || base === undefined || state === undefined) {
      return undefined;
    }
    // Until the vaults are known again, the one that was chosen is as it was.
    const raw =
      vaults === undefined ? chosen.raw : vaults.near.find((one) => one.raw.address === chosen.raw.address)?.raw;
    if (raw === undefined) {
      return { raw: chosen.raw, deals: [], deal: undefined, whole: [], refusal: GONE, own: undefined, into: undefined };
    }
    const view = base.risk.vault(state.snapshot, state.moment, raw);
    const payable = (reserve: number) => (holdings ? spendable(holdings, state.listings, reserve) : 0n);
    // Nobody can be paid into the vault that is liquidated, and only its owner opens a position in a vault.
    const shown = holdings?.vault;
    const isOwn = shown !== undefined && getVaultDecoder().decode(shown.data).owner === holdings?.owner;
    const own = isOwn && shown.address !== raw.address ? shown : undefined;
    const into = chosen.isInShares ? own?.address : undefined;
    const receive = into === undefined ? Receive.Tokens : Receive.Shares;
    const { deals, refusal } = dealsOf(base.risk, state, raw, view, payable, receive);
    const wanted = chosen.deal;
    const deal = wanted === undefined ? deals[0] : deals.find((one) => isSamePair(one, wanted));
    const whole = dealsOf(base.risk, state, raw, view, undefined, receive).deals;
    const words = refusal === undefined ? undefined : wordsOf(refusal);
    return { raw, deals, deal, whole, refusal: words, own, into };
  }, [base, state, holdings, vaults, chosen]);
  // What is signed changes the vault: what was to happen is shown until the end.
  const target = progress.at === 'signing' || progress.at === 'confirming' || progress.at === 'done' ? signed : live;

  const take = (choice: Choice, into: Address | undefined, words?: string) => {
    setChosen(choice);
    const { raw, deal } = choice;
    if (deal !== undefined) {
      void review({ kind: 'liquidate', terms: termsOf(raw, deal, held(deal.debt), into) }, words);
    }
  };
  const choose = ({ raw, view }: Found) => {
    if (base !== undefined && state !== undefined) {
      reset();
      take({ raw, deal: dealsOf(base.risk, state, raw, view, held).deals[0], isInShares: false }, undefined);
    }
  };
  const terms = progress.at === 'review' && progress.wish.kind === 'liquidate' ? progress.wish.terms : undefined;
  const again = terms && live?.deal && whyAgain(terms, live.raw, live.deal, held(terms.debt));
  useEffect(() => {
    if (again === undefined || live === undefined) {
      return;
    }
    const timer = setTimeout(() => {
      take({ raw: live.raw, deal: live.deal, isInShares: live.into !== undefined }, live.into, again);
    });
    return () => {
      clearTimeout(timer);
    };
  });
  return (
    <>
      <h1>Liquidations</h1>
      <p className="lead">
        A vault with a health under 1 owes more than its collateral carries. Anyone may repay a part of its debt, takes
        collateral worth as much, and keeps a bounty.
      </p>
      {problem !== undefined && (
        <p className="problem" role="alert">
          The vaults cannot be fetched: {problem}
        </p>
      )}
      <p className="small count" role="status">
        {vaults === undefined
          ? 'Looking at all vaults…'
          : `${vaultsIn(vaults.indebted)} with debt: ${due.length.toString()} can be liquidated, ${close.length.toString()} ${close.length === 1 ? 'is' : 'are'} close to it.`}
      </p>
      <section className="card near" aria-labelledby="due-title" aria-busy={vaults === undefined}>
        <h2 id="due-title">Can be liquidated now</h2>
        {wallet === undefined && due.length > 0 && <p>Connect a wallet to liquidate one of these.</p>}
        {due.length > 0 ? (
          <ul className="positions">
            {due.slice(0, MOST).map((found) => (
              <Row key={found.raw.address} found={found}>
                {wallet !== undefined && (
                  <button
                    type="button"
                    disabled={holdings === undefined || found.view.insolvent}
                    aria-label={`Liquidate vault ${format.short(found.raw.address)}`}
                    onClick={() => {
                      choose(found);
                    }}
                  >
                    Liquidate
                  </button>
                )}
              </Row>
            ))}
          </ul>
        ) : (
          <p className="empty">
            {vaults === undefined
              ? 'Loading…'
              : vaults.lowest === undefined
                ? 'No vault has a debt.'
                : `None at the moment: the lowest health of all vaults is ${format.health(vaults.lowest)}.`}
          </p>
        )}
        <More count={due.length - MOST} />
      </section>
      {close.length > 0 && (
        <section className="card near" aria-labelledby="close-title">
          <h2 id="close-title">Close to liquidation</h2>
          <ul className="positions">
            {close.slice(0, MOST).map((found) => (
              <Row key={found.raw.address} found={found} />
            ))}
          </ul>
          <More count={close.length - MOST} />
        </section>
      )}
      {vaults !== undefined && vaults.unvalued > 0 && (
        <p className="small">
          {vaultsIn(vaults.unvalued)} {vaults.unvalued === 1 ? 'holds' : 'hold'} an asset without a usable price, and
          cannot be valued.
        </p>
      )}
      {target !== undefined && (
        <LiquidationDialog
          key={target.raw.address}
          target={target}
          held={held}
          progress={progress}
          onChange={(deal, isInShares) => {
            // What was reviewed was something else.
            reset();
            setChosen({ raw: target.raw, deal, isInShares });
          }}
          onReview={() => {
            take({ raw: target.raw, deal: target.deal, isInShares: target.into !== undefined }, target.into);
          }}
          onConfirm={() => {
            setSigned(target);
            void confirm(
              `Liquidated. The collateral is in ${target.into === undefined ? 'the wallet' : 'your vault'}.`,
            ).then(look);
          }}
          onClose={() => {
            setChosen(undefined);
            setSigned(undefined);
            reset();
            if (document.activeElement === document.body) {
              // The row that it was opened from is gone.
              document.getElementById('main')?.focus();
            }
          }}
        />
      )}
    </>
  );
}

function vaultsIn(count: number): string {
  return `${count.toString()} ${count === 1 ? 'vault' : 'vaults'}`;
}

function More({ count }: { count: number }) {
  return count > 0 ? <p className="small">And {vaultsIn(count)} more with a higher health.</p> : null;
}

function Row({ found, children }: { found: Found; children?: React.ReactNode }) {
  const { base, state, holdings } = useSession();
  const { raw, view, totals } = found;
  const best = useMemo(
    () => (base && state && !totals.healthy ? dealsOf(base.risk, state, raw, view) : undefined),
    [base, state, raw, view, totals],
  );
  const deal = best?.deals[0];
  const owner = useMemo(() => getVaultDecoder().decode(raw.data).owner, [raw]);
  const symbols = (side: Position['side']) =>
    view.positions
      .filter((position) => position.side === side)
      .map(({ reserve }) => state?.listings[reserve]?.symbol)
      .join(', ');
  const debt = deal && state?.listings[deal.debt];
  return (
    <li>
      <div className="position-name">
        <h3>Vault {format.short(raw.address)}</h3>
        {view.insolvent && <span className="tag bad">Its bad debt is being cleared</span>}
        {owner === holdings?.owner && <span className="tag">Yours</span>}
      </div>
      <div className="vault-row">
        <dl className="facts">
          <div>
            <dt>Health</dt>
            <dd className={moodOf(totals.health).mood}>{format.health(totals.health)}</dd>
          </div>
          <div>
            <dt>Collateral</dt>
            <dd>
              {format.dollars(totals.collateral)} <span className="small">{symbols('collateral')}</span>
            </dd>
          </div>
          <div>
            <dt>Debt</dt>
            <dd>
              {format.dollars(totals.debt)} <span className="small">{symbols('debt')}</span>
            </dd>
          </div>
          {totals.healthy ? (
            <div>
              <dt>Collateral may fall</dt>
              <dd>{format.percent(share(totals.limit - totals.debt, totals.limit), 'floor')}</dd>
            </div>
          ) : (
            <>
              <div>
                <dt>Keeper repays</dt>
                <dd>
                  {deal === undefined || debt === undefined
                    ? '—'
                    : `${format.shortAmount(deal.found.repay, debt.reserve.decimals, 'ceil')} ${debt.symbol}`}
                </dd>
              </div>
              <div>
                <dt>Bounty</dt>
                <dd>{deal === undefined ? '—' : format.dollars(deal.found.bounty, 'floor')}</dd>
              </div>
            </>
          )}
        </dl>
        {children}
      </div>
      {deal === undefined && best?.refusal !== undefined && <p className="small">{wordsOf(best.refusal)}</p>}
    </li>
  );
}
