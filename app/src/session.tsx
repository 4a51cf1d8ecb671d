/** What all pages share: the chain as it is now, and the wallet. */
import { createSolanaRpc, type Rpc, type SolanaRpcApi } from '@solana/kit';
import { createContext, use, useCallback, useEffect, useMemo, useState, type ReactNode } from 'react';
import { fetchConfig, type Config } from './chain/config';
import { explain } from './chain/errors';
import { discover, fetchState, type Holdings, type State } from './chain/state';
import { Risk, type Snapshot } from './risk';
import moduleUrl from './risk/keel_risk.wasm?url';
import type { Connector, Wallet } from './wallet';

/** How often the chain is looked at. */
const PERIOD_MILLISECONDS = 2_000;

/** What does not change while the page is open. */
export interface Base {
  rpc: Rpc<SolanaRpcApi>;
  risk: Risk;
  known: Snapshot;
}

export interface Session {
  /** Fetched before anything is shown. */
  config: Config | undefined;
  base: Base | undefined;
  state: State | undefined;
  /** What the connected wallet holds, once it is known. */
  holdings: Holdings | undefined;
  wallet: Wallet | undefined;
  /** What is wrong at the moment. */
  problem: string | undefined;
  connect: (connector: Connector) => Promise<void>;
  disconnect: () => void;
  /** Looks at the chain now. */
  refresh: () => void;
}

const Context = createContext<Session | undefined>(undefined);

async function begin(config: Config): Promise<Base> {
  const rpc = createSolanaRpc(config.rpc);
  const [risk, known] = await Promise.all([Risk.load(fetch(moduleUrl)), discover(rpc, config)]);
  return { rpc, risk, known };
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [config, setConfig] = useState<Config>();
  const [base, setBase] = useState<Base>();
  const [state, setState] = useState<State>();
  const [wallet, setWallet] = useState<Wallet>();
  const [problem, setProblem] = useState<string>();
  const [looks, setLooks] = useState(0);
  const owner = wallet?.address;

  useEffect(() => {
    const start = async () => {
      const fetched = await fetchConfig();
      setConfig(fetched);
      setBase(await begin(fetched));
    };
    start().catch((error: unknown) => {
      setProblem(explain(error));
    });
  }, []);

  useEffect(() => {
    if (base === undefined || config === undefined) {
      return;
    }
    let isOver = false;
    let timer: number | undefined;
    const look = async () => {
      try {
        const fetched = await fetchState(base.rpc, config, base.known, owner);
        if (!isOver) {
          setState(fetched);
          setProblem(undefined);
        }
      } catch (error) {
        if (!isOver) {
          setProblem(explain(error));
        }
      }
      if (!isOver) {
        timer = window.setTimeout(() => void look(), PERIOD_MILLISECONDS);
      }
    };
    void look();
    return () => {
      isOver = true;
      window.clearTimeout(timer);
    };
  }, [base, config, owner, looks]);

  const connect = useCallback(async (connector: Connector) => {
    setWallet(await connector.connect());
  }, []);
  const session = useMemo(
    (): Session => ({
      config,
      base,
      state,
      // Another wallet's are still shown for a moment otherwise.
      holdings: state?.holdings?.owner === owner ? state?.holdings : undefined,
      wallet,
      problem,
      connect,
      disconnect: () => {
        setWallet(undefined);
      },
      refresh: () => {
        setLooks((n) => n + 1);
      },
    }),
    [config, base, state, owner, wallet, problem, connect],
  );
  return <Context value={session}>{children}</Context>;
}

export function useSession(): Session {
  const session = use(Context);
  if (session === undefined) {
    throw new Error('this is outside of the SessionProvider');
  }
  return session;
}
