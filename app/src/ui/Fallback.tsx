import { Component, type ReactNode } from 'react';
import { explain } from '../chain/errors';

/** What is shown in place of a page that cannot be: a mistake in it does not take the wallet and the other pages along. */
export class Fallback extends Component<{ children: ReactNode }, { words: string | undefined }> {
  override state: { words: string | undefined } = { words: undefined };

  static getDerivedStateFromError(error: unknown): { words: string } {
    return { words: explain(error) };
  }

  override render(): ReactNode {
    const { words } = this.state;
    if (words === undefined) {
      return this.props.children;
    }
    return (
      <section className="card">
        <h1>This page cannot be shown</h1>
        <p className="problem" role="alert">
          {words}
        </p>
        <p>What is on the chain is not touched by that.</p>
        <button
          type="button"
          onClick={() => {
            this.setState({ words: undefined });
          }}
        >
          Try again
        </button>
      </section>
    );
  }
}
