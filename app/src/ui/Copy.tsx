import { useState } from 'react';
import { short } from '../format';
import './Copy.css';

/** A long text, such as an address, of which the beginning and the end are shown. `what` says what it is. */
export function Copy({ text, what }: { text: string; what: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
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
