import { useEffect, useId, useRef, useState } from 'react';
import { explain } from '../chain/errors';
import { giveTokens } from '../chain/local';
import { short } from '../format';
import { useSession } from '../session';
import type { Connector } from '../wallet';
import { burner } from '../wallet/burner';
import { installed, onInstalled } from '../wallet/standard';

/** Connects a wallet, and says which one is. */
export function WalletBar() {
  const { wallet, disconnect } = useSession();
  return (
    <div className="wallet">
      {wallet === undefined ? (
        <ConnectButton />
      ) : (
        <>
          <Faucet />
          <span className="address" title={wallet.address}>
            <span className="unseen">{wallet.name}, address </span>
            {short(wallet.address)}
          </span>
          <button type="button" className="quiet" onClick={disconnect}>
            Disconnect
          </button>
        </>
      )}
    </div>
  );
}

export function ConnectButton() {
  const { config, base, connect } = useSession();
  const dialog = useRef<HTMLDialogElement>(null);
  const [found, setFound] = useState<readonly Connector[]>([]);
  const [problem, setProblem] = useState<string>();
  const local = config?.local === true;
  const genesis = base?.genesis;
  const titleId = useId();
  useEffect(
    () =>
      onInstalled(() => {
        setFound(genesis === undefined ? [] : installed(genesis));
      }),
    [genesis],
  );
  const choices = local ? [...found, burner] : found;
  const choose = async (connector: Connector) => {
    try {
      await connect(connector);
      dialog.current?.close();
      // The button that had the focus is gone.
      document.getElementById('main')?.focus();
    } catch (error) {
      setProblem(explain(error));
    }
  };
  return (
    <>
      <button
        type="button"
        disabled={genesis === undefined}
        onClick={() => {
          setFound(genesis === undefined ? [] : installed(genesis));
          setProblem(undefined);
          dialog.current?.showModal();
        }}
      >
        Connect wallet
      </button>
      <dialog ref={dialog} aria-labelledby={titleId}>
        <h2 id={titleId}>Connect a wallet</h2>
        {choices.length === 0 && <p>No wallet for Solana is installed in this browser.</p>}
        <ul className="choices">
          {choices.map((connector) => (
            <li key={connector.name}>
              <button type="button" className="wide" onClick={() => void choose(connector)}>
                {connector.name}
              </button>
            </li>
          ))}
        </ul>
        {local && (
          <p className="small">The burner wallet is a key in this browser&rsquo;s storage, for this chain only.</p>
        )}
        {problem !== undefined && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <button type="button" className="quiet" onClick={() => dialog.current?.close()}>
          Cancel
        </button>
      </dialog>
    </>
  );
}

/** Test tokens, on a local chain. */
export function Faucet() {
  const { config, wallet, seenAt, refresh } = useSession();
  /** When the server said that it has given. */
  const [givenAt, setGivenAt] = useState<number>();
  const [problem, setProblem] = useState<string>();
  const [isAsking, setAsking] = useState(false);
  if (config?.local !== true || wallet === undefined) {
    return null;
  }
  // Only what the page shows has arrived: what is offered follows from it.
  const hasArrived = givenAt !== undefined && seenAt > givenAt;
  const isBusy = isAsking || (givenAt !== undefined && !hasArrived);
  const ask = async () => {
    setAsking(true);
    setProblem(undefined);
    setGivenAt(undefined);
    try {
      await giveTokens(wallet.address);
      setGivenAt(performance.now());
      refresh();
    } catch (error) {
      setProblem(explain(error));
    }
    setAsking(false);
  };
  return (
    <>
      <button type="button" className="quiet" disabled={isBusy} onClick={() => void ask()}>
        {isBusy ? 'Getting tokens…' : 'Get test tokens'}
      </button>
      <span role="status" className="unseen">
        {hasArrived && 'Test tokens have arrived.'}
      </span>
      {problem !== undefined && (
        <span className="bad small" role="alert">
          {problem}
        </span>
      )}
    </>
  );
}
