import { address, isAddress } from '@solana/kit';
import { useId, useState, type ReactNode } from 'react';
import * as format from '../format';
import type { Vault } from '../generated';
import { RIGHT_BORROW, RIGHT_DEPOSIT, RIGHT_GROUP, RIGHT_PAY_ANYONE, RIGHT_WITHDRAW } from '../generated/constants';
import { UNSET } from '../snapshot';
import { Copy, Whole } from './Copy';
import './Delegate.css';
import { Review } from './Review';
import { useTransaction } from './useTransaction';
import type { OpenVault } from './VaultPage';

const DAY = 86_400n;
/** For how long a delegate is proposed. */
const DAYS = 30n;

const RIGHTS: readonly { bit: number; label: string; short: string }[] = [
  { bit: RIGHT_DEPOSIT, label: 'Deposit, also assets that the vault does not hold yet', short: 'deposit' },
  { bit: RIGHT_WITHDRAW, label: 'Withdraw, to you only', short: 'withdraw' },
  { bit: RIGHT_BORROW, label: 'Borrow, paid out to you only', short: 'borrow' },
  { bit: RIGHT_GROUP, label: 'Change the efficiency group', short: 'change the efficiency group' },
  { bit: RIGHT_PAY_ANYONE, label: 'Withdraw and borrow to anybody', short: 'pay out to anybody' },
];
const TAKES_OUT = RIGHT_WITHDRAW | RIGHT_BORROW;

/** What rights come to, in words. */
export function rightsText(rights: number): string {
  return format.listed(RIGHTS.filter(({ bit }) => (rights & bit) !== 0).map(({ short }) => short));
}

/** Who else may act on the vault, and giving it away. For its owner. */
export function Delegate({ vault }: { vault: OpenVault }) {
  const { decoded, state } = vault;
  const isSet = decoded.delegate !== UNSET;
  const isOver = isSet && state.moment.now >= decoded.delegateUntil;
  return (
    <details className="card delegate">
      <summary>
        <h2>Delegate and transfer</h2>
        <span className="small">
          {isSet ? `delegate: ${format.short(decoded.delegate)}${isOver ? ', expired' : ''}` : 'only you may act'}
          {decoded.offeredTo !== UNSET && `; offered to ${format.short(decoded.offeredTo)}`}
        </span>
      </summary>
      <DelegateForm decoded={decoded} now={state.moment.now} />
      <TransferForm decoded={decoded} />
    </details>
  );
}

/** A delegate with rights until a day; or the one that there is. */
function DelegateForm({ decoded, now }: { decoded: Vault; now: bigint }) {
  const { progress, review, confirm, reset, isOff } = useTransaction();
  const [who, setWho] = useState('');
  const [rights, setRights] = useState(RIGHT_DEPOSIT);
  const [day, setDay] = useState(dayOf(now + DAYS * DAY));
  const ids = { day: useId(), problem: useId() };
  const isSet = decoded.delegate !== UNSET;
  const isReview = progress.at === 'review';
  const isFixed = isReview || isOff;
  const wish = isReview && progress.wish.kind === 'delegate' ? progress.wish : undefined;
  const until = endOf(day);
  const problem = problemOf(who, rights, until, now);
  const takesAll = (rights & RIGHT_PAY_ANYONE) !== 0 && (rights & TAKES_OUT) !== 0;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (problem === undefined && until !== undefined && isAddress(who)) {
          void review({ kind: 'delegate', delegate: address(who), rights, until });
        }
      }}
    >
      <h3>A delegate</h3>
      {isSet ? (
        <>
          <p>
            <Copy text={decoded.delegate} what="address of the delegate" /> may {rightsText(decoded.delegateRights)}{' '}
            {now < decoded.delegateUntil
              ? `until ${format.moment(decoded.delegateUntil)}.`
              : `no more: that ended at ${format.moment(decoded.delegateUntil)}.`}
          </p>
          {!isReview && (
            <button
              type="button"
              className="quiet"
              disabled={isOff}
              onClick={() => void review({ kind: 'delegate', delegate: UNSET, rights: 0, until: 0n })}
            >
              Revoke
            </button>
          )}
        </>
      ) : (
        <>
          <p className="small">
            Another address that may act on this vault, such as a bot or another wallet of yours. It can neither close
            nor give away the vault, nor name another delegate.
          </p>
          <AddressField
            label="Address of the delegate"
            value={who}
            isFixed={isFixed}
            describedBy={ids.problem}
            onChange={(typed) => {
              setWho(typed);
              reset();
            }}
          />
          <fieldset className="rights" disabled={isFixed}>
            <legend>May</legend>
            {RIGHTS.map(({ bit, label }) => (
              <label key={bit}>
                <input
                  type="checkbox"
                  checked={(rights & bit) !== 0}
                  onChange={() => {
                    setRights(rights ^ bit);
                    reset();
                  }}
                />
                {label}
              </label>
            ))}
          </fieldset>
          <p className="danger-room" role="status">
            {takesAll && <strong className="bad">With that, the delegate can take everything out of the vault.</strong>}
          </p>
          <div className="field">
            <label htmlFor={ids.day}>Up to and including (UTC)</label>
            <input
              id={ids.day}
              type="date"
              value={day}
              disabled={isFixed}
              aria-describedby={ids.problem}
              onChange={(event) => {
                setDay(event.target.value);
                reset();
              }}
            />
          </div>
          <p id={ids.problem} className="field-problem" role="alert">
            {who !== '' && problem}
          </p>
          {!isReview && (
            <button type="submit" disabled={isOff || problem !== undefined}>
              Set delegate
            </button>
          )}
        </>
      )}
      <Review
        progress={progress}
        summary={
          <p>
            <strong>
              {wish === undefined || wish.rights === 0 ? (
                'Nobody but you may act on the vault.'
              ) : (
                <>
                  <Whole address={wish.delegate} /> may {rightsText(wish.rights)}, until {format.moment(wish.until)}.
                </>
              )}
            </strong>
          </p>
        }
        onConfirm={() =>
          void confirm(wish?.rights === 0 ? 'The delegate is revoked.' : 'The delegate is set.').then((isDone) => {
            if (isDone) {
              setWho('');
            }
          })
        }
        onCancel={reset}
      />
    </form>
  );
}

/** What is wrong with a delegate as typed. */
function problemOf(who: string, rights: number, until: bigint | undefined, now: bigint): ReactNode {
  if (!isAddress(who) || who === UNSET) {
    return 'Write the address of a wallet.';
  }
  if (rights === 0) {
    return 'Choose what the delegate may do.';
  }
  return until === undefined || until <= now ? 'Choose a day that is not over.' : undefined;
}

/** The vault's next owner, who has to accept. */
function TransferForm({ decoded }: { decoded: Vault }) {
  const { progress, review, confirm, reset, isOff } = useTransaction();
  const [to, setTo] = useState('');
  const ids = { problem: useId() };
  const isOffered = decoded.offeredTo !== UNSET;
  const isReview = progress.at === 'review';
  const isFixed = isReview || isOff;
  const wish = isReview && progress.wish.kind === 'offer' ? progress.wish : undefined;
  const isUsable = isAddress(to) && to !== UNSET;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isUsable) {
          void review({ kind: 'offer', to });
        }
      }}
    >
      <h3>Another owner</h3>
      {isOffered ? (
        <>
          <p>
            Offered to <Copy text={decoded.offeredTo} what="address of the other owner" />, who has not accepted yet.
            Until then the vault is yours.
          </p>
          {!isReview && (
            <button
              type="button"
              className="quiet"
              disabled={isOff}
              onClick={() => void review({ kind: 'offer', to: UNSET })}
            >
              Take the offer back
            </button>
          )}
        </>
      ) : (
        <>
          <p className="small">Collateral and debt go with the vault. The other owner has to accept.</p>
          <AddressField
            label="Address of the other owner"
            value={to}
            isFixed={isFixed}
            describedBy={ids.problem}
            onChange={(typed) => {
              setTo(typed);
              reset();
            }}
          />
          <p id={ids.problem} className="field-problem" role="alert">
            {to !== '' && !isUsable && 'Write the address of a wallet.'}
          </p>
          {!isReview && (
            <button type="submit" className="quiet" disabled={isOff || !isUsable}>
              Offer vault
            </button>
          )}
        </>
      )}
      <Review
        progress={progress}
        summary={
          <p>
            <strong>
              {wish === undefined || wish.to === UNSET ? (
                'The vault stays yours.'
              ) : (
                <>
                  Once <Whole address={wish.to} /> accepts, the vault with all it holds is theirs.
                </>
              )}
            </strong>
          </p>
        }
        onConfirm={() =>
          void confirm(wish?.to === UNSET ? 'The offer is taken back.' : 'The vault is offered.').then((isDone) => {
            if (isDone) {
              setTo('');
            }
          })
        }
        onCancel={reset}
      />
    </form>
  );
}

function AddressField({
  label,
  value,
  isFixed,
  describedBy,
  onChange,
}: {
  label: string;
  value: string;
  isFixed: boolean;
  describedBy: string;
  onChange: (typed: string) => void;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        autoComplete="off"
        spellCheck={false}
        value={value}
        disabled={isFixed}
        aria-describedby={describedBy}
        onChange={(event) => {
          onChange(event.target.value.trim());
        }}
      />
    </div>
  );
}

function dayOf(seconds: bigint): string {
  return format.moment(seconds).slice(0, 10);
}

/** The end of a day such as `2026-01-31` in UTC, Unix seconds. */
function endOf(day: string): bigint | undefined {
  const begin = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(begin) ? undefined : BigInt(begin) / 1_000n + DAY;
}
