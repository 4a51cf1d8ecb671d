import { useEffect, useRef, type ReactNode } from 'react';
import * as format from '../format';
import { useSession } from '../session';
import { Arrow } from './Arrow';
import { Copy } from './Copy';
import type { Progress } from './useTransaction';

const LAMPORT_DECIMALS = 9;

/** What a simulated transaction comes to, before it is signed; and what became of it. */
export function Review({
  progress,
  summary,
  onConfirm,
  onCancel,
}: {
  progress: Progress;
  summary: ReactNode;
  onConfirm: () => void;
  onCancel: () => void;
}) {
  // What the page shows is old: nothing is signed.
  const isOld = useSession().problem !== undefined;
  const sign = useRef<HTMLButtonElement>(null);
  const status = useRef<HTMLParagraphElement>(null);
  const group = useRef<HTMLDivElement>(null);
  const isReview = progress.at === 'review';
  const isAgain = isReview && progress.words !== undefined;
  useEffect(() => {
    if (!isReview) {
      return;
    }
    // What was not asked for is not to be signed by a key that was on its way down.
    (isAgain ? group : sign).current?.focus();
    const words = status.current;
    return () => {
      // The button that had the focus is gone.
      if (document.activeElement === document.body) {
        words?.focus();
      }
    };
  }, [isReview, isAgain]);
  return (
    <>
      {progress.at === 'review' && (
        <div ref={group} className="review" role="group" aria-label="Review" tabIndex={-1}>
          <p>The chain accepts this in a simulation. Once signed:</p>
          {summary}
          <dl className="facts">
            <div>
              <dt>SOL in the wallet</dt>
              <dd>
                {format.shortAmount(progress.prepared.lamports.before, LAMPORT_DECIMALS)} <Arrow />{' '}
                {format.shortAmount(progress.prepared.lamports.after, LAMPORT_DECIMALS)}
              </dd>
            </div>
            <div>
              <dt>Network fee</dt>
              <dd>{format.amount(progress.prepared.fee, LAMPORT_DECIMALS)} SOL</dd>
            </div>
            <div>
              <dt>of that for priority</dt>
              <dd>{format.amount(progress.prepared.priority, LAMPORT_DECIMALS)} SOL</dd>
            </div>
          </dl>
          <div className="buttons">
            <button ref={sign} type="button" disabled={isOld} onClick={onConfirm}>
              Sign and send
            </button>
            <button type="button" className="quiet" onClick={onCancel}>
              Cancel
            </button>
          </div>
        </div>
      )}
      <p ref={status} className="status" role="status" tabIndex={-1}>
        {wordsFor(progress)}
      </p>
      <Sent progress={progress} />
      {progress.at === 'signing' && (
        <button type="button" className="quiet" onClick={onCancel}>
          Cancel
        </button>
      )}
      {(progress.at === 'failed' || progress.at === 'review') && progress.words !== undefined && (
        <p className="problem" role="alert">
          {progress.words}
        </p>
      )}
    </>
  );
}

/** Where an executed transaction can be looked at. */
export function Sent({ progress }: { progress: Progress }) {
  const { config } = useSession();
  if (progress.at !== 'done') {
    return null;
  }
  const { signature } = progress;
  return (
    <p className="small">
      Transaction{' '}
      {config?.explorer === undefined ? (
        <Copy text={signature} what="signature" />
      ) : (
        <a href={config.explorer.replace('{signature}', signature)} target="_blank" rel="noreferrer">
          {format.short(signature)}
          <span className="unseen"> in the explorer, in a new tab</span>
        </a>
      )}
    </p>
  );
}

function wordsFor(progress: Progress): string {
  switch (progress.at) {
    case 'simulating':
      return 'Simulating…';
    case 'signing':
      return 'Waiting for the wallet to sign…';
    case 'confirming':
      return 'Sent. Waiting for the chain to confirm…';
    case 'done':
      return progress.words;
    default:
      return '';
  }
}
