import { useEffect, useRef, useState } from 'react';
import { explain } from '../chain/errors';
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
  useEffect(
    () =>
      onInstalled(() => {
        setFound(installed(local));
      }),
    [local],
  );
  const choices = local ? [...found, burner] : found;
  const choose = async (connector: Connector) => {
    try {
      await connect(connector);
      dialog.current?.close();
    } catch (error) {
      setProblem(explain(error));
    }
  };
  return (
    <>
      <button
        type="button"
        disabled={base === undefined}
        onClick={() => {
          setFound(installed(local));
          setProblem(undefined);
          dialog.current?.showModal();
        }}
      >
        Connect wallet
      </button>
      <dialog ref={dialog} aria-labelledby="connect-title">
        <h2 id="connect-title">Connect a wallet</h2>
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
function Faucet() {
  const { config, wallet, refresh } = useSession();
  const [text, setText] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  if (config?.local !== true || wallet === undefined) {
    return null;
  }
  const ask = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      const response = await fetch('/faucet', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ address: wallet.address }),
      });
      const answer = (await response.json()) as { error?: string };
      setText(answer.error === undefined ? 'Test tokens have arrived.' : '');
      setProblem(answer.error);
      refresh();
    } catch (error) {
      setProblem(explain(error));
    }
    setBusy(false);
  };
  return (
    <>
      <button type="button" className="quiet" disabled={isBusy} onClick={() => void ask()}>
        {isBusy ? 'Getting tokens…' : 'Get test tokens'}
      </button>
      <span role="status" className="unseen">
        {text}
      </span>
      {problem !== undefined && (
        <span className="bad small" role="alert">
          {problem}
        </span>
      )}
    </>
  );
}
