import { useState } from 'react';
import { short } from '../format';
import './Copy.css';

/** A long text, such as an address, of which the beginning and the end are shown. `what` says what it is. */
export function Copy({ text, what }: { text: string; what: string }) {
  const [isCopied, setCopied] = useState(false);
  const [isFailed, setFailed] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      // The browser may refuse, or have no clipboard: it is shown instead, to be copied by hand.
      setFailed(true);
    }
  };
  if (isFailed) {
    return <Whole address={text} />;
  }
  return (
    <span className="copied">
      <code title={text}>{short(text)}</code>
      <button type="button" className="quiet copy" onClick={() => void copy()}>
        {isCopied ? 'Copied' : 'Copy'}
        <span className="unseen"> {what}</span>
      </button>
      <span className="unseen" role="status">
        {isCopied ? `Copied ${what}.` : ''}
      </span>
    </span>
  );
}

/** An address in full, before something is signed for it: others may begin and end alike. */
export function Whole({ address }: { address: string }) {
  return <code className="whole">{address}</code>;
}
