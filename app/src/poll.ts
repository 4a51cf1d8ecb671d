/** Looking again and again: less often when nobody watches, and later after each failure. */

/** Between two looks while the page is hidden. */
const HIDDEN_MILLISECONDS = 30_000;
/** After the first failure; doubled by each further one. */
const FIRST_PAUSE_MILLISECONDS = 500;
const LONGEST_PAUSE_MILLISECONDS = 8_000;

export interface Polling {
  /** Looks now: after the look that is under way, if one is. */
  again: () => void;
  stop: () => void;
}

/**
 * Calls `look` at once, and again `period` milliseconds after it is done. What it throws is its failure, and it has to end.
 * When the page is shown again, or the network is back, it is called at once.
 */
export function poll(period: number, look: () => Promise<void>): Polling {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let isLooking = false;
  let isAgain = false;
  let isOver = false;
  const pause = () => {
    const regular = document.hidden ? HIDDEN_MILLISECONDS : period;
    const longer = Math.min(FIRST_PAUSE_MILLISECONDS * 2 ** (failures - 1), LONGEST_PAUSE_MILLISECONDS);
    return failures === 0 ? regular : Math.max(longer, document.hidden ? HIDDEN_MILLISECONDS : 0);
  };
  const run = async () => {
    isLooking = true;
    try {
      await look();
      failures = 0;
    } catch {
      failures += 1;
    }
    isLooking = false;
    if (!isOver) {
      timer = setTimeout(() => void run(), isAgain ? 0 : pause());
      isAgain = false;
    }
  };
  const again = () => {
    if (isLooking) {
      isAgain = true;
    } else {
      clearTimeout(timer);
      void run();
    }
  };
  const shown = () => {
    if (!document.hidden) {
      again();
    }
  };
  document.addEventListener('visibilitychange', shown);
  window.addEventListener('online', again);
  void run();
  return {
    again,
    stop: () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', shown);
      window.removeEventListener('online', again);
    },
  };
}
