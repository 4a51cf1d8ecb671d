import type { Address } from '@solana/kit';
import { useEffect, useMemo, useRef, useState } from 'react';
import { explain } from '../chain/errors';
import { EventFeed, keyOf, type EventPage, type HistoryEvent } from '../chain/history';
import * as format from '../format';
import { useSession } from '../session';
import { describe, type Asset } from './describe';
import { usePolled } from './usePolled';
import './History.css';

/** How often the newest events are asked for. */
const PERIOD_MILLISECONDS = 2_000;

/** What happened to a vault, as the indexer tells it: the newest first, live. */
export function History({
  vault,
  assetOf,
  onlyIfAny = false,
}: {
  vault: Address;
  assetOf: (reserve: string) => Asset | undefined;
  /** Whether nothing is shown where there is nothing: of a vault that is not open. */
  onlyIfAny?: boolean;
}) {
  const api = useSession().config?.api;
  const { page, problem, isLoading, older } = useEvents(api, vault);
  const news = useNews(page, assetOf);
  if (onlyIfAny && (page === undefined || page.events.length === 0)) {
    return null;
  }
  return (
    <section className="card history" aria-labelledby="history-title">
      <h2 id="history-title">History</h2>
      {api === undefined ? (
        <p>This server keeps no history.</p>
      ) : (
        <>
          <p role="status" className="unseen">
            {news}
          </p>
          {problem !== undefined && (
            <p className="problem" role="alert">
              {problem}
            </p>
          )}
          {page === undefined ? (
            <p aria-busy={problem === undefined}>{problem === undefined ? 'Loading…' : 'Nothing to show.'}</p>
          ) : page.events.length === 0 ? (
            <p>Nothing has happened yet that this server knows of.</p>
          ) : (
            <ol className="events">
              {page.events.map((event) => (
                <Row key={keyOf(event)} event={event} assetOf={assetOf} />
              ))}
            </ol>
          )}
          {page?.next != null && (
            <button type="button" className="quiet" disabled={isLoading} onClick={() => void older()}>
              {isLoading ? 'Loading…' : 'Show earlier'}
            </button>
          )}
        </>
      )}
    </section>
  );
}

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

function Row({ event, assetOf }: { event: HistoryEvent; assetOf: (reserve: string) => Asset | undefined }) {
  const { title, detail } = describe(event, assetOf);
  const moment = event.time === null ? undefined : new Date(event.time * 1_000);
  return (
    <li>
      <span className="event-title">{title}</span>
      {detail !== undefined && <span className="small event-detail">{detail}</span>}
      <span className="small event-when">
        {moment === undefined ? 'Time unknown' : <time dateTime={moment.toISOString()}>{MOMENT.format(moment)}</time>}
        {!event.final && <span className="event-open"> · not final yet</span>}
      </span>
      <code className="small" title={event.signature}>
        <span className="unseen">Transaction </span>
        {format.short(event.signature)}
      </code>
    </li>
  );
}

function useEvents(api: string | undefined, vault: Address) {
  const feed = useMemo(() => (api === undefined ? undefined : new EventFeed(api, vault)), [api, vault]);
  const look = useMemo(() => feed && (() => feed.look()), [feed]);
  const { found, error, refresh } = usePolled(look, PERIOD_MILLISECONDS);
  const [isLoading, setLoading] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const older = async () => {
    setLoading(true);
    try {
      await feed?.older();
      setFailure(undefined);
      refresh();
    } catch (reason) {
      setFailure(reason);
    }
    setLoading(false);
  };
  const problem = error ?? failure;
  return { page: found, problem: problem === undefined ? undefined : explain(problem), isLoading, older };
}

/** For screen readers: the newest event, when there is another one than at first. */
function useNews(page: EventPage | undefined, assetOf: (reserve: string) => Asset | undefined): string {
  const first = useRef<string>(undefined);
  const [news, setNews] = useState('');
  const newest = page?.events.at(0);
  const key = page === undefined ? undefined : newest === undefined ? '' : keyOf(newest);
  const title = newest === undefined ? '' : describe(newest, assetOf).title;
  useEffect(() => {
    if (key !== undefined && first.current !== undefined && first.current !== key) {
      setNews(title);
    }
    first.current = key ?? first.current;
  }, [key, title]);
  return news;
}
