/** Looking again and again: less often or not at all when nobody watches, and later after each failure. */

/** How eagerly something is looked at. Milliseconds. */
export interface Manner {
  /** From one look to the next; it may depend on how long the look took. */
  period: number | ((took: number) => number);
  /** After the first failure; doubled by each further one. */
  firstPause: number;
  longestPause: number;
  /** Between two looks while the page is hidden: `undefined` for none before it is shown again. */
  whileHidden: number | undefined;
}

/** For one request that says whether everything else may be trusted. */
export function closely(period: number): Manner {
  return { period, firstPause: 500, longestPause: 8_000, whileHidden: 30_000 };
}

/** For what takes a node some work to find: one that is overloaded is left alone for longer. */
export function gently(period: Manner['period']): Manner {
  return { period, firstPause: 2_000, longestPause: 60_000, whileHidden: undefined };
}

export interface Polling {
  /** Looks now: after the look that is under way, if one is. */
  again: () => void;
  stop: () => void;
}

/**
 * Calls `look` at once, and again after it is done, in this manner. What it throws is its failure, and it has to end. When the page
 * is shown again, or the network is back, it is called at once.
 */
export function poll({ period, firstPause, longestPause, whileHidden }: Manner, look: () => Promise<void>): Polling {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let isLooking = false;
  let isAgain = false;
  let isOver = false;
  const isPaused = () => document.hidden && whileHidden === undefined;
  const pause = (took: number) => {
    const regular = typeof period === 'number' ? period : period(took);
    const wanted = failures === 0 ? regular : Math.min(firstPause * 2 ** (failures - 1), longestPause);
    return document.hidden && whileHidden !== undefined ? Math.max(wanted, whileHidden) : wanted;
  };
  const run = async () => {
    isLooking = true;
    const began = performance.now();
    try {
      await look();
      failures = 0;
    } catch {
      failures += 1;
    }
    isLooking = false;
    if (!isOver) {
      const wait = pause(performance.now() - began);
      timer = setTimeout(isAgain ? run : runIfShown, isAgain ? 0 : wait);
      isAgain = false;
    }
  };
  const runIfShown = () => {
    if (!isPaused()) {
      void run();
    }
  };
  const again = () => {
    if (isLooking) {
      isAgain = true;
    } else if (!isOver) {
      clearTimeout(timer);
      void run();
    }
  };
  const shown = () => {
    if (!document.hidden) {
      again();
    }
  };
  const online = () => {
    if (!isPaused()) {
      again();
    }
  };
  document.addEventListener('visibilitychange', shown);
  window.addEventListener('online', online);
  runIfShown();
  return {
    again,
    stop: () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', shown);
      window.removeEventListener('online', online);
    },
  };
}
