import { useEffect, useRef, type ReactNode } from 'react';
import * as format from '../format';
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
  const sign = useRef<HTMLButtonElement>(null);
  const isReview = progress.at === 'review';
  useEffect(() => {
    if (isReview) {
      sign.current?.focus();
    }
  }, [isReview]);
  return (
    <>
      {progress.at === 'review' && (
        <div className="review" role="group" aria-label="Review">
          <p>The chain accepts this in a simulation. Once signed:</p>
          {summary}
          <dl className="facts">
            <div>
              <dt>SOL in the wallet</dt>
              <dd>
                {format.shortAmount(progress.prepared.lamports.before, LAMPORT_DECIMALS)} →{' '}
                {format.shortAmount(progress.prepared.lamports.after, LAMPORT_DECIMALS)}
              </dd>
            </div>
            <div>
              <dt>Network fee</dt>
              <dd>{format.amount(progress.prepared.fee, LAMPORT_DECIMALS)} SOL</dd>
            </div>
          </dl>
          <div className="buttons">
            <button ref={sign} type="button" onClick={onConfirm}>
              Sign and send
            </button>
            <button type="button" className="quiet" onClick={onCancel}>
              Cancel
            </button>
          </div>
        </div>
      )}
      <p className="status" role="status">
        {wordsFor(progress)}
      </p>
      {progress.at === 'failed' && (
        <p className="problem" role="alert">
          {progress.words}
        </p>
      )}
    </>
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
