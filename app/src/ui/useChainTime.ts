import { useEffect, useState } from 'react';
import { useSession } from '../session';

/** The chain's time, Unix seconds, moving on each second between two looks at the chain. */
export function useChainTime(): bigint | undefined {
  const { state } = useSession();
  const now = state?.moment.now;
  const [passed, setPassed] = useState({ since: now, seconds: 0n });
  useEffect(() => {
    const began = performance.now();
    const timer = window.setInterval(() => {
      setPassed({ since: now, seconds: BigInt(Math.floor((performance.now() - began) / 1_000)) });
    }, 1_000);
    return () => {
      window.clearInterval(timer);
    };
  }, [now]);
  return now === undefined || passed.since !== now ? now : now + passed.seconds;
}
