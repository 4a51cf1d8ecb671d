/** What all pages share: the chain as it is now, and the wallet. */
import type { Address, Rpc, SolanaRpcApi } from '@solana/kit';
import { createContext, use, useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { fetchConfig, type Config } from './chain/config';
import { explain } from './chain/errors';
import { connect as connectNode } from './chain/rpc';
import { discover, fetchState, isSameMarket, type Holdings, type State } from './chain/state';
import { closely, gently, poll, type Polling } from './poll';
import { Risk, type Snapshot } from './risk';
import moduleUrl from './risk/keel_risk.wasm?url';
import type { Connector, Wallet } from './wallet';

/** How often the chain is looked at. */
const PERIOD_MILLISECONDS = 2_000;
/** A node that has not answered by then is taken for dead: what is shown would be too old to act on. */
const PATIENCE_MILLISECONDS = 5_000;
/** A node whose chain has not gone on for so long has lost the others. */
const STILL_MILLISECONDS = 30_000;
/** How often it is looked whether the market has other reserves or price accounts than it had. */
const MARKET_MILLISECONDS = 30_000;
/** In the browser's storage: the address that was disconnected last, and when. Other tabs are told of it. */
const DISCONNECTED = 'keel.disconnected';

/** What seldom changes while the page is open: with the market's reserves, and when a local chain is started anew. */
export interface Base {
  rpc: Rpc<SolanaRpcApi>;
  risk: Risk;
  known: Snapshot;
  /** Which chain it is. */
  genesis: string;
}

export interface Session {
  /** Fetched before anything is shown. */
  config: Config | undefined;
  base: Base | undefined;
  state: State | undefined;
  /** When `state` was fetched, as `performance.now()` says it. */
  seenAt: number;
  /** What the connected wallet holds, once it is known. */
  holdings: Holdings | undefined;
  wallet: Wallet | undefined;
  /** Why the chain cannot be looked at, at the moment: `state` is old, and nothing may be signed. */
  problem: string | undefined;
  /** Whether that is because the chain has another address, and only loading the page anew helps. */
  hasMoved: boolean;
  /** What has happened to the chain or the wallet. */
  news: string | undefined;
  connect: (connector: Connector) => Promise<void>;
  disconnect: () => void;
  /** Shows another vault than the wallet's first. */
  chooseVault: (address: Address | undefined) => void;
  /** Looks at the chain now. */
  refresh: () => void;
  /** Says at the bottom of the window what has happened. */
  tell: (words: string) => void;
  dismissNews: () => void;
}

const Context = createContext<Session | undefined>(undefined);

export function SessionProvider({ children }: { children: ReactNode }) {
  const [config, setConfig] = useState<Config>();
  const [base, setBase] = useState<Base>();
  const [seen, setSeen] = useState<{ state: State; at: number }>();
  const [wallet, setWallet] = useState<Wallet>();
  const [problem, setProblem] = useState<string>();
  const [hasMoved, setMoved] = useState(false);
  const [news, setNews] = useState<string>();
  const polling = useRef<Polling>(undefined);
  // What the last look found. It is of no use before the next one, and so no state.
  const found = useRef<{ config: Config; base: Base }>(undefined);
  // How far a chain had come, by its own clock, and when that was seen first.
  const clock = useRef<{ genesis: string; now: bigint; at: number }>(undefined);
  // The address of the chain that the page was served with.
  const served = useRef<string>(undefined);
  const [vault, setVault] = useState<Address>();
  const owner = wallet?.address;

  useEffect(() => {
    const over = new AbortController();
    const isOver = () => over.signal.aborted;
    let hasFailed = false;
    let isRestarted = false;
    const look = async () => {
      try {
        const before = found.current;
        const current = before !== undefined && !hasFailed ? before.config : await configNow(before?.config);
        served.current ??= current.rpc;
        if (current.rpc !== served.current) {
          throw new MovedError();
        }
        setConfig(current);
        const now = {
          config: current,
          base: await baseOf(current, before?.config === current ? before.base : undefined),
        };
        found.current = now;
        setBase(now.base);
        const limit = AbortSignal.timeout(PATIENCE_MILLISECONDS);
        const at = performance.now();
        const state = await fetchState(now.base.rpc, current, now.base.known, owner, limit, vault);
        if (isOver()) {
          return;
        }
        const { genesis } = now.base;
        const last = clock.current?.genesis === genesis ? clock.current : undefined;
        if (last !== undefined && state.moment.now <= last.now) {
          if (at - last.at > STILL_MILLISECONDS) {
            setSeen((seenLast) => seenLast && { ...seenLast, at: last.at });
            throw new Error('The node answers, but its chain has stood still for half a minute or more.');
          }
          if (state.moment.now < last.now) {
            // Of several nodes behind one address, this one is behind the last: what it knows is older than what is shown.
            return;
          }
        } else {
          clock.current = { genesis, now: state.moment.now, at };
        }
        setSeen({ state, at });
        setProblem(undefined);
        setMoved(false);
        if (isRestarted) {
          setNews('The chain was started anew. What was on the old one is gone.');
        } else if (hasFailed) {
          setNews('The chain answers again.');
        }
        hasFailed = false;
        isRestarted = false;
      } catch (error) {
        if (error instanceof RestartedError) {
          found.current = undefined;
          isRestarted = true;
        }
        hasFailed = true;
        if (!isOver()) {
          setProblem(explain(error));
          setMoved(error instanceof MovedError);
        }
        throw error;
      }
    };
    polling.current = poll(closely(PERIOD_MILLISECONDS), look);
    return () => {
      over.abort();
      polling.current?.stop();
    };
  }, [owner, vault]);

  useEffect(() => {
    const look = async () => {
      const before = found.current;
      if (before === undefined) {
        return;
      }
      const { config: current, base: old } = before;
      const known = await discover(old.rpc, current, old.known);
      if (found.current?.base === old && !isSameMarket(known, old.known)) {
        // The next look at the chain takes it from here.
        found.current = { config: current, base: { ...old, known } };
      }
    };
    return poll(gently(MARKET_MILLISECONDS), look).stop;
  }, []);

  useEffect(() => {
    if (wallet === undefined) {
      return;
    }
    const change = (changed: Wallet | undefined, words: string) => {
      setWallet(changed);
      // That vault was the other one's.
      setVault(undefined);
      setNews(words);
    };
    const stop = wallet.onChange(change);
    const elsewhere = ({ key, newValue }: StorageEvent) => {
      if (key === DISCONNECTED && newValue?.startsWith(wallet.address) === true) {
        change(undefined, 'The wallet was disconnected in another tab.');
      }
    };
    window.addEventListener('storage', elsewhere);
    return () => {
      stop();
      window.removeEventListener('storage', elsewhere);
    };
  }, [wallet]);

  const connect = useCallback(async (connector: Connector) => {
    setWallet(await connector.connect());
    setVault(undefined);
    setNews(undefined);
  }, []);
  const dismissNews = useCallback(() => {
    setNews(undefined);
  }, []);
  const state = seen?.state;
  const session = useMemo(
    (): Session => ({
      config,
      base,
      state,
      seenAt: seen?.at ?? 0,
      // Another wallet's or another vault are still shown for a moment otherwise.
      holdings:
        state?.holdings?.owner === owner && (vault === undefined || state?.holdings?.vaultAddress === vault)
          ? state?.holdings
          : undefined,
      wallet,
      problem,
      hasMoved,
      news,
      connect,
      disconnect: () => {
        setWallet(undefined);
        localStorage.setItem(DISCONNECTED, `${owner ?? ''} ${Date.now().toString()}`);
      },
      chooseVault: setVault,
      refresh: () => {
        polling.current?.again();
      },
      tell: setNews,
      dismissNews,
    }),
    [config, base, state, seen, owner, vault, wallet, problem, hasMoved, news, connect, dismissNews],
  );
  return <Context value={session}>{children}</Context>;
}

/** A chain for tests was started anew at the same address. */
class RestartedError extends Error {
  constructor() {
    super('The chain was started anew.');
  }
}

/** The chain has another address, and the page's policy names only the one that it was served with. */
class MovedError extends Error {
  constructor() {
    super('The chain has moved to another address, which this page may not talk to: reload the page.');
  }
}

/** The configuration; the one that is known where it is the same, or the server does not answer: the chain may do so. */
async function configNow(known: Config | undefined): Promise<Config> {
  if (known === undefined) {
    return fetchConfig();
  }
  const fetched = await fetchConfig().catch(() => known);
  return JSON.stringify(fetched) === JSON.stringify(known) ? known : fetched;
}

/** What is needed to look at the chain: what was known before, as long as it is still the same chain. */
async function baseOf(config: Config, before: Base | undefined): Promise<Base> {
  if (before !== undefined && !config.local) {
    return before;
  }
  const rpc = before?.rpc ?? connectNode(config.rpc);
  const asked = rpc.getGenesisHash().send({ abortSignal: AbortSignal.timeout(PATIENCE_MILLISECONDS) });
  if (before !== undefined) {
    if ((await asked) !== before.genesis) {
      throw new RestartedError();
    }
    return before;
  }
  const [genesis, risk, known] = await Promise.all([asked, Risk.load(fetch(moduleUrl)), discover(rpc, config)]);
  return { rpc, risk, known, genesis };
}

export function useSession(): Session {
  const session = use(Context);
  if (session === undefined) {
    throw new Error('this is outside of the SessionProvider');
  }
  return session;
}
