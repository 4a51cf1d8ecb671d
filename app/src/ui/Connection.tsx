import { useEffect, useState } from 'react';
import * as format from '../format';
import { useSession } from '../session';
import './Connection.css';

/** News that nobody dismisses go by themselves. */
const NEWS_MILLISECONDS = 20_000;

/** Whether the chain answers, and what has happened to it or to the wallet: at the bottom of the window, wherever one is. */
export function Connection() {
  const { problem, hasMoved, news, state, refresh, dismissNews } = useSession();
  useEffect(() => {
    const timer = setTimeout(dismissNews, NEWS_MILLISECONDS);
    return () => {
      clearTimeout(timer);
    };
  }, [news, dismissNews]);
  const kind = problem !== undefined ? 'bad-news' : news !== undefined ? 'news' : '';
  return (
    <aside aria-label="Connection" className={`connection ${kind}`}>
      <div>
        <div role="alert">
          {problem !== undefined && (
            <p>
              {problem} {state !== undefined && 'Nothing can be signed.'} {!hasMoved && 'Trying again…'}
            </p>
          )}
        </div>
        {problem !== undefined && state !== undefined && <Age />}
        <div role="status">{problem === undefined && news !== undefined && <p>{news}</p>}</div>
      </div>
      {hasMoved ? (
        <button
          type="button"
          className="quiet"
          onClick={() => {
            window.location.reload();
          }}
        >
          Reload
        </button>
      ) : (
        kind !== '' && (
          <button type="button" className="quiet" onClick={problem === undefined ? dismissNews : refresh}>
            {problem === undefined ? 'OK' : 'Try now'}
          </button>
        )
      )}
    </aside>
  );
}

/** How old that is what is shown. */
function Age() {
  const { seenAt } = useSession();
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(performance.now());
    }, 1_000);
    return () => {
      clearInterval(timer);
    };
  }, []);
  return (
    <p className="connection-age">
      What you see is as of {format.ago(BigInt(Math.max(0, Math.round((now - seenAt) / 1_000))))}.
    </p>
  );
}
