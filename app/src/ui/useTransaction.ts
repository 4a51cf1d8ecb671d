import type { Signature } from '@solana/kit';
import { useEffect, useRef, useState } from 'react';
import { explain } from '../chain/errors';
import type { Wish } from '../chain/instructions';
import { prepare, send, UnsentError, type Prepared } from '../chain/send';
import { sameData } from '../chain/state';
import { useSession } from '../session';

/** Where a transaction is on its way. */
export type Progress =
  | { at: 'idle' }
  | { at: 'simulating' }
  /** `words`: why it is here once more. */
  | { at: 'review'; wish: Wish; prepared: Prepared; words?: string }
  | { at: 'signing' }
  | { at: 'confirming' }
  | { at: 'done'; words: string; signature: Signature }
  | { at: 'failed'; words: string };

const IDLE: Progress = { at: 'idle' };
/** For how long what was simulated may be signed: prices go on. */
const FRESH_MILLISECONDS = 60_000;
const AGED = 'That was simulated more than a minute ago. This is what would happen now.';
const CHANGED = 'Your vault has changed in the meantime. This is what would happen now.';

/** One transaction after the other: simulated, reviewed, signed, confirmed. */
export function useTransaction() {
  const { config, base, state, holdings, wallet, problem, refresh, tell } = useSession();
  const [progress, setProgress] = useState<Progress>(IDLE);
  /** Counts what was begun: what was given up is not sent when it is signed after all. */
  const attempt = useRef(0);
  /** What was confirmed last, and whether its user went elsewhere: how it ends is told there. */
  const last = useRef({ isLeft: false });
  useEffect(
    () => () => {
      last.current.isLeft = true;
    },
    [],
  );
  const isOld = problem !== undefined;
  const isUnderWay = progress.at === 'signing' || progress.at === 'confirming';

  const review = async (wish: Wish, words?: string) => {
    if (
      config === undefined ||
      base === undefined ||
      state === undefined ||
      holdings === undefined ||
      wallet === undefined ||
      isOld ||
      isUnderWay
    ) {
      return;
    }
    attempt.current += 1;
    const mine = attempt.current;
    setProgress({ at: 'simulating' });
    try {
      const prepared = await prepare(base.rpc, config, base.risk, state, holdings, wallet, wish);
      if (mine === attempt.current) {
        setProgress({ at: 'review', wish, prepared, ...(words !== undefined && { words }) });
      }
    } catch (error) {
      if (mine === attempt.current) {
        setProgress({ at: 'failed', words: explain(error) });
      }
    }
  };
  /** Whether it was executed. */
  const confirm = async (done: string): Promise<boolean> => {
    if (progress.at !== 'review' || config === undefined || base === undefined || wallet === undefined || isOld) {
      return false;
    }
    const { wish, prepared } = progress;
    if (Date.now() - prepared.at > FRESH_MILLISECONDS) {
      await review(wish, AGED);
      return false;
    }
    const mine = attempt.current;
    const way = { isLeft: false };
    last.current = way;
    try {
      const signature = await send(base.rpc, config, wallet, prepared, (at) => {
        if (mine !== attempt.current) {
          throw new UnsentError('It was given up.');
        }
        setProgress({ at });
      });
      if (way.isLeft) {
        tell(done);
      } else {
        setProgress({ at: 'done', words: done, signature });
      }
      return true;
    } catch (error) {
      if (way.isLeft) {
        tell(`Your transaction: ${explain(error)}`);
      } else if (mine === attempt.current) {
        setProgress(
          error instanceof UnsentError
            ? { at: 'review', wish, prepared, words: `${error.message} Nothing was sent.` }
            : { at: 'failed', words: explain(error) },
        );
      }
      return false;
    } finally {
      refresh();
    }
  };
  const reset = () => {
    if (progress.at === 'confirming') {
      // It is sent, and cannot be given up.
      last.current.isLeft = true;
    }
    attempt.current += 1;
    setProgress(IDLE);
  };

  // What is reviewed was simulated for one wallet, with its vault as it was. Another tab or a keeper may have changed that.
  const reviewed = progress.at === 'review' ? progress : undefined;
  const isForeign = reviewed !== undefined && reviewed.prepared.owner !== wallet?.address;
  const isChanged =
    reviewed !== undefined &&
    !ELSEWHERE.includes(reviewed.wish.kind) &&
    holdings !== undefined &&
    !sameData(reviewed.prepared.vault, holdings.vault?.data);
  const isPossible = reviewed !== undefined && isStillPossible(reviewed, holdings?.vault !== undefined);
  const isVoid = isForeign || (isChanged && !isPossible);
  useEffect(() => {
    if (reviewed === undefined || !isChanged || isVoid) {
      return;
    }
    const timer = setTimeout(() => void review(reviewed.wish, CHANGED));
    return () => {
      clearTimeout(timer);
    };
  });
  return {
    progress: isVoid ? IDLE : progress,
    review,
    confirm,
    reset,
    /** Whether another one cannot be begun: this one is on its way, or what is shown is old. */
    isOff: isOld || isUnderWay || progress.at === 'simulating',
  };
}

/** What is done without the vault that is shown. */
const ELSEWHERE: readonly Wish['kind'][] = ['accept', 'change', 'acceptRole', 'liquidate'];

/** Whether a vault that is there, or not any more, leaves the wish a meaning. */
function isStillPossible({ wish, prepared }: { wish: Wish; prepared: Prepared }, hasVault: boolean): boolean {
  // The first one may have been opened elsewhere.
  return wish.kind === 'open' ? prepared.vault !== undefined || !hasVault : hasVault;
}
