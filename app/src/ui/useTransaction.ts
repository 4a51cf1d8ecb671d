import { useState } from 'react';
import { explain } from '../chain/errors';
import type { Wish } from '../chain/instructions';
import { prepare, send, type Prepared } from '../chain/send';
import { useSession } from '../session';

/** Where a transaction is on its way. */
export type Progress =
  | { at: 'idle' }
  | { at: 'simulating' }
  | { at: 'review'; wish: Wish; prepared: Prepared }
  | { at: 'signing' }
  | { at: 'confirming' }
  | { at: 'done'; words: string }
  | { at: 'failed'; words: string };

/** One transaction after the other: simulated, reviewed, signed, confirmed. */
export function useTransaction() {
  const { config, base, state, holdings, wallet, refresh } = useSession();
  const [progress, setProgress] = useState<Progress>({ at: 'idle' });
  const fail = (error: unknown) => {
    setProgress({ at: 'failed', words: explain(error) });
  };
  const review = async (wish: Wish) => {
    if (
      config === undefined ||
      base === undefined ||
      state === undefined ||
      holdings === undefined ||
      wallet === undefined
    ) {
      return;
    }
    setProgress({ at: 'simulating' });
    try {
      const prepared = await prepare(base.rpc, config, base.risk, state, holdings, wallet, wish);
      setProgress({ at: 'review', wish, prepared });
    } catch (error) {
      fail(error);
    }
  };
  /** Whether it was executed. */
  const confirm = async (done: string): Promise<boolean> => {
    if (progress.at !== 'review' || config === undefined || base === undefined || wallet === undefined) {
      return false;
    }
    try {
      await send(base.rpc, config, wallet, progress.prepared, (at) => {
        setProgress({ at });
      });
      setProgress({ at: 'done', words: done });
      return true;
    } catch (error) {
      fail(error);
      return false;
    } finally {
      refresh();
    }
  };
  const reset = () => {
    setProgress({ at: 'idle' });
  };
  return { progress, review, confirm, reset };
}
