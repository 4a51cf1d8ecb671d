import { useCallback, useEffect, useState } from 'react';

export interface Polled<T> {
  /** What was found last; `undefined` until the first look is over. */
  found: T | undefined;
  /** Why the last look found nothing, if so. */
  error: unknown;
  /** Looks now. */
  refresh: () => void;
}

/**
 * Looks again and again while the component is shown, once a period, which may depend on how long a look took. What another
 * `look` found is forgotten: keep it the same with `useMemo`, and a function for the period, too.
 */
export function usePolled<T>(
  look: (() => Promise<T>) | undefined,
  periodMilliseconds: number | ((tookMilliseconds: number) => number),
): Polled<T> {
  const [last, setLast] = useState<{ look: typeof look; found?: T | undefined; error?: unknown }>();
  const [looks, setLooks] = useState(0);
  useEffect(() => {
    if (look === undefined) {
      return;
    }
    let isOver = false;
    let timer: number | undefined;
    const again = async () => {
      const began = performance.now();
      let seen: { found: T } | { error: unknown };
      try {
        seen = { found: await look() };
      } catch (error) {
        seen = { error };
      }
      if (!isOver) {
        setLast((before) => ({ look, found: before?.look === look ? before.found : undefined, ...seen }));
        const wait =
          typeof periodMilliseconds === 'number' ? periodMilliseconds : periodMilliseconds(performance.now() - began);
        timer = window.setTimeout(() => void again(), wait);
      }
    };
    void again();
    return () => {
      isOver = true;
      window.clearTimeout(timer);
    };
  }, [look, periodMilliseconds, looks]);
  const refresh = useCallback(() => {
    setLooks((n) => n + 1);
  }, []);
  const current = last?.look === look ? last : undefined;
  return { found: current?.found, error: current?.error, refresh };
}
