import { lazy, Suspense, useEffect, useRef } from 'react';
import { assetOfPath, Link, usePath } from '../router';
import { useSession } from '../session';
import { Connection } from './Connection';
import { Fallback } from './Fallback';
import { LocalChain } from './LocalChain';
import { Markets } from './Markets';
import { VaultPage } from './VaultPage';
import { WalletBar } from './WalletBar';

const Liquidations = lazy(async () => ({ default: (await import('./Liquidations')).Liquidations }));
const RiskPage = lazy(async () => ({ default: (await import('./Risk')).RiskPage }));
const Governance = lazy(async () => ({ default: (await import('./Governance')).Governance }));

/** A page: add it here, and it has a path and a link. */
const PAGES = [
  { path: '/', title: 'Markets', show: Markets },
  { path: '/vault', title: 'Vault', show: VaultPage },
  { path: '/liquidations', title: 'Liquidations', show: Liquidations },
  { path: '/risk', title: 'Risk', show: RiskPage },
  { path: '/governance', title: 'Governance', show: Governance },
] as const;

/** With its charts, which the other pages do not need. */
const MarketPage = lazy(() => import('./MarketPage'));

export function App() {
  const path = usePath();
  const page = PAGES.find((one) => one.path === path);
  const asset = assetOfPath(path);
  const { config, problem } = useSession();
  const title = page?.title ?? asset ?? 'Not found';
  const shown = useRef(path);
  useEffect(() => {
    document.title = `${title} · Keel`;
    if (shown.current !== path && document.activeElement === document.body) {
      // The link that led here is gone, and the focus with it.
      document.getElementById('main')?.focus({ preventScroll: true });
    }
    shown.current = path;
  }, [title, path]);
  if (config === undefined && problem === undefined) {
    // What there is to show depends on it: nothing shall jump.
    return null;
  }
  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="bar">
        <div className="bar-inside">
          <Link to="/" className="brand">
            <img src="/favicon.svg" alt="" width="28" height="28" />
            Keel
          </Link>
          <nav aria-label="Pages">
            {PAGES.map((one) => (
              <Link key={one.path} to={one.path} className="tab">
                {one.title}
              </Link>
            ))}
          </nav>
          <WalletBar />
        </div>
      </header>
      <p className="unseen" role="status">
        {title}
      </p>
      <main id="main" tabIndex={-1} className={problem === undefined ? undefined : 'old'}>
        {config?.local === true && <LocalChain />}
        {asset !== undefined ? (
          <Fallback key={path}>
            <Suspense fallback={<p aria-busy="true">Loading…</p>}>
              <MarketPage key={asset} symbol={asset} />
            </Suspense>
          </Fallback>
        ) : page === undefined ? (
          <section className="card">
            <h1>There is no such page</h1>
            <p>
              The <Link to="/">markets</Link> are here.
            </p>
          </section>
        ) : (
          <Fallback key={path}>
            <Suspense fallback={<p aria-busy="true">Loading…</p>}>
              <page.show />
            </Suspense>
          </Fallback>
        )}
      </main>
      <Connection />
    </>
  );
}
