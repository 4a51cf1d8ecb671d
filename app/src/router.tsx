/** Which page is shown: the path of the address bar. */
import { useSyncExternalStore, type ReactNode } from 'react';

const MOVED = 'keel:moved';

function subscribe(changed: () => void): () => void {
  window.addEventListener('popstate', changed);
  window.addEventListener(MOVED, changed);
  return () => {
    window.removeEventListener('popstate', changed);
    window.removeEventListener(MOVED, changed);
  };
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => window.location.pathname);
}

/** Shows another page without loading anything. */
export function go(path: string): void {
  window.history.pushState(null, '', path);
  window.dispatchEvent(new Event(MOVED));
  window.scrollTo(0, 0);
}

const MARKET = '/market/';

/** The page of an asset. */
export function marketPath(symbol: string): string {
  return `${MARKET}${encodeURIComponent(symbol)}`;
}

/** The asset whose page a path is. */
export function assetOfPath(path: string): string | undefined {
  if (!path.startsWith(MARKET)) {
    return undefined;
  }
  try {
    return decodeURIComponent(path.slice(MARKET.length));
  } catch {
    return undefined;
  }
}

/** A link to a page of the app. */
export function Link({ to, className, children }: { to: string; className?: string; children: ReactNode }) {
  const isHere = usePath() === to;
  return (
    <a
      href={to}
      className={className}
      aria-current={isHere ? 'page' : undefined}
      onClick={(event) => {
        // A new tab or window is the browser's.
        if (event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey) {
          event.preventDefault();
          go(to);
        }
      }}
    >
      {children}
    </a>
  );
}
