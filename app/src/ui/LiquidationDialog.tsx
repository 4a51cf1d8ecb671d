import type { Address } from '@solana/kit';
import { useEffect, useId, useRef, useState } from 'react';
import type { Listing } from '../chain/state';
import * as format from '../format';
import { isRefused, type RawAccount } from '../risk';
import { useSession } from '../session';
import { Arrow } from './Arrow';
import { isSamePair, type Deal } from './deals';
import { Review } from './Review';
import type { Progress } from './useTransaction';
import { Faucet } from './WalletBar';

/** A vault that was chosen, and what the wallet can do about it. */
export interface Target {
  raw: RawAccount;
  /** What the wallet can pay for. */
  deals: Deal[];
  /** Which of these it is about to do. */
  deal: Deal | undefined;
  /** What somebody who has everything could do, the best first. */
  whole: Deal[];
  /** Why another is refused, in words. */
  refusal: string | undefined;
  /** A vault of the wallet's that can receive shares, and its address if it does. */
  own: RawAccount | undefined;
  into: Address | undefined;
}

/** A liquidation, from what it comes to until it is confirmed. */
export function LiquidationDialog({
  target,
  held,
  progress,
  onChange,
  onReview,
  onConfirm,
  onClose,
}: {
  target: Target;
  held: (reserve: number) => bigint;
  progress: Progress;
  onChange: (deal: Deal | undefined, isInShares: boolean) => void;
  onReview: () => void;
  onConfirm: () => void;
  onClose: () => void;
}) {
  const { state, problem } = useSession();
  const dialog = useRef<HTMLDialogElement>(null);
  const start = useRef<HTMLButtonElement>(null);
  const [titleId, pairId] = [useId(), useId()];
  const { raw, deals, deal, whole, refusal, own, into } = target;
  const [isLacking, setLacking] = useState(deal === undefined);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const canPay = deal !== undefined;
  if (!canPay && !isLacking) {
    setLacking(true);
  }
  useEffect(() => {
    // The button that had the focus may be gone.
    if (canPay && document.activeElement === document.body) {
      start.current?.focus();
    }
  }, [canPay]);
  const listings = state?.listings ?? [];
  const isBusy = progress.at === 'signing' || progress.at === 'confirming';
  const isOpen = progress.at === 'idle' || progress.at === 'failed';
  const close = () => {
    // By itself the dialog gives the focus back to where it was.
    dialog.current?.close();
  };
  return (
    <dialog
      ref={dialog}
      className="liquidation"
      aria-labelledby={titleId}
      onClose={onClose}
      onCancel={(event) => {
        if (isBusy) {
          event.preventDefault();
        }
      }}
    >
      <h2 id={titleId}>Liquidate vault {format.short(raw.address)}</h2>
      {own !== undefined && (
        <fieldset className="tabs receive" disabled={progress.at !== 'review' && !isOpen}>
          <legend>Receive the collateral</legend>
          {[false, true].map((isInShares) => (
            <label key={String(isInShares)}>
              <input
                type="radio"
                name="receive"
                className="unseen"
                checked={isInShares === (into !== undefined)}
                onChange={() => {
                  onChange(deal, isInShares);
                }}
              />
              <span>{isInShares ? 'In your vault' : 'In the wallet'}</span>
            </label>
          ))}
        </fieldset>
      )}
      {deal === undefined ? (
        <Missing whole={whole[0]} refusal={refusal} held={held} listings={listings} />
      ) : (
        <>
          {deals.length > 1 && (
            <div className="field">
              <label htmlFor={pairId}>Repay, and receive</label>
              <select
                id={pairId}
                value={deals.findIndex((one) => isSamePair(one, deal))}
                disabled={progress.at !== 'review' && !isOpen}
                onChange={(event) => {
                  const chosen = deals[Number(event.target.value)];
                  if (chosen !== undefined) {
                    onChange(chosen, into !== undefined);
                  }
                }}
              >
                {deals.map((one, i) => (
                  <option key={`${one.debt.toString()} ${one.collateral.toString()}`} value={i}>
                    {listings[one.debt]?.symbol} → {listings[one.collateral]?.symbol}, bounty{' '}
                    {format.dollars(one.found.bounty, 'floor')}
                  </option>
                ))}
              </select>
            </div>
          )}
          <Facts deal={deal} whole={whole.find((one) => isSamePair(one, deal))} into={into} listings={listings} />
          {isOpen && (
            <button ref={start} type="button" disabled={problem !== undefined} onClick={onReview}>
              Review
            </button>
          )}
        </>
      )}
      <p className="unseen" role="status">
        {isLacking && canPay && 'The wallet can pay for it now.'}
      </p>
      {(deal !== undefined || progress.at !== 'review') && (
        <Review
          progress={progress}
          summary={<Bounds progress={progress} own={own} />}
          onConfirm={onConfirm}
          onCancel={close}
        />
      )}
      {(deal === undefined || progress.at !== 'review') && (
        <button type="button" className="quiet" disabled={isBusy} onClick={close}>
          Close
        </button>
      )}
    </dialog>
  );
}

/** What the wallet lacks. When it has it, this is not shown any more. */
function Missing({
  whole,
  refusal,
  held,
  listings,
}: {
  whole: Deal | undefined;
  refusal: string | undefined;
  held: (reserve: number) => bigint;
  listings: readonly Listing[];
}) {
  const { base, state } = useSession();
  const debt = whole && listings[whole.debt];
  if (whole === undefined || debt === undefined) {
    return <p>{refusal ?? 'There is nothing to repay or to receive.'}</p>;
  }
  const views = base && state && base.risk.reserves(state.snapshot, state.moment);
  const isMinted = views !== undefined && !isRefused(views) && views[whole.debt]?.minted === true;
  const amount = (units: bigint) => `${format.amount(units, debt.reserve.decimals)} ${debt.symbol}`;
  return (
    <>
      <p>
        The best liquidation of this vault repays {amount(whole.found.repay)}, for a bounty of{' '}
        {format.dollars(whole.found.bounty, 'floor')}. The wallet can pay {amount(held(whole.debt))}
        {refusal === undefined ? `: get some ${debt.symbol} first.` : `. ${refusal}`}
      </p>
      {refusal === undefined && (
        <>
          {!isMinted && <Faucet />}
          <p className="small">Once the wallet can pay, this goes on here.</p>
        </>
      )}
    </>
  );
}

function Facts({
  deal,
  whole,
  into,
  listings,
}: {
  deal: Deal;
  whole: Deal | undefined;
  into: Address | undefined;
  listings: readonly Listing[];
}) {
  const { found } = deal;
  const [debt, collateral] = [listings[deal.debt], listings[deal.collateral]];
  if (debt === undefined || collateral === undefined) {
    return null;
  }
  const isPart = whole !== undefined && found.repay < whole.found.repay;
  return (
    <>
      <dl className="facts outcome">
        <div>
          <dt>You repay</dt>
          <dd>
            {format.amount(found.repay, debt.reserve.decimals)} {debt.symbol}{' '}
            <span className="small">{format.dollars(found.repaid, 'ceil')}</span>
          </dd>
        </div>
        <div>
          <dt>You receive</dt>
          <dd>
            {format.amount(found.toKeeper, collateral.reserve.decimals)} {collateral.symbol}{' '}
            <span className="small">{format.dollars(found.received, 'floor')}</span>
          </dd>
        </div>
        <div>
          <dt>Bounty</dt>
          <dd>
            <strong>{format.dollars(found.bounty, 'floor')}</strong>
          </dd>
        </div>
        <div>
          <dt>Health of the vault</dt>
          <dd>
            {format.health(found.before.health)} <Arrow /> {format.health(found.after.health)}
          </dd>
        </div>
      </dl>
      <p className="small">
        At the oracle&rsquo;s prices. What you are left with depends on what you sell the {collateral.symbol} for.
        {into !== undefined &&
          ` It is deposited in your vault ${format.short(into)}, also when none can be withdrawn at the moment.`}
        {isPart &&
          ` The wallet holds enough for a part: all would be ${format.amount(whole.found.repay, debt.reserve.decimals)} ${debt.symbol}.`}
      </p>
    </>
  );
}

/** What holds whatever prices do until the transaction is executed. */
function Bounds({ progress, own }: { progress: Progress; own: RawAccount | undefined }) {
  const { base, state } = useSession();
  if (progress.at !== 'review' || progress.wish.kind !== 'liquidate' || base === undefined || state === undefined) {
    return null;
  }
  const { debt, collateral, maxRepay, minSeize, into } = progress.wish.terms;
  const show = (units: bigint, listing: Listing | undefined) =>
    listing === undefined ? '' : `${format.amount(units, listing.reserve.decimals)} ${listing.symbol}`;
  const after = into === undefined ? undefined : progress.prepared.vaultAfter;
  const health = (vault: RawAccount) => {
    const { liquidation } = base.risk.vault(state.snapshot, state.moment, vault);
    return isRefused(liquidation) ? 'No price' : format.health(liquidation.health);
  };
  return (
    <>
      <p>
        You repay at most {show(maxRepay, state.listings[debt])} and receive at least{' '}
        {show(minSeize, state.listings[collateral])}
        {into !== undefined && ' as a deposit in your vault'}, or nothing happens.
      </p>
      {own !== undefined && after !== undefined && (
        <dl className="facts">
          <div>
            <dt>Health of your vault</dt>
            <dd>
              {health(own)} <Arrow /> {health(after)}
            </dd>
          </div>
        </dl>
      )}
    </>
  );
}
