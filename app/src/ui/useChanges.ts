import { useEffect, useMemo, useState } from 'react';
import { fetchChanges, fetchEnded, marketOf, type EndedChange, type QueuedChange } from '../chain/changes';
import { explain } from '../chain/errors';
import { useSession } from '../session';
import { usePolled } from './usePolled';

const PERIOD_MILLISECONDS = 4_000;

export interface Changes {
  /** By number; `undefined` until they are known. */
  queued: readonly QueuedChange[] | undefined;
  /** The ones that ended last. */
  ended: readonly EndedChange[];
  problem: string | undefined;
  /** Looks now. */
  refresh: () => void;
}

/** The changes of the market. */
export function useChanges(): Changes {
  const { config, base, state } = useSession();
  const [ended, setEnded] = useState<readonly EndedChange[]>([]);
  const [rpc, market] = [base?.rpc, config?.market];
  const ask = useMemo(
    () => (rpc === undefined || market === undefined ? undefined : () => fetchChanges(rpc, market)),
    [rpc, market],
  );
  const { found: queued, error, refresh } = usePolled(ask, PERIOD_MILLISECONDS);
  const next = state && marketOf(state).nextChange;
  // What is queued differs by numbers only: a change is closed once.
  const numbers = queued?.map(({ pending }) => pending.nonce).join();
  useEffect(() => {
    if (rpc === undefined || market === undefined || next === undefined || numbers === undefined) {
      return;
    }
    let isOver = false;
    const still = numbers === '' ? [] : numbers.split(',').map(BigInt);
    fetchEnded(rpc, market, next, still).then(
      (found) => {
        if (!isOver) {
          setEnded(found);
        }
      },
      () => {
        // A node that keeps no history: there is nothing to show of it.
      },
    );
    return () => {
      isOver = true;
    };
  }, [rpc, market, next, numbers]);
  const problem = error === undefined ? undefined : `The queued changes cannot be fetched: ${explain(error)}`;
  return { queued, ended, problem, refresh };
}
