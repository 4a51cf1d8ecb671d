import { useEffect, useId, useRef, useState } from 'react';
import { explain } from '../chain/errors';
import { fetchScenarios, playScenario, stopScenario, type Scenarios } from '../chain/local';
import * as format from '../format';
import { closely, poll, type Polling } from '../poll';
import { isRefused, priceOf } from '../risk';
import { useSession } from '../session';
import './LocalChain.css';

/** How often the server is asked what is playing. */
const PERIOD_MILLISECONDS = 1_000;

/** What a chain of tests has beside the market: a warning, and prices that can be moved. */
export function LocalChain() {
  const [scenarios, setScenarios] = useState<Scenarios>();
  const [isOpen, setOpen] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [words, setWords] = useState('');
  const panel = useId();
  const polling = useRef<Polling>(undefined);

  useEffect(() => {
    // While nobody answers, the page says so elsewhere, and what was known stays.
    const started = poll(closely(PERIOD_MILLISECONDS), async () => {
      setScenarios(await fetchScenarios());
    });
    polling.current = started;
    return started.stop;
  }, []);

  const act = async (action: () => Promise<void>, done: string) => {
    setProblem(undefined);
    try {
      await action();
      setWords(done);
    } catch (error) {
      setProblem(explain(error));
    }
    polling.current?.again();
  };
  const playing = scenarios?.playing;
  const played = scenarios?.offered.find((one) => one.name === playing?.name);
  const hasChoice = scenarios !== undefined && scenarios.offered.length > 0;
  return (
    <section className="notice local" aria-label="Local chain">
      <div className="local-row">
        {playing && played ? (
          <>
            <p className="local-text">
              <strong>{played.title}</strong>{' '}
              <span className="local-time">
                {playing.elapsed} s of {played.seconds} s
              </span>
              <progress max={played.seconds} value={playing.elapsed} aria-label={played.title} />
            </p>
            <button
              type="button"
              className="quiet"
              onClick={() => void act(stopScenario, 'Stopped. Prices stay where they are.')}
            >
              Stop
            </button>
          </>
        ) : (
          <p className="local-text">
            A local chain for tests: nothing here has a value. Keys in this browser are not safe.
          </p>
        )}
        <button
          type="button"
          className="quiet"
          aria-expanded={isOpen}
          aria-controls={panel}
          disabled={!hasChoice}
          onClick={() => {
            setOpen(!isOpen);
          }}
        >
          Move prices
        </button>
      </div>
      <div id={panel} hidden={!isOpen}>
        <PricesNow />
        <ul className="scenarios">
          {scenarios?.offered.map(({ name, title, summary, seconds }) => (
            <li key={name}>
              <button
                type="button"
                className="quiet wide"
                disabled={playing !== null}
                onClick={() => void act(() => playScenario(name), `Playing: ${title}.`)}
              >
                {title}
              </button>
              <p className="small">
                {summary} Takes {seconds} s.
              </p>
            </li>
          ))}
        </ul>
        {problem !== undefined && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
      </div>
      <p role="status" className="unseen">
        {words}
      </p>
    </section>
  );
}

/** The price of each asset that has one of its own. */
function PricesNow() {
  const { base, state } = useSession();
  const views = base && state ? base.risk.reserves(state.snapshot, state.moment) : undefined;
  if (views === undefined || isRefused(views)) {
    return null;
  }
  return (
    <dl className="prices-now" aria-label="Prices now">
      {views.map((view, i) => {
        const price = priceOf(view);
        return view.minted ? null : (
          <div key={state?.listings[i]?.address}>
            <dt>{state?.listings[i]?.symbol}</dt>
            <dd>{isRefused(price) ? 'No price' : format.price(price, view.decimals)}</dd>
          </div>
        );
      })}
    </dl>
  );
}
