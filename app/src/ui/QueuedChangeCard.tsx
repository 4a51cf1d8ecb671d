import { useMemo } from 'react';
import { mayVeto, type ChangeAct, type QueuedChange } from '../chain/changes';
import type { State } from '../chain/state';
import * as format from '../format';
import { Role, type Market } from '../generated';
import type { ChangeLine, ChangeView } from '../risk';
import { useSession } from '../session';
import { Arrow } from './Arrow';
import { Copy } from './Copy';
import { nameOf, valueText } from './parameters';
import { Review } from './Review';
import { useChainTime } from './useChainTime';
import type { Progress } from './useTransaction';
import { ConnectButton } from './WalletBar';

const ROLE_NAMES: Record<Role, string> = {
  [Role.Governance]: 'governance',
  [Role.Guardian]: 'the guardian',
  [Role.RiskSteward]: 'risk steward',
};

const ACTS: Record<ChangeAct, { button: string; summary: string }> = {
  execute: {
    button: 'Execute',
    summary: 'The change comes into force at once. The deposit for its account goes back to who paid it.',
  },
  veto: { button: 'Veto', summary: 'The change is closed, and never comes into force.' },
  closeExpired: {
    button: 'Close',
    summary: 'The change can no longer be executed. The deposit for its account goes back to who paid it.',
  },
};

const EFFECTS: Record<ChangeLine['effect'], string> = {
  nothing: 'Vaults feel nothing',
  'a ramp': 'Vaults feel it slowly',
  'at once': 'Vaults feel it at once',
};

const MEANINGS: Record<ChangeLine['meaning'], { word: string; mood: string }> = {
  looser: { word: 'Looser', mood: 'bad' },
  tighter: { word: 'Tighter', mood: 'good' },
  sideways: { word: 'Sideways', mood: 'fair' },
};

export function QueuedChangeCard({
  state,
  market,
  queued,
  isOff,
  progress,
  onAct,
  onConfirm,
  onCancel,
}: {
  state: State;
  market: Market;
  queued: QueuedChange;
  /** Whether nothing can be begun. */
  isOff: boolean;
  /** Of a transaction about this change. */
  progress: Progress | undefined;
  onAct: (act: ChangeAct) => void;
  onConfirm: () => void;
  onCancel: () => void;
}) {
  const { base, wallet, holdings } = useSession();
  const now = useChainTime() ?? state.moment.now;
  const { pending } = queued;
  const view = useMemo(() => base?.risk.change(state.snapshot, state.moment, queued.raw), [base, state, queued]);
  if (view === undefined) {
    return null;
  }
  const number = pending.nonce.toString();
  const listing = state.listings.find(({ address }) => address === pending.target);
  const asset = listing && { symbol: listing.symbol, decimals: listing.reserve.decimals };
  const loosens = loosensWhat(queued, view);
  const acts: ChangeAct[] = [];
  if (view.status === 'ready') {
    acts.push('execute');
  }
  if (view.status === 'expired') {
    acts.push('closeExpired');
  } else if (wallet !== undefined && mayVeto(market, queued, wallet.address)) {
    acts.push('veto');
  }
  const wish = progress?.at === 'review' && progress.wish.kind === 'change' ? progress.wish : undefined;
  return (
    <li className="card change" aria-labelledby={`change-${number}`}>
      <div className="change-head">
        <h3 id={`change-${number}`}>
          {titleOf(queued, asset?.symbol)} <span className="small">change {number}</span>
        </h3>
        {loosens !== undefined && <span className="badge bad">{loosens}</span>}
      </div>
      <When status={view.status} earliest={pending.earliest} latest={pending.latest} now={now} />
      <About queued={queued} view={view} asset={asset} />
      {view.status !== 'expired' && <p className="small">{whoMayVeto(queued)}</p>}
      {wish === undefined && acts.length > 0 && (
        <div className="acts">
          {wallet === undefined ? (
            <>
              <span>Anyone may {view.status === 'ready' ? 'execute' : 'close'} it.</span>
              <ConnectButton />
            </>
          ) : (
            acts.map((act) => (
              <button
                key={act}
                type="button"
                className={act === 'veto' ? 'quiet' : ''}
                disabled={isOff || holdings === undefined}
                onClick={() => {
                  onAct(act);
                }}
              >
                {ACTS[act].button}
                <span className="unseen"> change {number}</span>
              </button>
            ))
          )}
        </div>
      )}
      {progress !== undefined && progress.at !== 'done' && (
        <Review
          progress={progress}
          summary={<p>{wish !== undefined && ACTS[wish.act].summary}</p>}
          onConfirm={onConfirm}
          onCancel={onCancel}
        />
      )}
    </li>
  );
}

function titleOf({ change, pending }: QueuedChange, symbol: string | undefined): string {
  const asset = symbol ?? format.short(pending.target);
  switch (change.__kind) {
    case 'Market':
      return 'Parameters of the market';
    case 'Reserve':
      return `Parameters of ${asset}`;
    case 'Role':
      return `Another ${ROLE_NAMES[change.role].replace(/^the /, '')}`;
    case 'List':
      return `Listing of ${asset}`;
    case 'ListMinted':
      return 'A token of the market’s own';
    case 'WithdrawInsurance':
      return `Insurance of ${asset} paid out`;
  }
}

/** What more can go wrong with it, in a few words; nothing when nothing can. */
function loosensWhat({ change }: QueuedChange, { lines }: ChangeView): string | undefined {
  switch (change.__kind) {
    case 'Market':
    case 'Reserve': {
      const count = lines.filter(({ meaning }) => meaning === 'looser').length;
      return count === 0 ? undefined : `Loosens ${count === 1 ? 'a parameter' : `${count.toString()} parameters`}`;
    }
    case 'List':
    case 'ListMinted':
      return 'Adds an asset';
    case 'WithdrawInsurance':
      return 'Takes insurance out';
    case 'Role':
      return 'Changes who decides';
  }
}

function whoMayVeto({ change }: QueuedChange): string {
  return change.__kind === 'Role' && change.role === Role.Guardian
    ? 'Governance may veto it. The guardian may not: it is about the guardian.'
    : 'Governance and the guardian may veto it until it is executed.';
}

/** When it can be executed. Counts down without being announced. */
function When({
  status,
  earliest,
  latest,
  now,
}: {
  status: ChangeView['status'];
  earliest: bigint;
  latest: bigint;
  now: bigint;
}) {
  const until = (moment: bigint) => format.duration(moment > now ? moment - now : 0n);
  switch (status) {
    case 'waiting':
      return (
        <p className="when">
          <strong>
            Can be executed in <span role="timer">{until(earliest)}</span>
          </strong>
          <span className="small">
            from {format.moment(earliest)} to {format.moment(latest)}
          </span>
        </p>
      );
    case 'ready':
      return (
        <p className="when">
          <strong className="good">Can be executed now</strong>
          <span className="small">
            expires in <span role="timer">{until(latest)}</span>, {format.moment(latest)}
          </span>
        </p>
      );
    case 'expired':
      return (
        <p className="when">
          <strong>Expired</strong>
          <span className="small">nobody executed it until {format.moment(latest)}</span>
        </p>
      );
    case 'superseded':
      return (
        <p className="when">
          <strong>Superseded</strong>
          <span className="small">what it replaces has changed since: it can only be vetoed, or expire</span>
        </p>
      );
  }
}

function About({
  queued: { change },
  view: { lines },
  asset,
}: {
  queued: QueuedChange;
  view: ChangeView;
  asset: { symbol: string; decimals: number } | undefined;
}) {
  switch (change.__kind) {
    case 'Market':
    case 'Reserve':
      return lines.length === 0 ? (
        <p>Everything is as it would make it already.</p>
      ) : (
        <ul className="lines" aria-label="What it changes">
          {lines.map((line) => (
            <Line key={line.parameter} line={line} asset={asset} />
          ))}
        </ul>
      );
    case 'Role':
      return /^1+$/.test(change.to) ? (
        <p>Dismisses the {ROLE_NAMES[change.role]}.</p>
      ) : (
        <p>
          Offers to make <Copy text={change.to} what="address" /> {ROLE_NAMES[change.role]}. They have to accept.
        </p>
      );
    case 'List':
      return (
        <p>Nobody can deposit or borrow it before another change has raised its caps, with a notice of its own.</p>
      );
    case 'ListMinted':
      return (
        <p>
          Minted to whoever borrows it, and swapped for {asset?.symbol ?? 'an asset'}. Nobody can borrow it before
          another change has raised its caps.
        </p>
      );
    case 'WithdrawInsurance':
      return (
        <p>
          Pays {format.amount(change.amount, asset?.decimals ?? 0)} {asset?.symbol} to{' '}
          <Copy text={change.to} what="address of the token account" />. The program keeps the floor that insurance has.
        </p>
      );
  }
}

function Line({ line, asset }: { line: ChangeLine; asset: { symbol: string; decimals: number } | undefined }) {
  const { section, name } = nameOf(line);
  const { word, mood } = MEANINGS[line.meaning];
  return (
    <li>
      <span className="line-name">
        <span className="small">{section}</span> {name}
      </span>
      <span className="line-values">
        {valueText(line, line.before, asset)} <Arrow /> <strong>{valueText(line, line.after, asset)}</strong>
      </span>
      <span className="line-meaning">
        <strong className={mood}>{word}</strong> <span className="small">{EFFECTS[line.effect]}</span>
      </span>
    </li>
  );
}
