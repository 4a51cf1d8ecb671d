import { useEffect } from 'react';
import { Link, usePath } from '../router';
import { useSession } from '../session';
import { Markets } from './Markets';
import { VaultPage } from './VaultPage';
import { WalletBar } from './WalletBar';

/** A page: add it here, and it has a path and a link. */
const PAGES = [
  { path: '/', title: 'Markets', show: Markets },
  { path: '/vault', title: 'Vault', show: VaultPage },
] as const;

export function App() {
  const path = usePath();
  const page = PAGES.find((one) => one.path === path);
  const { config, problem } = useSession();
  const title = page?.title ?? 'Not found';
  useEffect(() => {
    document.title = `${title} · Keel`;
  }, [title]);
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
      <main id="main" tabIndex={-1}>
        {config?.local === true && (
          <p className="notice">
            A local chain for tests: nothing here has a value. Keys in this browser are not safe.
          </p>
        )}
        {problem !== undefined && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        {page === undefined ? (
          <section className="card">
            <h1>There is no such page</h1>
            <p>
              The <Link to="/">markets</Link> are here.
            </p>
          </section>
        ) : (
          <page.show />
        )}
      </main>
    </>
  );
}
