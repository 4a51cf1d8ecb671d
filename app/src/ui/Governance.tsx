import { useState } from 'react';
import { marketOf, type ChangeAct, type EndedChange, type QueuedChange } from '../chain/changes';
import * as format from '../format';
import { useSession } from '../session';
import './Governance.css';
import { GovernanceRoles } from './GovernanceRoles';
import { QueuedChangeCard } from './QueuedChangeCard';
import { Sent } from './Review';
import { useChanges } from './useChanges';
import { useTransaction } from './useTransaction';

const DONE: Record<ChangeAct, (number: string) => string> = {
  execute: (number) => `Change ${number} is in force.`,
  veto: (number) => `Change ${number} is vetoed: it will not come into force.`,
  closeExpired: (number) => `Change ${number} is closed; its deposit is back with who paid it.`,
};

/** What may come over the protocol, and who decides. */
export function Governance() {
  const { state } = useSession();
  const { queued, ended, problem, refresh } = useChanges();
  const { progress, review, confirm, reset, isOff } = useTransaction();
  const [acted, setActed] = useState<QueuedChange>();
  const market = state && marketOf(state);

  const start = (queuedChange: QueuedChange, act: ChangeAct) => {
    setActed(queuedChange);
    void review({ kind: 'change', act, queued: queuedChange });
  };
  const send = async (queuedChange: QueuedChange) => {
    if (progress.at === 'review' && progress.wish.kind === 'change') {
      await confirm(DONE[progress.wish.act](queuedChange.pending.nonce.toString()));
      refresh();
    }
  };
  return (
    <>
      <h1>Governance</h1>
      <p className="lead">
        Whatever loosens the protocol, or is felt by vaults, is announced here and waits. Then anyone may execute it,
        unless it was vetoed. What is tighter, and felt by no vault, needs no notice.
      </p>
      <p className="status" role="status">
        {progress.at === 'done' ? progress.words : ''}
      </p>
      <Sent progress={progress} />
      <div className="governance">
        <section aria-labelledby="queue-title">
          <h2 id="queue-title">Queued changes</h2>
          {problem !== undefined && (
            <p className="problem" role="alert">
              {problem}
            </p>
          )}
          {state === undefined || market === undefined || queued === undefined ? (
            <div className="card waiting-change" aria-busy="true">
              Loading…
            </div>
          ) : queued.length === 0 ? (
            <p className="card">Nothing is queued: the parameters stay what they are for now.</p>
          ) : (
            <ul className="changes">
              {queued.map((one) => (
                <QueuedChangeCard
                  key={one.raw.address}
                  state={state}
                  market={market}
                  queued={one}
                  isOff={isOff}
                  progress={acted?.raw.address === one.raw.address ? progress : undefined}
                  onAct={(act) => {
                    start(one, act);
                  }}
                  onConfirm={() => void send(one)}
                  onCancel={reset}
                />
              ))}
            </ul>
          )}
          {ended.length > 0 && <Ended ended={ended} />}
        </section>
        <GovernanceRoles market={market} now={state?.moment.now} />
      </div>
    </>
  );
}

/** How the last ones ended. */
function Ended({ ended }: { ended: readonly EndedChange[] }) {
  return (
    <section className="ended" aria-labelledby="ended-title">
      <h2 id="ended-title">Closed last</h2>
      <ul>
        {ended.map(({ nonce, end, by, at }) => (
          <li key={nonce.toString()}>
            Change {nonce.toString()}{' '}
            {end === 'executed' ? 'was executed' : end === 'vetoed' ? 'was vetoed' : 'expired and was closed'}
            {by !== undefined && <> by {format.short(by)}</>}
            {at !== null && <span className="small"> {format.moment(at)}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
