import { useCallback, useEffect, useRef, useState } from 'react';
import { gently, poll, type Manner, type Polling } from '../poll';
import { useSession } from '../session';

export interface Polled<T> {
  /** What was found last; `undefined` until the first look is over. */
  found: T | undefined;
  /** Why the last look found nothing, if so. */
  error: unknown;
  /** Looks now. */
  refresh: () => void;
}

/**
 * Looks again and again while the component and the page are shown, once a period, more seldom when it fails; at once when the
 * chain answers again. What another `look` found is forgotten: keep it the same with `useMemo`, and a function for the period, too.
 */
export function usePolled<T>(look: (() => Promise<T>) | undefined, period: Manner['period']): Polled<T> {
  const { problem } = useSession();
  const [last, setLast] = useState<{ look: typeof look; found?: T | undefined; error?: unknown }>();
  const polling = useRef<Polling>(undefined);
  useEffect(() => {
    if (look === undefined) {
      return;
    }
    let isOver = false;
    const keep = (seen: { found: T } | { error: unknown }) => {
      if (!isOver) {
        setLast((before) => ({ look, found: before?.look === look ? before.found : undefined, ...seen }));
      }
    };
    const started = poll(gently(period), async () => {
      try {
        keep({ found: await look() });
      } catch (error) {
        keep({ error });
        throw error;
      }
    });
    polling.current = started;
    return () => {
      isOver = true;
      polling.current = undefined;
      started.stop();
    };
  }, [look, period]);

  const isLost = problem !== undefined;
  const wasLost = useRef(isLost);
  useEffect(() => {
    if (wasLost.current && !isLost) {
      polling.current?.again();
    }
    wasLost.current = isLost;
  }, [isLost]);

  const refresh = useCallback(() => {
    polling.current?.again();
  }, []);
  const current = last?.look === look ? last : undefined;
  return { found: current?.found, error: current?.error, refresh };
}
